//! Room in memory for messages that have to be held whole, by bytes (rule R12). Whoever needs room that others have waits for it.
//!
//! There are two rooms: one for a preview, a patch, a search, a stack trace that stands in a body; and one for the chunks of
//! operations. Whoever has room in the second may wait for the first, and never the other way round.

use tokio::sync::{Semaphore, SemaphorePermit};

/// What the first has, and what the second has.
const MIB: u32 = 96;
const CHUNKS_MIB: u32 = 64;

static ROOM: Semaphore = Semaphore::const_new(MIB as usize);
static CHUNKS: Semaphore = Semaphore::const_new(CHUNKS_MIB as usize);

/// Room, until it is dropped.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "held")] Option<SemaphorePermit<'static>>);

/// Waits for room for so many bytes. Who needs more than there is gets all of it.
pub async fn take(bytes: usize) -> Room {
    // It is never closed.
    Room(ROOM.acquire_many(mebibytes(bytes, MIB)).await.ok())
}

/// Room for the messages of a chunk, until it is dropped. While they are published they take up to three times their bytes: as they
/// were read, and in the frames of the broker.
#[derive(Debug, Default)]
pub struct ChunkRoom(Option<SemaphorePermit<'static>>);

impl ChunkRoom {
    /// Waits for room for so many bytes. Who needs more than there is gets all of it, and nobody else has a message then.
    pub async fn take(bytes: usize) -> Self {
        Self(CHUNKS.acquire_many(mebibytes(bytes, CHUNKS_MIB)).await.ok())
    }

    /// Takes what is missing to so many bytes, if it is there.
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
