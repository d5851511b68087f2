//! The parts of a JSON text by their places, so that one can be changed and every other byte stays.
//!
//! The text is valid JSON: of any other the places are some places within it.

use std::borrow::Cow;
use std::ops::Range;

use super::bounded::string_end;

/// A member of an object, or an element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name with the quotes; of an element, nothing.
    pub name: Range<usize>,
    /// Its value.
    pub value: Range<usize>,
}

impl Part {
    /// Where it begins.
    pub fn start(&self) -> usize {
        self.name.start
    }
}

/// Where the value is that the text is, without the white space around it.
pub fn whole(text: &[u8]) -> Range<usize> {
    let start = skip_space(text, 0);
    start..value_end(text, start)
}

/// The members of an object or the elements of an array; of any other value, nothing.
pub fn parts<'t>(text: &'t [u8], value: &Range<usize>) -> impl Iterator<Item = Part> + use<'t> {
    let text = &text[..value.end];
    let is_object = text.get(value.start) == Some(&b'{');
    let is_array = text.get(value.start) == Some(&b'[');
    let mut at = if is_object || is_array { value.start + 1 } else { value.end };
    std::iter::from_fn(move || {
        at = skip_space(text, at);
        if text.get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
        if matches!(text.get(at)?, b']' | b'}') {
            return None;
        }
        let name = at..if is_object { value_end(text, at) } else { at };
        let mut start = skip_space(text, name.end);
        if is_object && text.get(start) == Some(&b':') {
            start = skip_space(text, start + 1);
        }
        let end = value_end(text, start);
        // Of a text that is no JSON it goes on all the same.
        at = end.max(at + 1).min(text.len());
        Some(Part { name, value: start.min(end)..end })
    })
}

/// What has to go with a part, so that the rest is valid.
pub fn removal(text: &[u8], parent: &Range<usize>, gone: &Part) -> Range<usize> {
    let mut before = None;
    let mut parts = parts(text, parent);
    for part in parts.by_ref() {
        if part.start() >= gone.start() {
            break;
        }
        before = Some(part);
    }
    match (before, parts.next()) {
        (_, Some(next)) => gone.start()..next.start(),
        (Some(before), None) => before.value.end..gone.value.end,
        (None, None) => gone.start()..gone.value.end,
    }
}

/// The object without its first member of this name, if it has one.
pub fn without(text: &[u8], name: &str) -> Option<Vec<u8>> {
    let whole = whole(text);
    let gone = parts(text, &whole).find(|part| *string(&text[part.name.clone()]) == *name.as_bytes())?;
    let range = removal(text, &whole, &gone);
    Some([&text[..range.start], &text[range.end..]].concat())
}

/// What a string says: borrowed where nothing in it is escaped, and as it stands where it says nothing that Unicode has.
pub fn string(quoted: &[u8]) -> Cow<'_, [u8]> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_slice::<String>(quoted)
        .map_or(Cow::Borrowed(quoted), |text| Cow::Owned(text.into_bytes()))
}

fn skip_space(text: &[u8], start: usize) -> usize {
    let space = text[start.min(text.len())..].iter().take_while(|byte| byte.is_ascii_whitespace());
    start.min(text.len()) + space.count()
}

/// Where the value that begins here has ended.
fn value_end(text: &[u8], start: usize) -> usize {
    match text.get(start) {
        Some(b'"') => string_end(text, start).min(text.len()),
        Some(b'[' | b'{') => brackets_end(text, start),
        _ => {
            let is_of_scalar =
                |byte: &&u8| !matches!(byte, b',' | b':' | b']' | b'}') && !byte.is_ascii_whitespace();
            start.min(text.len()) + text[start.min(text.len())..].iter().take_while(is_of_scalar).count()
        }
    }
}

fn brackets_end(text: &[u8], start: usize) -> usize {
    let (mut at, mut open) = (start, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            b'[' | b'{' => open += 1,
            b']' | b'}' => open -= 1,
            _ => {}
        }
        at += 1;
        if open == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<(String, String)> {
        let text = json.as_bytes();
        let show = |range: Range<usize>| json[range].to_owned();
        parts(text, &whole(text)).map(|part| (show(part.name), show(part.value))).collect()
    }

    #[test]
    fn parts_are_where_they_stand() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let object = r#" { "a" : [1, {"b": "]"}] ,"\"}" :-1e5,"":null } "#;
        assert_eq!(
            read(object),
            [pair(r#""a""#, r#"[1, {"b": "]"}]"#), pair(r#""\"}""#, "-1e5"), pair(r#""""#, "null")]
        );
        assert_eq!(read("[ 1 , [] , \"x\"]"), [pair("", "1"), pair("", "[]"), pair("", "\"x\"")]);
        for empty in ["{}", "[ ]", "1", "\"a,b\"", "", "null"] {
            assert_eq!(read(empty), [], "{empty}");
        }
    }

    #[test]
    fn what_is_no_json_ends_too() {
        for broken in ["{", "[,,,", "{:", "{\"a\"", "[1 2 3", "{\"a\":}", "[\"", "[\"\\", "[::::]", "[}"] {
            let text = broken.as_bytes();
            assert!(parts(text, &whole(text)).take(100).count() < 100, "{broken}");
        }
    }

    #[test]
    fn an_object_without_a_member_is_the_others() {
        let without = |text: &str| without(text.as_bytes(), "a").map(|text| String::from_utf8(text).unwrap());
        assert_eq!(without(r#"{"a": 1, "b": 2}"#).as_deref(), Some(r#"{"b": 2}"#));
        assert_eq!(without(r#"{"b": {"a": 1}, "\u0061": 2}"#).as_deref(), Some(r#"{"b": {"a": 1}}"#));
        assert_eq!(without(r#"{"b": 1}"#), None);
        assert_eq!(without("[1]"), None);
    }

    #[test]
    fn strings_say_what_they_say() {
        assert_eq!(*string(br#""a""#), *b"a");
        assert_eq!(*string(br#""\u0061\n""#), *b"a\n");
        assert_eq!(*string(br#""\ud800""#), *br#""\ud800""#);
    }
}
