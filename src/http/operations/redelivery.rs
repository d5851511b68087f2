//! How a redelivery goes: where to, what is changed, how fast, and how carefully.

use super::edit_input::EditInput;
use super::target::{OriginTarget, TargetInput};
use crate::domain::canary::Canary;
use crate::domain::edit::Edit;
use crate::http::error::{ApiError, FieldError};
use crate::http::words::{RedeliveryRoutingKey, Word};

/// Seconds, unless they are asked to do otherwise.
const CANARY_WAIT: i64 = 30;
const MAX_CANARY_WAIT: i64 = 3600;
/// Redeliveries wait where more messages are ready in a queue, unless they are asked to do otherwise.
const MAX_QUEUE_DEPTH: i64 = 10_000;

/// The options of a redelivery, as they were asked for.
#[derive(Clone, Debug, Default)]
pub struct Redelivery {
    pub to: Option<TargetInput>,
    pub edit: Option<EditInput>,
    pub copy: bool,
    pub routing_key: Option<String>,
    pub again: bool,
    pub canary: Option<Vec<i64>>,
    pub canary_wait: Option<i64>,
    pub canary_max_returned: Option<f64>,
    pub max_queue_depth: Option<i64>,
}

impl Redelivery {
    /// Everything that is wrong with it, where so many ids are given.
    pub fn check(&self, ids: Option<usize>) -> Vec<FieldError> {
        let mut errors = self.check_edit(ids);
        errors.extend(self.check_target());
        errors.extend(self.check_canary());
        if self.max_queue_depth.is_some_and(|most| most < 0) {
            errors.push(FieldError::new("maxQueueDepth", "must be 0 (no bound) or more"));
        }
        errors
    }

    fn check_edit(&self, ids: Option<usize>) -> Vec<FieldError> {
        let mut errors = self.edit.as_ref().and_then(|edit| edit.read().err()).unwrap_or_default();
        if self.edit.as_ref().is_some_and(EditInput::has_body) && ids != Some(1) {
            let message =
                "is for one dead letter: give its id as the only one of `ids`, or a `patch` for several";
            errors.push(FieldError::new("edit.body", message));
        }
        if self.copy && !matches!(self.to, Some(TargetInput::Explicit(_))) {
            let message = "needs `to` with the `exchange` and `routingKey` of where the copies go";
            errors.push(FieldError::new("copy", message));
        }
        errors
    }

    fn check_target(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(name) = &self.routing_key {
            errors.extend(RedeliveryRoutingKey::read("routingKey", name).err());
            if !matches!(self.to, None | Some(TargetInput::Origin(OriginTarget::Queue))) {
                let message = "is for messages that go to the queue that they died in: leave out `to`";
                errors.push(FieldError::new("routingKey", message));
            }
        }
        if let Some(TargetInput::Explicit(to)) = &self.to {
            let is_wrong = |text: &str| text.len() > 255 || text.contains('\0');
            if is_wrong(&to.exchange) || is_wrong(&to.routing_key) {
                let message = "exchange and routing key must be 255 bytes at most, without NUL";
                errors.push(FieldError::new("to", message));
            }
        }
        errors
    }

    fn check_canary(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
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
        errors
    }

    /// The edit that is asked for.
    pub fn edit(&self) -> Result<Option<Edit>, ApiError> {
        self.edit.as_ref().map(EditInput::read).transpose().map_err(ApiError::invalid)
    }

    /// The canary that is asked for.
    pub fn canary(&self) -> Canary {
        Canary {
            steps: self.canary.clone().unwrap_or_default(),
            wait_seconds: self.canary_wait.unwrap_or(CANARY_WAIT),
            max_failed_percent: self.canary_max_returned.unwrap_or_default(),
        }
    }

    /// The bound that is asked for; without any, the default.
    pub fn max_queue_depth(&self) -> Option<i64> {
        Some(self.max_queue_depth.unwrap_or(MAX_QUEUE_DEPTH)).filter(|most| *most > 0)
    }
}

fn is_ladder(steps: &[i64]) -> bool {
    (1..=20).contains(&steps.len()) && steps[0] >= 1 && steps.is_sorted_by(|step, next| step < next)
}
