//! Error texts: what all texts of one error share, their template, and a small signature of what differs from one to the
//! next, by which [a search](super::error_search) knows where not to look.
//!
//! A template is the text with a placeholder for each span that differs: numbers, ids, quoted parts. A placeholder is one
//! control character, and a control character of these in a text is itself a span that differs, so that a template can be
//! read in one way only.

/// Stands for a word of digits and hyphens.
pub const NUMBER: char = '\u{1}';
/// Stands for a word with a digit that is not just a number.
pub const ID: char = '\u{2}';
/// Stands for a quoted part, with its quotes.
pub const TEXT: char = '\u{3}';
/// Stands for all that follows the head of a long text.
pub const CUT: char = '\u{4}';

/// Only the head of a text tells errors apart; the bound keeps the work, and what is stored of a group, small.
const MAX_HEAD: usize = 512;

/// With more bits than this, a signature rules out next to nothing: all of them are set.
const MAX_BITS: u32 = 48;

/// What is made of an error's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorText {
    /// What it shares with other texts of the same error.
    pub template: String,
    /// The signature of the rest: a bit, [`trigram`], for each three characters in a row of which one differs.
    pub trigrams: i64,
}

/// Takes a text apart.
pub fn of(text: &str) -> ErrorText {
    let (head, rest) = match text.char_indices().nth(MAX_HEAD) {
        Some((at, _)) => text.split_at(at),
        None => (text, ""),
    };
    let mut template = String::with_capacity(head.len());
    let mut signature = Signature::default();
    for (part, placeholder) in parts(head) {
        match placeholder {
            Some(placeholder) => template.push(placeholder),
            None => template.push_str(part),
        }
        part.chars().for_each(|character| signature.add(character, placeholder.is_some()));
    }
    if !rest.is_empty() {
        template.push(CUT);
    }
    for character in rest.chars() {
        if signature.is_full() {
            break;
        }
        signature.add(character, true);
    }
    ErrorText { template, trigrams: if signature.is_full() { -1 } else { signature.bits.cast_signed() } }
}

/// The template as people read it.
pub fn shown(template: &str) -> String {
    let mut shown = String::with_capacity(template.len());
    for character in template.chars() {
        match character {
            NUMBER => shown.push_str("<number>"),
            ID => shown.push_str("<id>"),
            TEXT => shown.push_str("<text>"),
            CUT => shown.push('…'),
            literal => shown.push(literal),
        }
    }
    shown
}

/// Whether a character of a template stands for others.
pub(super) const fn is_placeholder(character: char) -> bool {
    matches!(character, NUMBER | ID | TEXT | CUT)
}

/// The bit of three characters in a row, in lower case. Signatures are stored: it never changes within a version of the
/// fingerprint.
pub(super) const fn trigram([first, second, third]: [u8; 3]) -> u64 {
    let number = (first as u64) << 16 | (second as u64) << 8 | third as u64;
    // Fibonacci hashing: the upper six bits are well mixed.
    1 << (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// Each part of a text in turn, with what stands for it if it differs from one text to the next.
fn parts(mut text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    let mut before = None;
    std::iter::from_fn(move || {
        let (length, placeholder) = first_part(text, before)?;
        let (part, rest) = text.split_at(length);
        (text, before) = (rest, part.chars().next_back());
        Some((part, placeholder))
    })
}

/// The length of the part that a text begins with, and its placeholder. `before` is the character before it.
fn first_part(text: &str, before: Option<char>) -> Option<(usize, Option<char>)> {
    let first = text.chars().next()?;
    // An apostrophe inside a word (as in "can't") opens nothing.
    let is_apostrophe = first == '\'' && before.is_some_and(char::is_alphanumeric);
    Some(match closing_quote(first) {
        Some(closing) if !is_apostrophe => {
            let quoted = &text[first.len_utf8()..];
            let length = quoted.find(closing).map(|at| first.len_utf8() + at + closing.len_utf8());
            (length.unwrap_or(text.len()), Some(TEXT))
        }
        _ if first.is_alphanumeric() => {
            let is_end = |character: char| !character.is_alphanumeric() && character != '-';
            let length = text.find(is_end).unwrap_or(text.len());
            (length, placeholder_of_word(&text[..length]))
        }
        _ => (first.len_utf8(), is_placeholder(first).then_some(TEXT)),
    })
}

/// What closes the quote that a character opens. Backticks are no quotes: what they enclose are names in code.
const fn closing_quote(opening: char) -> Option<char> {
    match opening {
        '\'' | '"' => Some(opening),
        '“' => Some('”'),
        '‘' => Some('’'),
        '„' => Some('“'),
        '«' => Some('»'),
        _ => None,
    }
}

fn placeholder_of_word(word: &str) -> Option<char> {
    if !word.contains(|character: char| character.is_ascii_digit()) {
        None
    } else if word.chars().all(|character| character.is_ascii_digit() || character == '-') {
        Some(NUMBER)
    } else {
        Some(ID)
    }
}

/// A signature in the making.
#[derive(Default)]
struct Signature {
    bits: u64,
    /// The last two characters: what they are to a search, if they can be part of a trigram, and whether they differ from
    /// one text to the next.
    last: [(Option<u8>, bool); 2],
}

impl Signature {
    fn add(&mut self, character: char, differs: bool) {
        let [first, second] = self.last;
        let third = (lower_case(character), differs);
        if let ((Some(a), _), (Some(b), _), (Some(c), _)) = (first, second, third)
            && (first.1 || second.1 || third.1)
        {
            self.bits |= trigram([a, b, c]);
        }
        self.last = [second, third];
    }

    fn is_full(&self) -> bool {
        self.bits.count_ones() > MAX_BITS
    }
}

/// The ASCII character that the database may find this one by, whatever its locale.
const fn lower_case(character: char) -> Option<u8> {
    match character {
        'İ' | 'ı' => Some(b'i'),
        '\u{212a}' => Some(b'k'),
        _ if character.is_ascii() => Some(character.to_ascii_lowercase() as u8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_of(text: &str) -> String {
        shown(&of(text).template)
    }

    #[test]
    fn what_differs_is_left_out() {
        for (text, template) in [
            ("", ""),
            ("order 4711 can't be found", "order <number> can't be found"),
            ("in 'eu-1' (c0ffee12-ab, 2026-01-31)", "in <text> (<id>, <number>)"),
            ("user12's order, the orders' state", "<id>'s order, the orders' state"),
            ("unclosed 'quote 1", "unclosed <text>"),
            (r#"{"id":-4.5,"n":""}"#, "{<text>:-<number>.<number>,<text>:<text>}"),
            ("`amount_minor` of “a” „b“ ‘c’ «d»", "`amount_minor` of <text> <text> <text> <text>"),
            ("größe 5½ Stück, ٣", "größe <id> Stück, ٣"),
            ("a\u{1}\u{4}b\u{5}", "a<text><text>b\u{5}"),
        ] {
            assert_eq!(shown_of(text), template, "{text:?}");
        }
    }

    #[test]
    fn of_a_long_text_the_head_is_kept() {
        let (head, longer) = ("é".repeat(MAX_HEAD), "é".repeat(MAX_HEAD + 1));
        assert_eq!(shown_of(&head), head);
        assert_eq!(shown_of(&longer), format!("{head}…"));
        assert_eq!(shown_of(&format!("'{longer}'")), "<text>…");
    }

    #[test]
    fn each_character_is_in_one_part_and_few_in_a_template() {
        for piece in
            ["x", "1", "'", "\"'", "“", "a'", " ", "\u{1}", "at com.example.Main.main(Main.java:7)\n"]
        {
            let text = piece.repeat((1 << 16) / piece.len());
            let all: usize = parts(&text).map(|(part, _)| part.len()).sum();
            assert_eq!(all, text.len(), "{piece:?}");
            assert!(of(&text).template.chars().count() <= MAX_HEAD + 1, "{piece:?}");
        }
    }

    fn bits(trigrams: &[&[u8; 3]]) -> i64 {
        trigrams.iter().fold(0, |bits, three| bits | trigram(**three)).cast_signed()
    }

    #[test]
    fn signatures_have_the_bits_of_what_differs() {
        assert_eq!(of("Nothing here").trigrams, 0);
        assert_eq!(of("order 7B!").trigrams, bits(&[b"r 7", b" 7b", b"7b!"]));
        assert_eq!(of("No 7 x").trigrams, bits(&[b"o 7", b" 7 ", b"7 x"]));
        assert_eq!(of("é7 x").trigrams, bits(&[b"7 x"]));
        assert_eq!(of("'\u{212a}İ").trigrams, bits(&[b"'ki"]));
        assert_eq!(of(&"x".repeat(MAX_HEAD + 1)).trigrams, bits(&[b"xxx"]));
        let numbers: Vec<_> = (0..1000).map(|number: u32| number.to_string()).collect();
        assert_eq!(of(&numbers.join(" ")).trigrams, -1);
    }

    #[test]
    fn the_bits_of_trigrams_are_stored_and_stay() {
        let at = |three| trigram(three).trailing_zeros();
        assert_eq!([b"471", b"711", b"r 4", b"abc", b"'eu"].map(|three| at(*three)), [59, 3, 17, 34, 47]);
        // None is taken by more than twice its share of the numbers.
        let mut taken = [0; 64];
        for number in 0..1000 {
            let digits = format!("{number:03}").into_bytes();
            taken[at([digits[0], digits[1], digits[2]]) as usize] += 1;
        }
        assert!(taken.iter().all(|count| *count <= 2 * 1000 / 64), "{taken:?}");
    }
}
