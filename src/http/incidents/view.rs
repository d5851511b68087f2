//! Incidents as clients see them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::incident::{Event, Incident, Kind, Notice, Severity};
use crate::http::word::{Word, words};
use crate::store::{Delivery, DeliveryState};

words! {
    /// What happened.
    IncidentKind = Kind {
        /// An error that no error group had before.
        NewErrorGroup,
        /// An error occurred again after its incident was over, or its group was marked as resolved.
        RegressedErrorGroup,
        /// An error occurs more than twice as often as in the busiest hour of its week.
        EscalatingErrorGroup,
        /// The known errors of a squad together do.
        SquadGrowth,
        /// An operation paused itself.
        OperationPaused,
        /// An operation ended, and some of its messages were refused or died again.
        OperationFailed,
        /// Messages wait in a source, or nobody consumes it.
        SourceLag,
        /// Somebody tries whether notifications arrive.
        Test,
    }
}

words! {
    /// How bad an incident is.
    IncidentSeverity = Severity {
        /// To know.
        Info,
        /// To look at during the day.
        Warning,
        /// To look at now.
        Critical,
    }
}

words! {
    /// What a notification tells.
    NotificationEvent = Event {
        /// That the incident began.
        Opened,
        /// That the incident is over.
        Resolved,
    }
}

words! {
    /// Where a notification stands.
    NotificationState = DeliveryState {
        /// It is to be sent, or sent again.
        Pending,
        /// The receiver has confirmed it.
        Sent,
        /// It could not be sent for so long that it was given up.
        Failed,
        /// It was not sent, because the incident was over before.
        Dropped,
    }
}

/// An incident: what a squad is told once, until it is over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Incident)]
pub struct IncidentView {
    /// Id of the incident. Receivers of notifications know it by this id.
    id: Uuid,
    /// What happened.
    kind: IncidentKind,
    /// How bad it is.
    severity: IncidentSeverity,
    /// The squad that it was told to.
    #[schema(example = "checkout")]
    squad: String,
    /// The services that it is about.
    #[schema(example = json!(["webshop"]))]
    services: Vec<String>,
    /// What happened, in one line.
    #[schema(example = "New error in webshop: PaymentDeclined")]
    title: String,
    /// When it was opened.
    opened_at: DateTime<Utc>,
    /// When it was resolved. Null: it is open.
    #[schema(required)]
    resolved_at: Option<DateTime<Utc>>,
    /// Why it is over. Null: it is open.
    #[schema(required, example = "no dead letters are left")]
    resolution: Option<String>,
    /// Number of its dead letters that are dead, or of the messages that wait in the source, when the incident was last looked at.
    #[schema(example = 43_000)]
    dead: i64,
    /// The operation that it is about.
    #[schema(required)]
    operation_id: Option<Uuid>,
    /// The error group that it is about first.
    #[schema(required)]
    error_group: Option<Uuid>,
}

/// An incident, and what became of its notifications.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IncidentDetails)]
pub struct IncidentDetailsView {
    /// The incident.
    #[serde(flatten)]
    incident: IncidentView,
    /// What its notifications say.
    #[schema(example = "43,000 dead letters of webshop are dead now.")]
    text: String,
    /// Its error groups.
    error_groups: Vec<Uuid>,
    /// Its notifications, earliest first. Empty: the notifications file has no route for it.
    notifications: Vec<NotificationView>,
}

/// A notification about an incident, through one channel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Notification)]
struct NotificationView {
    /// Id of the notification: the same at each attempt.
    id: Uuid,
    /// What it tells.
    event: NotificationEvent,
    /// Name of the channel in the notifications file.
    #[schema(example = "checkout-pager")]
    channel: String,
    /// Where it stands.
    state: NotificationState,
    /// When it was decided.
    created_at: DateTime<Utc>,
    /// When it is tried next, while it is pending.
    due_at: DateTime<Utc>,
    /// Whether it waits for the end of quiet hours.
    held: bool,
    /// Number of attempts.
    #[schema(example = 1)]
    attempts: i32,
    /// Why the last attempt failed, or why it was dropped.
    #[schema(required, example = "the receiver answered 503 Service Unavailable")]
    last_error: Option<String>,
    /// When it was sent, given up or dropped.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

impl IncidentView {
    /// As it is.
    pub fn new(incident: Incident) -> Self {
        Self {
            title: incident.title(),
            id: incident.id,
            kind: incident.kind.into(),
            severity: incident.severity.into(),
            squad: incident.squad,
            services: incident.services,
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            resolution: incident.resolution,
            dead: incident.facts.dead,
            operation_id: incident.facts.operation,
            error_group: incident.facts.error_group,
        }
    }
}

impl IncidentDetailsView {
    /// With its groups and notifications.
    pub fn new(
        incident: Incident,
        error_groups: Vec<Uuid>,
        notifications: Vec<Delivery>,
        now: DateTime<Utc>,
    ) -> Self {
        let text = Notice::of(&incident, Event::Opened, None, now).text();
        let notifications = notifications.into_iter().map(NotificationView::from).collect();
        Self { incident: IncidentView::new(incident), text, error_groups, notifications }
    }
}

impl From<Delivery> for NotificationView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event.into(),
            channel: delivery.channel,
            state: delivery.state.into(),
            created_at: delivery.created_at,
            due_at: delivery.due_at,
            held: delivery.held && delivery.state == DeliveryState::Pending,
            attempts: delivery.attempts,
            last_error: delivery.last_error,
            ended_at: delivery.ended_at,
        }
    }
}
