//! What every request for an operation has in common: a selection, options, and whether to wait.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::edit_input::EditInput;
use super::error::{ApiError, FieldError};
use super::filter::FilterInput;
use super::search::{SequenceName, parse_sequence};
use super::start_operation::{MAX_NOTE, is_note};
use super::target::{OriginTarget, TargetInput};
use crate::domain::canary::Canary;
use crate::domain::dead_letter::Status;
use crate::domain::operation::{Kind, NewOperation, Options, RoutingKey, Selection, Target};

const MAX_IDS: usize = 10_000;
/// Messages a second, at most.
const MAX_RATE: u32 = 100_000;
/// Seconds, unless they are asked to do otherwise.
const CANARY_WAIT: i64 = 30;
const MAX_CANARY_WAIT: i64 = 3600;
/// Redeliveries wait where more messages are ready in a queue, unless they are asked to do otherwise.
const MAX_QUEUE_DEPTH: i64 = 10_000;

/// Which dead letters, and how. Either `ids` or `filter`.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"filter": {"service": "webshop"}, "note": "fixed in release 42"}))]
pub struct OperationRequest {
    /// These dead letters, 10,000 at most.
    #[schema(min_items = 1, max_items = 10_000)]
    pub ids: Option<Vec<Uuid>>,
    /// Those that this filter lists now; what dies later is not among them.
    pub filter: Option<FilterInput>,
    /// With `restore`: what this operation deleted, as far as it is still there.
    pub deleted_by: Option<Uuid>,
    /// Must be true where the filter is empty: this means all of them.
    #[serde(default)]
    pub all: bool,
    /// At most so many messages a second.
    #[schema(minimum = 1, maximum = 100_000)]
    pub rate: Option<u32>,
    /// At most so many dead letters, the first by `order`.
    #[schema(minimum = 1)]
    pub limit: Option<u64>,
    /// `newest` (the default) or `oldest` arrival first: so they are chosen, and so a redelivery's messages reach each queue. `any` chooses the
    /// newest, and sends faster, in no order.
    #[schema(inline, value_type = Option<SequenceName>)]
    pub order: Option<String>,
    /// Where redelivered messages go: `queue` (the default) is the queue that each died in.
    pub to: Option<TargetInput>,
    /// Of a redelivery: what is changed in the messages.
    pub edit: Option<EditInput>,
    /// Of a redelivery with an exchange and a routing key in `to`: copies go there, and the dead letters stay dead. The death of a copy
    /// is no return.
    #[serde(default)]
    pub copy: bool,
    /// Of a redelivery to the queue that each died in, which routing key the consumer sees. `queue` (the default): the queue's name, with the
    /// default exchange. `original`: the one that the message was first published with, by an exchange `dead-letter.to.<queue>` that is
    /// made for it and leads to that queue alone. That needs the right to configure exchanges of this name.
    #[schema(inline, value_type = Option<RoutingKeyName>)]
    pub routing_key: Option<String>,
    /// Of a redelivery: acts on what was redelivered before, and was lost by its consumer. Whoever handled it then handles it twice.
    #[serde(default)]
    pub again: bool,
    /// Numbers that go up: how many have gone in all at the end of each step. After each it waits to see what comes back, and goes on
    /// by itself if few enough do; after the last step goes all the rest.
    #[schema(min_items = 1, max_items = 20, example = json!([1, 10, 100]))]
    pub canary: Option<Vec<i64>>,
    /// Seconds to wait after each step of the canary; 30 by default.
    #[schema(minimum = 1, maximum = 3600)]
    pub canary_wait: Option<i64>,
    /// It pauses where more than so many percent of what has gone were refused or came back; 0 by default.
    #[schema(minimum = 0, maximum = 100)]
    pub canary_max_returned: Option<f64>,
    /// Of a redelivery: it waits while a target queue has more ready messages than this, 10,000 by default; 0 for no bound.
    #[schema(minimum = 0)]
    pub max_queue_depth: Option<i64>,
    /// Why, in words, for the record.
    #[schema(max_length = 1_000)]
    pub note: Option<String>,
    /// The same request with the same key is the same operation. The header `Idempotency-Key` does the same.
    #[schema(min_length = 1, max_length = 200)]
    pub idempotency_key: Option<String>,
}

impl OperationRequest {
    /// What is asked for, with the filter resolved now.
    pub async fn check(self, api: &Api, kind: Kind, requested_by: String) -> Result<NewOperation, ApiError> {
        self.check_fields(kind)?;
        let selection = self.selection(api, kind).await?;
        let asked = match (&self.ids, &self.deleted_by, &self.filter) {
            (Some(ids), ..) => json!({ "ids": ids }),
            (_, Some(operation), _) => json!({ "deletedBy": operation }),
            (None, None, filter) => json!({ "filter": filter, "all": self.all }),
        };
        let options = Options {
            target: self.to.map(Target::from).unwrap_or_default(),
            rate: self.rate,
            limit: self.limit,
            order: parse_sequence(self.order.as_deref())?,
            note: self.note,
            canary: Canary {
                steps: self.canary.unwrap_or_default(),
                wait_seconds: self.canary_wait.unwrap_or(CANARY_WAIT),
                max_failed_percent: self.canary_max_returned.unwrap_or_default(),
            },
            max_queue_depth: max_queue_depth(self.max_queue_depth),
            edit: self.edit.map(|edit| edit.read()).transpose().map_err(ApiError::Invalid)?,
            copy: self.copy,
            routing_key: parse_routing_key(self.routing_key.as_deref())?,
            again: self.again,
        };
        Ok(NewOperation { kind, selection, asked, options, requested_by, idempotency_key: None })
    }

    /// Everything about the request that can be wrong whatever the database holds.
    fn check_fields(&self, kind: Kind) -> Result<(), ApiError> {
        let mut errors = match check_run(self.rate, self.note.as_deref()) {
            Err(ApiError::Invalid(errors)) => errors,
            _ => Vec::new(),
        };
        errors.extend(self.check_edit());
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        match (&self.ids, &self.filter) {
            _ if self.deleted_by.is_some() => {
                if kind != Kind::Restore {
                    wrong("deletedBy", "is for `restore` only".into());
                }
                if self.ids.is_some() || self.filter.is_some() || self.all {
                    wrong("deletedBy", "contradicts `ids`, `filter` and `all`: give one of them".into());
                }
            }
            (Some(_), Some(_)) => wrong("filter", "contradicts `ids`: give one of the two".into()),
            (None, None) if !self.all => {
                wrong("ids", "or `filter` is needed; `\"all\": true` means all of them".into());
            }
            (Some(ids), None) if ids.is_empty() => wrong("ids", "must not be empty".into()),
            (Some(ids), None) if ids.len() > MAX_IDS => {
                wrong(
                    "ids",
                    format!("must be {MAX_IDS} at most: select by a filter, or in several requests"),
                );
            }
            (Some(_), None) if self.all => wrong("all", "contradicts `ids`: give one of the two".into()),
            _ => {}
        }
        if self.limit == Some(0) {
            wrong("limit", "must be 1 or more".into());
        }
        if kind != Kind::Redeliver {
            for (field, is_given) in [
                ("to", self.to.is_some()),
                ("edit", self.edit.is_some()),
                ("copy", self.copy),
                ("routingKey", self.routing_key.is_some()),
                ("again", self.again),
                ("canary", self.canary.is_some()),
                ("maxQueueDepth", self.max_queue_depth.is_some()),
            ] {
                if is_given {
                    wrong(field, "is for redeliveries only".into());
                }
            }
        }
        let to_origin = matches!(self.to, None | Some(TargetInput::Origin(OriginTarget::Queue)));
        if self.routing_key.is_some() && !to_origin {
            wrong(
                "routingKey",
                "is for messages that go to the queue that they died in: leave out `to`".into(),
            );
        }
        if self.max_queue_depth.is_some_and(|most| most < 0) {
            wrong("maxQueueDepth", "must be 0 (no bound) or more".into());
        }
        if self.canary.as_ref().is_some_and(|steps| !is_ladder(steps)) {
            wrong("canary", "must have 1 to 20 steps of 1 and more that go up, such as [1, 10, 100]".into());
        }
        if self.canary_wait.is_some_and(|seconds| !(1..=MAX_CANARY_WAIT).contains(&seconds)) {
            wrong("canaryWait", format!("must be from 1 to {MAX_CANARY_WAIT} seconds"));
        }
        if self.canary_max_returned.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            wrong("canaryMaxReturned", "must be from 0 to 100 percent".into());
        }
        if self.canary.is_none() && (self.canary_wait.is_some() || self.canary_max_returned.is_some()) {
            wrong("canary", "is needed with `canaryWait` and `canaryMaxReturned`".into());
        }
        if let Some(TargetInput::Explicit(to)) = &self.to {
            let is_wrong = |text: &str| text.len() > 255 || text.contains('\0');
            if is_wrong(&to.exchange) || is_wrong(&to.routing_key) {
                wrong("to", "exchange and routing key must be 255 bytes at most, without NUL".into());
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
    }

    async fn selection(&self, api: &Api, kind: Kind) -> Result<Selection, ApiError> {
        if let Some(operation) = self.deleted_by {
            return Ok(Selection::DeletedBy(operation));
        }
        if let Some(ids) = &self.ids {
            // Each once, in the order of arrival.
            return Ok(Selection::Ids(ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()));
        }
        let mut input = self.filter.clone().unwrap_or_default();
        let wanted = if self.again { Status::Redelivered } else { kind.acts_on() };
        input.status.get_or_insert_with(|| wanted.as_str().to_owned());
        let filter = input.resolve(api).await?;
        if filter.status.status() != Some(wanted) {
            let message = match (wanted, filter.status.status()) {
                (Status::Dead, Some(Status::Redelivered)) if kind == Kind::Redeliver => {
                    "is redelivered: add `again: true` to redeliver those once more".into()
                }
                _ => format!("must be {}, or absent: only those can be acted on", wanted.as_str()),
            };
            return Err(ApiError::field("filter.status", message));
        }
        if filter.is_empty() && !self.all {
            return Err(ApiError::field(
                "filter",
                "is empty, which means all of them: say so with `\"all\": true`",
            ));
        }
        Ok(Selection::Filter(Box::new(filter)))
    }
}

/// The routing keys of redeliveries, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum RoutingKeyName {
    /// The queue's name.
    Queue,
    /// The one that the message was first published with.
    Original,
}

fn parse_routing_key(name: Option<&str>) -> Result<RoutingKey, ApiError> {
    name.map_or(Some(RoutingKey::default()), RoutingKey::parse)
        .ok_or_else(|| ApiError::field("routingKey", "must be one of queue, original"))
}

/// The bound that is asked for; without any, the default.
fn max_queue_depth(asked: Option<i64>) -> Option<i64> {
    Some(asked.unwrap_or(MAX_QUEUE_DEPTH)).filter(|most| *most > 0)
}

/// What can be said of a running operation and of the run of a plan, too.
pub fn check_run(rate: Option<u32>, note: Option<&str>) -> Result<(), ApiError> {
    let mut errors = Vec::new();
    if rate.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
        errors.push(FieldError::new("rate", format!("must be from 1 to {MAX_RATE} messages a second")));
    }
    if note.is_some_and(|note| !is_note(note)) {
        errors.push(FieldError::new("note", format!("must be {MAX_NOTE} bytes at most, without NUL")));
    }
    if errors.is_empty() { Ok(()) } else { Err(ApiError::Invalid(errors)) }
}

fn is_ladder(steps: &[i64]) -> bool {
    (1..=20).contains(&steps.len()) && steps[0] >= 1 && steps.is_sorted_by(|step, next| step < next)
}
