//! What a source is doing: said in readiness always, and in the log once, when it changes.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use crate::telemetry::SourceMetrics;

/// What a source is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It has not begun.
    Starting,
    /// Messages are consumed.
    Consuming,
    /// It waits for the database, and holds what is in hand.
    WaitingForDatabase(String),
    /// It waits for the broker.
    WaitingForBroker(String),
    /// It was asked to stop.
    Stopped,
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => write!(f, "starting"),
            Self::Consuming => write!(f, "consuming"),
            Self::WaitingForDatabase(why) => write!(f, "waiting for the database: {why}"),
            Self::WaitingForBroker(why) => write!(f, "waiting for the broker: {why}"),
            Self::Stopped => write!(f, "stopped"),
        }
    }
}

/// The state of one source.
#[derive(Debug)]
pub struct SourceStatus {
    source: String,
    metrics: SourceMetrics,
    state: Mutex<SourceState>,
}

impl SourceStatus {
    /// A source that has not begun.
    pub fn new(source: &str, metrics: SourceMetrics) -> Self {
        Self { source: source.to_owned(), metrics, state: Mutex::new(SourceState::Starting) }
    }

    /// The source's name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it is doing now.
    pub fn get(&self) -> SourceState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, new: SourceState) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::discriminant(&*state) != std::mem::discriminant(&new) {
            let source = self.source.as_str();
            match &new {
                SourceState::WaitingForDatabase(_) | SourceState::WaitingForBroker(_) => {
                    warn!(source, "{new}");
                }
                _ => info!(source, "{new}"),
            }
        }
        self.metrics.consuming.set((new == SourceState::Consuming).into());
        *state = new;
    }
}
