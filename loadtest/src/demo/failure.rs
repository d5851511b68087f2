//! The bugs: which messages they trip over, and what they say.

use serde_json::Value;

use super::service::Service;

/// What a broken service makes of a message that its bug trips over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It rejects the message: the broker knows that, and nothing more.
    Rejected,
    /// It fails with an error, and dead-letters the message itself to say so.
    Error {
        /// The exception's name.
        error_type: &'static str,
        /// What it says.
        message: String,
        /// Where it came from, some lines long.
        stack: String,
    },
}

/// What goes wrong with this message in a broken service, if anything. Depends on the message alone.
pub(super) fn of(service: Service, kind: &str, body: &[u8]) -> Option<Failure> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        return Some(Failure::Rejected);
    };
    match service {
        Service::Webshop => webshop(kind, &body),
        Service::Notification => fails_notification(kind, &body).then_some(Failure::Rejected),
        // These fail in their own languages.
        Service::Billing | Service::Statements | Service::Shipping => None,
    }
}

/// One bug that is met all the time, and two that are rare.
fn webshop(kind: &str, body: &Value) -> Option<Failure> {
    let order = &body["orderId"];
    let version = &body["schemaVersion"];
    if version != 2 {
        let message = format!("order {order} has schema version {version}, which nobody knows here");
        return Some(error("UnknownSchema", message, SCHEMA_STACK));
    }
    if kind == "OrderPlaced" && body["payment"]["cardIssuer"] == "northbank" {
        let timeout = &body["payment"]["timeoutMs"];
        let message = format!("card issuer timed out after {timeout} ms (order {order})");
        return Some(error("PaymentDeclined", message, PAYMENT_STACK));
    }
    let (ordered, captured) = (&body["orderCurrency"], &body["captured"]["currency"]);
    if kind == "PaymentCaptured" && ordered != captured {
        let amount = &body["captured"]["amountMinor"];
        let (ordered, captured) = (plain(ordered), plain(captured));
        let message = format!("order {order} is in {ordered}, but {amount} {captured} was captured");
        return Some(error("CurrencyMismatch", message, LEDGER_STACK));
    }
    None
}

/// Without a template, or without an address that takes mail.
fn fails_notification(kind: &str, body: &Value) -> bool {
    match kind {
        "EmailRequested" => body["template"] == "welcome-v2" && body["locale"] == "da-DK",
        "CustomerRegistered" => {
            let address = body["customer"]["email"].as_str();
            address.is_none_or(|address| address.ends_with("@old-mail.example"))
        }
        _ => false,
    }
}

fn error(error_type: &'static str, message: String, frames: &str) -> Failure {
    let stack = format!("{error_type}: {message}\n{frames}");
    Failure::Error { error_type, message, stack }
}

/// A string without its quotes.
fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

const PAYMENT_STACK: &str = "    at CardGateway.authorise (/app/src/payment/card-gateway.ts:88:15)
    at async PaymentService.charge (/app/src/payment/service.ts:41:20)
    at async OrderPlacedHandler.handle (/app/src/handlers/order-placed.ts:27:5)
    at async Consumer.dispatch (/app/node_modules/messaging/consumer.js:112:9)";

const LEDGER_STACK: &str = "    at assertSameCurrency (/app/src/ledger/money.ts:19:11)
    at Ledger.book (/app/src/ledger/ledger.ts:64:7)
    at async PaymentCapturedHandler.handle (/app/src/handlers/payment-captured.ts:33:5)
    at async Consumer.dispatch (/app/node_modules/messaging/consumer.js:112:9)";

const SCHEMA_STACK: &str = "    at parseOrder (/app/src/messages/order.ts:52:11)
    at async OrderPlacedHandler.handle (/app/src/handlers/order-placed.ts:21:19)
    at async Consumer.dispatch (/app/node_modules/messaging/consumer.js:112:9)";

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::events::{Event, customer_event, order_event};
    use super::super::topology::RETURNS;
    use super::*;

    /// Failures of so many events, without those that go to the returns desk.
    fn failures(service: Service, make: impl Fn(&mut StdRng) -> Event) -> Vec<Option<Failure>> {
        let mut rng = StdRng::seed_from_u64(4711);
        (0..2000)
            .map(|_| make(&mut rng))
            .filter(|event| event.exchange != RETURNS)
            .map(|event| of(service, event.kind, event.body.to_string().as_bytes()))
            .collect()
    }

    #[test]
    fn about_one_message_in_five_fails() {
        for (service, failures) in [
            (Service::Webshop, failures(Service::Webshop, order_event)),
            (Service::Notification, failures(Service::Notification, customer_event)),
        ] {
            let share = failures.iter().flatten().count() * 100 / failures.len();
            assert!((15..=25).contains(&share), "{service}: {share} of 100 fail");
        }
    }

    #[test]
    fn one_bug_makes_nine_of_ten_failures_of_the_webshop() {
        let failures = failures(Service::Webshop, order_event);
        let mut types = BTreeMap::<_, usize>::new();
        for failure in failures.iter().flatten() {
            let Failure::Error { error_type, .. } = failure else { panic!("the webshop tells why") };
            *types.entry(*error_type).or_default() += 1;
        }
        let share = types["PaymentDeclined"] * 100 / types.values().sum::<usize>();
        assert!((85..=95).contains(&share), "{types:?}");
        assert_eq!(types.len(), 3, "{types:?}");
    }

    #[test]
    fn notification_rejects() {
        let failures = failures(Service::Notification, customer_event);
        assert!(failures.iter().flatten().all(|failure| *failure == Failure::Rejected));
    }

    #[test]
    fn the_same_message_fails_the_same_way_again() {
        assert_eq!(failures(Service::Webshop, order_event), failures(Service::Webshop, order_event));
    }

    #[test]
    fn an_error_says_what_and_where() {
        let body =
            br#"{"schemaVersion":2,"orderId":4711,"payment":{"cardIssuer":"northbank","timeoutMs":3000}}"#;
        let Some(Failure::Error { error_type, message, stack }) = of(Service::Webshop, "OrderPlaced", body)
        else {
            panic!("northbank times out");
        };
        assert_eq!(error_type, "PaymentDeclined");
        assert_eq!(message, "card issuer timed out after 3000 ms (order 4711)");
        assert!(stack.lines().count() > 3);
    }

    #[test]
    fn what_is_not_json_is_rejected() {
        assert_eq!(of(Service::Webshop, "OrderPlaced", b"\xff"), Some(Failure::Rejected));
    }
}
