//! Text for people: fields of the API's JSON without control characters, numbers, ages, times.

use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use indicatif::HumanCount;
use serde_json::Value;

/// The text in one line. Control and direction characters are replaced: messages are untrusted and must not control the terminal.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(|character| if character.is_whitespace() { ' ' } else { printable(character) }).collect()
}

/// Like [`line()`], but keeps line breaks and tabs.
pub(crate) fn lines(text: &str) -> String {
    let keep = |character| if matches!(character, '\n' | '\t') { character } else { printable(character) };
    text.replace("\r\n", "\n").chars().map(keep).collect()
}

fn printable(character: char) -> char {
    let is_direction =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || is_direction { '\u{fffd}' } else { character }
}

/// A field in one line. Empty if absent or null.
pub(crate) fn field(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => String::new(),
        Value::String(text) => line(text),
        other => line(&other.to_string()),
    }
}

/// A number. 0 if absent.
pub(crate) fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or_default()
}

/// The elements of a list. None if absent.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// A number with separators: `43,695`.
pub(crate) fn count(number: i64) -> String {
    HumanCount(number.try_into().unwrap_or_default()).to_string()
}

/// `1 dead letter`, `43,695 dead letters`.
pub(crate) fn dead_letters(number: i64) -> String {
    format!("{} dead letter{}", count(number), if number == 1 { "" } else { "s" })
}

/// The age of a time, in its largest unit: `3 min ago`.
pub(crate) fn age(value: &Value, name: &str, now: DateTime<Utc>) -> String {
    parse_time(value, name).map_or_else(String::new, |time| ago(now - time))
}

fn ago(age: TimeDelta) -> String {
    match age.num_seconds() {
        ..1 => "just now".into(),
        seconds @ 1..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

/// A duration: `1 h 5 min`, `40 s`.
pub(crate) fn span(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest} s"),
        (0, minutes) => format!("{minutes} min {rest} s"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

pub(crate) fn parse_time(value: &Value, name: &str) -> Option<DateTime<Utc>> {
    value[name].as_str()?.parse().ok()
}

/// The error type and message: `PaymentDeclined: card issuer timed out`. Without both, the broker's reason.
pub(crate) fn error(letter: &Value, message: &str) -> String {
    let parts = [field(letter, "errorType"), field(letter, message)];
    let text = parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(": ");
    match field(letter, "reason") {
        reason if !text.is_empty() || reason.is_empty() => text,
        reason => format!("{reason}, no error given"),
    }
}

/// Only 0 is shown as 0 %, and only 1 as 100 %.
fn percent(share: f64) -> String {
    match share {
        share if share > 0.0 && share < 1.0 => "<1 %".into(),
        share if share > 99.0 && share < 100.0 => ">99 %".into(),
        share => format!("{share:.0} %"),
    }
}

/// The member `share`, a part of 1.
pub(crate) fn share(of: &Value) -> String {
    percent(of["share"].as_f64().unwrap_or_default() * 100.0)
}

/// An attribute in words, such as `routing key` or `header tenant`.
pub(crate) fn attribute(value: &Value, kind: &str) -> String {
    let mut words = String::new();
    for letter in field(value, kind).chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    match field(value, "name") {
        name if name.is_empty() => words,
        name => format!("{words} {name}"),
    }
}

/// One line per name and value. Empty values are left out.
pub(crate) fn named(pairs: &[(&str, String)]) -> String {
    let shown = || pairs.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(name, _)| name.len()).max().unwrap_or_default();
    shown().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{name:width$}  {value}");
        text
    })
}

/// Numbers as a row of bars: `·▁█▄`.
pub(crate) fn sparkline(numbers: &[Value]) -> String {
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
    fn control_characters_are_replaced() {
        assert_eq!(line("a\u{1b}[2Jb\nc\td\u{202e}e"), "a\u{fffd}[2Jb c d\u{fffd}e");
        assert_eq!(lines("a\r\n\tb\rc\u{7}\u{9b}"), "a\n\tb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(line("Åse ✓ 漢字"), "Åse ✓ 漢字");
    }

    #[test]
    fn numbers_and_times_are_for_people() {
        assert_eq!([0, 999, 43_695].map(count), ["0", "999", "43,695"]);
        assert_eq!([1, 1000].map(dead_letters), ["1 dead letter", "1,000 dead letters"]);
        assert_eq!([1, 63, 3_660].map(span), ["1 s", "1 min 3 s", "1 h 1 min"]);
        let now = clock::now();
        let age = |seconds| age(&json!({"at": now - TimeDelta::seconds(seconds)}), "at", now);
        assert_eq!(
            [0, 59, 60, 7_300, 200_000].map(age),
            ["just now", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]
        );
        assert_eq!(attribute(&json!({"by": "routingKey", "name": null}), "by"), "routing key");
        assert_eq!(attribute(&json!({"by": "header", "name": "tenant"}), "by"), "header tenant");
        assert_eq!(sparkline(&[json!(0), json!(1), json!(80), json!(40)]), "·▁█▄");
    }
}
