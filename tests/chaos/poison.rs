//! Poison messages: whatever a message holds, it is kept byte for byte, shown, put back or refused with a reason, and hurts none of
//! its neighbours (rules R2, R4, R5).

mod generator;
mod kinds;
pub mod trial;

use std::collections::HashSet;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use sha2::{Digest, Sha256};

use self::kinds::{REFUSED, kinds};
use self::trial::Trial;
use crate::stand::seed;
use crate::support::raw::RawMessage;
use crate::table::{Row, is_full, times};

const NEIGHBOURS: usize = 200;
/// The window stays as it is: a consumer that is cancelled, to begin again with another one, gets what was on its way to it with
/// `x-delivery-count`, so that it would not be what the twin gets.
const SETTINGS: [(&str, &str); 3] = [
    ("DEAD_LETTER_BATCH_LINGER", "20ms"),
    ("DEAD_LETTER_PREFETCH", "32"),
    ("DEAD_LETTER_MEMORY_BYTES", "4294967296"),
];
const GENERATED: usize = 20_000;
/// One in so many has flipped bits.
const FLIPPED: usize = 8;

/// Each kind alone, first, and in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_poison_is_kept() {
    let number = kinds("").len();
    let mut row = Row::new("poison: kinds by hand, alone, first, and in the middle of 200", number * 3);
    let mut trial = Trial::start(&SETTINGS).await;
    let mut refused = HashSet::new();
    for kind in kinds("alone") {
        if let Err(why) = trial.publish(&[kind.message]).await {
            row.must(REFUSED.contains(&kind.name), format!("the broker refused {}: {why}", kind.name));
            refused.insert(kind.name);
        }
        trial.world.until_stored(i64::try_from(trial.published).unwrap()).await;
    }
    let neighbours = times(NEIGHBOURS);
    for (mark, before) in [("first", 0), ("middle", neighbours / 2)] {
        for kind in kinds(mark).into_iter().filter(|kind| !refused.contains(kind.name)) {
            let mut messages = Trial::neighbours(neighbours);
            messages.insert(before, kind.message);
            trial.publish(&messages).await.unwrap();
        }
    }
    row.figure("kinds", number);
    row.figure("refused by the broker", refused.len());
    finish(row, trial, (number - refused.len()) * 3).await;
}

/// The seeds of the fuzz target that reads properties: `cargo test --test chaos corpus -- --ignored`.
#[test]
#[ignore = "it tests nothing: it writes fuzz/corpus/properties"]
fn corpus() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/properties");
    std::fs::create_dir_all(&folder).unwrap();
    for kind in kinds("corpus").into_iter().filter(|kind| kind.message.properties.len() < 4_096) {
        let name = kind.name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        std::fs::write(folder.join(name), kind.message.properties).unwrap();
    }
}

/// Random tables of random types; and flipped bits, as far as the broker takes them.
#[tokio::test(flavor = "multi_thread")]
async fn generated_poison_is_kept() {
    let number = times(GENERATED);
    let mut row = Row::new("poison: generated properties", number);
    let mut trial = Trial::start(&SETTINGS).await;
    let mut random = StdRng::seed_from_u64(seed());
    let valid: Vec<RawMessage> =
        (0..number - number / FLIPPED).map(|_| generator::valid(&mut random)).collect();
    for messages in valid.chunks(500) {
        let published = trial.publish(messages).await;
        row.must(published.is_ok(), format!("the broker refused what is valid: {published:?}"));
    }
    let mut refused = 0;
    for _ in 0..number / FLIPPED {
        refused += usize::from(trial.publish(&[generator::flipped(&mut random)]).await.is_err());
    }
    row.figure("flipped bits that the broker refused", format!("{refused} of {}", number / FLIPPED));
    let poison = trial.published;
    finish(row, trial, poison).await;
}

/// All is stored as the broker delivers it, can be opened, listed, and redelivered or refused with a reason.
async fn finish(mut row: Row, mut trial: Trial, expected: usize) {
    row.must(trial.goes_on().await, "the consumer does not go on");
    let differences = trial.differences().await;
    row.must(differences == 0, format!("{differences} differ from what the broker delivers"));
    let poison = trial.poison().await;
    row.must(poison.len() == expected, format!("{} of {expected} are there", poison.len()));
    // In the short form not every one of the generated ones, which takes most of the time.
    let opened = if is_full() { poison.len() } else { poison.len().min(300) };
    let unopened = trial.unopened(&poison[..opened]).await;
    row.must(unopened.is_empty(), format!("not opened: {unopened:?}"));
    let listed = trial.world.api().all("status=any", 200).await.len();
    row.must(listed == trial.published, format!("{listed} of {} are listed", trial.published));

    let (ids, bodies): (Vec<String>, HashSet<Vec<u8>>) = poison.into_iter().unzip();
    let back = trial.redeliver(&ids, json!("queue")).await;
    let sink = trial.sink().await;
    let on = trial.redeliver(&ids, json!({"exchange": sink.name, "routingKey": "any"})).await;
    let taken = trial.world.broker.raw().await.drain(&sink.name, on.sent).await.unwrap();
    let known = taken.iter().filter(|taken| bodies.contains(&Sha256::digest(&taken.body)[..])).count();
    row.must(known == on.sent, format!("{known} of {} came with the same body", on.sent));
    row.must([back.unclear, on.unclear] == [0; 2], format!("{back:?}, {on:?}"));
    row.must(on.sent > 0, "none was redelivered");
    trial.world.assert_counters_exact().await;
    row.figure("published", trial.published);
    row.figure("opened", opened);
    row.figure("to their queues", format!("{} sent, {} refused with a reason", back.sent, back.refused));
    row.figure("elsewhere", format!("{} sent, {} refused with a reason", on.sent, on.refused));
    row.finish();
}
