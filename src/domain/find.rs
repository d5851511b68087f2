//! Interprets the text of `find`: an id of any kind, whole or shortened, or a part of a text.

use uuid::Uuid;

/// Fewer digits of an id than this tell nothing.
const MIN_DIGITS: usize = 8;
/// The digits of a UUID.
const DIGITS: usize = 32;
/// Digits after the last hyphen of a UUID.
const LAST_DIGITS: usize = 12;

/// How a text was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FoundAs {
    /// The id of a dead letter, or its beginning or end.
    DeadLetterId,
    /// A message id.
    MessageId,
    /// A correlation id.
    CorrelationId,
    /// The id of a redelivery.
    RedeliveryId,
    /// The id of an operation.
    OperationId,
    /// No id that is known: a part of an error, a body or a header's value.
    Text,
}

impl FoundAs {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeadLetterId => "deadLetterId",
            Self::MessageId => "messageId",
            Self::CorrelationId => "correlationId",
            Self::RedeliveryId => "redeliveryId",
            Self::OperationId => "operationId",
            Self::Text => "text",
        }
    }
}

/// The first and the last UUID that the text is the beginning of: at least its first eight digits.
pub fn beginning(text: &str) -> Option<(Uuid, Uuid)> {
    let text = text.trim_end_matches('…').trim_end_matches("...").to_ascii_lowercase();
    let digits: String = text.chars().filter(|character| *character != '-').collect();
    if digits.len() < MIN_DIGITS || digits.len() > DIGITS || !is_hexadecimal(&digits) {
        return None;
    }
    let first = Uuid::parse_str(&format!("{digits:0<DIGITS$}")).ok()?;
    let last = Uuid::parse_str(&format!("{digits:f<DIGITS$}")).ok()?;
    let is_written_so = !text.contains('-') || first.to_string().starts_with(&text);
    is_written_so.then_some((first, last))
}

/// The last digits of a UUID, as in `…b670f776`. Decimal digits alone are more likely something else: they need the ellipsis.
pub fn end(text: &str) -> Option<String> {
    let digits = text.trim_start_matches('…').trim_start_matches("...");
    let is_shortened = digits.len() < text.len();
    let is_end = (MIN_DIGITS..=LAST_DIGITS).contains(&digits.len()) && is_hexadecimal(digits);
    let may_be = is_shortened || digits.contains(|digit: char| digit.is_ascii_alphabetic());
    (is_end && may_be).then(|| digits.to_ascii_lowercase())
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_shortened_at_either_end() {
        let id = "019a5b0c-1234-7abc-8def-0123b670f776";
        let whole = Uuid::parse_str(id).unwrap();
        assert_eq!(beginning(id), Some((whole, whole)));
        assert_eq!(beginning(&id.replace('-', "").to_uppercase()), Some((whole, whole)));
        for text in ["019a5b0c", "019a5b0c-", "019a5b0c-12…", "019a5b0c12...", "019a5b0c-1234-7"] {
            let (first, last) = beginning(text).unwrap();
            assert!(first <= whole && whole <= last && first < last, "{text}");
        }
        for text in [
            "",
            "019a5b0",
            "019a-5b0c",
            "019a5b0c1-2",
            "order-12345678",
            "019a5b0c-1234-7abc-8def-0123b670f7760",
        ] {
            assert_eq!(beginning(text), None, "{text}");
        }
        for text in ["b670f776", "…b670f776", "...B670F776", "0123b670f776", "…01234567"] {
            assert!(end(text).is_some(), "{text}");
        }
        for text in ["01234567", "…f776", "b670f77", "xb670f776", id] {
            assert_eq!(end(text), None, "{text}");
        }
    }
}
