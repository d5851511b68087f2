//! `POST /notifications/test`: tries whether a squad's notifications arrive.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::view::IncidentDetailsView;
use crate::access::Permission;
use crate::clock;
use crate::domain::audit::{Action, Entry};
use crate::domain::incident::{Facts, Kind, NewIncident};
use crate::http::Api;
use crate::http::auth::Caller;
use crate::http::error::ApiError;
use crate::http::query::Query;
use crate::http::request_body::RequestBody;
use crate::http::responses::{BadRequest, NotFound, NotJson, TooLarge, Unavailable};

/// Longest name of a squad.
const LONGEST: usize = 200;

/// Whose notifications to try.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"squad": "checkout"}))]
pub struct TestNotification {
    /// The squad.
    #[schema(min_length = 1, max_length = 200)]
    squad: String,
}

/// Send a test notification through all channels of a squad
///
/// Opens an incident of the kind `test`, whose notifications go the way of all others, and which resolves itself. Quiet hours do not hold
/// it. Look at `notifications` of the incident to see what became of them.
#[utoipa::path(
    post,
    path = "/notifications/test",
    operation_id = "createTestNotification",
    extensions(("x-permissions" = json!(["admin"]))),
    tag = "incidents",
    request_body = TestNotification,
    responses(
        (status = 202, description = "The incident.", body = IncidentDetailsView),
        BadRequest, NotFound, TooLarge, NotJson, Unavailable
    )
)]
pub async fn create_test_notification(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
    body: RequestBody,
) -> Result<(StatusCode, Json<IncidentDetailsView>), ApiError> {
    query.finish()?;
    let TestNotification { squad } = body.json(&headers)?;
    if squad.is_empty() || squad.len() > LONGEST || squad.contains('\0') {
        return Err(ApiError::field("squad", format!("must be 1 to {LONGEST} bytes, without NUL")));
    }
    let scope = caller.scope(&[Permission::Read, Permission::Admin]);
    let services = scope.owners().of_squad(&squad, api.store.services().await?);
    if !scope.is_everything() && !services.iter().any(|service| scope.covers(service)) {
        return Err(ApiError::not_found(format!("No squad {squad} has services that you may read.")));
    }
    let (routes, now) = (api.routes.now(), clock::now());
    let new = NewIncident {
        kind: Kind::Test,
        subject: format!("test/{}", clock::new_id()),
        squad,
        services: services.clone(),
        groups: Vec::<Uuid>::new(),
        facts: Facts::default(),
    };
    let entry = Entry {
        services,
        details: serde_json::json!({"squad": new.squad}),
        ..Entry::new(clock::new_id(), caller.requester().actor(), Action::TestNotification)
    };
    let recipients = routes.recipients(&new.squad, Kind::Test, now);
    let id = api.store.open_incident(&new, routes.severity(Kind::Test), &recipients, &entry, now).await?;
    Ok((StatusCode::ACCEPTED, Json(super::one::details(&api, &caller, id).await?)))
}
