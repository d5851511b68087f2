//! Who asks, for the record (R13).

mod backstage;
mod signatures;

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::Api;
use super::error::ApiError;
use super::problem::Problem;

pub use backstage::Backstage;

/// Who asks: a user of Backstage, such as `user:default/jane`, where a token says so; else only where the request came from.
#[derive(Clone, Debug)]
pub struct Requester(String);

impl Requester {
    /// As it is written down.
    pub fn into_name(self) -> String {
        self.0
    }
}

impl FromRequestParts<Api> for Requester {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        if let Some(backstage) = &api.backstage
            && let Some(token) = bearer(&parts.headers)?
        {
            return backstage.user_of(token).await.map(Self).map_err(unauthenticated);
        }
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, api)
            .await
            .map_err(|error| ApiError::internal(error.to_string()))?;
        Ok(Self(format!("anonymous at {}", peer.ip())))
    }
}

/// The token that a request bears, if any.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    token.map(Some).ok_or_else(|| Problem::UNAUTHENTICATED.into())
}

fn unauthenticated(why: String) -> ApiError {
    ApiError::new(Problem::UNAUTHENTICATED, why)
}
