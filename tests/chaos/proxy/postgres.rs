//! Messages of `PostgreSQL`'s protocol, version 3.

use super::Way;

/// The name and length of the message at the beginning, as far as it is there.
pub(super) fn unit(bytes: &[u8], first: bool, way: Way) -> Option<(String, usize)> {
    let length = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..at + 4)?.first_chunk()?) as usize);
    if first {
        // Without a type; encryption is not asked for.
        return Some(("Startup".into(), length(0)?));
    }
    let whole = length(1)? + 1;
    let body = bytes.get(5..whole)?;
    let name = match (way, bytes[0]) {
        (Way::ToServer, b'Q') => first_word(body),
        (Way::ToServer, b'd') => "CopyData".into(),
        (Way::ToServer, b'c') => "CopyDone".into(),
        (Way::ToServer, b'P') => "Parse".into(),
        (Way::ToServer, b'B') => "Bind".into(),
        (Way::ToServer, b'E') => "Execute".into(),
        (Way::ToServer, b'S') => "Sync".into(),
        (Way::ToClient, b'C') => format!("done {}", first_word(body)),
        (Way::ToClient, b'Z') => "ReadyForQuery".into(),
        (_, other) => char::from(other).to_string(),
    };
    Some((name, whole))
}

fn first_word(text: &[u8]) -> String {
    let word = text.split(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
    String::from_utf8_lossy(word).to_uppercase()
}
