//! Which permissions each route needs, as its operation in the `OpenAPI` document says (`x-permissions`).

use std::collections::HashMap;

use axum::http::Method;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use super::caller::{Caller, not_allowed};
use crate::access::Permission;
use crate::http::error::ApiError;

/// Name of the extension.
pub const EXTENSION: &str = "x-permissions";

/// The permissions by method and path. A caller needs one of them to get to the route, which then looks at what the request is about.
#[derive(Clone, Debug, Default)]
pub struct Permissions(HashMap<(Method, String), Vec<Permission>>);

impl Permissions {
    /// Those of a document.
    pub fn of(document: &OpenApi) -> Self {
        let mut permissions = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations_of(item) {
                permissions.insert((method, path.clone()), declared(operation));
            }
        }
        Self(permissions)
    }

    /// Refuses a caller who may not do what the route does on any service, and everybody where a route does not say what it needs.
    pub fn check(&self, caller: &Caller, method: &Method, path: &str) -> Result<(), ApiError> {
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        let needed = self.0.get(&(method, path.to_owned())).map(Vec::as_slice).unwrap_or_default();
        let first = *needed
            .first()
            .ok_or_else(|| ApiError::internal(format!("{path} does not say which permission it needs")))?;
        let has_one = needed.iter().any(|permission| !caller.scope(&[*permission]).is_nothing());
        if has_one { Ok(()) } else { Err(not_allowed(first)) }
    }
}

fn operations_of(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    let PathItem { get, post, patch, delete, .. } = item;
    let methods =
        [(Method::GET, get), (Method::POST, post), (Method::PATCH, patch), (Method::DELETE, delete)];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn declared(operation: &Operation) -> Vec<Permission> {
    let extensions = operation.extensions.as_ref();
    let names = extensions.and_then(|extensions| extensions.get(EXTENSION)).cloned();
    names.and_then(|names| serde_json::from_value(names).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_says_what_it_needs() {
        let Permissions(permissions) = Permissions::of(&crate::http::document());
        assert!(permissions.len() >= 24, "{permissions:?}");
        for ((method, path), needed) in permissions {
            assert!(!needed.is_empty(), "{method} {path} has no {EXTENSION}");
        }
    }
}
