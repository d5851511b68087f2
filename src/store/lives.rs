//! Who consumes which source: a row for each process, from its first message to a clean end. What is left over tells of a process that
//! died (rule R16).

use uuid::Uuid;

use super::{Store, StoreError};
use crate::domain::convention::Care;
use crate::domain::place::Place;

/// A process that has said nothing for so long is dead.
const SILENT: &str = "30 seconds";
/// What it had in hand has come to somebody by then.
const FORGOTTEN: &str = "10 minutes";

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
            .execute(&self.ingest)
            .await?;
        Ok(())
    }

    /// Ends a life: nothing is in its hands.
    pub async fn end_life(&self, life: &Life) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM ingest_life WHERE id = $1").bind(life.id).execute(&self.ingest).await?;
        Ok(())
    }
}
