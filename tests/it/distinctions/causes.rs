//! Causes of different kinds, to be planted in the messages of an error group.

use std::sync::LazyLock;

use lapin::types::AMQPValue;
use serde_json::{Value, json};

use super::draft::{Draft, chance, pick};
use crate::support::text;

/// A cause: its name, how it is planted, and what tells that it was found.
pub struct Cause {
    pub name: &'static str,
    pub plant: fn(&mut Draft),
    pub is_found: fn(&Value) -> bool,
}

pub fn is(condition: &Value, attribute: &str, name: Option<&str>, test: &str, value: Option<&str>) -> bool {
    condition["attribute"] == attribute
        && condition["name"] == json!(name)
        && condition["test"] == test
        && condition["value"] == json!(value)
}

fn bound(condition: &Value, end: &str) -> Option<f64> {
    condition[end].as_str()?.parse().ok()
}

pub static CAUSES: LazyLock<Vec<Cause>> = LazyLock::new(|| {
    let cause = |name, plant: fn(&mut Draft), is_found: fn(&Value) -> bool| Cause { name, plant, is_found };
    vec![
        cause(
            "a header's value",
            |draft| {
                let tenant = if draft.is_planted {
                    "acme"
                } else {
                    pick(draft.row, 3, &["globex", "initech", "acme"])
                };
                draft.header("tenant", text(tenant));
            },
            |told| is(told, "header", Some("tenant"), "is", Some("acme")),
        ),
        cause(
            "a header that only these have",
            |draft| {
                if draft.is_planted {
                    draft.header("x-canary", text(&format!("run-{}", draft.row)));
                }
            },
            |told| is(told, "header", Some("x-canary"), "present", None),
        ),
        cause(
            "a missing header",
            |draft| {
                if draft.is_planted {
                    draft.headers.retain(|(name, _)| *name != "release");
                }
            },
            |told| is(told, "header", Some("release"), "missing", None),
        ),
        cause(
            "a header's number",
            |draft| {
                let number =
                    if draft.is_planted { 7 } else { i32::try_from(chance(draft.row, 21, 4)).unwrap() };
                draft.header("schema-version", AMQPValue::LongInt(number));
            },
            |told| is(told, "header", Some("schema-version"), "is", Some("7")),
        ),
        cause(
            "a boolean header",
            |draft| {
                draft.header("vip", AMQPValue::Boolean(draft.is_planted || chance(draft.row, 22, 4) == 0));
            },
            |told| is(told, "header", Some("vip"), "is", Some("true")),
        ),
        cause(
            "a value in the body",
            |draft| {
                draft.body["currency"] =
                    json!(if draft.is_planted { "JPY" } else { pick(draft.row, 8, &["DKK", "EUR", "SEK"]) });
            },
            |told| is(told, "body", Some("currency"), "is", Some("JPY")),
        ),
        cause(
            "a value deep in the body",
            |draft| {
                draft.body["customer"]["address"]["country"] =
                    json!(if draft.is_planted { "CH" } else { "DK" });
            },
            |told| is(told, "body", Some("customer.address.country"), "is", Some("CH")),
        ),
        cause(
            "a missing path in the body",
            |draft| {
                if draft.is_planted {
                    draft.body["customer"]["address"].as_object_mut().unwrap().remove("zip");
                }
            },
            |told| is(told, "body", Some("customer.address.zip"), "missing", None),
        ),
        cause(
            "null in the body",
            |draft| {
                if draft.is_planted {
                    draft.body["customer"]["id"] = Value::Null;
                }
            },
            |told| is(told, "body", Some("customer.id"), "is", Some("null")),
        ),
        cause(
            "an element of an array",
            |draft| {
                if draft.is_planted {
                    draft.body["lines"].as_array_mut().unwrap().push(json!({"sku": "S666", "count": 1}));
                }
            },
            |told| is(told, "body", Some("lines.*.sku"), "is", Some("S666")),
        ),
        cause(
            "an empty array",
            |draft| {
                if draft.is_planted {
                    draft.body["lines"] = json!([]);
                }
            },
            |told| {
                told["test"] == "missing"
                    && told["name"].as_str().is_some_and(|name| name.starts_with("lines.*"))
            },
        ),
        cause(
            "large numbers",
            |draft| {
                if draft.is_planted {
                    draft.body["total"] = json!(10_000 + chance(draft.row, 9, 5_000));
                }
            },
            |told| told["name"] == "total" && bound(told, "from").is_some_and(|from| from >= 9_900.0),
        ),
        cause(
            "numbers in a range",
            |draft| {
                if draft.is_planted {
                    draft.body["total"] = json!(4_000 + chance(draft.row, 9, 500));
                }
            },
            |told| {
                told["name"] == "total"
                    && bound(told, "from").is_some_and(|from| from >= 3_900.0)
                    && bound(told, "to").is_some_and(|to| to <= 4_600.0)
            },
        ),
        cause(
            "a publisher",
            |draft| {
                let app = if draft.is_planted {
                    "batch-import"
                } else {
                    pick(draft.row, 14, &["shop-eu", "kiosk"])
                };
                draft.properties = draft.properties.clone().with_app_id(app.into());
            },
            |told| is(told, "appId", None, "is", Some("batch-import")),
        ),
        cause(
            "an hour of the day",
            |draft| {
                if draft.is_planted {
                    draft.hour = 3;
                }
            },
            |told| is(told, "hourOfDay", None, "is", Some("3")),
        ),
        cause(
            "a routing key",
            |draft| {
                if draft.is_planted {
                    draft.routing_key = "order.imported";
                }
            },
            |told| is(told, "routingKey", None, "is", Some("order.imported")),
        ),
        cause(
            "a type",
            |draft| {
                if draft.is_planted {
                    draft.properties = draft.properties.clone().with_type("OrderMerged".into());
                }
            },
            |told| is(told, "type", None, "is", Some("OrderMerged")),
        ),
        cause(
            "a content type",
            |draft| {
                if draft.is_planted {
                    draft.properties = draft.properties.clone().with_content_type("application/xml".into());
                }
            },
            |told| is(told, "contentType", None, "is", Some("application/xml")),
        ),
        cause(
            "any value but the usual one",
            |draft| {
                let country =
                    if draft.is_planted { format!("X{}", chance(draft.row, 23, 60)) } else { "DK".into() };
                draft.body["customer"]["address"]["country"] = json!(country);
            },
            |told| is(told, "body", Some("customer.address.country"), "isNot", Some("DK")),
        ),
        cause(
            "two values at once",
            |draft| {
                let both = draft.is_planted;
                let first = both || chance(draft.row, 24, 100) < 40;
                let second = both || (!first && chance(draft.row, 25, 100) < 60);
                draft.header("beta", AMQPValue::Boolean(first));
                draft.body["express"] = json!(second);
            },
            |told| {
                is(told, "header", Some("beta"), "is", Some("true"))
                    || is(told, "body", Some("express"), "is", Some("true"))
            },
        ),
    ]
});
