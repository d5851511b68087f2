//! A text that is looked for in bodies, whichever way JSON has escaped it there.
//!
//! Writers of JSON may escape what they like: Python and PHP write `Ø` as `\u00d8`, .NET as `\u00D8`, PHP `/` as `\/`. So a body
//! is read as it stands, then with its escapes replaced, and once more for JSON that lies as text within JSON.

use memchr::memmem::{self, Finder};

/// How often escapes are replaced: those of the body, and those of a JSON text within it.
const LAYERS: usize = 2;

/// What is looked for in bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needle {
    /// A text, whichever way it is escaped.
    Text(String),
    /// These bytes, as they stand.
    Bytes(Vec<u8>),
}

impl Needle {
    /// As it stands where nothing escapes it.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// What a body that holds it must hold as it stands, for the database to look for: the longest part that no writer of JSON
    /// escapes. Without such a part it is a backslash, or all of it as it stands.
    pub fn anchors(&self) -> Vec<Vec<u8>> {
        let Self::Text(text) = self else { return vec![self.bytes().to_vec()] };
        let literal = text.split(is_escaped_by_some).max_by_key(|part| part.len()).unwrap_or_default();
        if literal.is_empty() {
            return vec![text.as_bytes().to_vec(), b"\\".to_vec()];
        }
        vec![literal.as_bytes().to_vec()]
    }

    /// Whether it can only stand as it is.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Text(text) => !text.contains(is_escaped_by_some),
            Self::Bytes(_) => true,
        }
    }

    /// Whether a body holds it.
    pub fn is_in(&self, body: &[u8]) -> bool {
        let finder = Finder::new(self.bytes());
        if finder.find(body).is_some() {
            return true;
        }
        if self.is_plain() {
            return false;
        }
        let mut read = None;
        for _ in 0..LAYERS {
            let body = read.as_deref().unwrap_or(body);
            let Some(unescaped) = unescaped(body) else { return false };
            if finder.find(&unescaped).is_some() {
                return true;
            }
            read = Some(unescaped);
        }
        false
    }
}

/// Whether some writer of JSON escapes this character.
fn is_escaped_by_some(character: char) -> bool {
    let stays = character.is_ascii_alphanumeric() || " -_.,:;@#$%!?()*[]{}|~^".contains(character);
    !stays
}

/// The same bytes with JSON's escapes replaced by what they stand for; a backslash that begins none stays. `None` where there
/// is no backslash.
fn unescaped(body: &[u8]) -> Option<Vec<u8>> {
    let first = memchr::memchr(b'\\', body)?;
    let mut read = Vec::with_capacity(body.len());
    read.extend_from_slice(&body[..first]);
    let mut rest = &body[first..];
    while let Some(at) = memchr::memchr(b'\\', rest) {
        read.extend_from_slice(&rest[..at]);
        let (character, length) = escape(&rest[at..]).unwrap_or(('\\', 1));
        read.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    read.extend_from_slice(rest);
    Some(read)
}

/// The character that the escape at the beginning stands for, and the length of the escape.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    Some(match bytes.get(1)? {
        character @ (b'"' | b'\\' | b'/') => (char::from(*character), 2),
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'u' => {
            let high = unit(bytes)?;
            match char::from_u32(high) {
                Some(character) => (character, 6),
                None => (pair(high, unit(&bytes[6..])?)?, 12),
            }
        }
        _ => return None,
    })
}

/// The number of `\uXXXX`.
fn unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + char::from(*digit).to_digit(16)?))
}

/// The character of a surrogate pair.
fn pair(high: u32, low: u32) -> Option<char> {
    let is_pair = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
    is_pair.then(|| char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)))?
}

/// Whether bytes hold these bytes.
pub fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    memmem::find(bytes, wanted).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_whichever_way_it_is_escaped() {
        let is_in = |text: &str, body: &str| Needle::Text(text.into()).is_in(body.as_bytes());
        for body in ["Ørsted", r"\u00d8rsted", r"\u00D8rsted", r#"{"a":"{\"b\":\"\\u00d8rsted\"}"}"#] {
            assert!(is_in("Ørsted", body), "{body}");
        }
        assert!(is_in("😀!", r"\ud83d\uDE00!"));
        assert!(is_in("a/b", r"a\/b") && is_in("say \"hi\"", r#"say \"hi\""#) && is_in("a\nb", r"a\u000ab"));
        assert!(is_in("a<b", r"a\u003cb") && is_in("Øß", r"Ø\u00df"));
        // The other way round it is literal.
        assert!(is_in(r"\u00d8", r"a\u00d8b") && !is_in(r"\u00d8", "Ø") && !is_in(r"\u00d8", r"\u00D8"));
        for (text, body) in
            [("Ø", r"\u00d"), ("Ø", r"\ud8"), ("😀", r"\ud83d"), ("😀", r"\ude00\ud83d"), ("a", "\\")]
        {
            assert!(!is_in(text, body), "{text} in {body}");
        }
        assert!(!Needle::Bytes("Ø".into()).is_in(br"\u00d8"));
    }

    #[test]
    fn what_the_database_looks_for_is_in_each_body_that_holds_the_text() {
        let anchors = |text: &str| Needle::Text(text.into()).anchors();
        assert_eq!(anchors("Ørsted A/S"), [b"rsted A".to_vec()]);
        assert_eq!(anchors("Ø/"), ["Ø/".as_bytes().to_vec(), b"\\".to_vec()]);
        assert_eq!(Needle::Bytes(vec![0, 255]).anchors(), [vec![0, 255]]);
        assert!(Needle::Text("order 4711".into()).is_plain() && !Needle::Text("a/b".into()).is_plain());
    }
}
