use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn patch(operations: &Value) -> Vec<PatchOperation> {
    serde_json::from_str(&operations.to_string()).unwrap()
}

fn applied(operations: &Value, body: &str) -> Result<String, String> {
    let patched = apply(&patch(operations), body.as_bytes());
    patched.map(|body| String::from_utf8(body).unwrap()).map_err(|error| error.to_string())
}

#[test]
fn every_kind_of_operation_applies_and_leaves_the_rest() {
    let all = json!([
        {"op": "test", "path": "/a", "value": 1}, {"op": "replace", "path": "/a", "value": 2},
        {"op": "add", "path": "/list/-", "value": "x"}, {"op": "remove", "path": "/b~1c"},
        {"op": "copy", "from": "/a", "path": "/d"}, {"op": "move", "from": "/a", "path": "/e"},
    ]);
    let body = "{\"z\": 0.30000000000000004,\n \"list\": [], \"a\": 1, \"b/c\": null}\n";
    let expected = "{\"z\": 0.30000000000000004,\n \"list\": [\"x\"], \"d\":2,\"e\":2}\n";
    assert_eq!(applied(&all, body).unwrap(), expected);
    assert_eq!(applied(&json!([{"op": "replace", "path": "", "value": [1]}]), " {} ").unwrap(), " [1] ");
}

#[test]
fn order_numbers_twins_and_the_byte_order_mark_stay() {
    let amount = json!([{"op": "replace", "path": "/Amount", "value": 2}]);
    for (before, after) in [
        (r#"{"__type":"A","Zip":1.50,"Amount":1}"#, r#"{"__type":"A","Zip":1.50,"Amount":2}"#),
        ("\u{feff}{\"Amount\":1}", "\u{feff}{\"Amount\":2}"),
        (
            r#"{"Amount":1,"n":123456789012345678901234567890,"e":1E400}"#,
            r#"{"Amount":2,"n":123456789012345678901234567890,"e":1E400}"#,
        ),
        (r#"{"t":1,"t":2,"Amount":1,"s":"\ud800"}"#, r#"{"t":1,"t":2,"Amount":2,"s":"\ud800"}"#),
        (r#"{"Amou\u006et" : 1}"#, r#"{"Amou\u006et" : 2}"#),
    ] {
        assert_eq!(applied(&amount, before).unwrap(), after);
    }
    let nested =
        r#"[{"op":"add","path":"/v","value":{"__type": "B", "Zip": 1.50, "n": 18446744073709551616}}]"#;
    let nested: Vec<PatchOperation> = serde_json::from_str(nested).unwrap();
    let patched = apply(&nested, b"{}").unwrap();
    assert_eq!(patched, br#"{"v":{"__type": "B", "Zip": 1.50, "n": 18446744073709551616}}"#);
}

#[test]
fn members_and_elements_come_and_go_at_either_end() {
    for (operation, before, after) in [
        (json!({"op": "remove", "path": "/a"}), r#"{"a": 1, "b": 2}"#, r#"{"b": 2}"#),
        (json!({"op": "remove", "path": "/b"}), r#"{"a": 1, "b": 2}"#, r#"{"a": 1}"#),
        (json!({"op": "remove", "path": "/a"}), r#"{ "a": 1 }"#, "{  }"),
        (json!({"op": "remove", "path": "/1"}), "[1, 2, 3]", "[1, 3]"),
        (json!({"op": "add", "path": "/0", "value": 0}), "[1, 2]", "[0,1, 2]"),
        (json!({"op": "add", "path": "/2", "value": 0}), "[1, 2]", "[1, 2,0]"),
        (json!({"op": "add", "path": "/-", "value": 0}), "[ ]", "[0 ]"),
        (json!({"op": "add", "path": "/a\"", "value": 0}), "{}", r#"{"a\"":0}"#),
        (json!({"op": "move", "from": "/0", "path": "/1"}), "[1, 2]", "[2,1]"),
        (json!({"op": "move", "from": "/a", "path": "/a"}), r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": 2}"#),
        (
            json!({"op": "test", "path": "", "value": {"b": [1.0, "A"], "a": null}}),
            r#"{"a":null,"b":[1e0,"\u0041"]}"#,
            r#"{"a":null,"b":[1e0,"\u0041"]}"#,
        ),
    ] {
        assert_eq!(applied(&json!([operation]), before).unwrap(), after, "{operation}");
    }
}

#[test]
fn one_that_does_not_apply_says_why_and_nothing_of_the_message() {
    let secret = r#"{"secret": "hunter2", "a": {}, "list": [1], "t": 1, "t": 2}"#;
    for (operation, why) in [
        (json!({"op": "test", "path": "/secret", "value": "x"}), "(test) does not apply: another value"),
        (json!({"op": "test", "path": "/a", "value": []}), "another value"),
        (json!({"op": "test", "path": "/a", "value": {"b": 1}}), "another value"),
        (json!({"op": "test", "path": "/list", "value": [1, 2]}), "another value"),
        (json!({"op": "remove", "path": "/b"}), "(remove) does not apply: there is no such path"),
        (json!({"op": "remove", "path": ""}), "no such path"),
        (json!({"op": "replace", "path": "/list/-", "value": 1}), "no such path"),
        (json!({"op": "add", "path": "/list/01", "value": 1}), "no such path"),
        (json!({"op": "add", "path": "/list/2", "value": 1}), "no such path"),
        (json!({"op": "add", "path": "/secret/b", "value": 1}), "no such path"),
        (json!({"op": "remove", "path": "/t"}), "two members of that name stand in one object"),
        (json!({"op": "copy", "from": "/b", "path": "/c"}), "nothing at `from`"),
        (json!({"op": "move", "from": "/a", "path": "/a/b"}), "`path` is within `from`"),
    ] {
        let first = json!({"op": "add", "path": "/new", "value": 1});
        let error = applied(&json!([first, operation]), secret).unwrap_err();
        assert!(error.starts_with("operation 2 of the patch") && error.contains(why), "{operation}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn what_cannot_be_patched_says_which_it_is() {
    let any = patch(&json!([{"op": "add", "path": "/a", "value": 1}]));
    let large = format!("\"{}\"", "x".repeat(MAX_BYTES));
    let deep = format!("{}1{}", "[".repeat(128), "]".repeat(128));
    let bodies: [(&[u8], &str); 6] = [
        (b"hunter2", "it is not JSON (line 1, column 1)"),
        (b"{\"hunter2\": ", "it is not JSON (line 1, column 12)"),
        (b"\xff", "it is not UTF-8 text"),
        (b"", "it is empty"),
        (deep.as_bytes(), "it is nested deeper than 127 levels"),
        (large.as_bytes(), "it is larger than 8 MiB"),
    ];
    for (body, why) in bodies {
        let error = apply(&any, body).unwrap_err().to_string();
        assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn no_patch_makes_more_than_fits() {
    let double = vec![json!({"op": "copy", "from": "", "path": "/a"}); MAX_OPERATIONS];
    let body = format!("{}1{}", "{\"a\":".repeat(40), "}".repeat(40));
    let deep = applied(&Value::Array(double), &body).unwrap_err();
    assert!(deep.contains("nested too deep"), "{deep}");
    let wide: Vec<_> =
        (0..MAX_OPERATIONS).map(|n| json!({"op": "copy", "from": "", "path": format!("/{n}")})).collect();
    let wide = applied(&Value::Array(wide), &json!({"a": "x".repeat(1000)}).to_string()).unwrap_err();
    assert!(wide.contains("too large"), "{wide}");
}

/// Small documents with few names, so that paths lead somewhere.
fn document() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(json!(null)), (0..3).prop_map(|n| json!(n)), "[a\"é]{0,2}".prop_map(Value::String)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a~/]", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn pointer() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![Just("a"), Just("~0"), Just("~1"), Just("0"), Just("1"), Just("-")],
        0..4,
    )
    .prop_map(|tokens| tokens.iter().flat_map(|token| ["/", token]).collect())
}

fn operations() -> impl Strategy<Value = Value> {
    let operation =
        (0..6, pointer(), pointer(), document()).prop_map(|(kind, path, from, value)| match kind {
            0 => json!({"op": "add", "path": path, "value": value}),
            1 => json!({"op": "remove", "path": path}),
            2 => json!({"op": "replace", "path": path, "value": value}),
            // The other implementation does not move a whole document, not even onto itself.
            3 if !from.is_empty() => json!({"op": "move", "from": from, "path": path}),
            3 | 4 => json!({"op": "copy", "from": from, "path": path}),
            _ => json!({"op": "test", "path": path, "value": value}),
        });
    prop::collection::vec(operation, 1..5).prop_map(Value::Array)
}

proptest! {
    /// The text says afterwards what a tree would say that another implementation has changed.
    #[test]
    fn the_text_becomes_what_the_tree_becomes(document in document(), operations in operations(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&document).unwrap() } else { document.to_string() };
        let theirs: json_patch::Patch = serde_json::from_value(operations.clone()).unwrap();
        let mut tree = document;
        // The other one panics where it takes back a move of a value to the top.
        let expected = json_patch::patch_unsafe(&mut tree, &theirs);
        match applied(&operations, &text) {
            Ok(text) => {
                prop_assert!(expected.is_ok(), "{text}");
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), tree);
            }
            Err(error) => prop_assert!(expected.is_err(), "{error}"),
        }
    }
}
