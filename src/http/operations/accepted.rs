//! How a request for an operation is answered, for the document.

use std::collections::BTreeMap;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema};

/// The operation, ended or not.
pub struct Accepted;

impl IntoResponses for Accepted {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [("200", "The operation ended within `wait` seconds."), ("202", "The operation continues.")]
            .into_iter()
            .map(|(status, description)| (status.to_owned(), operation(description).into()))
            .collect()
    }
}

fn operation(description: &str) -> Response {
    let location = HeaderBuilder::new()
        .schema(Some(String::schema()))
        .description(Some("Path of the operation: `/operations/{id}`."))
        .build();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Operation"))).build();
    ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .header("Location", location)
        .build()
}
