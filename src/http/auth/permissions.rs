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
/// A route that lists none is for everybody who is known.
#[derive(Clone, Debug, Default)]
pub struct Permissions(HashMap<(Method, String), Vec<Permission>>);

impl Permissions {
    /// Those of a document.
    pub fn of(document: &OpenApi) -> Self {
        let mut permissions = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations_of(item) {
                permissions.extend(declared(operation).map(|needed| ((method, path.clone()), needed)));
            }
        }
        Self(permissions)
    }

    /// Refuses a caller who may not do what the route does on any service, and everybody where a route does not say what it needs.
    pub fn check(&self, caller: &Caller, method: &Method, path: &str) -> Result<(), ApiError> {
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        let needed = self
            .0
            .get(&(method, path.to_owned()))
            .ok_or_else(|| ApiError::internal(format!("{path} does not say which permission it needs")))?;
        let Some(first) = needed.first().copied() else { return Ok(()) };
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

fn declared(operation: &Operation) -> Option<Vec<Permission>> {
    let names = operation.extensions.as_ref()?.get(EXTENSION)?;
    serde_json::from_value(names.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_says_what_it_needs() {
        let document = crate::http::document();
        let Permissions(permissions) = Permissions::of(&document);
        let (mut routes, mut open) = (0, Vec::new());
        for (path, item) in &document.paths.paths {
            for (method, _) in operations_of(item) {
                let needed = permissions.get(&(method.clone(), path.clone()));
                let needed = needed.unwrap_or_else(|| panic!("{method} {path} has no {EXTENSION}"));
                routes += 1;
                open.extend(needed.is_empty().then_some(path.as_str()));
            }
        }
        assert!(routes >= 25, "{routes}");
        assert_eq!(open, ["/me"], "routes for everybody");
    }
}
