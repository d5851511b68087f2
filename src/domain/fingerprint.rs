//! Fingerprints: dead letters of one service that failed for the same reason share one, whatever ids and numbers
//! their error texts hold.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::convention::Failure;

/// Only the head of a text tells errors apart; the bound keeps the work linear and small.
const MAX_TEXT: usize = 512;

/// The error group of a failure. The version is part of the hash, so that a better rule never mixes with this one.
pub fn of(service: &str, failure: &Failure) -> Uuid {
    let mut hash = Sha256::new_with_prefix(b"dead-letter fingerprint 1");
    for field in [
        service,
        failure.reason.as_deref().unwrap_or_default(),
        failure.error_type.as_deref().unwrap_or_default(),
        &normalise(failure.error_message.as_deref().unwrap_or_default().chars()),
    ] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    super::identity::uuid_of(&hash.finalize())
}

/// The text without what differs from one failure to the next: quoted parts, and words that hold a digit.
fn normalise(text: impl Iterator<Item = char>) -> String {
    let mut shape = String::new();
    let mut characters = text.take(MAX_TEXT).peekable();
    while let Some(first) = characters.next() {
        if first == '\'' || first == '"' {
            // An apostrophe inside a word (as in "can't") opens nothing.
            if first == '\'' && shape.ends_with(char::is_alphanumeric) {
                shape.push(first);
                continue;
            }
            for quoted in characters.by_ref() {
                if quoted == first {
                    break;
                }
            }
            shape.push_str("<text>");
        } else if first.is_alphanumeric() {
            let mut word = String::from(first);
            while let Some(next) = characters.next_if(|next| next.is_alphanumeric() || *next == '-') {
                word.push(next);
            }
            if word.chars().any(|letter| letter.is_ascii_digit()) {
                shape.push_str("<id>");
            } else {
                shape.push_str(&word);
            }
        } else {
            shape.push(first);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_numbers_and_quotes_do_not_matter() {
        assert_eq!(
            normalise("order 4711 can't be found in 'eu-1' (c0ffee12-ab)".chars()),
            "order <id> can't be found in <text> (<id>)"
        );
        assert_eq!(normalise("unclosed 'quote".chars()), "unclosed <text>");
    }

    #[test]
    fn of_a_text_of_any_length_only_the_head_is_read() {
        for part in ["x", "1", "'", "\"'", " ", "at com.example.Main.main(Main.java:7)\n"] {
            let mut read = 0;
            let shape = normalise(part.repeat((1 << 20) / part.len()).chars().inspect(|_| read += 1));
            assert_eq!(read, MAX_TEXT, "{part:?}");
            assert!(shape.len() <= MAX_TEXT * "<text>".len(), "{part:?}");
        }
    }

    #[test]
    fn service_type_and_words_do() {
        let failure = |text: &str| Failure { error_message: Some(text.into()), ..Failure::default() };
        assert_eq!(of("a", &failure("after 3 s")), of("a", &failure("after 90 s")));
        assert_ne!(of("a", &failure("after 3 s")), of("b", &failure("after 3 s")));
        assert_ne!(of("a", &failure("after 3 s")), of("a", &failure("before 3 s")));
    }
}
