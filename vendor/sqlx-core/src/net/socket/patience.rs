// Added for dead-letter: see docs/adr/0014.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// Milliseconds that a server may take to answer, or to take what is sent.
static ANSWER_TIMEOUT: AtomicU64 = AtomicU64::new(u64::MAX);

/// A connection of this process whose server does not answer in this time fails. For ever, if never called.
pub fn set_answer_timeout(timeout: Duration) {
    let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
    ANSWER_TIMEOUT.store(milliseconds, Ordering::Relaxed);
}

/// How long one read or write has waited.
#[derive(Default)]
pub(super) struct Patience(Option<Pin<Box<tokio::time::Sleep>>>);

impl Patience {
    /// To be called when there is nothing to do but wait; an error once that has lasted too long.
    pub(super) fn wait(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let milliseconds = ANSWER_TIMEOUT.load(Ordering::Relaxed);
        if milliseconds == u64::MAX {
            return Ok(());
        }
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(milliseconds))));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}
