//! Who consumes which source: a row for each process, from its first message to a clean end. What is left over tells of a process that
//! died (rule R16).

use std::time::Duration;

use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::convention::Care;
use crate::domain::place::Place;

/// A process that has said nothing for so long is dead: it says that it lives each second.
const SILENT: &str = "5 seconds";
/// What it had in hand has come to somebody by then.
const FORGOTTEN: &str = "10 minutes";
/// The same, of a process that is back: its connections ended with it.
const RETURNED: &str = "1 minute";

/// What is known of the other processes that consume a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// All live, if there are any.
    Live,
    /// One has died.
    Died,
    /// One has said nothing since the time in question.
    Silent,
}

/// One process as the consumer of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// New with each start of the process.
    pub id: Uuid,
    /// The same before and after a restart, and of no other replica.
    pub process: String,
    /// Where the source is.
    pub place: Place,
    /// The source.
    pub source: String,
}

impl Store {
    /// Begins a life, or goes on with it. Says with which care to read what was delivered before: others may have died of it.
    pub async fn begin_life(&self, life: &Life) -> Result<Care, StoreError> {
        let mut transaction = self.ingest.begin().await?;
        let died: bool = sqlx::query_scalar(&format!(
            "SELECT EXISTS (SELECT FROM ingest_life WHERE broker = $1 AND vhost = $2 AND source = $3 AND id <> $4 \
                 AND (process = $5 OR beat_at < now() - interval '{SILENT}'))"
        ))
        .bind(&life.place.broker)
        .bind(&life.place.vhost)
        .bind(&life.source)
        .bind(life.id)
        .bind(&life.process)
        .fetch_one(&mut *transaction)
        .await?;
        let care = if died { Care::Headers } else { Care::Full };
        sqlx::query(&format!(
            "DELETE FROM ingest_life WHERE broker = $1 AND vhost = $2 AND source = $3 AND id <> $4 \
                 AND (process = $5 OR beat_at < now() - interval '{FORGOTTEN}')"
        ))
        .bind(&life.place.broker)
        .bind(&life.place.vhost)
        .bind(&life.source)
        .bind(life.id)
        .bind(&life.process)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO ingest_life (id, broker, vhost, source, process, care) VALUES ($4, $1, $2, $3, $5, $6) \
             ON CONFLICT (id) DO UPDATE SET beat_at = now(), care = EXCLUDED.care",
        )
        .bind(&life.place.broker)
        .bind(&life.place.vhost)
        .bind(&life.source)
        .bind(life.id)
        .bind(&life.process)
        .bind(i16::from(died))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(care)
    }

    /// Says that the process lives.
    pub async fn beat(&self, life: &Life) -> Result<(), StoreError> {
        sqlx::query("UPDATE ingest_life SET beat_at = now() WHERE id = $1")
            .bind(life.id)
            // Batches may have all of ingest's connections for long.
            .execute(&self.watch)
            .await?;
        Ok(())
    }

    /// How the other processes fare that consume the same source: whether they have said that they live since the question came up.
    pub async fn others(&self, life: &Life, question: Duration) -> Result<Others, StoreError> {
        let (died, silent): (bool, bool) = sqlx::query_as(&format!(
            "SELECT COALESCE(bool_or(beat_at < now() - interval '{SILENT}' \
                     OR (care > 0 AND began_at > now() - interval '{RETURNED}')), false), \
                 COALESCE(bool_or(beat_at < now() - make_interval(secs => $5)), false) \
             FROM ingest_life WHERE broker = $1 AND vhost = $2 AND source = $3 AND id <> $4 \
                 AND beat_at > now() - interval '{FORGOTTEN}'"
        ))
        .bind(&life.place.broker)
        .bind(&life.place.vhost)
        .bind(&life.source)
        .bind(life.id)
        .bind(question.as_secs_f64())
        .fetch_one(&self.watch)
        .await?;
        Ok(match (died, silent) {
            (true, _) => Others::Died,
            (false, true) => Others::Silent,
            (false, false) => Others::Live,
        })
    }

    /// Ends a life: nothing is in its hands.
    pub async fn end_life(&self, life: &Life) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM ingest_life WHERE id = $1").bind(life.id).execute(&self.ingest).await?;
        Ok(())
    }
}
