//! A JSON text that is changed at its places: what an operation does not touch stays, byte for byte.

use std::ops::Range;

use super::operation::{Act, PatchOperation, Pointer};
use super::{MAX_BYTES, same};
use crate::domain::bounded::{self, BYTE_ORDER_MARK, MAX_DEPTH, Unread};
use crate::domain::spans::{self, Part};

type Done = Result<(), &'static str>;

const NO_PATH: &str = "there is no such path";

/// The text, with or without its byte order mark.
pub(super) struct Document {
    has_mark: bool,
    text: Vec<u8>,
}

/// A place in an array or object: that of the last token of a pointer.
enum Place {
    /// A value is there.
    There(Part),
    /// It is the end of an array, or a new member: before this, where its parent ends.
    New { parent: Range<usize>, last: Option<Part>, name: Option<String> },
}

impl Document {
    /// Reads JSON of bounded length and depth; what members are there twice and what numbers have many digits matters to nobody
    /// as long as they stay.
    pub fn read(body: &[u8]) -> Result<Self, Unread> {
        if body.len() > MAX_BYTES {
            return Err(Unread::TooLarge(MAX_BYTES));
        }
        let text = bounded::without_mark(body);
        if text.is_empty() {
            return Err(Unread::Empty);
        }
        let json = std::str::from_utf8(text).map_err(|_| Unread::NotUtf8)?;
        serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|error| Unread::new(&error))?;
        if bounded::depth(text) > MAX_DEPTH {
            return Err(Unread::TooDeep);
        }
        Ok(Self { has_mark: text.len() < body.len(), text: text.to_vec() })
    }

    pub fn into_bytes(self) -> Vec<u8> {
        if self.has_mark { [BYTE_ORDER_MARK, &self.text].concat() } else { self.text }
    }

    pub fn apply(&mut self, operation: &PatchOperation) -> Done {
        let path = &operation.path;
        match &operation.act {
            Act::Add(value) => self.add(path, value.text()),
            Act::Remove => self.remove(path),
            Act::Replace(value) => {
                let place = self.locate(path)?;
                self.replace(place, &[value.text()])
            }
            Act::Copy(from) => {
                let value = self.taken(from)?;
                self.add(path, &value)
            }
            Act::Move(from) if path.is_within(from) => Err("`path` is within `from`"),
            Act::Move(from) => {
                let value = self.taken(from)?;
                if from == path {
                    return Ok(());
                }
                self.remove(from)?;
                self.add(path, &value)
            }
            Act::Test(value) => {
                let place = self.locate(path)?;
                let is_same = same::is_same(&self.text[place], value.text());
                is_same.then_some(()).ok_or("another value stands there")
            }
        }
    }

    fn taken(&self, from: &Pointer) -> Result<Vec<u8>, &'static str> {
        let place = self
            .locate(from)
            .map_err(|why| if why == NO_PATH { "there is nothing at `from`" } else { why })?;
        Ok(self.text[place].to_vec())
    }

    fn locate(&self, path: &Pointer) -> Result<Range<usize>, &'static str> {
        let mut value = spans::whole(&self.text);
        for token in path.tokens() {
            value = match self.place(&value, &token)? {
                Place::There(part) => part.value,
                Place::New { .. } => return Err(NO_PATH),
            };
        }
        Ok(value)
    }

    /// The place of a name or an index within this value.
    fn place(&self, parent: &Range<usize>, token: &str) -> Result<Place, &'static str> {
        let parts = || spans::parts(&self.text, parent);
        let new = |last, name| Place::New { parent: parent.clone(), last, name };
        match self.text.get(parent.start) {
            Some(b'{') => {
                let (mut found, mut last) = (None, None);
                for part in parts() {
                    if *spans::string(&self.text[part.name.clone()]) == *token.as_bytes()
                        && found.replace(part.clone()).is_some()
                    {
                        return Err("two members of that name stand in one object");
                    }
                    last = Some(part);
                }
                Ok(found.map_or_else(|| new(last, Some(token.to_owned())), Place::There))
            }
            Some(b'[') if token == "-" => Ok(new(parts().last(), None)),
            Some(b'[') => {
                let index = index(token).ok_or(NO_PATH)?;
                let mut last = None;
                for (at, part) in parts().enumerate() {
                    if at == index {
                        return Ok(Place::There(part));
                    }
                    last = Some((at, part));
                }
                let length = last.as_ref().map_or(0, |(at, _)| at + 1);
                if index == length { Ok(new(last.map(|(_, part)| part), None)) } else { Err(NO_PATH) }
            }
            _ => Err(NO_PATH),
        }
    }

    fn parent_and_place(&self, path: &Pointer) -> Result<Option<(Range<usize>, Place)>, &'static str> {
        let mut value = spans::whole(&self.text);
        let mut tokens = path.tokens().peekable();
        while let Some(token) = tokens.next() {
            let place = self.place(&value, &token)?;
            match place {
                place if tokens.peek().is_none() => return Ok(Some((value, place))),
                Place::There(part) => value = part.value,
                Place::New { .. } => return Err(NO_PATH),
            }
        }
        Ok(None)
    }

    fn add(&mut self, path: &Pointer, value: &[u8]) -> Done {
        let Some((parent, place)) = self.parent_and_place(path)? else {
            return self.replace(spans::whole(&self.text), &[value]);
        };
        match place {
            Place::There(part) if self.text[parent.start] == b'{' => self.replace(part.value, &[value]),
            Place::There(part) => {
                let start = part.start();
                self.replace(start..start, &[value, b","])
            }
            Place::New { parent, last, name } => {
                let at = last.as_ref().map_or(parent.start + 1, |part| part.value.end);
                let name =
                    name.map(|name| format!("{}:", serde_json::Value::String(name))).unwrap_or_default();
                let comma: &[u8] = if last.is_some() { b"," } else { b"" };
                self.replace(at..at, &[comma, name.as_bytes(), value])
            }
        }
    }

    fn remove(&mut self, path: &Pointer) -> Done {
        let Some((parent, Place::There(gone))) = self.parent_and_place(path)? else { return Err(NO_PATH) };
        let range = spans::removal(&self.text, &parent, &gone);
        self.replace(range, &[])
    }

    /// Puts these pieces, one after the other, in place of what stands there.
    fn replace(&mut self, place: Range<usize>, by: &[&[u8]]) -> Done {
        let added: usize = by.iter().map(|piece| piece.len()).sum();
        // A few copies of the whole into itself would be more than any memory has.
        if self.text.len() - place.len() + added > MAX_BYTES {
            return Err("what it makes is too large");
        }
        let (before, after) = (&self.text[..place.start], &self.text[place.end..]);
        // In one piece: what grows where it stands takes twice its length.
        self.text = [&[before], by, &[after]].concat().concat();
        let nests = |piece: &&[u8]| piece.iter().any(|byte| matches!(byte, b'[' | b'{'));
        if by.iter().any(nests) && bounded::depth(&self.text) > MAX_DEPTH {
            return Err("what it makes is nested too deep");
        }
        Ok(())
    }
}

/// Digits without a zero in front.
fn index(token: &str) -> Option<usize> {
    let is_index =
        token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    is_index.then(|| token.parse().ok())?
}
