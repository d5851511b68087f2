//! Texts of which a reader makes much more than they are.

/// About so many bytes of each.
pub fn shapes(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let list = |element: &str| {
        let count = size / (element.len() + 1);
        format!("[{}{element}]", format!("{element},").repeat(count.saturating_sub(1))).into_bytes()
    };
    let text = |inner: &str| format!("\"{}\"", inner.repeat(size / inner.len())).into_bytes();
    let keys = |name: &dyn Fn(usize) -> String| {
        let members = (0..size / 12).map(|n| format!("\"{}\":0", name(n)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes()
    };
    let half = size / 2;
    vec![
        ("objects", list(r#"{"":0}"#)),
        ("empty objects", list("{}")),
        ("empty arrays", list("[]")),
        ("numbers", list("0")),
        ("nulls", list("null")),
        ("empty strings", list("\"\"")),
        ("exponents", list("1e308")),
        ("exponents beyond all reason", list("1e-99999999999")),
        ("one long number", "1".repeat(size).into_bytes()),
        ("one long fraction", format!("0.{}", "1".repeat(size)).into_bytes()),
        ("many keys", keys(&|n| format!("{n:07}"))),
        ("twins", keys(&|_| "twintwi".into())),
        ("a long key", format!("{{\"{}\":0}}", "k".repeat(size)).into_bytes()),
        ("escapes", text("\\u0001")),
        ("surrogates", text("\\ud83d\\ude00")),
        ("half surrogates", text("\\ud83d")),
        ("quotes", text("\\\"")),
        ("deep arrays", format!("{}{}", "[".repeat(half), "]".repeat(half)).into_bytes()),
        ("deep objects", format!("{}0{}", "{\"\":".repeat(size / 5), "}".repeat(size / 5)).into_bytes()),
        ("deep arrays without an end", "[".repeat(size).into_bytes()),
        ("keys without an end", "{\"\":".repeat(size / 4).into_bytes()),
        ("objects in pairs", list(r#"{"a":{"a":{"a":{}}}}"#)),
        ("a byte order mark", [b"\xef\xbb\xbf".to_vec(), list(r#"{"":0}"#)].concat()),
        ("white space", [vec![b' '; size], b"0".to_vec()].concat()),
    ]
}
