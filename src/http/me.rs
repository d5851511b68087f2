//! `GET /me`: who the caller is, and what the caller may do.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::auth::Caller;
use super::error::ApiError;
use super::query::Query;
use super::responses::{BadRequest, Unavailable};
use crate::access::Permission;

/// Who the caller is, and what the caller may do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Me {
    /// What identifies the caller. Null: the caller has not signed in.
    #[schema(required, example = "user:default/jane")]
    id: Option<String>,
    /// As it is written down with what the caller does.
    #[schema(example = "user:default/jane")]
    name: String,
    /// When the caller's token expires. Null: never, or there is no token.
    #[schema(required)]
    expires_at: Option<DateTime<Utc>>,
    /// Whether callers can sign in here at all.
    sign_in_available: bool,
    /// Each permission, and where the caller has it.
    permissions: Vec<PermissionView>,
}

/// Where the caller has a permission.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PermissionView {
    /// The permission: `read`, `read-payload`, `triage`, `redeliver`, `redirect`, `edit`, `delete` or `admin`.
    #[schema(example = "redeliver")]
    permission: &'static str,
    /// Whether the caller has it on every service.
    everything: bool,
    /// The services on which the caller has it, of those that have had dead letters. Empty if `everything` is true.
    #[schema(example = json!(["webshop"]))]
    services: Vec<String>,
}

/// Show who you are, and what you may do
///
/// Answers every known caller, also without any permission. A client hides what its user may not do. The service decides again on each
/// request.
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "getMe",
    extensions(("x-permissions" = json!([]))),
    tag = "access",
    responses((status = 200, description = "The caller.", body = Me), BadRequest, Unavailable)
)]
pub async fn me(State(api): State<Api>, caller: Caller, query: Query) -> Result<Json<Me>, ApiError> {
    query.finish()?;
    let mut known = api.store.services().await?;
    known.sort();
    let principal = caller.requester().principal();
    Ok(Json(Me {
        id: principal.map(|principal| principal.id.clone()),
        name: caller.requester().actor().name,
        expires_at: principal.and_then(|principal| principal.expires),
        sign_in_available: !api.access.verifiers.is_empty(),
        permissions: Permission::ALL.iter().map(|permission| view(&caller, *permission, &known)).collect(),
    }))
}

fn view(caller: &Caller, permission: Permission, known: &[String]) -> PermissionView {
    let scope = caller.scope(&[permission]);
    let everything = scope.is_everything();
    PermissionView {
        permission: permission.as_str(),
        everything,
        services: if everything { Vec::new() } else { scope.of_services(known.iter().cloned()) },
    }
}
