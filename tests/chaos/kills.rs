//! SIGKILL of the service, at any instruction.

use std::time::Duration;

use rand::Rng;

use crate::stand::Stand;
use crate::table::{Row, times};

/// Messages between two kills, and the longest time until the next.
const MESSAGES: usize = 1500;
const LONGEST: u64 = 150;

/// R1, R2, R3: two replicas share a source, and one of them is always being killed.
#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing() {
    let mut row = Row::new("SIGKILL of the service, 2 replicas", times(200));
    let settings = [("DEAD_LETTER_BATCH_ROWS", "100")];
    let mut stand = Stand::start(&settings).await;
    let mut replica = stand.replica(&settings);
    for _ in 0..times(200) {
        stand.publish(MESSAGES).await;
        // Not to wait for anything: any moment is as good as another.
        let moment = stand.random.random_range(0..LONGEST);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        if stand.random.random() {
            stand.service.restart();
        } else {
            replica.restart();
        }
    }
    stand.until_quiet("kills").await;
    row.ledger(&stand.verdict().await);
    row.finish();
}
