//! Numbers and lengths of time in texts for people.

use chrono::TimeDelta;

/// A number with its thousands apart: `43,695`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 message`, `43,695 messages`.
pub fn things(number: i64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A length of time in its largest unit: `7 s`, `12 min`, `3 h`, `2 d`.
pub fn span(time: TimeDelta) -> String {
    match time.num_seconds().max(0) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// How long ago that was: `7 s ago`.
pub fn ago(time: TimeDelta) -> String {
    if time < TimeDelta::seconds(1) { "just now".into() } else { format!("{} ago", span(time)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_for_people() {
        assert_eq!(
            [0, 999, 1000, 43_695, -1_234_567].map(count),
            ["0", "999", "1,000", "43,695", "-1,234,567"]
        );
        assert_eq!([1, 1000].map(|number| things(number, "message")), ["1 message", "1,000 messages"]);
        assert_eq!(
            [0, 59, 60, 7_300, 200_000].map(|seconds| ago(TimeDelta::seconds(seconds))),
            ["just now", "59 s ago", "1 min ago", "2 h ago", "2 d ago"]
        );
    }
}
