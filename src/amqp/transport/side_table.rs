//! Tables of the properties that bypass lapin.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lapin::BasicProperties;

/// The properties that bypass lapin on one connection.
///
/// They are as many as the messages in lapin: deliveries that were not taken yet, at most the prefetch, and messages that wait to
/// be written.
#[derive(Debug, Default)]
pub struct SideTables {
    pub(super) incoming: SideTable,
    pub(super) outgoing: SideTable,
    /// The server properties.
    server: Mutex<Vec<u8>>,
}

impl SideTables {
    /// Takes the properties for which lapin read this stand-in.
    pub fn received(&self, stand_in: &BasicProperties) -> Option<Vec<u8>> {
        self.incoming.take((*stand_in.timestamp())?)
    }

    /// The token for properties to send.
    pub fn to_send(&self, properties: Vec<u8>) -> u64 {
        self.outgoing.put(properties)
    }

    pub(super) fn note_server(&self, properties: Option<&[u8]>) {
        if let Some(properties) = properties {
            *unpoisoned(&self.server) = properties.to_vec();
        }
    }

    pub(super) fn server(&self) -> Vec<u8> {
        unpoisoned(&self.server).clone()
    }
}

/// Properties as bytes, by their tokens.
#[derive(Debug, Default)]
pub(super) struct SideTable {
    /// Number of tokens so far.
    tokens: AtomicU64,
    kept: Mutex<HashMap<u64, Vec<u8>>>,
}

impl SideTable {
    /// A new token.
    pub fn token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn put(&self, properties: Vec<u8>) -> u64 {
        let token = self.token();
        unpoisoned(&self.kept).insert(token, properties);
        token
    }

    pub fn put_all(&self, all: impl IntoIterator<Item = (u64, Vec<u8>)>) {
        unpoisoned(&self.kept).extend(all);
    }

    pub fn take(&self, token: u64) -> Option<Vec<u8>> {
        unpoisoned(&self.kept).remove(&token)
    }
}

/// No invariant spans several entries, so a panic elsewhere does no harm.
fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
