//! JSON Patch (RFC 6902) over the body of a message.

use json_patch::{PatchErrorKind, PatchOperation};
use serde_json::Value;
use thiserror::Error;

use super::exact::{self, Inexact};

/// Largest body that is patched, and largest that a patch may make of one. As values it takes several times that.
pub const MAX_BYTES: usize = 8 << 20;
/// A patch may have so many operations: each costs a look at the whole document.
pub const MAX_OPERATIONS: usize = 100;
/// Nesting that can be read again.
const MAX_DEPTH: usize = 127;

/// Why a patch does not apply. Says nothing of what the message holds (rule R14).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    /// The body is not one that can be patched.
    #[error("the body cannot be patched: {0}")]
    Body(#[from] Inexact),
    /// The body is too large.
    #[error("the body cannot be patched: it is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// One operation does not apply.
    #[error("operation {place} of the patch ({name}) does not apply: {why}")]
    Operation {
        /// Its place, from 1.
        place: usize,
        /// What it does.
        name: &'static str,
        /// Why it does not.
        why: &'static str,
    },
}

/// The body after the patch, as compact JSON with its names in alphabetical order.
pub fn apply(patch: &[PatchOperation], body: &[u8]) -> Result<Vec<u8>, PatchError> {
    if body.len() > MAX_BYTES {
        return Err(PatchError::TooLarge);
    }
    let mut document = exact::read(body)?;
    for (operation, place) in patch.iter().zip(1..) {
        let failed = |why| PatchError::Operation { place, name: name(operation), why };
        json_patch::patch_unsafe(&mut document, std::slice::from_ref(operation))
            .map_err(|error| failed(reason(&error.kind)))?;
        // A few copies of the whole into itself would be more than any memory has.
        if size(&document, MAX_DEPTH).is_none_or(|bytes| bytes > MAX_BYTES) {
            return Err(failed("what it makes is too large or nested too deep"));
        }
    }
    Ok(document.to_string().into_bytes())
}

/// Whether the operation can change anything.
pub fn changes(operation: &PatchOperation) -> bool {
    !matches!(operation, PatchOperation::Test(_))
}

fn name(operation: &PatchOperation) -> &'static str {
    match operation {
        PatchOperation::Add(_) => "add",
        PatchOperation::Remove(_) => "remove",
        PatchOperation::Replace(_) => "replace",
        PatchOperation::Move(_) => "move",
        PatchOperation::Copy(_) => "copy",
        PatchOperation::Test(_) => "test",
    }
}

fn reason(kind: &PatchErrorKind) -> &'static str {
    match kind {
        PatchErrorKind::TestFailed => "another value stands there",
        PatchErrorKind::InvalidFromPointer => "there is nothing at `from`",
        PatchErrorKind::CannotMoveInsideItself => "`path` is within `from`",
        _ => "there is no such path",
    }
}

/// About as many bytes as the value takes as JSON; `None` where it is nested deeper than this.
fn size(value: &Value, depth: usize) -> Option<usize> {
    let inner = |value| size(value, depth.checked_sub(1)?);
    Some(match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
        Value::String(text) => text.len() + 2,
        Value::Array(values) => values.iter().try_fold(2, |sum, value| Some(sum + 1 + inner(value)?))?,
        Value::Object(members) => {
            members.iter().try_fold(2, |sum, (name, value)| Some(sum + 4 + name.len() + inner(value)?))?
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patch(operations: Value) -> Vec<PatchOperation> {
        serde_json::from_value(operations).unwrap()
    }

    fn applied(operations: Value, body: &str) -> Result<String, String> {
        let patched = apply(&patch(operations), body.as_bytes());
        patched.map(|body| String::from_utf8(body).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_operation_applies() {
        let all = json!([
            {"op": "test", "path": "/a", "value": 1}, {"op": "replace", "path": "/a", "value": 2},
            {"op": "add", "path": "/list/-", "value": "x"}, {"op": "remove", "path": "/b~1c"},
            {"op": "copy", "from": "/a", "path": "/d"}, {"op": "move", "from": "/a", "path": "/e"},
        ]);
        let body = r#"{"z": 0.30000000000000004, "list": [], "a": 1, "b/c": null}"#;
        assert_eq!(applied(all, body).unwrap(), r#"{"d":2,"e":2,"list":["x"],"z":0.30000000000000004}"#);
        assert_eq!(applied(json!([{"op": "replace", "path": "", "value": [1]}]), "{}").unwrap(), "[1]");
    }

    #[test]
    fn one_that_does_not_apply_says_why_and_nothing_of_the_message() {
        let secret = r#"{"secret": "hunter2", "a": {}}"#;
        for (operation, why) in [
            (json!({"op": "test", "path": "/secret", "value": "x"}), "(test) does not apply: another value"),
            (json!({"op": "remove", "path": "/b"}), "(remove) does not apply: there is no such path"),
            (json!({"op": "copy", "from": "/b", "path": "/c"}), "nothing at `from`"),
            (json!({"op": "move", "from": "/a", "path": "/a/b"}), "`path` is within `from`"),
        ] {
            let first = json!({"op": "add", "path": "/new", "value": 1});
            let error = applied(json!([first, operation]), secret).unwrap_err();
            assert!(error.starts_with("operation 2 of the patch") && error.contains(why), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        let any = || json!([{"op": "add", "path": "/a", "value": 1}]);
        for (body, why) in [
            ("hunter2", "it is not JSON"),
            (r#"{"secret": 12345678901234567890123}"#, "more digits than can be kept"),
            (r#"{"secret": 1, "secret": 2}"#, "two members of the same name"),
            (&format!("\"{}\"", "x".repeat(MAX_BYTES)), "larger than 8 MiB"),
        ] {
            let error = applied(any(), body).unwrap_err();
            assert!(error.contains(why) && !error.contains("hunter2") && !error.contains("123"), "{error}");
        }
    }

    #[test]
    fn no_patch_makes_more_than_fits() {
        let double = vec![json!({"op": "copy", "from": "", "path": "/a"}); MAX_OPERATIONS];
        let body = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
        let deep = applied(Value::Array(double), &body).unwrap_err();
        assert!(deep.contains("too large or nested too deep"), "{deep}");
        let wide: Vec<_> =
            (0..MAX_OPERATIONS).map(|n| json!({"op": "copy", "from": "", "path": format!("/{n}")})).collect();
        let wide = applied(Value::Array(wide), &json!({"a": "x".repeat(1000)}).to_string()).unwrap_err();
        assert!(wide.contains("too large or nested too deep"), "{wide}");
    }
}
