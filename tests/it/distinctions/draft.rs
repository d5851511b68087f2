//! Messages of a busy shop, before they die.

use lapin::BasicProperties;
use lapin::types::AMQPValue;
use serde_json::{Value, json};

use crate::support::{DeadMessage, id, text};

/// A number that looks like chance, the same in each run.
pub fn chance(row: u64, salt: u64, of: u64) -> u64 {
    let mixed = (row * 31 + salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % of
}

pub fn pick(row: u64, salt: u64, list: &[&'static str]) -> &'static str {
    list[usize::try_from(chance(row, salt, list.len() as u64)).unwrap()]
}

/// What a message is made of, before it dies.
pub struct Draft {
    pub row: u64,
    is_inside: bool,
    /// Whether it has the cause: not all that failed so have it, and some that failed otherwise do.
    pub is_planted: bool,
    pub headers: Vec<(&'static str, AMQPValue)>,
    pub body: Value,
    pub properties: BasicProperties,
    exchange: &'static str,
    pub routing_key: &'static str,
    pub hour: u64,
}

impl Draft {
    /// A message like those of a busy shop, with a lot that has nothing to do with the failure.
    pub fn new(row: u64, is_inside: bool) -> Self {
        let lines: Vec<_> = (0..=chance(row, 1, 4))
            .map(|line| json!({"sku": format!("S{}", chance(row, 100 + line, 40)), "count": chance(row, 200 + line, 9)}))
            .collect();
        let kind = pick(row, 2, &["OrderPlaced", "OrderPaid", "OrderSent"]);
        Self {
            row,
            is_inside,
            is_planted: chance(row, 18, 100) < if is_inside { 90 } else { 5 },
            headers: vec![
                ("tenant", text(pick(row, 3, &["acme", "globex", "initech", "umbrella"]))),
                ("traceparent", text(&format!("00-{:032x}-{:016x}-01", row + 1, row + 1))),
                ("release", text(pick(row, 4, &["41", "42", "43"]))),
                ("attempt-of", AMQPValue::LongInt(i32::try_from(chance(row, 5, 3)).unwrap())),
                ("priority-customer", AMQPValue::Boolean(chance(row, 6, 2) == 0)),
            ],
            body: json!({
                "orderId": chance(row, 7, 1_000_000), "currency": pick(row, 8, &["DKK", "EUR", "SEK"]),
                "total": chance(row, 9, 10_000), "customer": {"id": format!("c{}", chance(row, 10, 5000)),
                "address": {"country": pick(row, 11, &["DK", "SE", "NO", "DE"]), "zip": chance(row, 12, 9000)}},
                "lines": lines, "note": pick(row, 13, &["", "gift", "fragile"]),
            }),
            properties: BasicProperties::default()
                .with_content_type("application/json".into())
                .with_type(kind.into())
                .with_app_id(pick(row, 14, &["shop-eu", "shop-us", "kiosk"]).into()),
            exchange: pick(row, 15, &["orders", "legacy"]),
            routing_key: pick(row, 16, &["order.placed", "order.changed"]),
            hour: chance(row, 17, 24),
        }
    }

    pub fn header(&mut self, name: &'static str, value: AMQPValue) {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
    }

    pub fn message(self, service: &str) -> DeadMessage {
        // The same hour on each of the last five days.
        let day = 1_795_392_000 - 86_400 * chance(self.row, 19, 5);
        let died = day + 3_600 * self.hour + chance(self.row, 20, 3_600);
        let mut message = DeadMessage::plain();
        message.properties = self.properties.with_message_id(id().into());
        message = message.died_after(
            (self.exchange, self.routing_key),
            &format!("work_{service}"),
            "rejected",
            1,
            died,
        );
        for (name, value) in self.headers {
            message = message.header(name, value);
        }
        if message.body == b"{}" {
            message.body = self.body.to_string().into_bytes();
        }
        let error = if self.is_inside { ("Planted", "it broke") } else { ("Other", "something else") };
        message.error(error.0, error.1)
    }
}
