//! The kinds of errors: status, slug, title and class of each, in one table. The document is made from it, too.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Stable slugs for the kinds of errors. New ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemType {
    /// A parameter or a member of the body is wrong. `errors` names each.
    InvalidRequest,
    /// The body cannot be read.
    InvalidBody,
    /// The headers are too large.
    HeadersTooLarge,
    /// The bearer token is not valid.
    Unauthenticated,
    /// The host or origin of the request is not a name of this machine.
    ForeignName,
    /// The caller lacks a permission.
    NotAllowed,
    /// Nothing has this id, or there is no such route.
    NotFound,
    /// The route does not support this method.
    NoMethod,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The plan has expired.
    PlanExpired,
    /// The plan was run before. Its operation has the same id.
    PlanAlreadyRun,
    /// The state of the operation does not allow this.
    WrongState,
    /// The gate of the deployment fails.
    GateFailed,
    /// The gate of the deployment has not decided yet.
    GateWaits,
    /// The caller sends more requests than the limits allow.
    TooManyRequests,
    /// The caller has too many plans that can still be run.
    TooManyPlans,
    /// The caller has too many operations that have not ended.
    TooManyOperations,
    /// The caller, or all callers together, follow too many operations.
    TooManyStreams,
    /// The database does not answer.
    Unavailable,
    /// The request took the database too long.
    TooSlow,
    /// Backstage does not say what the caller may do.
    Undecided,
    /// A fault of the service.
    Internal,
}

/// One kind of error.
#[derive(Debug, PartialEq, Eq)]
pub struct Problem {
    /// Status of the response.
    pub status: StatusCode,
    /// Its slug.
    pub slug: ProblemType,
    /// The kind in words.
    pub title: &'static str,
    /// The class of Backstage's errors that it is.
    pub name: &'static str,
    /// Seconds after which a client may retry.
    pub retry_after: Option<u32>,
    /// What is said of it where nothing more is known, and in the document.
    pub detail: &'static str,
}

const fn problem(
    status: StatusCode,
    slug: ProblemType,
    title: &'static str,
    name: &'static str,
    detail: &'static str,
) -> Problem {
    Problem { status, slug, title, name, retry_after: None, detail }
}

impl Problem {
    /// Its slug as text.
    pub fn slug(&self) -> String {
        let slug = serde_json::to_value(self.slug);
        slug.ok().and_then(|slug| Some(slug.as_str()?.to_owned())).unwrap_or_default()
    }

    pub const INVALID: &Self = &problem(
        StatusCode::BAD_REQUEST,
        ProblemType::InvalidRequest,
        "Invalid request",
        "InputError",
        "limit: must be a number from 1 to 200",
    );
    pub const UNREADABLE_BODY: &Self = &problem(
        StatusCode::BAD_REQUEST,
        ProblemType::InvalidBody,
        "Unreadable body",
        "InputError",
        "The connection closed before the whole body arrived.",
    );
    pub const LARGE_HEADERS: &Self = &problem(
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        ProblemType::HeadersTooLarge,
        "Headers too large",
        "InputError",
        "The headers are larger than 64 KiB. Send fewer or shorter ones.",
    );
    pub const LARGE_BODY: &Self = &Self {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        detail: "The body is larger than 2 MiB. Select by a filter, or send several requests.",
        ..*Self::UNREADABLE_BODY
    };
    pub const BODY_NOT_JSON: &Self = &Self {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        detail: "The body must be JSON. Send it with `content-type: application/json`.",
        ..*Self::UNREADABLE_BODY
    };
    pub const UNAUTHENTICATED: &Self = &problem(
        StatusCode::UNAUTHORIZED,
        ProblemType::Unauthenticated,
        "Authentication required",
        "AuthenticationError",
        "The Authorization header must be `Bearer` and a token.",
    );
    pub const FOREIGN_NAME: &Self = &problem(
        StatusCode::FORBIDDEN,
        ProblemType::ForeignName,
        "Host or origin not allowed",
        "NotAllowedError",
        "host \"dead-letter.example\" is not a name of this machine. Without authentication the API only answers to localhost, \
         127.0.0.1 and [::1]. Set DEAD_LETTER_UNAUTHENTICATED=yes to allow every name.",
    );
    pub const NOT_ALLOWED: &Self = &problem(
        StatusCode::FORBIDDEN,
        ProblemType::NotAllowed,
        "Not allowed",
        "NotAllowedError",
        "You may not delete or restore dead letters. This needs the permission `delete`.",
    );
    pub const NOT_FOUND: &Self = &problem(
        StatusCode::NOT_FOUND,
        ProblemType::NotFound,
        "Not found",
        "NotFoundError",
        "There is no such route. See /openapi.json.",
    );
    pub const NO_METHOD: &Self = &problem(
        StatusCode::METHOD_NOT_ALLOWED,
        ProblemType::NoMethod,
        "Method not allowed",
        "NotAllowedError",
        "This route does not support this method. See /openapi.json.",
    );
    pub const KEY_REUSED: &Self = &problem(
        StatusCode::CONFLICT,
        ProblemType::IdempotencyKeyReused,
        "Idempotency key reused",
        "ConflictError",
        "This idempotency key was used for another request. Choose a new one.",
    );
    pub const PLAN_EXPIRED: &Self = &problem(
        StatusCode::CONFLICT,
        ProblemType::PlanExpired,
        "Plan expired",
        "ConflictError",
        "The plan expired 2 minutes ago. Make a new one.",
    );
    pub const PLAN_ALREADY_RUN: &Self = &problem(
        StatusCode::CONFLICT,
        ProblemType::PlanAlreadyRun,
        "Plan already run",
        "ConflictError",
        "The plan was run before. Its operation has the same id.",
    );
    pub const WRONG_STATE: &Self = &problem(
        StatusCode::CONFLICT,
        ProblemType::WrongState,
        "Operation in the wrong state",
        "ConflictError",
        "The operation is completed. There is nothing to pause.",
    );
    pub const GATE_FAILED: &Self = &problem(
        StatusCode::CONFLICT,
        ProblemType::GateFailed,
        "Gate failed",
        "ConflictError",
        "webshop 1.43.0 fails: New error: PaymentDeclined, 3 dead letters.",
    );
    pub const GATE_WAITS: &Self = &Self {
        retry_after: Some(5),
        ..problem(
            StatusCode::SERVICE_UNAVAILABLE,
            ProblemType::GateWaits,
            "Gate not decided",
            "ServiceUnavailableError",
            "webshop 1.43.0 waits: Nothing is wrong after 42 of 300 seconds.",
        )
    };
    pub const TOO_MANY_REQUESTS: &Self = &Self {
        retry_after: Some(3),
        ..problem(
            StatusCode::TOO_MANY_REQUESTS,
            ProblemType::TooManyRequests,
            "Too many requests",
            "Error",
            "Too many requests of one caller. Nothing was done. Retry in 3 seconds.",
        )
    };
    pub const TOO_MANY_PLANS: &Self = &Self {
        retry_after: Some(240),
        ..problem(
            StatusCode::TOO_MANY_REQUESTS,
            ProblemType::TooManyPlans,
            "Too many plans",
            "Error",
            "You have 100 plans that can still be run, and no more are allowed. Run some of them, or retry in 240 seconds, when the oldest \
             has expired.",
        )
    };
    pub const TOO_MANY_OPERATIONS: &Self = &Self {
        retry_after: Some(10),
        ..problem(
            StatusCode::TOO_MANY_REQUESTS,
            ProblemType::TooManyOperations,
            "Too many operations",
            "Error",
            "You have 500 operations that have not ended, and no more are allowed. Resume or cancel those that are paused, or retry in 10 \
             seconds.",
        )
    };
    pub const TOO_MANY_STREAMS: &Self = &Self {
        retry_after: Some(10),
        ..problem(
            StatusCode::TOO_MANY_REQUESTS,
            ProblemType::TooManyStreams,
            "Too many streams",
            "Error",
            "You follow 250 operations already. Close a stream first, poll `GET /operations/{id}`, or retry in 10 seconds.",
        )
    };
    pub const UNAVAILABLE: &Self = &Self {
        retry_after: Some(2),
        ..problem(
            StatusCode::SERVICE_UNAVAILABLE,
            ProblemType::Unavailable,
            "Database unavailable",
            "ServiceUnavailableError",
            "The database does not answer. Retry in 2 seconds.",
        )
    };
    pub const SLOW: &Self = &Self {
        // By then other searches have ended.
        retry_after: Some(30),
        ..problem(
            StatusCode::SERVICE_UNAVAILABLE,
            ProblemType::TooSlow,
            "Too slow",
            "ServiceUnavailableError",
            "This took the database too long, or other expensive searches are running. Narrow it by service or by time, or retry in \
             30 seconds.",
        )
    };
    pub const UNDECIDED: &Self = &Self {
        retry_after: Some(2),
        ..problem(
            StatusCode::SERVICE_UNAVAILABLE,
            ProblemType::Undecided,
            "Permissions unavailable",
            "ServiceUnavailableError",
            "Backstage does not say what you may do. Nothing was done. Retry in 2 seconds.",
        )
    };
    pub const INTERNAL: &Self = &problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        ProblemType::Internal,
        "Internal error",
        "Error",
        "This is a fault of the service. Its log has the details.",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_and_the_header_say_the_same_of_when_to_retry() {
        for problem in [
            Problem::UNAVAILABLE,
            Problem::SLOW,
            Problem::UNDECIDED,
            Problem::TOO_MANY_REQUESTS,
            Problem::TOO_MANY_PLANS,
            Problem::TOO_MANY_OPERATIONS,
            Problem::TOO_MANY_STREAMS,
        ] {
            let seconds = problem.retry_after.map(|seconds| format!("in {seconds} seconds")).unwrap();
            assert!(problem.detail.contains(&seconds), "{problem:?}");
        }
        assert_eq!([Problem::UNAVAILABLE.retry_after, Problem::SLOW.retry_after], [Some(2), Some(30)]);
        assert_eq!(Problem::NO_METHOD.retry_after, None);
    }
}
