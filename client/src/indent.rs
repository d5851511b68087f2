//! Indents JSON without parsing it into values: numbers, strings and the order of members stay as they are.

use serde::de::IgnoredAny;

const INDENT: &str = "  ";

/// The JSON with one line per member. `None` if the text is not a JSON object or array.
pub(crate) fn indented(json: &str) -> Option<String> {
    let json = json.trim_start_matches('\u{feff}').trim();
    if !json.starts_with(['{', '[']) || serde_json::from_str::<IgnoredAny>(json).is_err() {
        return None;
    }
    let (mut text, mut depth) = (String::with_capacity(json.len() * 2), 0);
    let mut rest = json;
    while let Some(character) = rest.chars().next() {
        let (token, after) = rest.split_at(length(rest, character));
        rest = after;
        match character {
            '{' | '[' if after.trim_start().starts_with(['}', ']']) => {
                rest = &after.trim_start()[1..];
                text.push_str(if character == '{' { "{}" } else { "[]" });
            }
            '{' | '[' => {
                depth += 1;
                text.push(character);
                new_line(&mut text, depth);
            }
            '}' | ']' => {
                depth -= 1;
                new_line(&mut text, depth);
                text.push(character);
            }
            ',' => {
                text.push(character);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            _ => text.push_str(token),
        }
    }
    Some(text)
}

/// Length of the string that begins here, otherwise of one character.
fn length(json: &str, first: char) -> usize {
    if first != '"' {
        return first.len_utf8();
    }
    let mut is_escaped = false;
    let end = json.char_indices().skip(1).find(|(_, character)| {
        let is_end = *character == '"' && !is_escaped;
        is_escaped = *character == '\\' && !is_escaped;
        is_end
    });
    end.map_or(json.len(), |(at, _)| at + 1)
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&INDENT.repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_otherwise_unchanged() {
        let json = r#"{"b": 1e400,"a":["x, \"y\": {", {}, [ ]], "b":null}"#;
        let shown = "{\n  \"b\": 1e400,\n  \"a\": [\n    \"x, \\\"y\\\": {\",\n    {},\n    []\n  ],\n  \"b\": null\n}";
        assert_eq!(indented(json).as_deref(), Some(shown));
        assert_eq!(indented("[\"ü漢\\\\\"]").as_deref(), Some("[\n  \"ü漢\\\\\"\n]"));
        for other in ["4711", "plain text", "{broken", "{} {}", ""] {
            assert_eq!(indented(other), None, "{other}");
        }
    }
}
