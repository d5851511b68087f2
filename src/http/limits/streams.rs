//! Streams that are open, for each caller and in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::audit::Actor;
use crate::domain::limit::Limit;

/// Streams in all: half of the connections.
const MOST_IN_ALL: usize = 2_048;

/// The open streams of each caller. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<Caller, usize>>>);

/// What identifies a caller, and its name, which is all that callers without a token have.
type Caller = (String, String);

/// A stream that is open until this is dropped.
#[derive(Debug)]
pub struct OpenStream {
    streams: Streams,
    caller: Caller,
}

/// Why no further stream can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMany {
    /// The caller has so many.
    OfCaller(usize),
    /// All callers together have so many.
    InAll(usize),
}

impl Streams {
    /// Opens one more.
    pub fn open(&self, actor: Actor, limit: Limit) -> Result<OpenStream, TooMany> {
        let caller = (actor.id, actor.name);
        let mut open = self.lock();
        if open.values().sum::<usize>() >= MOST_IN_ALL {
            return Err(TooMany::InAll(MOST_IN_ALL));
        }
        let own = open.get(&caller).copied().unwrap_or_default();
        if limit.is_below(i64::try_from(own + 1).unwrap_or(i64::MAX)) {
            return Err(TooMany::OfCaller(own));
        }
        open.insert(caller.clone(), own + 1);
        Ok(OpenStream { streams: self.clone(), caller })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Caller, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(own) = open.get_mut(&self.caller) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Actor {
        Actor { name: name.into(), ..Actor::default() }
    }

    #[test]
    fn streams_are_bounded_for_each_caller_and_in_all() {
        let (streams, two) = (Streams::default(), "2".parse().unwrap());
        let open: Vec<_> = (0..2).map(|_| streams.open(caller("a"), two).unwrap()).collect();
        assert_eq!(streams.open(caller("a"), two).unwrap_err(), TooMany::OfCaller(2));
        assert!(streams.open(caller("b"), two).is_ok());
        drop(open);
        assert!(streams.lock().is_empty());
        let all: Vec<_> =
            (0..MOST_IN_ALL).map(|number| streams.open(caller(&number.to_string()), two).unwrap()).collect();
        assert_eq!(streams.open(caller("b"), Limit::Off).unwrap_err(), TooMany::InAll(MOST_IN_ALL));
        drop(all);
        assert!(streams.open(caller("b"), two).is_ok());
    }
}
