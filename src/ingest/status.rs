//! The state of a source. Readiness always shows it; the log has a line for each change.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use crate::amqp::LossRisk;
use crate::domain::place::Place;
use crate::telemetry::SourceMetrics;

/// The state of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Not started yet.
    Starting,
    /// Messages are consumed.
    Consuming,
    /// Waiting for the database; in-flight messages are held.
    WaitingForDatabase(String),
    /// Waiting for the broker.
    WaitingForBroker(String),
    /// The source cannot be consumed without losing messages.
    Refused(String),
    /// Stopped.
    Stopped,
}

impl fmt::Display for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => write!(f, "starting"),
            Self::Consuming => write!(f, "consuming"),
            Self::WaitingForDatabase(why) => write!(f, "waiting for the database: {why}"),
            Self::WaitingForBroker(why) => write!(f, "waiting for the broker: {why}"),
            Self::Refused(why) => write!(f, "not consumed: {why}"),
            Self::Stopped => write!(f, "stopped"),
        }
    }
}

/// The state and the warnings of one source.
#[derive(Debug)]
pub struct SourceStatus {
    source: String,
    place: Place,
    /// The name in logs.
    name: String,
    /// A warning about its broker.
    note: Mutex<Option<String>>,
    metrics: SourceMetrics,
    state: Mutex<SourceState>,
    warnings: Mutex<Vec<LossRisk>>,
    /// The broker version that the warnings are for. Another version may treat the source differently.
    checked_with: Mutex<Option<String>>,
}

impl SourceStatus {
    /// The state of a source that has not started.
    pub fn new(source: &str, place: &Place, name: String, metrics: SourceMetrics) -> Self {
        Self {
            source: source.to_owned(),
            place: place.clone(),
            name,
            note: Mutex::default(),
            metrics,
            state: Mutex::new(SourceState::Starting),
            warnings: Mutex::default(),
            checked_with: Mutex::default(),
        }
    }

    /// The source's name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Broker and virtual host.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The name in logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets or removes a warning about its broker, and logs a new one.
    pub(super) fn note(&self, note: Option<String>) {
        let mut known = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = note.as_ref().filter(|note| known.as_ref() != Some(note)) {
            warn!(source = self.name, "{note}");
        }
        *known = note;
    }

    /// The current state.
    pub fn get(&self) -> SourceState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ready messages in its queue, as last read.
    pub fn depth(&self) -> i64 {
        self.metrics.depth.get()
    }

    /// Ways in which the broker may lose messages of the source, and the warning about the broker.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let note = self.note.lock().unwrap_or_else(PoisonError::into_inner).clone();
        warnings.iter().map(|loss| loss.text.clone()).chain(note).collect()
    }

    pub(super) fn was_checked_with(&self, broker: &str) -> bool {
        self.checked_with.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(broker)
    }

    /// Replaces the warnings by those that a broker of this version gives.
    pub(super) fn set_checked_with(&self, broker: String, risks: Vec<LossRisk>) {
        self.forget();
        *self.checked_with.lock().unwrap_or_else(PoisonError::into_inner) = Some(broker);
        for loss in risks {
            self.warn(loss);
        }
    }

    /// Removes the warnings: the queue is gone, and another may take its place.
    pub(super) fn forget(&self) {
        *self.checked_with.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for loss in warnings.drain(..) {
            self.metrics.warnings.with(loss.kind).set(0);
        }
    }

    /// Adds a warning, and logs it if it is new.
    pub(super) fn warn(&self, loss: LossRisk) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&loss) {
            warn!(source = self.name, warning = loss.text, "the broker may lose messages of this source");
            self.metrics.warnings.with(loss.kind).set(1);
            warnings.push(loss);
        }
    }

    pub(super) fn set(&self, new: SourceState) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::discriminant(&*state) != std::mem::discriminant(&new) {
            let source = self.name.as_str();
            match &new {
                SourceState::WaitingForDatabase(_)
                | SourceState::WaitingForBroker(_)
                | SourceState::Refused(_) => {
                    warn!(source, "{new}");
                }
                _ => info!(source, "{new}"),
            }
        }
        self.metrics.consuming.set((new == SourceState::Consuming).into());
        *state = new;
    }
}
