//! Room in memory for bodies that have to be held whole, by bytes (rule R12): for a preview, a patch, a stack trace that stands in a
//! body. Whoever needs room that others have waits for it.

use tokio::sync::{Semaphore, SemaphorePermit};

/// All there is.
const MIB: u32 = 96;

static ROOM: Semaphore = Semaphore::const_new(MIB as usize);

/// Room, until it is dropped.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "held")] Option<SemaphorePermit<'static>>);

/// Waits for room for so many bytes. Who needs more than there is gets all of it.
pub async fn take(bytes: usize) -> Room {
    let needed = u32::try_from(bytes.div_ceil(1 << 20)).unwrap_or(MIB).clamp(1, MIB);
    // It is never closed.
    Room(ROOM.acquire_many(needed).await.ok())
}
