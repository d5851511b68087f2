//! Memory budgets, in bytes, for messages that must be held whole (rule R12). A task waits until its share is free.
//!
//! There are two budgets: one for previews, patches, searches and stack traces in bodies, and one for the chunks of operations. To
//! avoid a deadlock, a task may wait for the first while it holds a share of the second, and never the other way round.

use tokio::sync::{Semaphore, SemaphorePermit};

const MIB: u32 = 96;
const CHUNKS_MIB: u32 = 64;

static ROOM: Semaphore = Semaphore::const_new(MIB as usize);
static CHUNKS: Semaphore = Semaphore::const_new(CHUNKS_MIB as usize);

/// A share of the first budget, until it is dropped.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "held")] Option<SemaphorePermit<'static>>);

/// Waits for a share of this many bytes. A request that exceeds the budget gets all of it.
pub async fn take(bytes: usize) -> Room {
    // It is never closed.
    Room(ROOM.acquire_many(mebibytes(bytes, MIB)).await.ok())
}

/// A share of the second budget for the messages of a chunk, until it is dropped. While messages are published they need up to
/// three times their size: as they were read, and in AMQP frames.
#[derive(Debug, Default)]
pub struct ChunkRoom(Option<SemaphorePermit<'static>>);

impl ChunkRoom {
    /// Waits for a share of this many bytes. A request that exceeds the budget gets all of it; other chunks wait meanwhile.
    pub async fn take(bytes: usize) -> Self {
        Self(CHUNKS.acquire_many(mebibytes(bytes, CHUNKS_MIB)).await.ok())
    }

    /// Grows the share to this many bytes, if they are free.
    pub fn grow(&mut self, bytes: usize) -> bool {
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
