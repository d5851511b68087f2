//! Bodies: JSON events of an exact size, about as compressible as real ones.

use std::fmt::Write;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::json;

use super::services::Service;

const EVENTS: &[&str] = &[
    "TransactionCleared",
    "AccountOpened",
    "TransferRequested",
    "StatementReady",
    "CardActivated",
    "MandateSigned",
    "CustomerUpdated",
    "ReservationReleased",
];

const WORDS: &[&str] = &[
    "Copenhagen",
    "groceries",
    "settled",
    "reference",
    "monthly",
    "booking",
    "authorised",
    "Stockholm",
    "terminal",
    "merchant",
    "counterparty",
    "Aarhus",
    "standing",
    "order",
    "instalment",
    "refund",
    "transit",
    "salary",
];

/// The kind of event that a message tells of.
pub(super) fn draw_event(rng: &mut StdRng) -> &'static str {
    EVENTS.choose(rng).copied().unwrap_or(EVENTS[0])
}

/// A JSON object of exactly `size` bytes; below what its members need, a JSON string of that size.
pub(super) fn json(size: usize, index: u64, event: &str, service: &Service, rng: &mut StdRng) -> Vec<u8> {
    let members = json!({
        "sequence": index,
        "event": event,
        "consumer": service.name,
        "squad": service.squad,
        "accountId": super::draw_uuid(rng).to_string(),
        "amount": { "minorUnits": rng.random_range(1..10_000_000_u32), "currency": "DKK" },
        "note": "",
    });
    let mut text = members.to_string();
    if text.len() > size {
        // Two quotes is the least that a string takes.
        return format!("\"{}\"", filler(size.saturating_sub(2), rng)).into_bytes();
    }
    let note = filler(size - text.len(), rng);
    let at = text.rfind("\"note\":\"").map_or(text.len(), |found| found + "\"note\":\"".len());
    text.insert_str(at, &note);
    text.into_bytes()
}

/// Words and hexadecimal numbers by turns, of exactly `size` bytes.
fn filler(size: usize, rng: &mut StdRng) -> String {
    let mut filler = String::with_capacity(size + 32);
    while filler.len() < size {
        let word = WORDS.choose(rng).copied().unwrap_or_default();
        filler.push_str(word);
        // Writing to a string cannot fail.
        let _ = write!(filler, " {:016x} ", rng.random::<u64>());
    }
    filler.truncate(size);
    filler
}
