//! Memory for messages that have to be held as a whole, limited in bytes (rule R12). A reservation waits until there is enough.
//!
//! There are two budgets: one for previews, patches, searches and stack traces in bodies, and one for the chunks of operations.
//! A holder of the second may wait for the first, never the other way round.

use tokio::sync::{Semaphore, SemaphorePermit};

const SHARED_MIB: u32 = 96;
const CHUNKS_MIB: u32 = 64;

static SHARED: Semaphore = Semaphore::const_new(SHARED_MIB as usize);
static CHUNKS: Semaphore = Semaphore::const_new(CHUNKS_MIB as usize);

/// Memory that is reserved until this is dropped.
#[derive(Debug)]
pub struct Reservation(#[expect(dead_code, reason = "held")] Option<SemaphorePermit<'static>>);

/// Waits for this many bytes of the shared budget. A request for more than the budget waits for all of it.
pub async fn reserve(bytes: usize) -> Reservation {
    // It is never closed.
    Reservation(SHARED.acquire_many(mebibytes(bytes, SHARED_MIB)).await.ok())
}

/// Memory for the messages of a chunk, reserved until this is dropped. Messages take up to three times their bytes while they are
/// published: as they were read, and in frames.
#[derive(Debug, Default)]
pub struct ChunkReservation(Option<SemaphorePermit<'static>>);

impl ChunkReservation {
    /// Waits for this many bytes. A request for more than the budget waits for all of it, and no other chunk has messages then.
    pub async fn acquire(bytes: usize) -> Self {
        Self(CHUNKS.acquire_many(mebibytes(bytes, CHUNKS_MIB)).await.ok())
    }

    /// Grows to this many bytes, if they are available now.
    pub fn try_grow(&mut self, bytes: usize) -> bool {
        let has = self.0.as_ref().map_or(0, SemaphorePermit::num_permits);
        let wanted = if bytes == 0 { 0 } else { mebibytes(bytes, CHUNKS_MIB) };
        let missing = wanted.saturating_sub(u32::try_from(has).unwrap_or(u32::MAX));
        let Ok(more) = CHUNKS.try_acquire_many(missing) else { return false };
        match &mut self.0 {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        true
    }
}

fn mebibytes(bytes: usize, most: u32) -> u32 {
    u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(most).clamp(1, most)
}
