//! What happens in the shop: orders, payments, customers, mails and returns.
//!
//! About one event in five holds what one of the bugs trips over (see `failure`).

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};

use super::topology::{CUSTOMERS, ORDERS, RETURNS};

/// One event, before it becomes a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) exchange: &'static str,
    pub(super) kind: &'static str,
    /// Who publishes it.
    pub(super) publisher: &'static str,
    pub(super) body: Value,
    /// Milliseconds that it may wait for its consumer.
    pub(super) expiration: Option<&'static str>,
}

const GOODS: &[(&str, &str, u32)] = &[
    ("LMP-112", "Desk lamp, brass", 64_900),
    ("CUP-008", "Stoneware cup", 12_900),
    ("CHR-330", "Oak chair", 189_500),
    ("BLK-071", "Wool blanket", 79_900),
    ("PLT-019", "Serving plate", 24_900),
    ("VAS-204", "Glass vase", 39_900),
];

const PEOPLE: &[(&str, &str)] = &[
    ("Astrid Holm", "astrid.holm"),
    ("Jonas Lindqvist", "jonas.lindqvist"),
    ("Mette Krogh", "mette.krogh"),
    ("Ole Nygaard", "ole.nygaard"),
    ("Sigrid Dahl", "sigrid.dahl"),
    ("Emil Sandberg", "emil.sandberg"),
];

/// Something for the webshop.
pub(super) fn order_event(rng: &mut StdRng) -> Event {
    let (kind, body) = match rng.random_range(0..100) {
        0..50 => ("OrderPlaced", order_placed(rng)),
        50..80 => ("PaymentCaptured", payment_captured(rng)),
        _ => ("OrderShipped", order_shipped(rng)),
    };
    Event { exchange: ORDERS, kind, publisher: "storefront", body, expiration: None }
}

/// Something for the notification service.
pub(super) fn customer_event(rng: &mut StdRng) -> Event {
    let (kind, body) = match rng.random_range(0..100) {
        0..4 => return return_requested(rng),
        4..40 => ("CustomerRegistered", customer_registered(rng)),
        _ => ("EmailRequested", email_requested(rng)),
    };
    Event { exchange: CUSTOMERS, kind, publisher: "accounts", body, expiration: None }
}

fn order_placed(rng: &mut StdRng) -> Value {
    let lines: Vec<_> = (0..rng.random_range(1..4))
        .map(|_| {
            let (sku, name, price) = choose(GOODS, rng);
            json!({ "sku": sku, "name": name, "quantity": rng.random_range(1..5), "unitPriceMinor": price })
        })
        .collect();
    let issuer = match rng.random_range(0..100) {
        0..36 => "northbank",
        36..60 => "lunarbank",
        _ => "eastcredit",
    };
    // An old storefront that was forgotten at the last roll-out still writes version 1.
    let version = if rng.random_range(0..100) < 2 { 1 } else { 2 };
    json!({
        "schemaVersion": version,
        "orderId": order_id(rng),
        "customer": person(rng),
        "currency": "DKK",
        "lines": lines,
        "payment": { "method": "card", "cardIssuer": issuer, "timeoutMs": rng.random_range(2_900..3_500_u32) },
    })
}

fn payment_captured(rng: &mut StdRng) -> Value {
    let currency = if rng.random_range(0..100) < 3 { "SEK" } else { "DKK" };
    json!({
        "schemaVersion": 2,
        "orderId": order_id(rng),
        "orderCurrency": "DKK",
        "captured": { "amountMinor": rng.random_range(5_000..400_000_u32), "currency": currency },
        "provider": "acquirer-eu-1",
    })
}

fn order_shipped(rng: &mut StdRng) -> Value {
    json!({
        "schemaVersion": 2,
        "orderId": order_id(rng),
        "carrier": choose(&["PostNord", "GLS", "Bring"], rng),
        "trackingNumber": format!("00{}", rng.random_range(100_000_000_000_u64..999_999_999_999)),
    })
}

fn return_requested(rng: &mut StdRng) -> Event {
    let (sku, _, _) = choose(GOODS, rng);
    let body = json!({
        "schemaVersion": 2,
        "orderId": order_id(rng),
        "sku": sku,
        "reason": choose(&["too small", "broken on arrival", "changed my mind"], rng),
    });
    let kind = "ReturnRequested";
    Event { exchange: RETURNS, kind, publisher: "storefront", body, expiration: Some("15000") }
}

fn customer_registered(rng: &mut StdRng) -> Value {
    let mut body = json!({
        "schemaVersion": 2,
        "customerId": format!("c-{}", rng.random_range(10_000..99_999_u32)),
        "customer": person(rng),
        "locale": locale(rng),
    });
    let chance = rng.random_range(0..100);
    if chance < 8 {
        // Registered by telephone; nobody told the notification service that this can be.
        body["customer"]["email"] = Value::Null;
    } else if chance < 20 {
        body["customer"]["email"] = json!(format!("guest{}@old-mail.example", rng.random_range(1..99)));
    }
    body
}

fn email_requested(rng: &mut StdRng) -> Value {
    let template =
        choose(&["welcome-v2", "welcome-v2", "order-confirmation", "password-reset", "parcel-sent"], rng);
    json!({
        "schemaVersion": 2,
        "template": template,
        "locale": locale(rng),
        "to": person(rng),
        "variables": { "orderId": order_id(rng) },
    })
}

fn person(rng: &mut StdRng) -> Value {
    let (name, mailbox) = choose(PEOPLE, rng);
    json!({ "name": name, "email": format!("{mailbox}@mail.example") })
}

fn locale(rng: &mut StdRng) -> &'static str {
    choose(&["da-DK", "da-DK", "sv-SE", "nb-NO"], rng)
}

fn order_id(rng: &mut StdRng) -> u32 {
    rng.random_range(4_000..99_999)
}

fn choose<T: Copy>(from: &[T], rng: &mut StdRng) -> T {
    from.choose(rng).copied().unwrap_or(from[0])
}
