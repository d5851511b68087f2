//! Names of the headers that dead-letter and the broker write.

/// Marks a redelivered message. The id is the same for each attempt to redeliver one dead letter in one operation.
pub const REDELIVERY_ID: &str = "dead-letter-redelivery-id";
/// How often dead-letter has redelivered the message, as text.
pub const REDELIVERY_COUNT: &str = "dead-letter-redelivery-count";
/// How often the message had died before, beyond what it will tell itself when it dies again, as text.
pub const DEATHS: &str = "dead-letter-deaths";
/// Marks a copy, in place of [`REDELIVERY_ID`]: the death of a copy is not a return.
pub const COPY_ID: &str = "dead-letter-copy-id";
/// Queue, exchange and routing key of a message that was sent straight to a queue: what it was first published with.
pub const FIRST_ROUTING: [&str; 3] = ["dead-letter-queue", "dead-letter-exchange", "dead-letter-routing-key"];

/// Every header that a redelivery or a copy carries.
pub const OURS: [&str; 7] =
    [REDELIVERY_ID, REDELIVERY_COUNT, DEATHS, FIRST_ROUTING[0], FIRST_ROUTING[1], FIRST_ROUTING[2], COPY_ID];

/// The broker's history of deaths.
pub const X_DEATH: &str = "x-death";
/// Prefix of the broker's headers about the first death.
pub const X_FIRST_DEATH: &str = "x-first-death-";
/// Prefix of the broker's headers about the last death.
pub const X_LAST_DEATH: &str = "x-last-death-";
/// How often a quorum queue has delivered the message without an acknowledgement.
pub const X_DELIVERY_COUNT: &str = "x-delivery-count";

/// Headers that the broker changes from one delivery to the next.
pub const WRITTEN_ON_DELIVERY: [&str; 3] = [X_DELIVERY_COUNT, "x-acquired-count", "x-stream-offset"];

/// Headers of the W3C trace context.
pub const TRACE_CONTEXT: [&str; 2] = ["traceparent", "tracestate"];

/// Whether dead-letter writes this header.
pub fn is_ours(name: &[u8]) -> bool {
    OURS.iter().any(|ours| ours.as_bytes() == name)
}

/// Whether the broker writes this header as it dead-letters or delivers a message.
pub fn is_the_brokers(name: &[u8]) -> bool {
    name == X_DEATH.as_bytes()
        || is_written_on_delivery(name)
        || name.starts_with(X_FIRST_DEATH.as_bytes())
        || name.starts_with(X_LAST_DEATH.as_bytes())
}

/// Whether the broker changes this header from one delivery to the next.
pub fn is_written_on_delivery(name: &[u8]) -> bool {
    WRITTEN_ON_DELIVERY.iter().any(|written| written.as_bytes() == name)
}
