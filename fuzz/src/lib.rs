//! What holds of every message, whatever it is.

pub mod memory;

use std::sync::LazyLock;

use dead_letter::amqp::Received;
use dead_letter::domain::convention::{Conventions, Decoding};
use dead_letter::domain::dead_letter::Derived;
use dead_letter::domain::headers;
use dead_letter::domain::message::{Message, Properties};
use dead_letter::domain::service::{DEFAULT_RULE, ServiceRule};
use dead_letter::domain::wire;
use dead_letter::domain::{fingerprint, identity, redelivery};
use dead_letter::ingest::{Decoder, decode};
use uuid::Uuid;

static RULE: LazyLock<ServiceRule> = LazyLock::new(|| ServiceRule::new(DEFAULT_RULE).expect("valid"));

static CONVENTIONS: LazyLock<Conventions> = LazyLock::new(Conventions::default);

/// The longest text of a short string, where each byte is replaced by three.
const LONGEST: usize = 3 * 255;
const LONGEST_ERROR: usize = 3 * 2048;

/// Reads it as ingest does, and as a redelivery does.
pub fn examine(received: Received) {
    let message = &received.message;
    let source = "source".into();
    let read = CONVENTIONS.recognise("source", message);
    let again = CONVENTIONS.recognise("source", message);
    assert_eq!(identity::of(&source, message, &read), identity::of(&source, message, &again));
    assert_eq!(fingerprint::of("s", &read.failure), fingerprint::of("s", &again.failure));
    for decoding in [Decoding::Full, Decoding::HeadersOnly] {
        resend(message, decoding, &read.origin.queue);
        let decoder = Decoder { source: &source, service_rule: &RULE, conventions: &CONVENTIONS, decoding };
        let row = decode(decoder, Uuid::now_v7(), received.clone());
        assert_eq!((&row.properties, &row.body), (&received.properties, &message.body));
        stored(row.derived);
    }
}

/// What is derived is what its columns take.
fn stored(derived: Derived) {
    assert!(derived.deaths >= 1);
    assert!(!derived.service.is_empty(), "a service has a name");
    let texts = [
        Some(derived.service),
        derived.origin.queue,
        derived.origin.exchange,
        derived.origin.routing_key,
        derived.reason,
        derived.message_id,
        derived.correlation_id,
        derived.message_type,
        derived.error_type,
    ];
    for text in texts.into_iter().flatten() {
        assert!(text.len() <= LONGEST && !text.contains('\0'), "a column takes it");
    }
    let error = derived.error_message.unwrap_or_default();
    assert!(error.len() <= LONGEST_ERROR && !error.contains('\0'), "a column takes it");
}

fn resend(message: &Message, decoding: Decoding, queue: &Option<String>) {
    let to = if queue.is_some() { redelivery::Destination::Queue } else { redelivery::Destination::Exchange };
    let mark = redelivery::Mark::Redelivery(Uuid::nil());
    let sent = redelivery::message(&CONVENTIONS, message.clone(), decoding, mark, to).properties;
    // Nothing that came makes it unwritable.
    let wire = wire::encode(&sent).expect("it can be written");
    let again: Properties = wire::decode(&wire).expect("it can be read");
    assert!(again.header("x-death").is_none() && again.header(headers::REDELIVERY_ID).is_some());
}
