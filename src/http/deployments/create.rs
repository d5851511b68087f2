//! `POST /deployments`: continuous integration tells which version is deployed.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;
use serde::Deserialize;
use utoipa::ToSchema;

use super::check_names;
use super::view::DeploymentView;
use crate::access::Permission;
use crate::clock;
use crate::domain::deployment::ToldDeployment;
use crate::http::Api;
use crate::http::auth::{Caller, not_allowed};
use crate::http::error::{ApiError, FieldError};
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, NotFound, NotJson, TooLarge, Unavailable};

/// Longest link.
const LONGEST_LINK: usize = 2_000;
/// Clocks of callers may be so much ahead.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// Older deployments are not told.
const OLDEST: TimeDelta = TimeDelta::days(366);

/// A deployment to tell.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = DeploymentRequest, example = json!({"service": "webshop", "version": "1.43.0", "environment": "production", "commit": "9f2c1ab"}))]
pub struct DeploymentRequest {
    /// Service: the name that its dead letters have.
    #[schema(min_length = 1, max_length = 200)]
    service: String,
    /// Version.
    #[schema(min_length = 1, max_length = 200)]
    version: String,
    /// Environment, such as `production`.
    #[schema(min_length = 1, max_length = 200)]
    environment: Option<String>,
    /// Commit.
    #[schema(min_length = 1, max_length = 200)]
    commit: Option<String>,
    /// An `http` or `https` address with more about it.
    #[schema(min_length = 1, max_length = 2_000)]
    link: Option<String>,
    /// When the first instance of this version starts. Default: the current deployment is meant if it has the same version, otherwise now.
    started_at: Option<DateTime<Utc>>,
    /// When the last instance of the version before was gone. It can be told later, with another request.
    finished_at: Option<DateTime<Utc>>,
}

impl DeploymentRequest {
    fn told(self, now: DateTime<Utc>) -> Result<ToldDeployment, ApiError> {
        let names = [
            ("service", Some(&self.service)),
            ("version", Some(&self.version)),
            ("environment", self.environment.as_ref()),
            ("commit", self.commit.as_ref()),
        ];
        let mut errors: Vec<_> = check_names(names).collect();
        let mut wrong = |field: &str, message: String| errors.push(FieldError::new(field, message));
        if self.link.as_ref().is_some_and(|link| link.len() > LONGEST_LINK || !is_link(link)) {
            wrong("link", format!("must be an http or https address of at most {LONGEST_LINK} bytes"));
        }
        for (field, time) in [("startedAt", self.started_at), ("finishedAt", self.finished_at)] {
            if time.is_some_and(|time| time > now + AHEAD) {
                wrong(field, "must not be in the future: tell a deployment when it starts".into());
            }
            if time.is_some_and(|time| time < now - OLDEST) {
                wrong(field, format!("must not be more than {} days ago", OLDEST.num_days()));
            }
        }
        if self.finished_at.zip(self.started_at).is_some_and(|(finished, started)| finished < started) {
            wrong("finishedAt", "must not be before `startedAt`".into());
        }
        if !errors.is_empty() {
            return Err(ApiError::invalid(errors));
        }
        let Self { service, version, environment, commit, link, started_at, finished_at } = self;
        Ok(ToldDeployment { service, environment, version, started_at, finished_at, commit, link })
    }
}

/// Pages link to it.
fn is_link(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Tell a deployment
///
/// Error groups then say in which version they were first seen, can be resolved in a version, and `GET /gate` judges the deployment. The
/// same deployment can be told again: a repetition changes nothing, and what was missing is added, such as `finishedAt`. It is the same if
/// service, environment, version and `startedAt` are the same, or if `startedAt` is absent and the current deployment of the service has
/// this version.
#[utoipa::path(
    post,
    path = "/deployments",
    operation_id = "createDeployment",
    extensions(("x-permissions" = json!(["triage"]))),
    tag = "deployments",
    request_body = DeploymentRequest,
    responses(
        (status = 201, description = "The deployment. Nobody had told it before.", body = DeploymentView),
        (status = 200, description = "The deployment. It had been told before.", body = DeploymentView),
        BadRequest, NotFound, TooLarge, NotJson, Unavailable
    )
)]
pub async fn create_deployment(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
    body: RequestBody,
) -> Result<(StatusCode, Json<DeploymentView>), ApiError> {
    query.finish()?;
    let request: DeploymentRequest = body.json(&headers)?;
    let now = clock::now();
    let told = request.told(now)?;
    if !caller.scope(&[Permission::Read]).covers(&told.service) {
        return Err(ApiError::not_found(format!("There is no service {} that you may read.", told.service)));
    }
    if !caller.scope(&[Permission::Triage]).covers(&told.service) {
        return Err(not_allowed(Permission::Triage));
    }
    let done = api.store.tell_deployment(&told, &caller.requester().actor(), now).await?;
    let status = if done.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(done.deployment.into())))
}
