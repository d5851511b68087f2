//! Searching error texts by their [templates](super::error_text): which groups cannot hold a text, which always do, and what
//! to ask the signatures of the messages of the others.

use super::error_text::{CUT, ID, NUMBER, TEXT, is_placeholder, trigram};

/// Whether a text is within the messages of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// In none.
    No,
    /// In all.
    Always,
    /// Only in messages whose signature has all of these bits, and not in all of them.
    Perhaps(i64),
}

/// The lower case of these is two characters, or depends on the ones beside them: nothing is said of texts with them.
const ODD: [char; 3] = ['İ', '\u{307}', 'Σ'];

/// Whether `needle` is within a message of this template, whatever its case: as `ILIKE` finds it in the database, other
/// than one whose locale is Turkish, where `I` and `i` are not the same letter.
///
/// The needle is laid along the template in all ways at once, character by character. Each way asks for the trigrams of its
/// own that a message would have in its signature; what all ways ask for is asked.
pub fn holds(template: &str, needle: &str) -> Holds {
    if needle.contains(ODD) {
        return Holds::Perhaps(0);
    }
    let mut needle_left = needle.chars();
    let Some(first) = needle_left.next() else { return Holds::Always };
    let template_symbols: Vec<char> = template.chars().collect();
    let mut ways = beginnings(&template_symbols, first);
    let mut next_ways = Vec::with_capacity(ways.len());
    let mut last = [None, Some(first)];
    for character in needle_left {
        if ways.is_empty() {
            break;
        }
        let bit = match (last, character) {
            ([Some(a), Some(b)], c) => bit_of([a, b, c]),
            _ => 0,
        };
        next_ways.clear();
        for way in &ways {
            way.go_on(&template_symbols, character, bit, &mut next_ways);
        }
        std::mem::swap(&mut ways, &mut next_ways);
        last = [last[1], Some(character)];
    }
    let masks = ways.iter().flat_map(|way| way.masks).flatten();
    match masks.reduce(|all, mask| all & mask) {
        None => Holds::No,
        Some(_) if is_in_literals(template, needle) => Holds::Always,
        Some(mask) => Holds::Perhaps(mask.cast_signed()),
    }
}

/// Ways to lay the characters of the needle so far along the template that end at the same symbol.
struct Way {
    /// Where in the template the last character lies.
    at: usize,
    /// The trigrams that these ways ask for, where the character before the last does not lie on a placeholder, and where it
    /// does.
    masks: [Option<u64>; 2],
}

/// Where in the template a needle with this first character can begin.
fn beginnings(template: &[char], first: char) -> Vec<Way> {
    let fits = template.iter().enumerate().filter(|(_, symbol)| takes(**symbol, first));
    fits.map(|(at, _)| Way { at, masks: [Some(0), None] }).collect()
}

impl Way {
    /// Lays one more character: on the same symbol if it stands for many, or on the next. `bit` is that of the trigram that
    /// the character ends. Ways come in the order of `at`, and so do the next ones: those that meet are neighbours.
    fn go_on(&self, template: &[char], character: char, bit: u64, next_ways: &mut Vec<Self>) {
        let on_placeholder = is_placeholder(template[self.at]);
        for at in if on_placeholder { self.at } else { self.at + 1 }..=self.at + 1 {
            let Some(symbol) = template.get(at).filter(|symbol| takes(**symbol, character)) else { continue };
            let differs = on_placeholder || is_placeholder(*symbol);
            let [none_before, one_before] = self.masks;
            let none_before = none_before.map(|mask| if differs { mask | bit } else { mask });
            let met = meet(none_before, one_before.map(|mask| mask | bit));
            if next_ways.last().is_none_or(|way| way.at != at) {
                next_ways.push(Self { at, masks: [None; 2] });
            }
            if let Some(way) = next_ways.last_mut() {
                let masks = &mut way.masks[usize::from(on_placeholder)];
                *masks = meet(*masks, met);
            }
        }
    }
}

/// What both ways ask for.
fn meet(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one & other),
        (one, other) => one.or(other),
    }
}

/// Whether a character of a needle can lie on a symbol of a template. Of others than those of ASCII the database knows
/// better which are the same but for their case.
fn takes(symbol: char, character: char) -> bool {
    match symbol {
        NUMBER => character.is_ascii_digit() || character == '-',
        ID => character.is_ascii_alphanumeric() || character == '-' || !character.is_ascii(),
        TEXT | CUT => true,
        literal => literal.eq_ignore_ascii_case(&character) || !literal.is_ascii() || !character.is_ascii(),
    }
}

/// The bit of a trigram that messages have in their signature.
fn bit_of(characters: [char; 3]) -> u64 {
    if characters.iter().all(char::is_ascii) {
        trigram(characters.map(|character| character.to_ascii_lowercase() as u8))
    } else {
        0
    }
}

/// Whether the needle lies within what all messages share.
fn is_in_literals(template: &str, needle: &str) -> bool {
    template.split(is_placeholder).any(|literals| {
        literals.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
    })
}

#[cfg(test)]
mod tests;
