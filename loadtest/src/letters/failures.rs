//! Why messages died: as many distinct failures as asked for, each with texts whose numbers differ every time.

use rand::Rng;
use rand::rngs::StdRng;

/// Error types with what they say; `{id}`, `{n}` and `{uuid}` differ from message to message, the rest does not.
const KINDS: &[(&str, &str)] = &[
    ("PaymentDeclined", "card issuer timed out after {n} ms (order {id})"),
    ("OptimisticLockException", "row was updated by another transaction (account {uuid}, version {n})"),
    ("DeserializationException", "missing field `amount` at line 1 column {n}"),
    ("ConnectTimeout", "no connection to http://upstream/v1/accounts/{id} within {n} ms"),
    ("CurrencyMismatch", "transfer {uuid} is in SEK, but account {id} is in DKK"),
    (
        "DuplicateKeyException",
        "duplicate key value violates unique constraint: Key (id)=({uuid}) already exists",
    ),
    ("NullPointerException", "Cannot invoke \"Customer.address()\" because \"customer\" is null"),
    ("AccountClosed", "account {id} was closed before the booking of {n} minor units"),
    ("HttpServerError", "POST /v2/transfers answered 503 after {n} ms (request {uuid})"),
    ("TemplateNotFound", "no template 'welcome-v2' for locale da-DK (customer {id})"),
];

/// Where in the code it happened; a failure is a kind and a place.
const PLACES: &[&str] = &[
    "Booking",
    "Clearing",
    "Statement",
    "Limit",
    "Mandate",
    "Customer",
    "Ledger",
    "Reservation",
    "Fee",
    "Interest",
    "Document",
    "Consent",
];

/// One failure, in the words of one message.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error_type: String,
    pub(super) message: String,
    pub(super) stack: String,
}

/// All failures, each of which belongs to one service or, when they are few, to several.
#[derive(Debug)]
pub(super) struct Failures {
    count: usize,
    per_service: usize,
}

impl Failures {
    pub(super) fn new(count: usize, services: usize) -> Self {
        // At least three to a service, and enough that none of them belongs to nobody.
        Self { count, per_service: count.div_ceil(services).max(3).min(count) }
    }

    pub(super) fn draw(&self, service: usize, rng: &mut StdRng) -> Failure {
        // The lower of two draws: some of a service's failures are more frequent than others.
        let nth = rng.random_range(0..self.per_service).min(rng.random_range(0..self.per_service));
        failure((service * self.per_service + nth) % self.count, rng)
    }
}

fn failure(index: usize, rng: &mut StdRng) -> Failure {
    let (kind, template) = KINDS[index % KINDS.len()];
    let place = PLACES[index / KINDS.len() % PLACES.len()];
    let round = index / (KINDS.len() * PLACES.len());
    let package = if round == 0 { "core".to_owned() } else { letters(round) };
    let error_type = format!("bank.{package}.{}.{kind}", place.to_lowercase());
    let message = template
        .replace("{id}", &rng.random_range(10_000..10_000_000_u32).to_string())
        .replace("{n}", &rng.random_range(10..30_000_u32).to_string())
        .replace("{uuid}", &super::draw_uuid(rng).to_string());
    let stack = stack(&error_type, &message, &package, place, index);
    Failure { error_type, message, stack }
}

fn stack(error_type: &str, message: &str, package: &str, place: &str, index: usize) -> String {
    let line = 40 + index % 300;
    format!(
        "{error_type}: {message}\n\
         \tat bank.{package}.{place}Service.apply({place}Service.kt:{line})\n\
         \tat bank.{package}.{place}Handler.handle({place}Handler.kt:{})\n\
         \tat messaging.Consumer.dispatch(Consumer.kt:118)\n\
         \tat messaging.Consumer.run(Consumer.kt:74)\n\
         \tat java.base/java.lang.Thread.run(Thread.java:1583)",
        line / 2
    )
}

/// A number in letters: digits would be taken for something that differs between messages of one failure.
fn letters(mut number: usize) -> String {
    let mut word = String::new();
    while number > 0 {
        word.push(char::from(b"abcdefghijklmnopqrstuvwxyz"[number % 26]));
        number /= 26;
    }
    word
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn there_are_as_many_distinct_failures_as_asked_for() {
        let mut rng = StdRng::seed_from_u64(1);
        for (errors, services) in [(1, 40), (25, 40), (300, 20), (1000, 200)] {
            let failures = Failures::new(errors, services);
            let seen: HashSet<_> = (0..60_000)
                .map(|n| failures.draw(n % services, &mut rng))
                .map(|failure| failure.error_type)
                .collect();
            assert_eq!(seen.len(), errors, "{errors} failures of {services} services");
        }
    }
}
