//! The bugs: which messages they trip over, and what they say.

use serde_json::Value;

use super::state::Service;

/// What a broken service makes of a message that its bug trips over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It can't read the message and rejects it: the broker knows that, and nothing more.
    Unreadable,
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
        return Some(Failure::Unreadable);
    };
    match service {
        Service::Webshop => webshop(kind, &body),
        Service::Notification => notification(kind, &body),
    }
}

fn webshop(kind: &str, body: &Value) -> Option<Failure> {
    let order = &body["orderId"];
    if body["schemaVersion"] != 2 {
        return Some(Failure::Unreadable);
    }
    if kind == "OrderPlaced" && body["payment"]["cardIssuer"] == "northbank" {
        let timeout = &body["payment"]["timeoutMs"];
        let message = format!("card issuer timed out after {timeout} ms (order {order})");
        return Some(error("PaymentDeclined", message, PAYMENT_STACK));
    }
    let (ordered, captured) = (&body["orderCurrency"], &body["captured"]["currency"]);
    if kind == "PaymentCaptured" && ordered != captured {
        let message = format!("order {order} is in {}, but {} was captured", plain(ordered), plain(captured));
        return Some(error("CurrencyMismatch", message, LEDGER_STACK));
    }
    None
}

fn notification(kind: &str, body: &Value) -> Option<Failure> {
    match kind {
        "EmailRequested" => {
            let (template, locale) = (plain(&body["template"]), plain(&body["locale"]));
            let missing = template == "welcome-v2" && locale == "da-DK";
            let message = format!("no template '{template}' for locale {locale}");
            missing.then(|| error("TemplateNotFound", message, TEMPLATE_STACK))
        }
        "CustomerRegistered" => match body["customer"]["email"].as_str() {
            None => Some(Failure::Unreadable),
            Some(address) if address.ends_with("@old-mail.example") => {
                let message = format!("550 5.1.1 mailbox unavailable: {address}");
                Some(error("MailboxUnavailable", message, SMTP_STACK))
            }
            Some(_) => None,
        },
        _ => None,
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

const TEMPLATE_STACK: &str = "  File \"/srv/notification/consumer.py\", line 58, in dispatch
    handler(event)
  File \"/srv/notification/handlers/email.py\", line 31, in on_email_requested
    html = templates.render(event.template, event.locale, event.variables)
  File \"/srv/notification/templates.py\", line 77, in render
    raise TemplateNotFound(name, locale)";

const SMTP_STACK: &str = "  File \"/srv/notification/consumer.py\", line 58, in dispatch
    handler(event)
  File \"/srv/notification/handlers/customer.py\", line 22, in on_customer_registered
    smtp.send(welcome(event.customer))
  File \"/srv/notification/smtp.py\", line 140, in send
    raise MailboxUnavailable(code, address)";

#[cfg(test)]
mod tests {
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
            let unreadable = failures.iter().flatten().filter(|one| **one == Failure::Unreadable).count();
            assert!(unreadable > 0 && unreadable * 3 < failures.len(), "{service}: {unreadable} unreadable");
        }
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
    fn what_is_not_json_is_unreadable() {
        assert_eq!(of(Service::Webshop, "OrderPlaced", b"\xff"), Some(Failure::Unreadable));
    }
}
