//! Texts for people: what messages and servers say without what would steer the terminal; ages, numbers, times.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub(super) use crate::domain::words::count;
use crate::domain::words::{ago, things};

/// In one line. Control characters, and those that turn the direction of text, are not passed on: they come from strangers.
pub(super) fn line(text: &str) -> String {
    text.chars().map(|character| if character.is_whitespace() { ' ' } else { harmless(character) }).collect()
}

/// The same with its lines and tabs.
pub(super) fn lines(text: &str) -> String {
    let keep = |character| if matches!(character, '\n' | '\t') { character } else { harmless(character) };
    text.replace("\r\n", "\n").chars().map(keep).collect()
}

fn harmless(character: char) -> char {
    let steers =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || steers { '\u{fffd}' } else { character }
}

/// A field of the API's JSON in one line; empty where it is absent or null.
pub(super) fn field(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => String::new(),
        Value::String(text) => line(text),
        other => line(&other.to_string()),
    }
}

/// A number of the API's JSON; 0 where it is absent.
pub(super) fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_default()
}

/// The elements of a list of the API's JSON; none where it is absent.
pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// So many dead letters.
pub(super) fn dead_letters(number: i64) -> String {
    things(number, "dead letter")
}

/// How long ago a time of the API's JSON is: `3 min ago`.
pub(super) fn age(value: &Value, name: &str, now: DateTime<Utc>) -> String {
    parse_time(value, name).map_or_else(String::new, |time| ago(now - time))
}

/// A length of time: `1 h 5 min`, `40 s`.
pub(super) fn span(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, minutes) => format!("{minutes} min {rest} s"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

pub(super) fn parse_time(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    value[name].as_str()?.parse().ok()
}

/// What went wrong: `PaymentDeclined: card issuer timed out`.
pub(super) fn error(letter: &Value, message: &str) -> String {
    let parts = [field(letter, "errorType"), field(letter, message)];
    let said = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(": ");
    match field(letter, "reason") {
        reason if !said.is_empty() || reason.is_empty() => said,
        reason => format!("{reason}, no error given"),
    }
}

/// Texts under each other with their names before them; those that are empty are left out.
pub(super) fn named(pairs: &[(&str, String)]) -> String {
    let shown = || pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(name, _)| name.len()).max().unwrap_or_default();
    shown().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:width$}  {value}");
        text
    })
}

/// Numbers as a row of bars.
pub(super) fn sparkline(numbers: &[Value]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let numbers: Vec<u64> = numbers.iter().map(|number| number.as_u64().unwrap_or_default()).collect();
    let most = numbers.iter().copied().max().unwrap_or_default().max(1);
    let bar = |number: u64| match number {
        0 => '·',
        number => BARS[usize::try_from((number * 8).div_ceil(most)).unwrap_or(8).clamp(1, 8) - 1],
    };
    numbers.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;
    use crate::clock;

    #[test]
    fn what_would_steer_the_terminal_is_not_passed_on() {
        assert_eq!(line("a\u{1b}[2Jb\nc\td\u{202e}e"), "a\u{fffd}[2Jb c d\u{fffd}e");
        assert_eq!(lines("a\r\n\tb\rc\u{7}\u{9b}"), "a\n\tb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(line("Åse ✓ 漢字"), "Åse ✓ 漢字");
    }

    #[test]
    fn numbers_and_times_are_for_people() {
        assert_eq!([1, 63, 3_660].map(span), ["1 s", "1 min 3 s", "1 h 1 min"]);
        let now = clock::now();
        let age = |seconds| age(&json!({"at": now - TimeDelta::seconds(seconds)}), "at", now);
        assert_eq!(
            [0, 59, 60, 7_300, 200_000].map(age),
            ["just now", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]
        );
        assert_eq!(sparkline(&[json!(0), json!(1), json!(80), json!(40)]), "·▁█▄");
    }
}
