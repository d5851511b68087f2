//! What is said of a search is compared with the search itself, over messages with everything that has a rule.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;
use crate::domain::error_text::{self, ErrorText};

fn asked(trigrams: &[&[u8; 3]]) -> Holds {
    Holds::Perhaps(trigrams.iter().fold(0, |mask, three| mask | trigram(**three)).cast_signed())
}

#[test]
fn a_needle_is_in_none_in_all_or_perhaps_in_some() {
    for (text, needle, expected) in [
        ("Order 17 not found", "NOT f", Holds::Always),
        ("Order 17 not found", "", Holds::Always),
        ("größe 17", "GRößE", Holds::Always),
        ("größe 17", "GRÖSSE", Holds::No),
        ("Order 17 not found", "order 4711", asked(&[b"r 4", b" 47", b"471", b"711"])),
        ("Order 17 not found", "er 17 NOT f", asked(&[b"r 1", b" 17", b"17 ", b"7 n"])),
        ("Order 17 not found", "order  not", Holds::No),
        ("Order 17 not found", "order x", Holds::No),
        ("Order 17 not found", "found!", Holds::No),
        ("Order a17 not found", "order x", asked(&[b"r x"])),
        ("Order a17 not found", "order x y", Holds::No),
        ("at 'x'", "anything", asked(&[b"any", b"nyt", b"yth", b"thi", b"hin", b"ing"])),
        ("17", "7", asked(&[])),
        // In two ways, of which one asks for less.
        ("ab 'x'", "ab 'yz", asked(&[b"b '", b" 'y", b"'yz"])),
        ("17 at 'x'", " at", Holds::Always),
        ("", "x", Holds::No),
        ("any \u{1}", "\u{1}", asked(&[])),
        ("17", "\u{1}", Holds::No),
        ("Σ", "Σ", asked(&[])),
    ] {
        assert_eq!(holds(&error_text::of(text).template, needle), expected, "{needle:?} in {text:?}");
    }
}

#[test]
fn what_a_locale_finds_is_not_ruled_out() {
    let ErrorText { template, trigrams } = error_text::of("a\u{212a}b 'as\u{212a} ıİ'");
    for needle in ["akb", "as\u{212a}", "ask", "AK", "sk i", "İ", "i\u{307}"] {
        match holds(&template, needle) {
            Holds::Perhaps(mask) => assert_eq!(trigrams & mask, mask, "{needle}"),
            other => panic!("{needle}: {other:?}"),
        }
    }
}

fn some_of(rng: &mut StdRng, characters: &str, longest: usize) -> String {
    let characters: Vec<char> = characters.chars().collect();
    (0..rng.random_range(1..=longest)).map(|_| *characters.choose(rng).unwrap()).collect()
}

/// A piece of a message; few letters, so that needles are found where they do not come from.
fn piece(rng: &mut StdRng) -> String {
    match rng.random_range(0..14) {
        0 | 1 => some_of(rng, "abAB", 6),
        2 => ["order", "can't", "Größe", "注文", "`a_b`", "\u{212a}elvin", "ıİ", "σΣ"]
            .choose(rng)
            .unwrap()
            .to_string(),
        3 => some_of(rng, "12-", 5),
        4 => some_of(rng, "ab12-éß", 6),
        5 => uuid::Uuid::from_u128(rng.random()).to_string(),
        6 => format!("'{}'", some_of(rng, "ab1é ", 8)),
        7 => format!("\"{}\"", some_of(rng, "ab1'é ", 8)),
        8 => format!("“{}”", some_of(rng, "ab1'é ", 8)),
        9 => some_of(rng, "\u{1}\u{2}\u{3}\u{4}\u{5}\n", 2),
        10 if rng.random_bool(0.1) => some_of(rng, "ab1 é'", 600),
        // Long ones that leave most of the signature empty.
        10 if rng.random_bool(0.3) => some_of(rng, "abé ", 3).repeat(rng.random_range(100..500)),
        11 if rng.random_bool(0.3) => some_of(rng, "'\"“", 1),
        _ => some_of(rng, " .:-(", 2),
    }
}

fn message(rng: &mut StdRng) -> String {
    (0..rng.random_range(0..12)).map(|_| piece(rng)).collect()
}

/// Some part of a message, in some case.
fn part(rng: &mut StdRng, message: &str) -> String {
    let characters: Vec<char> = message.chars().collect();
    let begin = rng.random_range(0..=characters.len());
    let longest = if rng.random_bool(0.8) { 9 } else { characters.len() };
    let end = rng.random_range(begin..=characters.len().min(begin + longest));
    characters[begin..end].iter().map(|character| any_case(rng, *character)).collect()
}

fn any_case(rng: &mut StdRng, character: char) -> char {
    match rng.random_range(0..3) {
        0 => character.to_ascii_uppercase(),
        1 => character.to_ascii_lowercase(),
        _ => character,
    }
}

/// Another message of the same template, if what is put into it does not change how it is read.
fn sibling(rng: &mut StdRng, template: &str) -> Option<String> {
    let mut sibling = String::new();
    for symbol in template.chars() {
        match symbol {
            NUMBER => sibling.push_str(&some_of(rng, "1234567890-", 5)),
            ID => sibling.push_str(&some_of(rng, "ab12-é", 6)),
            TEXT => sibling.extend(["\"", &some_of(rng, "ab1é ", 6), "\""]),
            CUT => sibling.push_str(&some_of(rng, "ab1é '", 600)),
            literal => sibling.push(literal),
        }
    }
    (error_text::of(&sibling).template == template).then_some(sibling)
}

fn is_in(needle: &str, message: &str) -> bool {
    message.to_ascii_lowercase().contains(&needle.to_ascii_lowercase())
}

fn assert_sound(message: &str, read: &ErrorText, needle: &str, held: Holds) {
    let sound = match held {
        Holds::No => !is_in(needle, message),
        Holds::Always => is_in(needle, message),
        Holds::Perhaps(mask) => read.trigrams & mask == mask || !is_in(needle, message),
    };
    assert!(sound, "{held:?}: {needle:?} in {message:?}, {read:x?}");
}

#[test]
fn no_message_is_missed() {
    let mut rng = StdRng::seed_from_u64(4711);
    let (mut no, mut always, mut asked, mut siblings) = (0, 0, 0, 0);
    for _ in 0..2_000 {
        let first = message(&mut rng);
        let template = error_text::of(&first).template;
        let mut messages = vec![first];
        messages.extend((0..3).filter_map(|_| sibling(&mut rng, &template)));
        siblings += messages.len() - 1;
        let read: Vec<_> = messages.iter().map(|message| error_text::of(message)).collect();
        for _ in 0..16 {
            let from = if rng.random_bool(0.8) { messages.choose(&mut rng).cloned() } else { None };
            let from = from.unwrap_or_else(|| message(&mut rng));
            let needle = part(&mut rng, &from);
            let held = holds(&template, &needle);
            messages.iter().zip(&read).for_each(|(message, read)| assert_sound(message, read, &needle, held));
            match held {
                Holds::No => no += 1,
                Holds::Always => always += 1,
                Holds::Perhaps(mask) => asked += i32::from(mask != 0),
            }
        }
    }
    assert!(
        no > 500 && always > 1_000 && asked > 1_000 && siblings > 1_000,
        "{no} {always} {asked} {siblings}"
    );
}
