//! Events as types. One method writes the log line and updates the metrics, so that the two cannot disagree.

use std::time::Duration;

use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::{Metrics, SourceMetrics};
use crate::domain::operation::{Hold, Operation, Outcomes};

/// A batch of a source was committed and acknowledged.
#[derive(Debug)]
pub struct BatchStored<'a> {
    /// The source.
    pub source: &'a str,
    /// Rows that were stored.
    pub stored: u64,
    /// Rows that were stored before.
    pub duplicates: u64,
    /// Rows of messages that were redelivered before.
    pub returned: u64,
    /// Time to store it.
    pub commit: Duration,
}

impl BatchStored<'_> {
    /// Logs and counts.
    pub fn emit(&self, metrics: &SourceMetrics) {
        metrics.ingested.inc_by(self.stored);
        metrics.duplicates.inc_by(self.duplicates);
        metrics.returned.inc_by(self.returned);
        metrics.stored(self.stored + self.duplicates, self.commit);
        info!(
            source = self.source,
            stored = self.stored,
            duplicates = self.duplicates,
            responseTime = self.commit.as_secs_f64() * 1000.0,
            "Event handled"
        );
    }
}

/// A row was refused by the database, and stored with its derived fields blanked.
#[derive(Debug)]
pub struct RowPoisoned<'a> {
    /// The source.
    pub source: &'a str,
    /// The dead letter.
    pub id: Uuid,
    /// The database's error code.
    pub code: &'a str,
}

impl RowPoisoned<'_> {
    /// Logs and counts.
    pub fn emit(&self, metrics: &SourceMetrics) {
        metrics.poisoned.inc();
        warn!(source = self.source, id = %self.id, sqlstate = self.code, "the database refused a row: stored with its derived fields blanked");
    }
}

/// A chunk of an operation was recorded.
#[derive(Debug)]
pub struct ChunkDone<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Items of the chunk by outcome.
    pub outcomes: Outcomes,
    /// Kinds of the refusals among them.
    pub refusals: &'a [&'static str],
    /// How long it took.
    pub duration: Duration,
    /// Whether the operation is now completed.
    pub completed: bool,
    /// Why the other items stay open.
    pub hold: Option<&'a Hold>,
}

impl ChunkDone<'_> {
    /// Logs and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        if !self.operation.copy {
            metrics.redelivered.inc_by(count(self.outcomes.sent));
        }
        metrics.deleted.inc_by(count(self.outcomes.deleted));
        metrics.skipped.inc_by(count(self.outcomes.skipped));
        metrics.published(count(self.outcomes.sent), self.refusals);
        let kind = self.operation.kind.as_str();
        metrics.chunk_duration.with_label_values(&[kind]).observe(self.duration.as_secs_f64());
        if self.outcomes == Outcomes::default() && self.hold.is_some() {
            // Every second while it waits, and the operation shows it.
            debug!(operation = %self.operation.id, kind, waitsFor = self.hold.map(Hold::reason), "Operation waits");
            return;
        }
        info!(
            operation = %self.operation.id,
            kind,
            sent = self.outcomes.sent,
            deleted = self.outcomes.deleted,
            refused = self.outcomes.refused,
            skipped = self.outcomes.skipped,
            completed = self.completed,
            waitsFor = self.hold.map(Hold::reason),
            responseTime = self.duration.as_secs_f64() * 1000.0,
            "Operation chunk done"
        );
    }
}

/// A request was answered.
#[derive(Debug)]
pub struct RequestDone<'a> {
    /// Its method.
    pub method: &'a str,
    /// The route that it matched, not its path.
    pub route: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// How long it took.
    pub duration: Duration,
}

impl RequestDone<'_> {
    /// Logs and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let labels = [self.method, self.route, &self.status.to_string()];
        metrics.http_duration.with_label_values(&labels).observe(self.duration.as_secs_f64());
        debug!(
            method = self.method,
            route = self.route,
            status = self.status,
            responseTime = self.duration.as_secs_f64() * 1000.0,
            "Request handled"
        );
    }
}

/// A request was refused because its caller asked for too much.
#[derive(Debug)]
pub struct RequestLimited<'a> {
    /// The kind of refusal: `too-many-requests`.
    pub limit: &'a str,
}

impl RequestLimited<'_> {
    /// Logs and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.http_limited.with_label_values(&[self.limit]).inc();
        debug!(limit = self.limit, "Request refused");
    }
}

/// A notification was sent, or was not.
#[derive(Debug)]
pub struct NotificationTried<'a> {
    /// Its id.
    pub id: Uuid,
    /// The incident.
    pub incident: Uuid,
    /// The channel.
    pub channel: &'a str,
    /// How often it was tried, this time included.
    pub attempts: i32,
    /// What became of it.
    pub tried: Tried<'a>,
}

/// What became of an attempt to send a notification.
#[derive(Clone, Copy, Debug)]
pub enum Tried<'a> {
    /// The receiver has confirmed it.
    Sent,
    /// It failed for this reason, and is tried again.
    Failed(&'a str),
    /// It failed for this reason, and for too long.
    GivenUp(&'a str),
}

impl NotificationTried<'_> {
    /// Logs and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let Self { id, incident, channel, attempts, tried } = self;
        let count = |outcome| metrics.notifications.with_label_values(&[*channel, outcome]).inc();
        match tried {
            Tried::Sent => {
                count("sent");
                info!(notification = %id, %incident, channel, attempts, "notification sent");
            }
            Tried::Failed(why) => {
                count("retried");
                warn!(notification = %id, %incident, channel, attempts, why, "a notification could not be sent, it is tried again");
            }
            Tried::GivenUp(why) => {
                count("failed");
                error!(notification = %id, %incident, channel, attempts, why, "a notification could not be sent, and was given up");
            }
        }
    }
}
