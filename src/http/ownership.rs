//! `GET /ownership`: how current the squads are, and what the catalog leaves undecided.

use axum::Json;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Caller;
use super::error::ApiError;
use super::query::Query;
use super::responses::{BadRequest, Unavailable};
use crate::access::{Permission, Scope};
use crate::clock;
use crate::ownership::{Catalog, Claim, Conflict, Owner};

/// Conflicts that are listed.
const MOST_CONFLICTS: usize = 100;

/// Where squads come from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Ownership)]
pub struct OwnershipView {
    /// The catalog. Null: squads come from the ownership file only.
    #[schema(required)]
    catalog: Option<CatalogView>,
    /// The services that the catalog leaves undecided, at most 100. They belong to no squad.
    conflicts: Vec<ConflictView>,
    /// Number of such services.
    #[schema(example = 1)]
    conflict_count: usize,
}

/// The catalog that squads come from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Catalog)]
pub struct CatalogView {
    /// When the squads were read. Null: they have not been read yet, and no service belongs to a squad.
    #[schema(required)]
    as_of: Option<DateTime<Utc>>,
    /// Whether that is too long ago, because the catalog cannot be read.
    stale: bool,
}

/// A service that the catalog leaves undecided.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnershipConflict)]
pub struct ConflictView {
    /// Service.
    #[schema(example = "webshop")]
    service: String,
    /// What the catalog says.
    claims: Vec<ClaimView>,
    /// When the squad that claims the service gets it. Null: components contradict each other.
    #[schema(required)]
    takes_over_at: Option<DateTime<Utc>>,
}

/// What a component of the catalog says about a service.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnershipClaim)]
pub struct ClaimView {
    /// Component.
    #[schema(example = "component:default/webshop")]
    entity: String,
    /// Squad that the component belongs to. Null: none.
    #[schema(required, example = "checkout")]
    squad: Option<String>,
}

/// Say how current the squads are
///
/// Lists the services that the catalog leaves undecided, as far as the caller may read them, or might if one of the claims held.
#[utoipa::path(
    get,
    path = "/ownership",
    operation_id = "getOwnership",
    extensions(("x-permissions" = json!(["read"]))),
    tag = "overviews",
    responses((status = 200, description = "Where squads come from.", body = OwnershipView), BadRequest, Unavailable)
)]
pub async fn ownership(caller: Caller, query: Query) -> Result<Json<OwnershipView>, ApiError> {
    query.finish()?;
    let scope = caller.may(&[Permission::Read])?;
    let conflicts: Vec<_> =
        scope.owners().conflicts().filter(|conflict| concerns(conflict, &scope)).collect();
    Ok(Json(OwnershipView {
        catalog: scope.owners().catalog().map(CatalogView::new),
        conflict_count: conflicts.len(),
        conflicts: conflicts.into_iter().take(MOST_CONFLICTS).map(ConflictView::from).collect(),
    }))
}

/// Whether the caller may read the service, or might if one of the claims held.
fn concerns(conflict: &Conflict<'_>, scope: &Scope) -> bool {
    let squads = conflict.claims.iter().filter_map(|claim| claim.squad.as_deref());
    scope.covers(conflict.service)
        || squads.map(Owner::Squad).any(|owner| scope.would_cover(conflict.service, owner))
}

impl CatalogView {
    fn new(catalog: &Catalog) -> Self {
        Self { as_of: catalog.as_of(), stale: catalog.is_stale(clock::now()) }
    }
}

impl From<Conflict<'_>> for ConflictView {
    fn from(Conflict { service, claims, takes_over_at }: Conflict<'_>) -> Self {
        let claims = claims.iter().cloned().map(|Claim { entity, squad, .. }| ClaimView { entity, squad });
        Self { service: service.to_owned(), claims: claims.collect(), takes_over_at }
    }
}
