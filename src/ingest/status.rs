//! What a source is doing: said in readiness always, and in the log once, when it changes.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use crate::amqp::LossRisk;
use crate::domain::place::Place;
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
    /// The source cannot be consumed without losing messages.
    Refused(String),
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
            Self::Refused(why) => write!(f, "not consumed: {why}"),
            Self::Stopped => write!(f, "stopped"),
        }
    }
}

/// The state of one source.
#[derive(Debug)]
pub struct SourceStatus {
    source: String,
    place: Place,
    /// What logs call it.
    name: String,
    /// What is odd about its broker.
    note: Mutex<Option<String>>,
    metrics: SourceMetrics,
    state: Mutex<SourceState>,
    warnings: Mutex<Vec<LossRisk>>,
    /// The version of the broker that has told how the source was declared; another one may treat it differently.
    known_to: Mutex<Option<String>>,
}

impl SourceStatus {
    /// A source that has not begun.
    pub fn new(source: &str, place: &Place, name: String, metrics: SourceMetrics) -> Self {
        Self {
            source: source.to_owned(),
            place: place.clone(),
            name,
            note: Mutex::default(),
            metrics,
            state: Mutex::new(SourceState::Starting),
            warnings: Mutex::default(),
            known_to: Mutex::default(),
        }
    }

    /// The source's name.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What logs call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says what is odd about its broker: in the log once, and in readiness until it is taken back.
    pub(super) fn note(&self, note: Option<String>) {
        let mut known = self.note.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(note) = note.as_ref().filter(|note| known.as_ref() != Some(note)) {
            warn!(source = self.name, "{note}");
        }
        *known = note;
    }

    /// What it is doing now.
    pub fn get(&self) -> SourceState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the broker may lose messages of the source, as far as it can be seen, and what is odd about it.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let note = self.note.lock().unwrap_or_else(PoisonError::into_inner).clone();
        warnings.iter().map(|loss| loss.text.clone()).chain(note).collect()
    }

    pub(super) fn is_known_to(&self, broker: &str) -> bool {
        self.known_to.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(broker)
    }

    /// Takes what the broker of this version has told of the source.
    pub(super) fn set_known_to(&self, broker: String, losses: Vec<LossRisk>) {
        self.forget();
        *self.known_to.lock().unwrap_or_else(PoisonError::into_inner) = Some(broker);
        for loss in losses {
            self.warn(loss);
        }
    }

    /// The queue is gone, and what was known of it: another may come in its place.
    pub(super) fn forget(&self) {
        *self.known_to.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for loss in warnings.drain(..) {
            self.metrics.warnings.with(loss.kind).set(0);
        }
    }

    /// Says it in the log once, and in readiness and the metric from now on.
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
