//! Who is calling, and what they may do (R17): a layer around every route of the API, so that a new route cannot forget it.

mod caller;
mod permissions;
mod refusals;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::info;

use super::Api;
use super::error::ApiError;
use super::problem::Problem;
use crate::access::{Access, Refused, Undecided};
use crate::domain::audit::{Action, Actor};

pub use caller::{Caller, Requester, not_allowed};
pub use permissions::Permissions;
pub use refusals::Refusals;

/// Lets callers in who are known, or need not be, and who may do somewhere what the route does.
pub async fn authorize(
    State((api, permissions)): State<(Api, Arc<Permissions>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let (method, path) = (request.method().clone(), matched.as_ref().map_or("", MatchedPath::as_str));
    let route = || format!("{method} {path}");
    let requester = match requester(&api.access, peer, bearer(request.headers())).await {
        Ok(requester) => requester,
        // It is known who calls, but not what the caller may do.
        Err(Unauthenticated::Refused(Refused::NoGroups)) => return ApiError::from(Undecided).into_response(),
        Err(unauthenticated) => {
            if let Err(too_many) = api.limits.refused_sign_in(peer) {
                return too_many.into_response();
            }
            unauthenticated.log(peer);
            let stranger = Actor { address: peer, ..Actor::default() };
            api.refusals.count(stranger, Action::Unauthenticated, route(), unauthenticated.detail());
            return unauthenticated.into_response();
        }
    };
    let caller = match api.caller(requester).await {
        Ok(caller) => caller,
        Err(undecided) => return ApiError::from(undecided).into_response(),
    };
    let admitted = api.limits.request(caller.requester(), &method);
    let response = match admitted.and_then(|()| permissions.check(&caller, &method, path)) {
        Ok(()) => {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    if response.status() == StatusCode::FORBIDDEN {
        api.refusals.count(caller.requester().actor(), Action::NotAllowed, route(), String::new());
    }
    response
}

async fn requester(
    access: &Access,
    peer: Option<IpAddr>,
    token: Result<Option<String>, Unauthenticated>,
) -> Result<Requester, Unauthenticated> {
    let verifiers = &access.verifiers;
    // A token that nobody can verify is not looked at.
    let token = if verifiers.is_empty() { None } else { token? };
    let Some(token) = token else {
        let is_allowed = !access.is_token_required();
        return peer.filter(|_| is_allowed).map(Requester::Anonymous).ok_or(Unauthenticated::NoToken);
    };
    let known = |principal| Requester::Known(Arc::new(principal), peer);
    verifiers.principal(&token).await.map(known).map_err(Unauthenticated::Refused)
}

/// The token that a request bears, if any.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, Unauthenticated> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(Unauthenticated::NotBearer),
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    });
    token.map(Some).ok_or(Unauthenticated::NotBearer)
}

/// Why nobody is known to be calling.
#[derive(Clone, Copy, Debug)]
enum Unauthenticated {
    NoToken,
    NotBearer,
    Refused(Refused),
}

impl Unauthenticated {
    fn detail(self) -> String {
        match self {
            Self::NoToken => "Authentication required: send a bearer token.".to_owned(),
            Self::NotBearer => "The Authorization header must be `Bearer` and a token, once.".to_owned(),
            Self::Refused(refused) => refused.to_string(),
        }
    }

    fn log(self, peer: Option<IpAddr>) {
        if let Self::Refused(refused) = self {
            info!(?refused, peer = peer.map(tracing::field::display), "a token was refused");
        }
    }
}

impl IntoResponse for Unauthenticated {
    fn into_response(self) -> Response {
        // The token may be good: a client that is told to sign in again would lose its session for nothing.
        if let Self::Refused(Refused::NoKeys) = self {
            return ApiError::new(Problem::UNDECIDED, self.detail()).into_response();
        }
        let challenge = match self {
            Self::NoToken => "Bearer",
            Self::NotBearer => "Bearer error=\"invalid_request\"",
            Self::Refused(_) => "Bearer error=\"invalid_token\"",
        };
        let mut response = ApiError::new(Problem::UNAUTHENTICATED, self.detail()).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}
