//! How long what is confirmed takes until it is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::stand::repeat;
use crate::support::until_within;

const LOOK: Duration = Duration::from_millis(50);
const DEADLINE: Duration = Duration::from_mins(2);

#[derive(Default)]
pub struct Stored {
    /// When they were confirmed, by message id.
    expected: Mutex<HashMap<String, Instant>>,
    /// When each was confirmed, and when it was seen.
    seen: Mutex<Vec<(Instant, Instant)>>,
}

impl Stored {
    pub fn watch(database: &PgPool, done: &CancellationToken) -> Arc<Self> {
        let stored = Arc::new(Self::default());
        let (watching, database, done) = (Arc::clone(&stored), database.clone(), done.clone());
        tokio::spawn(async move {
            while !done.is_cancelled() {
                watching.look(&database).await;
                tokio::time::sleep(LOOK).await;
            }
        });
        stored
    }

    /// These were confirmed just now.
    pub fn expect(&self, ids: Vec<String>) {
        let now = Instant::now();
        self.expected.lock().unwrap().extend(ids.into_iter().map(|id| (id, now)));
    }

    async fn look(&self, database: &PgPool) {
        let ids: Vec<String> = self.expected.lock().unwrap().keys().cloned().collect();
        let query = "SELECT message_id FROM dead_letter WHERE message_id = ANY($1)";
        // While the database is away, nothing is seen.
        let found: Vec<String> =
            sqlx::query_scalar(query).bind(&ids).fetch_all(database).await.unwrap_or_default();
        let (now, mut expected) = (Instant::now(), self.expected.lock().unwrap());
        let confirmed = found.iter().filter_map(|id| expected.remove(id)).map(|at| (at, now));
        self.seen.lock().unwrap().extend(confirmed);
    }

    /// Waits until a message that was confirmed since then is stored, and all that were confirmed before are.
    pub async fn until_since(&self, begun: Instant) {
        until_within(DEADLINE, &format!("all that was confirmed is stored ({})", repeat()), || async {
            let is_late = self.expected.lock().unwrap().values().any(|confirmed| *confirmed < begun);
            let is_new = self.seen.lock().unwrap().iter().any(|(confirmed, _)| *confirmed >= begun);
            (is_new && !is_late).then_some(())
        })
        .await;
    }

    /// The longest time from a confirm since then until the message was stored.
    pub fn slowest_since(&self, begun: Instant) -> Duration {
        let seen = self.seen.lock().unwrap();
        let took = seen.iter().filter(|(_, at)| *at >= begun).map(|(confirmed, at)| *at - *confirmed);
        took.max().unwrap_or_default()
    }
}
