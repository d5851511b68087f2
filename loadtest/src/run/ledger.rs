//! Published = stored, exactly once, + still queued; and the counters agree with the rows.

use anyhow::{Result, ensure};
use dead_letter::store::{PoolSettings, Store};
use lapin::Connection;
use sqlx::{Connection as _, PgConnection};

use crate::amqp;

/// What became of the published messages of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ledger {
    /// Confirmed by the broker.
    pub published: u64,
    /// Rows in the database.
    pub stored: u64,
    /// Of these, different messages.
    pub distinct: u64,
    /// Still in the queue, with no consumer left.
    pub queued: u64,
}

impl Ledger {
    /// Counts. The service has ended, so that nothing is in anybody's hands.
    pub async fn take(
        database_url: &str,
        connection: &Connection,
        queue: &str,
        published: u64,
    ) -> Result<Self> {
        let channel = connection.create_channel().await?;
        let queued = u64::from(amqp::depth(&channel, queue).await?);
        let mut database = PgConnection::connect(database_url).await?;
        let (stored, distinct): (i64, i64) =
            sqlx::query_as("SELECT count(*), count(DISTINCT message_id) FROM dead_letter WHERE source = $1")
                .bind(queue)
                .fetch_one(&mut database)
                .await?;
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        Ok(Self { published, stored: count(stored), distinct: count(distinct), queued })
    }

    /// Whether nothing is lost and nothing is twice.
    pub fn balances(&self) -> bool {
        self.published == self.stored + self.queued && self.stored == self.distinct
    }

    /// Both sides of the equation.
    pub fn text(&self) -> String {
        let Self { published, stored, distinct, queued } = self;
        format!("{published} published = {stored} stored ({distinct} different) + {queued} queued")
    }
}

/// Fails unless the ledger balances and every counter equals a recount.
pub async fn check(
    database_url: &str,
    connection: &Connection,
    queue: &str,
    published: u64,
) -> Result<Ledger> {
    let ledger = Ledger::take(database_url, connection, queue, published).await?;
    ensure!(ledger.balances(), "MESSAGES ARE LOST OR TWICE: {}", ledger.text());
    let store = Store::new(database_url, PoolSettings::default())?;
    let differing = store.recount().await?;
    store.close().await;
    ensure!(differing.is_empty(), "counters differ from the rows: {differing:?}");
    Ok(ledger)
}
