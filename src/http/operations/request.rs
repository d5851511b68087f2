//! Requests for an operation: a type for each kind of operation, over the same selection and the same options.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::edit_input::EditInput;
use super::redelivery::Redelivery;
use super::selection::Selected;
use super::start::{MAX_NOTE, is_note};
use super::target::TargetInput;
use crate::access::Permission;
use crate::domain::dead_letter::Status;
use crate::domain::edit::Edit;
use crate::domain::operation::{Kind, NewOperation, Options, RoutingKey, Sequence, Target};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, FieldError};
use crate::http::filter::FilterInput;
use crate::http::request_body::RequestBody;
use crate::http::words::{OperationOrder, RedeliveryRoutingKey, Word};

/// Messages a second, at most.
const MAX_RATE: u32 = 100_000;

macro_rules! request {
    ($(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        #[derive(Clone, Debug, Default, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name {
            /// These dead letters. Alternative to `filter`.
            #[schema(min_items = 1, max_items = 10_000)]
            pub ids: Option<Vec<Uuid>>,
            /// Every dead letter that matches this filter now. Dead letters that arrive later are not included.
            pub filter: Option<FilterInput>,
            /// Must be true if the filter is empty, which matches every dead letter.
            #[serde(default)]
            pub all: bool,
            /// Select at most this many dead letters, the first ones by `order`.
            #[schema(minimum = 1)]
            pub limit: Option<u64>,
            /// Order of selection and of redelivery. Default: `newest`.
            #[schema(value_type = Option<OperationOrder>)]
            pub order: Option<String>,
            /// At most this many messages per second.
            #[schema(minimum = 1, maximum = 100_000)]
            pub rate: Option<u32>,
            /// The reason, recorded with the operation. At most 1,000 bytes.
            #[schema(max_length = 1_000)]
            pub note: Option<String>,
            /// Makes the request safe to repeat: a repeated key returns the first operation. The `Idempotency-Key` header does the same.
            #[schema(min_length = 1, max_length = 200)]
            pub idempotency_key: Option<String>,
            $($own)*
        }

        impl $name {
            /// What every kind of request has.
            fn shared(&mut self) -> (Selected, Run) {
                let (ids, filter, all, limit) = (self.ids.take(), self.filter.take(), self.all, self.limit);
                let (order, rate, note) = (self.order.take(), self.rate, self.note.take());
                let selected = Selected { ids, filter, all, limit, deleted_by: None };
                (selected, Run { order, rate, note, idempotency_key: self.idempotency_key.take() })
            }
        }
    };
}

request! {
    /// Which dead letters to redeliver, and how. Needs `ids`, `filter` or `all`.
    #[schema(example = json!({"filter": {"service": "webshop"}, "note": "fixed in release 42"}))]
    RedeliverRequest {
        /// Where the messages go. Default: `queue`.
        pub to: Option<TargetInput>,
        /// Changes to the messages.
        pub edit: Option<EditInput>,
        /// Send copies to the exchange and routing key in `to`. The dead letters stay dead, and the death of a copy is not a return.
        #[serde(default)]
        pub copy: bool,
        /// Routing key that the consumer sees, for messages that go to the queue where they died. Default: `queue`. `original` goes by way
        /// of the exchange `dead-letter.to.<queue>`, and needs the right to configure exchanges of this name.
        #[schema(value_type = Option<RedeliveryRoutingKey>)]
        pub routing_key: Option<String>,
        /// Act on messages that were redelivered before and then lost by their consumer. A consumer that did handle a message will
        /// handle it twice.
        #[serde(default)]
        pub again: bool,
        /// Canary steps: how many messages are sent in total by the end of each step. After each step the operation waits for messages that
        /// die again. After the last step the remaining messages follow.
        #[schema(min_items = 1, max_items = 20, example = json!([1, 10, 100]))]
        pub canary: Option<Vec<i64>>,
        /// Seconds to wait after each canary step. Default: 30.
        #[schema(minimum = 1, maximum = 3600)]
        pub canary_wait: Option<i64>,
        /// Pause after a canary step if more than this percentage of its messages were refused or died again. Default: 0.
        #[schema(minimum = 0, maximum = 100)]
        pub canary_max_returned: Option<f64>,
        /// Wait while a target queue has more ready messages than this. Default: 10,000. 0: no limit.
        #[schema(minimum = 0)]
        pub max_queue_depth: Option<i64>,
    }
}

request! {
    /// Which dead letters to delete. Needs `ids`, `filter` or `all`.
    #[schema(example = json!({"filter": {"service": "webshop", "error": "SchemaMismatch"}}))]
    DeleteRequest {}
}

request! {
    /// Which deleted dead letters to restore. Needs `ids`, `filter`, `all` or `deletedBy`.
    #[schema(example = json!({"deletedBy": "01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f"}))]
    RestoreRequest {
        /// Everything that this operation deleted and that is still stored.
        pub deleted_by: Option<Uuid>,
    }
}

/// Members that only redeliveries have.
const REDELIVERY: [&str; 9] = [
    "to",
    "edit",
    "copy",
    "routingKey",
    "again",
    "canary",
    "canaryWait",
    "canaryMaxReturned",
    "maxQueueDepth",
];

/// How fast, in which order, and why.
#[derive(Clone, Debug, Default)]
struct Run {
    order: Option<String>,
    rate: Option<u32>,
    note: Option<String>,
    idempotency_key: Option<String>,
}

/// A request for an operation of any kind.
#[derive(Clone, Debug)]
pub struct Request {
    pub kind: Kind,
    selected: Selected,
    run: Run,
    redelivery: Redelivery,
}

impl From<RedeliverRequest> for Request {
    fn from(mut request: RedeliverRequest) -> Self {
        let (selected, run) = request.shared();
        let redelivery = Redelivery {
            to: request.to,
            edit: request.edit,
            copy: request.copy,
            routing_key: request.routing_key,
            again: request.again,
            canary: request.canary,
            canary_wait: request.canary_wait,
            canary_max_returned: request.canary_max_returned,
            max_queue_depth: request.max_queue_depth,
        };
        Self { kind: Kind::Redeliver, selected, run, redelivery }
    }
}

impl From<DeleteRequest> for Request {
    fn from(mut request: DeleteRequest) -> Self {
        let (selected, run) = request.shared();
        Self { kind: Kind::Delete, selected, run, redelivery: Redelivery::default() }
    }
}

impl From<RestoreRequest> for Request {
    fn from(mut request: RestoreRequest) -> Self {
        let (selected, run) = request.shared();
        let selected = Selected { deleted_by: request.deleted_by, ..selected };
        Self { kind: Kind::Restore, selected, run, redelivery: Redelivery::default() }
    }
}

/// The body of a request of that kind.
pub fn read<T: DeserializeOwned>(kind: Kind, body: RequestBody, headers: &HeaderMap) -> Result<T, ApiError> {
    without_foreign(kind, body, headers)?.json(headers)
}

/// Says which members belong to requests of other kinds. Without a value, they are as good as absent.
fn without_foreign(kind: Kind, mut body: RequestBody, headers: &HeaderMap) -> Result<RequestBody, ApiError> {
    let given: BTreeMap<String, Box<RawValue>> = body.json(headers)?;
    let of_redeliveries = REDELIVERY.into_iter().filter(|_| kind != Kind::Redeliver);
    let of_restores = ["deletedBy"].into_iter().filter(|_| kind != Kind::Restore);
    let foreign = of_redeliveries
        .map(|member| (member, "is for redeliveries only"))
        .chain(of_restores.map(|member| (member, "is for `restore` only")));
    let mut errors = Vec::new();
    for (member, message) in foreign {
        match given.get(member).map(|value| value.get()) {
            None => {}
            Some("null" | "false") => body = body.without(member),
            Some(_) => errors.push(FieldError::new(member, message)),
        }
    }
    if errors.is_empty() { Ok(body) } else { Err(ApiError::invalid(errors)) }
}

impl Request {
    /// The key in the body.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.run.idempotency_key.as_deref()
    }

    /// What is asked for, with the filter resolved now.
    pub async fn check(
        self,
        api: &Api,
        caller: &Caller,
        also: &[Permission],
    ) -> Result<NewOperation, ApiError> {
        let Self { kind, selected, run, redelivery } = self;
        let mut errors = run.check();
        errors.extend(redelivery.check(selected.ids.as_ref().map(Vec::len)));
        errors.extend(selected.check());
        if !errors.is_empty() {
            return Err(ApiError::invalid(errors));
        }
        let options = Options {
            rate: run.rate,
            limit: selected.limit,
            order: run.sequence()?,
            canary: redelivery.canary(),
            max_queue_depth: redelivery.max_queue_depth(),
            edit: redelivery.edit()?,
            routing_key: routing_key(redelivery.routing_key.as_deref())?,
            target: redelivery.to.map(Target::from).unwrap_or_default(),
            copy: redelivery.copy,
            again: redelivery.again,
            note: run.note,
        };
        let wanted = if options.again { Status::Redelivered } else { kind.acts_on() };
        let asked = serde_json::to_value(selected.asked());
        let asked = asked.map_err(|error| ApiError::internal(error.to_string()))?;
        let permissions = [&needed(kind, &options.target, options.edit.as_ref()), also].concat();
        caller.may(&permissions)?;
        check_target(caller, &options.target)?;
        let (selection, within) = selected.resolve(api, caller, &permissions, (kind, wanted)).await?;
        Ok(NewOperation {
            kind,
            selection,
            asked,
            options,
            within,
            approved_above: caller.approved_above(kind),
            requested_by: caller.requester().actor(),
            idempotency_key: None,
        })
    }
}

/// The permissions that an operation needs on each of its services. An edit and a place of one's choice tell what a message contains.
pub fn needed(kind: Kind, target: &Target, edit: Option<&Edit>) -> Vec<Permission> {
    let mut needed = vec![Permission::Read];
    match kind {
        Kind::Redeliver => needed.push(Permission::Redeliver),
        Kind::Delete | Kind::Restore => needed.push(Permission::Delete),
    }
    if edit.is_some() {
        needed.extend([Permission::Edit, Permission::ReadPayload]);
    }
    if matches!(target, Target::Explicit { .. }) {
        needed.extend([Permission::Redirect, Permission::ReadPayload]);
    }
    needed
}

/// Refuses a place that messages may not be sent to on request.
pub fn check_target(caller: &Caller, target: &Target) -> Result<(), ApiError> {
    match target {
        Target::Explicit { exchange, routing_key } => caller.may_send_to(exchange, routing_key),
        Target::Queue | Target::Exchange => Ok(()),
    }
}

impl Run {
    fn check(&self) -> Vec<FieldError> {
        let mut errors = check_run(self.rate, self.note.as_deref());
        errors.extend(self.order.as_deref().and_then(|name| OperationOrder::read("order", name).err()));
        errors
    }

    fn sequence(&self) -> Result<Sequence, ApiError> {
        let Some(name) = &self.order else { return Ok(Sequence::default()) };
        Ok(OperationOrder::read("order", name)?.into())
    }
}

fn routing_key(name: Option<&str>) -> Result<RoutingKey, ApiError> {
    let Some(name) = name else { return Ok(RoutingKey::default()) };
    Ok(RedeliveryRoutingKey::read("routingKey", name)?.into())
}

/// What is wrong with what can be said of a running operation and of the run of a plan, too.
pub fn check_run(rate: Option<u32>, note: Option<&str>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if rate.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
        errors.push(FieldError::new("rate", format!("must be from 1 to {MAX_RATE} messages a second")));
    }
    if note.is_some_and(|note| !is_note(note)) {
        errors.push(FieldError::new("note", format!("must be {MAX_NOTE} bytes at most, without NUL")));
    }
    errors
}
