//! What each route is asked, and what it needs.

/// What a route is asked, and what it needs. The path and the body name what there is.
pub struct Route {
    pub operation: &'static str,
    pub asked: &'static str,
    pub body: &'static str,
    pub needs: &'static [&'static str],
    pub about: About,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// What the caller may see, be it nothing.
    Everything,
    /// One thing of the service `pay`.
    Pay,
    /// A plan that somebody else made.
    ForeignPlan,
}

const fn route(
    operation: &'static str,
    asked: &'static str,
    body: &'static str,
    needs: &'static [&'static str],
    about: About,
) -> Route {
    Route { operation, asked, body, needs, about }
}

/// Every operation of the document, some with several requests.
pub const ROUTES: [Route; 47] = [
    route("getMe", "GET /me", "", &[], About::Everything),
    route("listAuditEntries", "GET /audit", "", &["admin"], About::Everything),
    route("searchDeadLetters", "GET /dead-letters", "", &["read"], About::Everything),
    route(
        "searchDeadLetters",
        "GET /dead-letters?contains=a",
        "",
        &["read", "read-payload"],
        About::Everything,
    ),
    route("searchDeadLetters", "GET /dead-letters?find=a", "", &["read", "read-payload"], About::Everything),
    route(
        "searchDeadLetters",
        "GET /dead-letters?header.a=a",
        "",
        &["read", "read-payload"],
        About::Everything,
    ),
    route(
        "searchDeadLetters",
        "GET /dead-letters?body.a=a",
        "",
        &["read", "read-payload"],
        About::Everything,
    ),
    route("getDeadLetter", "GET /dead-letters/LETTER", "", &["read"], About::Pay),
    route("getDeadLetterBody", "GET /dead-letters/LETTER/body", "", &["read-payload"], About::Pay),
    route("getHistogram", "GET /dead-letters/histogram", "", &["read"], About::Everything),
    route("getFacets", "GET /dead-letters/facets", "", &["read"], About::Everything),
    route(
        "getFacets",
        "GET /dead-letters/facets?by=header",
        "",
        &["read", "read-payload"],
        About::Everything,
    ),
    route("getSquadOverview", "GET /dead-letters/squad-overview", "", &["read"], About::Everything),
    route("getServiceOverview", "GET /dead-letters/service-overview", "", &["read"], About::Everything),
    route("getOwnership", "GET /ownership", "", &["read"], About::Everything),
    route("listIncidents", "GET /incidents", "", &["read"], About::Everything),
    route("getIncident", "GET /incidents/INCIDENT", "", &["read"], About::Pay),
    route(
        "createTestNotification",
        "POST /notifications/test",
        r#"{"squad": "payments"}"#,
        &["read", "admin"],
        About::Pay,
    ),
    route("listDeployments", "GET /deployments?service=pay", "", &["read"], About::Everything),
    route(
        "createDeployment",
        "POST /deployments",
        r#"{"service": "pay", "version": "1"}"#,
        &["read", "triage"],
        About::Pay,
    ),
    route("getGate", "GET /gate?service=pay&version=1", "", &["read"], About::Everything),
    route("getShiftLog", "GET /shift-log", "", &["read"], About::Everything),
    route("listErrorGroups", "GET /dead-letters/error-groups", "", &["read"], About::Everything),
    route(
        "listErrorGroups",
        "GET /dead-letters/error-groups?contains=a",
        "",
        &["read", "read-payload"],
        About::Everything,
    ),
    route("getErrorGroup", "GET /dead-letters/error-groups/GROUP", "", &["read"], About::Pay),
    route(
        "getErrorGroupDistinctions",
        "GET /dead-letters/error-groups/GROUP/distinctions",
        "",
        &["read"],
        About::Pay,
    ),
    route(
        "changeErrorGroup",
        "PATCH /dead-letters/error-groups/GROUP",
        r#"{"action": "note", "note": "a"}"#,
        &["triage"],
        About::Pay,
    ),
    route(
        "redeliverDeadLetters",
        "POST /dead-letters/redeliver",
        r#"{"ids": ["NIL"]}"#,
        &["read", "redeliver"],
        About::Everything,
    ),
    route(
        "deleteDeadLetters",
        "DELETE /dead-letters",
        r#"{"ids": ["NIL"]}"#,
        &["read", "delete"],
        About::Everything,
    ),
    route(
        "restoreDeadLetters",
        "POST /dead-letters/restore",
        r#"{"ids": ["NIL"]}"#,
        &["read", "delete"],
        About::Everything,
    ),
    route(
        "createOperation",
        "POST /operations",
        r#"{"kind": "delete", "ids": ["NIL"]}"#,
        &["read", "delete"],
        About::Everything,
    ),
    route(
        "createOperation",
        "POST /operations",
        r#"{"kind": "redeliver", "ids": ["NIL"]}"#,
        &["read", "redeliver"],
        About::Everything,
    ),
    route(
        "createOperation",
        "POST /operations",
        r#"{"kind": "redeliver", "ids": ["NIL"], "edit": {"headers": {"set": {"a": "b"}}}}"#,
        &["read", "redeliver", "edit", "read-payload"],
        About::Everything,
    ),
    route(
        "createOperation",
        "POST /operations",
        r#"{"kind": "redeliver", "ids": ["NIL"], "to": {"exchange": "", "routingKey": "x"}}"#,
        &["read", "redeliver", "redirect", "read-payload"],
        About::Everything,
    ),
    route(
        "createPlan",
        "POST /operations/plan",
        r#"{"kind": "restore", "ids": ["NIL"]}"#,
        &["read", "delete"],
        About::Everything,
    ),
    route(
        "createPlan",
        "POST /operations/plan",
        r#"{"kind": "redeliver", "ids": ["NIL"], "to": {"exchange": "", "routingKey": "x"}}"#,
        &["read", "redeliver", "redirect", "read-payload"],
        About::Everything,
    ),
    route(
        "previewOperation",
        "POST /operations/preview",
        r#"{"kind": "redeliver", "ids": ["NIL"]}"#,
        &["read", "redeliver", "read-payload"],
        About::Everything,
    ),
    route("getPlan", "GET /operations/plan/PLAN", "", &["read"], About::ForeignPlan),
    route(
        "createOperation",
        "POST /operations",
        r#"{"planId": "PLAN"}"#,
        &["read", "delete"],
        About::ForeignPlan,
    ),
    route("listOperations", "GET /operations", "", &["read"], About::Everything),
    route("getOperation", "GET /operations/OPERATION", "", &["read"], About::Pay),
    route("listOperationItems", "GET /operations/OPERATION/items", "", &["read"], About::Pay),
    route("watchOperation", "GET /operations/OPERATION/events", "", &["read"], About::Pay),
    route("pauseOperation", "POST /operations/OPERATION/pause", "", &["delete"], About::Pay),
    route("resumeOperation", "POST /operations/OPERATION/resume", "", &["delete"], About::Pay),
    route("cancelOperation", "POST /operations/OPERATION/cancel", "", &["delete"], About::Pay),
    route("changeOperation", "PATCH /operations/OPERATION", r#"{"rate": 1}"#, &["delete"], About::Pay),
];
