//! Consumer sessions: a row for each process and source, from its first message to a clean end. A row that is left over belongs
//! to a process that crashed (rule R16).

use std::time::Duration;

use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::convention::Decoding;
use crate::domain::place::Place;

/// A process without a heartbeat for this long is dead. Heartbeats come each second.
const SILENT: &str = "5 seconds";
/// By then, the messages that a dead process had in flight have been delivered to another consumer.
const FORGOTTEN: &str = "10 minutes";
/// The same for a process that has restarted: its connections ended with it.
const RETURNED: &str = "1 minute";

/// The other processes that consume a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// All of them, if there are any, have sent a heartbeat since the given time.
    Alive,
    /// One has died.
    Died,
    /// One has not sent a heartbeat since the given time.
    Silent,
}

/// The session of one process on one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerSession {
    /// New with each start of the process.
    pub id: Uuid,
    /// Stays the same across restarts. No other replica has it.
    pub process: String,
    /// Broker and virtual host of the source.
    pub place: Place,
    /// The source.
    pub source: String,
}

impl Store {
    /// Begins or continues a session. Returns how to decode redelivered messages: one of them may have crashed another process.
    pub async fn begin_session(&self, session: &ConsumerSession) -> Result<Decoding, StoreError> {
        let mut transaction = self.ingest.begin().await?;
        let died: bool = sqlx::query_scalar(&format!(
            "SELECT EXISTS (SELECT FROM ingest_life WHERE broker = $1 AND vhost = $2 AND source = $3 AND id <> $4 \
                 AND (process = $5 OR beat_at < now() - interval '{SILENT}'))"
        ))
        .bind(&session.place.broker)
        .bind(&session.place.vhost)
        .bind(&session.source)
        .bind(session.id)
        .bind(&session.process)
        .fetch_one(&mut *transaction)
        .await?;
        let decoding = if died { Decoding::HeadersOnly } else { Decoding::Full };
        sqlx::query(&format!(
            "DELETE FROM ingest_life WHERE broker = $1 AND vhost = $2 AND source = $3 AND id <> $4 \
                 AND (process = $5 OR beat_at < now() - interval '{FORGOTTEN}')"
        ))
        .bind(&session.place.broker)
        .bind(&session.place.vhost)
        .bind(&session.source)
        .bind(session.id)
        .bind(&session.process)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO ingest_life (id, broker, vhost, source, process, care) VALUES ($4, $1, $2, $3, $5, $6) \
             ON CONFLICT (id) DO UPDATE SET beat_at = now(), care = EXCLUDED.care",
        )
        .bind(&session.place.broker)
        .bind(&session.place.vhost)
        .bind(&session.source)
        .bind(session.id)
        .bind(&session.process)
        .bind(i16::from(died))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(decoding)
    }

    /// Stores a heartbeat.
    pub async fn renew_session(&self, session: &ConsumerSession) -> Result<(), StoreError> {
        sqlx::query("UPDATE ingest_life SET beat_at = now() WHERE id = $1")
            .bind(session.id)
            // Batches may occupy all connections of ingest for a long time.
            .execute(&self.health)
            .await?;
        Ok(())
    }

    /// Whether the other consumers of the source have sent a heartbeat within the last `since`.
    pub async fn peers(&self, session: &ConsumerSession, since: Duration) -> Result<Peers, StoreError> {
        let (died, silent): (bool, bool) = sqlx::query_as(&format!(
            "SELECT COALESCE(bool_or(beat_at < now() - interval '{SILENT}' \
                     OR (care > 0 AND began_at > now() - interval '{RETURNED}')), false), \
                 COALESCE(bool_or(beat_at < now() - make_interval(secs => $5)), false) \
             FROM ingest_life WHERE broker = $1 AND vhost = $2 AND source = $3 AND id <> $4 \
                 AND beat_at > now() - interval '{FORGOTTEN}'"
        ))
        .bind(&session.place.broker)
        .bind(&session.place.vhost)
        .bind(&session.source)
        .bind(session.id)
        .bind(since.as_secs_f64())
        .fetch_one(&self.health)
        .await?;
        Ok(match (died, silent) {
            (true, _) => Peers::Died,
            (false, true) => Peers::Silent,
            (false, false) => Peers::Alive,
        })
    }

    /// Ends a session that has no messages in flight.
    pub async fn end_session(&self, session: &ConsumerSession) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM ingest_life WHERE id = $1").bind(session.id).execute(&self.ingest).await?;
        Ok(())
    }
}
