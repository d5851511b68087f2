//! When the next chunk may begin.

use super::*;
use crate::domain::canary::Canary;

fn sent(count: i64) -> ChunkResult {
    let settled = (1..=count).map(|position| Settled {
        position,
        dead_letter: Uuid::nil(),
        outcome: Outcome::Sent,
        detail: None,
        redelivery_id: None,
    });
    ChunkResult { settled: settled.collect(), ..ChunkResult::default() }
}

/// Seconds from the beginning of a chunk that took two seconds to the next one.
fn wait(operation: &Operation, done: &ChunkResult) -> i64 {
    let begun_at = DateTime::UNIX_EPOCH;
    let next = next_chunk_at(operation, done, begun_at, begun_at + TimeDelta::seconds(2));
    (next - begun_at).num_seconds()
}

#[test]
fn the_next_chunk_waits_for_the_rate_the_canary_and_the_broker() {
    let operation = Operation::made();
    assert_eq!(wait(&operation, &sent(100)), 0);
    let slow = Operation { rate: Some(10), ..operation.clone() };
    assert_eq!(wait(&slow, &sent(100)), 10);
    let canary = Canary { steps: vec![5], wait_seconds: 30, max_failed_percent: 0.0 };
    let climbing = Operation { canary, ..operation.clone() };
    assert_eq!((wait(&climbing, &sent(4)), wait(&climbing, &sent(5))), (0, 32));
    let failed = ChunkResult { hold: Some(Hold::Failed("away".into())), ..sent(4) };
    assert_eq!(wait(&operation, &failed), 3);
    let cancelling = Operation { state: State::Cancelling, ..slow };
    assert_eq!(wait(&cancelling, &failed), 0);
}
