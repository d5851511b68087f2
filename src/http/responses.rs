//! The errors of the document: one response for each status, or for what it means on some routes, with an example of each kind.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::error::ApiError;
use super::problem::{Problem, ProblemType};

const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! responses {
    ($($(#[doc = $doc:literal])+ $name:ident $status:literal [$($problem:ident),+]),+ $(,)?) => {
        $(
            $(#[doc = $doc])+
            pub struct $name;

            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    [($status.into(), Ref::from_response_name(stringify!($name)).into())].into()
                }
            }
        )+

        /// The responses that routes refer to, by name.
        pub fn all() -> impl Iterator<Item = (&'static str, Response)> {
            [$((stringify!($name), response([$($doc),+].join("").trim(), &[$(Problem::$problem),+]))),+].into_iter()
        }
    };
}

responses! {
    /// The request is not valid. Nothing was done.
    BadRequest "400" [INVALID, UNREADABLE_BODY],
    /// Authentication is required, or the bearer token is not valid. Nothing was done.
    Unauthenticated "401" [UNAUTHENTICATED],
    /// The caller lacks a permission. Or the service has no authentication and only answers to names of its own machine, and `Host` or
    /// `Origin` has another name.
    Forbidden "403" [NOT_ALLOWED, FOREIGN_NAME],
    /// Nothing has this id.
    NotFound "404" [NOT_FOUND],
    /// The idempotency key was used for another request. Nothing was done.
    KeyConflict "409" [KEY_REUSED],
    /// The idempotency key was used for another request, the plan has expired, or the plan was run before. Nothing was done.
    RunConflict "409" [KEY_REUSED, PLAN_EXPIRED, PLAN_ALREADY_RUN],
    /// The plan has expired.
    PlanConflict "409" [PLAN_EXPIRED],
    /// The state of the operation does not allow this. Nothing was done.
    StateConflict "409" [WRONG_STATE],
    /// With `asStatus`: the gate fails. `detail` says why.
    GateFailed "409" [GATE_FAILED],
    /// The body of the request is too large.
    TooLarge "413" [LARGE_BODY],
    /// The body of the request is not `application/json`.
    NotJson "415" [BODY_NOT_JSON],
    /// The caller sends more requests than the limits allow. Nothing was done. Retry after the number of seconds in `Retry-After`.
    TooManyRequests "429" [TOO_MANY_REQUESTS],
    /// The caller sends more requests than the limits allow, or has too many plans that can still be run. Nothing was done. Retry after the
    /// number of seconds in `Retry-After`.
    TooManyPlans "429" [TOO_MANY_REQUESTS, TOO_MANY_PLANS],
    /// The caller sends more requests than the limits allow, or has too many operations that have not ended. Nothing was done. Retry after
    /// the number of seconds in `Retry-After`.
    TooManyOperations "429" [TOO_MANY_REQUESTS, TOO_MANY_OPERATIONS],
    /// The caller sends more requests than the limits allow, or too many operations are followed at the same time. Retry after the number
    /// of seconds in `Retry-After`.
    TooManyStreams "429" [TOO_MANY_REQUESTS, TOO_MANY_STREAMS],
    /// The headers of the request are larger than 64 KiB. Beyond 128 KiB, the answer has no body.
    LargeHeaders "431" [LARGE_HEADERS],
    /// A fault of the service.
    InternalError "500" [INTERNAL],
    /// The database does not answer, or not in time, or Backstage does not say what the caller may do. Retry after the number of seconds
    /// in `Retry-After`.
    Unavailable "503" [UNAVAILABLE, SLOW, UNDECIDED],
    /// With `asStatus`: the gate has not decided yet. Or the database does not answer, or not in time, or Backstage does not say what the
    /// caller may do. Retry after the number of seconds in `Retry-After`.
    GateWaits "503" [GATE_WAITS, UNAVAILABLE, SLOW, UNDECIDED],
    /// Any other error.
    AnyError "default" [NO_METHOD],
}

fn response(description: &str, problems: &[&'static Problem]) -> Response {
    let examples = problems.iter().map(|problem| (problem.slug(), example(problem)));
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorViewModel")))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content.clone())
        .content(PROBLEM_JSON, content);
    if problems.iter().any(|problem| problem.retry_after.is_some()) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build();
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds after which the request may be repeated."))
            .build();
        response = response.header("Retry-After", header);
    }
    response.build()
}

fn example(problem: &'static Problem) -> RefOr<utoipa::openapi::example::Example> {
    let error = if problem.slug == ProblemType::InvalidRequest {
        ApiError::field("limit", "must be a number from 1 to 200")
    } else {
        problem.into()
    };
    ExampleBuilder::new().value(serde_json::to_value(error.into_view()).ok()).build().into()
}
