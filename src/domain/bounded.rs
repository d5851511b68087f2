//! The one reader of JSON from outside: messages and requests. Untrusted bytes cost bounded memory and time (rule R16).
//!
//! A tree of `serde_json` takes up to a hundred times the memory of its text, so nothing here makes one of a message. Texts
//! are read into types that hold what is needed and pass over all else, within a budget of bytes and values. A byte order mark
//! is no part of JSON, and is passed over.

use serde::Deserialize;
use thiserror::Error;

/// UTF-8's byte order mark.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Deepest nesting that is read: `serde_json` allows no more.
pub const MAX_DEPTH: usize = 127;

/// How much JSON is read at most.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Length of the text.
    pub bytes: usize,
    /// Values in it, whole and parts.
    pub values: usize,
}

impl Budget {
    /// The body of a message.
    pub const MESSAGE: Self = Self { bytes: 16 << 20, values: 1_000_000 };
    /// A header of a message.
    pub const HEADER: Self = Self { bytes: 1 << 20, values: 100_000 };
    /// The body of a request: 10,000 ids and a filter fit well.
    pub const REQUEST: Self = Self { bytes: 2 << 20, values: 20_000 };
}

/// Why JSON is not read. Says nothing of what it holds (rule R14).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Unread {
    /// More bytes than the budget.
    #[error("it is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// More values than the budget.
    #[error("it has more than {0} values")]
    TooMany(usize),
    /// Deeper than [`MAX_DEPTH`].
    #[error("it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// Some other bytes.
    #[error("it is not UTF-8 text")]
    NotUtf8,
    /// Some other text.
    #[error("it is not JSON (line {line}, column {column})")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

impl Unread {
    /// Whether reading it would cost too much, whatever it is.
    pub fn is_beyond_budget(self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::TooMany(_) | Self::TooDeep)
    }

    /// What `serde_json` says of a text.
    pub fn new(error: &serde_json::Error) -> Self {
        Self::NotJson { line: error.line(), column: error.column() }
    }
}

/// Reads what fits into the budget.
pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8], budget: Budget) -> Result<T, Unread> {
    serde_json::from_slice(within(json, budget)?).map_err(|error| Unread::new(&error))
}

/// The text without its byte order mark, if it fits into the budget. Depth is left to `serde_json`.
pub fn within(json: &[u8], budget: Budget) -> Result<&[u8], Unread> {
    if json.len() > budget.bytes {
        return Err(Unread::TooLarge(budget.bytes));
    }
    let text = without_mark(json);
    // There is a byte to each value, so that those of usual messages need no counting.
    if text.len() > budget.values && count(text) > budget.values {
        return Err(Unread::TooMany(budget.values));
    }
    Ok(text)
}

/// The text without its byte order mark.
pub fn without_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(BYTE_ORDER_MARK).unwrap_or(json)
}

/// How deep arrays and objects are nested.
pub fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    punctuation(text, |byte| match byte {
        b'[' | b'{' => {
            depth += 1;
            deepest = deepest.max(depth);
        }
        b']' | b'}' => depth = depth.saturating_sub(1),
        _ => {}
    });
    deepest
}

/// About how many values there are: never less than there are.
fn count(text: &[u8]) -> usize {
    let mut values = 1;
    punctuation(text, |byte| values += usize::from(matches!(byte, b'[' | b'{' | b',')));
    values
}

/// Every byte that stands in no string.
fn punctuation(text: &[u8], mut see: impl FnMut(u8)) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte == b'"' {
            at = string_end(text, at);
        } else {
            see(byte);
            at += 1;
        }
    }
}

/// Where the string that begins here has ended.
pub fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    const SMALL: Budget = Budget { bytes: 1000, values: 10 };

    fn fault(json: &[u8]) -> Option<Unread> {
        read::<IgnoredAny>(json, SMALL).err()
    }

    #[test]
    fn what_fits_is_read_and_what_does_not_says_why() {
        assert_eq!(read::<Vec<u8>>(b"\xef\xbb\xbf[1, 2]", SMALL), Ok(vec![1, 2]));
        assert_eq!(fault(br#"["a,b,c,d,e,f,g,h,i,j,k,[[[[\"[[[[[[", 2]"#), None);
        assert_eq!(fault(&[b' '; 1001]), Some(Unread::TooLarge(1000)));
        assert_eq!(fault(b"[1,2,3,4,5,6,7,8,9]"), None);
        assert_eq!(fault(b"[1,2,3,4,5,6,7,8,9,10]"), Some(Unread::TooMany(10)));
        assert_eq!(fault(b"[[[[[[[[[[]]]]]]]]]]"), Some(Unread::TooMany(10)));
        assert_eq!(fault(b"[1,\n2"), Some(Unread::NotJson { line: 2, column: 1 }));
        assert!(Unread::TooMany(1).is_beyond_budget() && !Unread::NotUtf8.is_beyond_budget());
    }

    #[test]
    fn depth_is_that_of_brackets_outside_of_strings() {
        for (json, expected) in
            [("1", 0), ("[]", 1), (r#"{"[[[": [1, {}]}"#, 3), ("[[],[]]", 2), (r#""\"[""#, 0)]
        {
            assert_eq!(depth(json.as_bytes()), expected, "{json}");
        }
    }
}
