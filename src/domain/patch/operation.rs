//! The operations of a patch, as RFC 6902 writes them. Values are kept as the text that they came as: their order of members
//! and their digits are what is put into a message.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct PatchOperation {
    /// Where.
    pub path: Pointer,
    /// What.
    pub act: Act,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Puts a value in, or in place of the member that is there.
    Add(Raw),
    /// Takes a value out.
    Remove,
    /// Puts a value in place of the one that is there.
    Replace(Raw),
    /// Takes a value from elsewhere.
    Move(Pointer),
    /// Copies a value from elsewhere.
    Copy(Pointer),
    /// Holds if this value is there.
    Test(Raw),
}

impl PatchOperation {
    /// As RFC 6902 calls it.
    pub fn name(&self) -> &'static str {
        match self.act {
            Act::Add(_) => "add",
            Act::Remove => "remove",
            Act::Replace(_) => "replace",
            Act::Move(_) => "move",
            Act::Copy(_) => "copy",
            Act::Test(_) => "test",
        }
    }

    /// Whether it can change anything.
    pub fn changes(&self) -> bool {
        !matches!(self.act, Act::Test(_))
    }

    /// The longest text, in bytes, that it may make of one of this length.
    pub(super) fn longest(&self, text: usize) -> usize {
        // Of a new member the name, which may be escaped once more.
        let name = 6 * self.path.0.len() + 4;
        match &self.act {
            Act::Add(value) | Act::Replace(value) => text.saturating_add(value.text().len() + name),
            Act::Copy(_) => text.saturating_mul(2).saturating_add(name),
            Act::Move(_) => text.saturating_add(name),
            Act::Remove | Act::Test(_) => text,
        }
    }
}

/// JSON as it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// The text.
    pub fn text(&self) -> &[u8] {
        self.0.get().as_bytes()
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Raw {}

/// A JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(String);

impl Pointer {
    /// The names and indices that lead from the whole to the value.
    pub fn tokens(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.0.split('/').skip(1).map(unescaped)
    }

    /// Whether this is a value within the other one.
    pub fn is_within(&self, outer: &Self) -> bool {
        self.0.strip_prefix(&outer.0).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn unescaped(token: &str) -> Cow<'_, str> {
    if token.contains('~') { token.replace("~1", "/").replace("~0", "~").into() } else { token.into() }
}

impl TryFrom<String> for Pointer {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let escapes_are_known = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if text.is_empty() || (text.starts_with('/') && escapes_are_known) {
            Ok(Self(text))
        } else {
            Err("a path is empty or begins with /, and ~ stands in ~0 and ~1 only")
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

/// The members of an operation; RFC 6902 has others ignored.
#[derive(Serialize, Deserialize)]
struct Written {
    op: Op,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Pointer>,
    path: Pointer,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    value: Option<Raw>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// `null` is a value.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Raw>, D::Error> {
    Raw::deserialize(deserializer).map(Some)
}

impl TryFrom<Written> for PatchOperation {
    type Error = &'static str;

    fn try_from(Written { op, from, path, value }: Written) -> Result<Self, Self::Error> {
        let value = value.ok_or("it needs a `value`");
        let from = from.ok_or("it needs a `from`");
        let act = match op {
            Op::Add => Act::Add(value?),
            Op::Remove => Act::Remove,
            Op::Replace => Act::Replace(value?),
            Op::Move => Act::Move(from?),
            Op::Copy => Act::Copy(from?),
            Op::Test => Act::Test(value?),
        };
        Ok(Self { path, act })
    }
}

impl From<PatchOperation> for Written {
    fn from(PatchOperation { path, act }: PatchOperation) -> Self {
        let (op, from, value) = match act {
            Act::Add(value) => (Op::Add, None, Some(value)),
            Act::Remove => (Op::Remove, None, None),
            Act::Replace(value) => (Op::Replace, None, Some(value)),
            Act::Move(from) => (Op::Move, Some(from), None),
            Act::Copy(from) => (Op::Copy, Some(from), None),
            Act::Test(value) => (Op::Test, None, Some(value)),
        };
        Self { op, from, path, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_and_written_as_they_came() {
        for text in [
            r#"{"op":"add","path":"/a~1b","value":{"z": 1.50, "a": null}}"#,
            r#"{"op":"remove","path":"/a"}"#,
            r#"{"op":"replace","path":"","value":null}"#,
            r#"{"op":"move","from":"/a","path":"/b"}"#,
            r#"{"op":"copy","from":"/a","path":"/b"}"#,
            r#"{"op":"test","path":"/-","value":18446744073709551616}"#,
        ] {
            let operation: PatchOperation = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&operation).unwrap(), text);
        }
        for wrong in [
            r#"{"op":"frob","path":"/a"}"#,
            r#"{"op":"add","path":"/a"}"#,
            r#"{"op":"move","path":"/a"}"#,
            r#"{"op":"remove","path":"a"}"#,
            r#"{"op":"remove","path":"/~2"}"#,
            r#"{"op":"remove"}"#,
        ] {
            assert!(serde_json::from_str::<PatchOperation>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pointer_names_what_leads_to_its_value() {
        let pointer = |text: &str| Pointer::try_from(text.to_owned()).unwrap();
        assert_eq!(pointer("/a~1b/~01/").tokens().collect::<Vec<_>>(), ["a/b", "~1", ""]);
        assert_eq!(pointer("").tokens().count(), 0);
        assert!(pointer("/a/b").is_within(&pointer("/a")) && pointer("/a").is_within(&pointer("")));
        assert!(!pointer("/ab").is_within(&pointer("/a")) && !pointer("/a").is_within(&pointer("/a")));
    }
}
