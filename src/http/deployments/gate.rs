//! `GET /gate`: whether the rollout of a version may go on.

use std::num::NonZeroU32;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::check_names;
use crate::access::Permission;
use crate::clock;
use crate::domain::gate::{Reason, ReasonCode, Thresholds, Verdict, not_deployed};
use crate::domain::incident::{FACTOR, GROUP_FLOOR};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::{ApiError, FieldError};
use crate::http::problem::Problem;
use crate::http::query::{Query, groups};
use crate::http::responses::{BadRequest, GateFailed, GateWaits};
use crate::http::word::{Word, words};

/// Seconds for which a version is observed.
const WINDOW: i64 = 300;
/// Seconds after which to ask again.
const AGAIN: u32 = 5;

words! {
    /// Whether a rollout may go on.
    GateVerdict = Verdict {
        /// It may: the version was observed for long enough, and nothing is wrong.
        Pass,
        /// It may not. `reasons` says why.
        Fail,
        /// That is not decided yet. `reasons` says what is missing.
        Wait,
    }
}

words! {
    /// Why a gate fails or waits. New codes may be added.
    GateReasonCode = ReasonCode {
        /// Fails: an error that no error group had before.
        NewErrorGroup,
        /// Fails: an error occurred again after it was resolved.
        RegressedErrorGroup,
        /// Fails: a known error occurs far more often than in the week before.
        EscalatingErrorGroup,
        /// Fails: the known errors of the service together do.
        ServiceGrowth,
        /// Fails: another version was deployed before this one was observed for long enough.
        Superseded,
        /// Waits: no deployment of this version was told.
        NotDeployed,
        /// Waits: it has been observed for too short a time.
        Observing,
        /// Waits: no source is consumed, so that no failure would be seen.
        NotWatched,
    }
}

/// What is judged, and what is tolerated.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct GateInput {
    /// Service.
    #[param(min_length = 1, example = "webshop")]
    service: String,
    /// Version.
    #[param(min_length = 1, example = "1.43.0")]
    version: String,
    /// Only a deployment in this environment.
    #[param(min_length = 1, example = "production")]
    environment: Option<String>,
    /// Seconds for which the version is observed before the gate passes. It fails as soon as something is wrong.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 86_400, default = 300)]
    window_seconds: Option<String>,
    /// This many new error groups are tolerated.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 1_000, default = 0)]
    max_new_groups: Option<String>,
    /// Known errors may occur this many times as often as in the busiest five minutes of the week before.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000, default = 2)]
    growth_factor: Option<String>,
    /// Up to this many dead letters of a known error are no growth. For the service as a whole, five times as many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1_000_000, default = 20)]
    growth_floor: Option<String>,
    /// `true`: the status tells the verdict, for `curl --fail`. A gate that fails is answered with 409, and one that waits with 503 and
    /// `Retry-After`. Default: the status is 200.
    #[param(value_type = Option<bool>, default = false)]
    as_status: Option<String>,
}

groups!(GateInput);

/// Whether the rollout of a version may go on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The verdict.
    verdict: GateVerdict,
    /// The verdict and its reasons in words.
    #[schema(example = "webshop 1.43.0 fails: New error: PaymentDeclined, 3 dead letters.")]
    text: String,
    /// Why it fails or waits. Empty: it passes.
    reasons: Vec<GateReason>,
    /// Service.
    #[schema(example = "webshop")]
    service: String,
    /// Version.
    #[schema(example = "1.43.0")]
    version: String,
    /// When the deployment started. Null: it was not told.
    #[schema(required)]
    started_at: Option<DateTime<Utc>>,
    /// Seconds for which it was observed so far.
    #[schema(example = 42)]
    observed_seconds: i64,
    /// Seconds for which it is observed before it passes.
    #[schema(example = 300)]
    window_seconds: i64,
}

/// One reason of a verdict.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GateReason {
    /// Its kind.
    code: GateReasonCode,
    /// In words.
    #[schema(example = "New error: PaymentDeclined, 3 dead letters.")]
    message: String,
    /// The error group that it is about.
    #[schema(required)]
    error_group: Option<Uuid>,
}

impl GateInput {
    fn check(&self) -> Result<(), FieldError> {
        let names = [
            ("service", Some(&self.service)),
            ("version", Some(&self.version)),
            ("environment", self.environment.as_ref()),
        ];
        check_names(names).next().map_or(Ok(()), Err)
    }

    fn thresholds(&self) -> Result<Thresholds, ApiError> {
        let number = |field: &str, text: &Option<String>, (least, most): (i64, i64), default: i64| {
            let Some(text) = text else { return Ok(default) };
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| FieldError::new(field, format!("must be a number from {least} to {most}")))
        };
        let new_groups = number("maxNewGroups", &self.max_new_groups, (0, 1_000), 0)?;
        Ok(Thresholds {
            window: TimeDelta::seconds(number("windowSeconds", &self.window_seconds, (1, 86_400), WINDOW)?),
            max_new_groups: usize::try_from(new_groups).unwrap_or_default(),
            growth_factor: number("growthFactor", &self.growth_factor, (1, 1_000), FACTOR)?,
            growth_floor: number("growthFloor", &self.growth_floor, (1, 1_000_000), GROUP_FLOOR)?,
        })
    }

    fn is_as_status(&self) -> Result<bool, FieldError> {
        let text = self.as_status.as_deref().unwrap_or("false");
        text.parse().map_err(|_| FieldError::new("asStatus", "must be true or false"))
    }
}

impl Gate {
    fn new(input: GateInput, (verdict, reasons): (Verdict, Vec<Reason>), window: TimeDelta) -> Self {
        let GateInput { service, version, .. } = input;
        let says = match verdict {
            Verdict::Pass => "passes: nothing is wrong".to_owned(),
            Verdict::Fail => "fails".to_owned(),
            Verdict::Wait => "waits".to_owned(),
        };
        let messages: Vec<_> = reasons.iter().map(|reason| reason.message.as_str()).collect();
        let text = match messages.as_slice() {
            [] => format!("{service} {version} {says}."),
            messages => format!("{service} {version} {says}: {}", messages.join(" ")),
        };
        let reasons = reasons.into_iter().map(|Reason { code, message, error_group }| GateReason {
            code: code.into(),
            message,
            error_group,
        });
        Self {
            verdict: verdict.into(),
            text,
            reasons: reasons.collect(),
            service,
            version,
            started_at: None,
            observed_seconds: 0,
            window_seconds: window.num_seconds(),
        }
    }

    /// Told by the status of the answer.
    fn by_status(self) -> Result<Json<Self>, ApiError> {
        match self.verdict {
            GateVerdict::Pass => Ok(Json(self)),
            GateVerdict::Fail => Err(ApiError::new(Problem::GATE_FAILED, self.text)),
            GateVerdict::Wait => {
                let left = (self.window_seconds - self.observed_seconds).clamp(1, AGAIN.into());
                let left = u32::try_from(left).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
                Err(ApiError::new(Problem::GATE_WAITS, self.text).retry_after(left))
            }
        }
    }
}

/// Judge the deployment of a version
///
/// Tells whether a rollout may go on: `fail` as soon as a new error occurs, one that was resolved occurs again, or a known one occurs far
/// more often than in the week before; `pass` when nothing of this has happened for `windowSeconds`; `wait` until then. Errors that go on
/// as before, and muted ones, do not count. Of a version that was deployed more than once, the latest deployment is judged, for 24 hours at
/// most. Nothing is changed by this request.
#[utoipa::path(
    get,
    path = "/gate",
    operation_id = "getGate",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "deployments",
    params(GateInput),
    responses(
        (status = 200, description = "The verdict. With `asStatus`, the gate passes.", body = Gate),
        BadRequest, GateFailed, GateWaits
    )
)]
#[tracing::instrument(name = "gate", skip_all)]
pub async fn get_gate(
    State(api): State<Api>,
    caller: Caller,
    mut query: Query,
) -> Result<Json<Gate>, ApiError> {
    let input: GateInput = query.take()?;
    query.finish()?;
    input.check()?;
    let (allowed, is_as_status) = (input.thresholds()?, input.is_as_status()?);
    let now = clock::now();
    let found = if caller.scope(&[Permission::Read]).covers(&input.service) {
        api.store.deployment_of(&input.service, &input.version, input.environment.as_deref()).await?
    } else {
        None
    };
    let gate = match found {
        None => {
            let verdict = not_deployed(&input.service, &input.version);
            Gate::new(input, verdict, allowed.window)
        }
        Some(deployments) => {
            let seen = api.store.observe(deployments, &allowed, now).await?;
            Gate {
                started_at: Some(seen.deployment.started_at),
                observed_seconds: seen.observed(now).num_seconds().max(0),
                ..Gate::new(input, seen.judge(&allowed, now), allowed.window)
            }
        }
    };
    if is_as_status { gate.by_status() } else { Ok(Json(gate)) }
}
