//! Storing a batch, and isolating a row that the database refuses (rule R5).

use std::time::Duration;

use tokio::time::Instant;

use super::batch::Batch;
use crate::clock;
use crate::store::{Store, StoreError, Stored};
use crate::telemetry::{RowPoisoned, SourceMetrics};

/// The result of an attempt to store a batch, with the batch.
#[derive(Debug)]
pub(super) struct Written {
    pub batch: Batch,
    pub result: Result<Stored, StoreError>,
    pub duration: Duration,
}

/// Stores the batch. A batch that fails can be retried, even after a commit whose answer was lost: rows keep their ids, and a row
/// that is stored already is not stored twice.
pub(super) async fn write(store: Store, metrics: SourceMetrics, mut batch: Batch) -> Written {
    let begun = Instant::now();
    let result = store_isolating(&store, &metrics, &mut batch).await;
    Written { batch, result, duration: begun.elapsed() }
}

/// Bisects a batch that the database refuses, until the refused rows are alone. These are stored without derived fields.
async fn store_isolating(
    store: &Store,
    metrics: &SourceMetrics,
    batch: &mut Batch,
) -> Result<Stored, StoreError> {
    let mut total = Stored { stored: 0, duplicates: 0 };
    let whole = 0..batch.rows.len();
    let mut ranges = vec![whole];
    while let Some(range) = ranges.pop() {
        let rows = &mut batch.rows[range.clone()];
        match store.insert(rows, clock::now()).await {
            Ok(stored) => {
                total.stored += stored.stored;
                total.duplicates += stored.duplicates;
            }
            Err(StoreError::Refused(_)) if rows.len() > 1 => {
                let middle = range.start + rows.len() / 2;
                ranges.push(middle..range.end);
                ranges.push(range.start..middle);
            }
            Err(StoreError::Refused(code)) if rows[0].warning.is_none() => {
                let warning =
                    format!("the database refused what was read out of this message (SQLSTATE {code})");
                rows[0] = rows[0].blanked(warning);
                RowPoisoned { source: rows[0].source.queue(), id: rows[0].id, code: &code }.emit(metrics);
                ranges.push(range);
            }
            // A row that is refused even then is held as in an outage: neither dropped nor acknowledged.
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}
