//! The `OpenAPI` document beyond what the routes say themselves: what all of them have in common, and examples.

use serde_json::Value;
use utoipa::IntoResponses;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi as Document, RefOr, Response, Schema};

use super::responses::{
    self, AnyError, Forbidden, InternalError, LargeHeaders, TooManyRequests, Unauthenticated,
};
use super::{audit, deployments, error, incidents, operations, problem, words};

/// Name of the security scheme.
const BEARER: &str = "bearerAuth";

/// The document, but for the routes. Schemas that only responses, parameters or overridden types refer to are named here: utoipa does not
/// collect those.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "dead-letter",
        description = "Stores, inspects and replays dead-lettered messages of RabbitMQ.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This service.")),
    components(schemas(
        error::ErrorViewModel, error::FieldError, error::ErrorName, error::ErrorStatus, problem::ProblemType,
        operations::request::DeleteRequest, audit::AuditAction,
        deployments::gate::GateVerdict, deployments::gate::GateReasonCode,
        incidents::list::IncidentState, incidents::view::IncidentKind, incidents::view::IncidentSeverity,
        incidents::view::NotificationEvent, incidents::view::NotificationState,
        words::DeadLetterStatus, words::StatusFilter, words::Order, words::OperationOrder, words::OperationKind,
        words::OperationState, words::Verdict, words::Outcome, words::OperationAction, words::RedeliveryRoutingKey,
        words::PlanSeverity, words::PlanWarningCode, words::ErrorGroupState, words::ErrorGroupAction,
        words::HistogramInterval, words::HistogramDimension, words::OriginToldBy, words::BodyEncoding,
        words::BodyCompression, words::TotalRelation, words::FoundAs,
        words::AttributeKind, words::SampleChoice, words::ConditionTest, words::ComparedWith,
    )),
    tags(
        (name = "dead letters", description = "Search and inspect dead letters."),
        (name = "overviews", description = "Counts per squad, service and interval."),
        (name = "error groups", description = "Failures grouped by bug, and what was done about them."),
        (name = "incidents", description = "What squads were told, and whether it arrived."),
        (name = "deployments", description = "Which versions ran since when, and whether a rollout may go on."),
        (name = "access", description = "Who is calling, and what the caller may do."),
        (name = "audit", description = "Who did what."),
        (name = "operations", description = "Redeliver, delete or restore a frozen selection, and follow the progress."),
    ),
)]
struct Head;

/// The document without routes.
pub fn head() -> Document {
    Head::openapi()
}

/// Adds what all routes have in common, and the examples.
pub fn complete(document: &mut Document) {
    let components = document.components.get_or_insert_with(Components::new);
    components.responses.extend(responses::all().map(|(name, response)| (name.to_owned(), response.into())));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "A token of the configured OIDC issuer, a token of Backstage (of a user, or of the plugin's backend on behalf of a user), or a \
             token of `DEAD_LETTER_TOKENS_FILE`. If none of these is configured, tokens are not checked, and none is needed. Requests that \
             change something record the caller.",
        ))
        .build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    for operation in document.paths.paths.values_mut().flat_map(operations_of) {
        complete_operation(operation);
    }
}

fn operations_of(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, patch, delete, .. } = path;
    [get, post, patch, delete].into_iter().flatten()
}

fn complete_operation(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    // Without authentication, no token is needed.
    let bearer = SecurityRequirement::new(BEARER, [] as [&str; 0]);
    operation.security = Some(vec![SecurityRequirement::default(), bearer]);
    for common in [
        Unauthenticated::responses(),
        Forbidden::responses(),
        TooManyRequests::responses(),
        LargeHeaders::responses(),
        InternalError::responses(),
        AnyError::responses(),
    ] {
        for (status, response) in common {
            responses.entry(status).or_insert(response);
        }
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            add_example(response);
        }
    }
}

fn add_example(response: &mut Response) {
    for (mime, content) in &mut response.content {
        let RefOr::T(content) = content else { continue };
        content.example = match mime.as_str() {
            "text/event-stream" => Some(events()),
            "application/json" => content.schema.as_ref().and_then(example_of),
            _ => None,
        };
    }
}

/// The example of a schema, or of what a list has.
fn example_of(schema: &RefOr<Schema>) -> Option<Value> {
    match schema {
        RefOr::Ref(reference) => example(reference.ref_location.rsplit('/').next()?),
        RefOr::T(Schema::Array(list)) => {
            let utoipa::openapi::schema::ArrayItems::RefOrSchema(item) = &list.items else { return None };
            Some(Value::Array(vec![example_of(item)?]))
        }
        RefOr::T(_) => None,
    }
}

/// An event of an operation.
fn events() -> Value {
    let data = example("OperationDetails").unwrap_or_default();
    format!("event: operation\ndata: {data}\n\n").into()
}

macro_rules! examples {
    ($($name:literal),+ $(,)?) => {
        /// An answer of a running service, by the name of its schema.
        fn example(schema: &str) -> Option<Value> {
            let text = match schema {
                $($name => include_str!(concat!("examples/", $name, ".json")),)+
                _ => return None,
            };
            serde_json::from_str(text).ok()
        }
    };
}

examples!(
    "AuditEntries",
    "DeadLetteredMessageDetails",
    "DeadLetteredMessages",
    "Deployment",
    "Deployments",
    "Distinctions",
    "ErrorGroupDetails",
    "ErrorGroups",
    "Facets",
    "Gate",
    "Histogram",
    "IncidentDetails",
    "Incidents",
    "Me",
    "Operation",
    "OperationDetails",
    "OperationItems",
    "Operations",
    "Ownership",
    "Plan",
    "Preview",
    "ServiceOverview",
    "ShiftLog",
    "SquadOverview",
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn document() -> Value {
        serde_json::to_value(crate::http::document()).unwrap()
    }

    fn operations(document: &Value) -> Vec<&Value> {
        let paths = document["paths"].as_object().unwrap().values();
        paths.flat_map(|path| path.as_object().unwrap().values()).collect()
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_the_common_responses() {
        let document = document();
        let operations = operations(&document);
        let ids: BTreeSet<_> =
            operations.iter().map(|operation| operation["operationId"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), operations.len());
        for operation in operations {
            let id = operation["operationId"].as_str().unwrap();
            let verbs =
                ["search", "list", "get", "create", "change", "delete", "redeliver", "restore", "preview"];
            let actions = ["pause", "resume", "cancel", "watch"];
            assert!(verbs.iter().chain(&actions).any(|verb| id.starts_with(verb)), "{id} begins with a verb");
            for status in ["400", "401", "403", "429", "431", "500", "503", "default"] {
                assert!(operation["responses"][status]["$ref"].is_string(), "{status} of {id}");
            }
            assert_eq!(operation["security"], serde_json::json!([{}, {"bearerAuth": []}]), "{id}");
        }
    }

    #[test]
    fn every_answer_has_an_example() {
        let document = document();
        for operation in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            for (status, response) in operation["responses"].as_object().unwrap() {
                for (mime, content) in response["content"].as_object().into_iter().flatten() {
                    let is_shown = mime == "application/octet-stream" || content.get("example").is_some();
                    assert!(is_shown, "{mime} of {status} of {id}");
                }
            }
        }
        for (name, response) in document["components"]["responses"].as_object().unwrap() {
            assert!(response["content"]["application/problem+json"]["examples"].is_object(), "{name}");
        }
    }

    /// Nothing could be both: what the one adds, the other forbids.
    #[test]
    fn no_closed_schema_is_a_part_of_another() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for part in schema["allOf"].as_array().into_iter().flatten() {
                let part =
                    part["$ref"].as_str().and_then(|part| document.pointer(part.trim_start_matches('#')));
                assert!(part.is_none_or(|part| part["additionalProperties"] != false), "{name}");
            }
        }
    }

    #[test]
    fn no_schema_is_left_without_a_use() {
        let document = document();
        let text = document.to_string();
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            // The document tells of the body of a DELETE in words only.
            let is_used = text.contains(&format!("\"#/components/schemas/{name}\""));
            assert!(is_used || name == "DeleteRequest", "{name}");
        }
    }
}
