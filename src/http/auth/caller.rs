//! Who is calling, and on which services they may do what.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};

use crate::access::{Grants, Permission, Principal, Scope};
use crate::domain::audit::Actor;
use crate::domain::operation::{Kind, Operation};
use crate::http::Api;
use crate::http::error::ApiError;
use crate::http::problem::Problem;
use crate::ownership::Owners;

/// Who is calling.
#[derive(Clone, Debug)]
pub enum Requester {
    /// A principal whose token was verified, at this address.
    Known(Arc<Principal>, Option<IpAddr>),
    /// Somebody without a token, at this address.
    Anonymous(IpAddr),
}

impl Requester {
    /// As it is written down with what the caller does (R13).
    pub fn actor(&self) -> Actor {
        let (name, address) = match self {
            Self::Known(principal, address) => {
                let Principal { id, name, .. } = &**principal;
                (if name == id { id.clone() } else { format!("{name} ({id})") }, *address)
            }
            Self::Anonymous(address) => (format!("anonymous at {address}"), Some(*address)),
        };
        Actor { id: self.id().to_owned(), name, address }
    }

    /// What identifies it. Empty for callers without a token.
    fn id(&self) -> &str {
        self.principal().map_or("", |principal| &principal.id)
    }

    /// Whether its token is no longer good.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.principal().and_then(|principal| principal.expires).is_some_and(|expires| expires <= now)
    }

    /// The principal, if a token was verified.
    pub fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Known(principal, _) => Some(principal),
            Self::Anonymous(_) => None,
        }
    }
}

/// Who is calling, and what they may do at this moment.
#[derive(Clone, Debug)]
pub struct Caller {
    requester: Requester,
    grants: Grants,
    owners: Arc<Owners>,
}

impl Caller {
    /// With what was granted.
    pub fn new(requester: Requester, grants: Grants, owners: Arc<Owners>) -> Self {
        Self { requester, grants, owners }
    }

    /// Who it is.
    pub fn requester(&self) -> &Requester {
        &self.requester
    }

    /// Whether this is who asked for something.
    pub fn is(&self, requester_id: &str) -> bool {
        !requester_id.is_empty() && self.requester.id() == requester_id
    }

    /// The services on which the caller has all of these permissions.
    pub fn scope(&self, permissions: &[Permission]) -> Scope {
        let scopes = permissions.iter().map(|permission| self.scope_of(*permission));
        scopes.fold(Scope::everything(Arc::clone(&self.owners)), Scope::and)
    }

    /// The same, or an error if there is no such service.
    pub fn may(&self, permissions: &[Permission]) -> Result<Scope, ApiError> {
        permissions.iter().try_fold(Scope::everything(Arc::clone(&self.owners)), |scope, permission| {
            let one = self.scope_of(*permission);
            if one.is_nothing() { Err(not_allowed(*permission)) } else { Ok(scope.and(one)) }
        })
    }

    fn scope_of(&self, permission: Permission) -> Scope {
        self.grants.scope(self.requester.principal(), permission, &self.owners)
    }

    /// With more dead letters than this an operation of the caller needs a second person.
    pub fn approved_above(&self, kind: Kind) -> Option<u64> {
        self.grants.second_person()?.above(kind)
    }

    /// Refuses to let the caller approve an operation of its own, or one that the policy lets others approve.
    pub fn may_approve(&self, operation: &Operation) -> Result<(), ApiError> {
        let Some(second) = self.grants.second_person() else {
            return Ok(());
        };
        let why = match self.requester.principal() {
            None => "Sign in to approve an operation.",
            Some(_) if self.is(&operation.requested_by_id) => {
                "You asked for this operation, so somebody else has to approve it. They resume it."
            }
            Some(principal) if second.is_approved_by(principal) => return Ok(()),
            Some(_) => "The policy does not name you among those who may approve operations.",
        };
        Err(ApiError::new(Problem::NOT_ALLOWED, why))
    }

    /// Refuses an address that the policy does not list as a target.
    pub fn may_send_to(&self, exchange: &str, routing_key: &str) -> Result<(), ApiError> {
        if self.grants.allow_target(exchange, routing_key) {
            return Ok(());
        }
        let message = format!(
            "Messages may not be sent to exchange {exchange:?} with routing key {routing_key:?}: the policy does not list it among its `targets`."
        );
        Err(ApiError::new(Problem::NOT_ALLOWED, message))
    }
}

/// The caller has a permission nowhere, or not on what it is about.
pub fn not_allowed(permission: Permission) -> ApiError {
    let message = format!("You may not {}. This needs the permission `{permission}`.", permission.verb());
    ApiError::new(Problem::NOT_ALLOWED, message)
}

impl FromRequestParts<Api> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, ApiError> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| ApiError::internal("a route is outside of the layer that authorizes"))
    }
}
