//! The outbox: notifications from the moment that they are decided until a channel has confirmed them.
//!
//! A notification is written in the transaction of its incident, so neither exists without the other. A replica leases it before it
//! sends, and commits that first: while the lease holds, nobody else sends. A process that dies between the answer of the receiver and
//! [`Store::notification_sent`] leaves the lease to run out, and the notification is sent once more with the same id.

use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::incidents::{COLUMNS, incident};
use super::lease::Transaction;
use super::operations::named;
use super::{Store, StoreError};
use crate::clock;
use crate::domain::incident::{Event, Incident};
use crate::domain::named::named as words;

/// Notifications of one channel that are sent beside each other, by all replicas.
const OF_A_CHANNEL: i64 = 4;

words! {
    /// Where a notification stands.
    DeliveryState {
        /// It is to be sent, or sent again.
        Pending = "pending",
        /// The channel has confirmed it.
        Sent = "sent",
        /// It could not be sent for so long that it was given up.
        Failed = "failed",
        /// It was not sent, because the incident was over before.
        Dropped = "dropped",
    }
}

/// Whom an incident is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Name of the channel.
    pub channel: String,
    /// In quiet hours: when they end.
    pub held_until: Option<DateTime<Utc>>,
}

/// A notification that this replica is to send.
#[derive(Clone, Debug)]
pub struct Leased {
    /// Its id. It is the same whenever it is sent.
    pub id: Uuid,
    /// What to tell.
    pub event: Event,
    /// Through which channel.
    pub channel: String,
    /// How often it was tried, this time included.
    pub attempts: i32,
    /// When it was to be sent at first.
    pub wanted_at: DateTime<Utc>,
    /// The incident as it stands.
    pub incident: Incident,
}

/// A notification, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: Uuid,
    /// What it tells.
    pub event: Event,
    /// Through which channel.
    pub channel: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// When it is tried next.
    pub due_at: DateTime<Utc>,
    /// Whether it waits for the end of quiet hours.
    pub held: bool,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was sent or given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Notifications that are to be sent now.
    pub due: i64,
    /// Notifications that wait for the end of quiet hours.
    pub held: i64,
    /// Seconds since the oldest due one was to be sent.
    pub oldest: i64,
    /// Notifications that were given up and are still stored.
    pub failed: i64,
}

/// Writes down that these recipients are to be told.
pub(super) async fn tell(
    transaction: &mut Transaction<'static>,
    incident: Uuid,
    event: Event,
    recipients: &[Recipient],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for Recipient { channel, held_until } in recipients {
        sqlx::query(
            "INSERT INTO notification (id, incident, event, channel, created_at, wanted_at, due_at, held) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7) \
             ON CONFLICT (incident, event, channel) DO NOTHING",
        )
        .bind(clock::new_id())
        .bind(incident)
        .bind(event.as_str())
        .bind(channel)
        .bind(now)
        .bind(held_until.unwrap_or(now))
        .bind(held_until.is_some())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// Tells each channel that the incident is over, unless it does not know that it began.
pub(super) async fn tell_the_end(
    transaction: &mut Transaction<'static>,
    incident: Uuid,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE notification SET state = 'dropped', ended_at = $2, last_error = 'the incident was over before' \
         WHERE incident = $1 AND event = 'opened' AND state = 'pending' AND attempts = 0",
    )
    .bind(incident)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    let channels: Vec<String> = sqlx::query_scalar(
        "SELECT channel FROM notification WHERE incident = $1 AND event = 'opened' AND state <> 'dropped' ORDER BY channel",
    )
    .bind(incident)
    .fetch_all(&mut **transaction)
    .await?;
    let recipients: Vec<_> =
        channels.into_iter().map(|channel| Recipient { channel, held_until: None }).collect();
    tell(transaction, incident, Event::Resolved, &recipients, now).await
}

impl Store {
    /// The notifications about an incident, the first one first.
    pub async fn deliveries(&self, incident: Uuid) -> Result<Vec<Delivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, event, channel, state, created_at, due_at, held, attempts, last_error, ended_at FROM notification \
             WHERE incident = $1 ORDER BY id",
        )
        .bind(incident)
        .fetch_all(&self.http)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Delivery {
                    id: row.try_get("id")?,
                    event: named(row, "event", Event::parse)?,
                    channel: row.try_get("channel")?,
                    state: named(row, "state", DeliveryState::parse)?,
                    created_at: row.try_get("created_at")?,
                    due_at: row.try_get("due_at")?,
                    held: row.try_get("held")?,
                    attempts: row.try_get("attempts")?,
                    last_error: row.try_get("last_error")?,
                    ended_at: row.try_get("ended_at")?,
                })
            })
            .collect()
    }

    /// Leases notifications that are due. The end of an incident waits until its beginning has been told.
    pub async fn lease_notifications(
        &self,
        lease: Uuid,
        leased_to: DateTime<Utc>,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<Vec<Leased>, StoreError> {
        let query = format!(
            "WITH turn AS ( \
                 SELECT n.id, row_number() OVER (PARTITION BY n.channel ORDER BY n.leased_to > $3 DESC NULLS LAST, n.due_at, n.id) AS number \
                 FROM notification n WHERE n.state = 'pending' AND n.due_at <= $3 AND NOT EXISTS ( \
                     SELECT FROM notification o WHERE o.incident = n.incident AND o.channel = n.channel \
                         AND o.event = 'opened' AND n.event = 'resolved' AND o.state = 'pending')), \
             due AS ( \
                 SELECT n.id FROM notification n JOIN turn t ON t.id = n.id \
                 WHERE t.number <= {OF_A_CHANNEL} AND n.state = 'pending' AND (n.leased_to IS NULL OR n.leased_to <= $3) \
                 ORDER BY n.due_at, n.id LIMIT $4 FOR UPDATE OF n SKIP LOCKED), \
             leased AS ( \
                 UPDATE notification n SET lease = $1, leased_to = $2, attempts = n.attempts + 1 FROM due WHERE n.id = due.id \
                 RETURNING n.*) \
             SELECT l.id AS notification, l.event, l.channel, l.attempts, l.wanted_at, {COLUMNS} \
             FROM leased l JOIN incident i ON i.id = l.incident ORDER BY l.id"
        );
        let rows = sqlx::query(&query)
            .bind(lease)
            .bind(leased_to)
            .bind(now)
            .bind(limit)
            .fetch_all(&self.operations)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Leased {
                    id: row.try_get("notification")?,
                    event: named(row, "event", Event::parse)?,
                    channel: row.try_get("channel")?,
                    attempts: row.try_get("attempts")?,
                    wanted_at: row.try_get("wanted_at")?,
                    incident: incident(row)?,
                })
            })
            .collect()
    }

    /// The channel has confirmed it. Whoever else may have the lease by now: it is sent.
    pub async fn notification_sent(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE notification SET state = 'sent', ended_at = $2, lease = NULL, leased_to = NULL, last_error = NULL, held = false \
             WHERE id = $1 AND state = 'pending'",
        )
        .bind(id)
        .bind(now)
        .execute(&self.operations)
        .await?;
        Ok(())
    }

    /// An attempt failed. It is tried again at `retry_at`, or given up if there is none.
    pub async fn notification_not_sent(
        &self,
        id: Uuid,
        lease: Uuid,
        why: &str,
        retry_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE notification SET last_error = $3, lease = NULL, leased_to = NULL, held = false, \
                 state = CASE WHEN $4::timestamptz IS NULL THEN 'failed' ELSE state END, \
                 due_at = COALESCE($4, due_at), ended_at = CASE WHEN $4::timestamptz IS NULL THEN $5 END \
             WHERE id = $1 AND lease = $2 AND state = 'pending'",
        )
        .bind(id)
        .bind(lease)
        .bind(why)
        .bind(retry_at)
        .bind(now)
        .execute(&self.operations)
        .await?;
        Ok(())
    }

    /// What waits in the outbox.
    pub async fn outbox_state(&self, now: DateTime<Utc>) -> Result<OutboxState, StoreError> {
        let (due, held, oldest, failed) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE state = 'pending' AND NOT (held AND due_at > $1)), \
                 count(*) FILTER (WHERE state = 'pending' AND held AND due_at > $1), \
                 COALESCE(GREATEST(EXTRACT(epoch FROM $1 - min(wanted_at) FILTER (WHERE state = 'pending'))::bigint, 0), 0), \
                 count(*) FILTER (WHERE state = 'failed') \
             FROM notification WHERE state IN ('pending', 'failed')",
        )
        .bind(now)
        .fetch_one(&self.health)
        .await?;
        Ok(OutboxState { due, held, oldest, failed })
    }
}
