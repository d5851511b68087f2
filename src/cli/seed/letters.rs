//! Realistic dead letters: a few noisy services, a handful of errors each, with differing ids and amounts.

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use uuid::Uuid;

use crate::amqp::Received;
use crate::domain::convention::{Conventions, Decoding};
use crate::domain::dead_letter::NewDeadLetter;
use crate::domain::message::{Message, Properties, Table, Value};
use crate::domain::place::Source;
use crate::domain::service::{DEFAULT_RULE, ServiceRule};
use crate::ingest::{Decoder, decode};

const DOMAINS: [&str; 8] =
    ["bankaccount", "payment", "card", "customer", "loan", "ledger", "notification", "onboarding"];
const ROLES: [&str; 8] =
    ["term-deposit", "accounting", "statements", "fraud-check", "webshop", "mailer", "reporting", "limits"];
const EVENTS: [&str; 6] =
    ["AccountOpened", "PaymentCaptured", "CardBlocked", "CustomerRegistered", "LoanApproved", "EntryPosted"];
/// Types and messages of errors. `#` becomes a number.
const ERRORS: [(&str, &str); 8] = [
    ("PaymentDeclined", "card issuer timed out after # ms (order #)"),
    ("TemplateNotFound", "no template 'welcome-v#' for locale da-DK"),
    ("java.net.SocketTimeoutException", "Read timed out after # ms"),
    ("DeserializationError", "unknown field `amount_minor` at line 1 column #"),
    ("ConstraintViolation", "duplicate key: account # already has a deposit"),
    ("CurrencyMismatch", "expected DKK but got EUR for entry #"),
    ("NotFoundError", "customer # does not exist"),
    ("CircuitOpen", "call to ledger rejected: circuit open for # s"),
];

/// A given number of dead letters, in the order of arrival.
#[derive(Debug)]
pub(super) struct Letters {
    random: StdRng,
    services: u32,
    rule: ServiceRule,
    source: Source,
    from: DateTime<Utc>,
    /// Time between two arrivals.
    spacing: TimeDelta,
    made: i32,
    count: i32,
}

impl Letters {
    #[expect(clippy::expect_used, reason = "the default rule is a literal, which a test verifies")]
    pub fn new(seed: u64, services: u32, count: u64, from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            random: StdRng::seed_from_u64(seed),
            services,
            source: "dead-letter".into(),
            rule: ServiceRule::new(DEFAULT_RULE).expect("valid"),
            from,
            spacing: (until - from) / count.max(1),
            made: 0,
            count,
        }
    }

    /// The service of the next dead letter. Small numbers are far more frequent.
    fn service(&mut self) -> u32 {
        let skewed = self.random.random::<f64>().powi(4);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the number"
        )]
        let number = (skewed * f64::from(self.services)) as u32;
        number.min(self.services - 1)
    }

    fn message(&mut self, arrived: DateTime<Utc>) -> Message {
        let service = self.service();
        let pick = |list: &[&'static str], at: u32| list[at as usize % list.len()];
        let domain = pick(&DOMAINS, service);
        let suffix = match service / 64 {
            0 => String::new(),
            more => format!("-{more}"),
        };
        let queue = format!("dev-k8s-{domain}_{domain}-{}{suffix}", pick(&ROLES, service / 8));
        let event = EVENTS[self.random.random_range(0..EVENTS.len())];
        let (error_type, text) = ERRORS[(service as usize + self.random.random_range(0..3)) % ERRORS.len()];
        let number = self.random.random_range(1..100_000).to_string();
        let died = u64::try_from(arrived.timestamp()).unwrap_or(0);
        let exchange = format!("dev-k8s-{domain}");
        let key = format!("{domain}.{event}");
        let text = text.replace('#', &number);
        let stack =
            format!("{error_type}: {text}\n  at handle ({domain}.rs:{number})\n  at consume (amqp.rs:88)");
        let ids: [u128; 3] = self.random.random();
        Message {
            exchange: "dead-letter".into(),
            routing_key: key.clone(),
            properties: Properties {
                content_type: Some(b"application/json".to_vec()),
                headers: Some(headers(&queue, &exchange, &key, died, (error_type, &text, &stack))),
                delivery_mode: Some(2),
                correlation_id: Some(Uuid::from_u128(ids[0]).to_string().into_bytes()),
                message_id: Some(Uuid::from_u128(ids[1]).to_string().into_bytes()),
                timestamp: Some(died),
                kind: Some(event.as_bytes().to_vec()),
                app_id: Some(domain.as_bytes().to_vec()),
                ..Properties::default()
            },
            body: self.body(event, &number),
        }
    }

    fn body(&mut self, event: &str, number: &str) -> Vec<u8> {
        let lines: Vec<_> = (0..self.random.random_range(1..6))
            .map(|line| json!({"line": line, "sku": format!("{:08x}", self.random.random::<u32>()), "amount": self.random.random_range(100..100_000)}))
            .collect();
        json!({"event": event, "id": number, "currency": "DKK", "lines": lines}).to_string().into_bytes()
    }
}

/// The headers that broker and consumer leave on a rejected message.
fn headers(queue: &str, exchange: &str, key: &str, died: u64, error: (&str, &str, &str)) -> Table {
    let death = Table(named(vec![
        ("count", Value::I64(1)),
        ("exchange", Value::text(exchange)),
        ("queue", Value::text(queue)),
        ("reason", Value::text("rejected")),
        ("routing-keys", Value::Array(vec![Value::text(key)])),
        ("time", Value::Timestamp(died)),
    ]));
    Table(named(vec![
        ("dead-letter-error-message", Value::text(error.1)),
        ("dead-letter-error-stack", Value::text(error.2)),
        ("dead-letter-error-type", Value::text(error.0)),
        ("x-death", Value::Array(vec![Value::Table(death)])),
        ("x-first-death-exchange", Value::text(exchange)),
        ("x-first-death-queue", Value::text(queue)),
        ("x-first-death-reason", Value::text("rejected")),
    ]))
}

#[expect(clippy::expect_used, reason = "no name is longer than a short string, which a test verifies")]
fn made(message: Message) -> Received {
    Received::made(message).expect("properties that fit")
}

fn named(values: Vec<(&str, Value)>) -> Vec<(Vec<u8>, Value)> {
    values.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value)).collect()
}

impl Iterator for Letters {
    type Item = NewDeadLetter;

    fn next(&mut self) -> Option<NewDeadLetter> {
        if self.made == self.count {
            return None;
        }
        self.made += 1;
        let arrived = self.from + self.spacing * self.made;
        let id = uuid::Builder::from_unix_timestamp_millis(
            arrived.timestamp_millis().unsigned_abs(),
            &self.random.random::<[u8; 10]>(),
        )
        .into_uuid();
        let received = made(self.message(arrived));
        let conventions = Conventions::default();
        let decoder = Decoder {
            source: &self.source,
            service_rule: &self.rule,
            conventions: &conventions,
            decoding: Decoding::Full,
        };
        Some(decode(decoder, id, received))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_dead_letters() {
        let until = DateTime::from_timestamp(1_795_392_000, 0).unwrap();
        let make =
            |seed| -> Vec<_> { Letters::new(seed, 60, 500, until - TimeDelta::days(3), until).collect() };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        let mut services: Vec<_> = make(1).into_iter().map(|letter| letter.derived.service).collect();
        services.sort();
        services.dedup();
        assert!(services.len() > 20, "{services:?}");
        assert!(
            make(1)
                .windows(2)
                .all(|pair| pair[0].id < pair[1].id
                    || pair[0].id.get_timestamp() == pair[1].id.get_timestamp())
        );
    }
}
