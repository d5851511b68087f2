//! R17: every route needs a permission, and what a caller may not see does not exist for it.

mod routes;

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::access::{Access, new_token};
use crate::support::{DeadMessage, World, id, text, until};
use routes::{About, ROUTES, Route};

/// The service that the requests are about.
const PAY: &str = "pay";

/// A kind of caller: what it is granted, and where.
struct Kind {
    name: String,
    may: Vec<&'static str>,
    on: On,
    token: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Everything,
    Pay,
    Loans,
    /// Not signed in.
    Nowhere,
}

const ALL: [&str; 8] = ["read", "read-payload", "triage", "redeliver", "redirect", "edit", "delete", "admin"];

fn kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut add = |name: String, may: &[&'static str], on| {
        kinds.push(Kind { name, may: may.to_vec(), on, token: None });
    };
    for (place, on) in [("everything", On::Everything), ("pay", On::Pay), ("loans", On::Loans)] {
        add(format!("all-on-{place}"), &ALL, on);
        add(format!("reader-of-{place}"), &["read"], on);
        add(format!("viewer-of-{place}"), &["read", "read-payload"], on);
        add(format!("redeliverer-of-{place}"), &["read", "redeliver"], on);
        add(format!("deleter-of-{place}"), &["read", "delete"], on);
        add(format!("triager-of-{place}"), &["read", "triage"], on);
        add(format!("blind-on-{place}"), &ALL[1..], on);
    }
    add("nobody".into(), &[], On::Everything);
    for name in ["no-token", "unknown-token", "expired-token"] {
        add(name.into(), &[], On::Nowhere);
    }
    kinds
}

fn policy(kinds: &[Kind]) -> String {
    let grants = kinds.iter().filter(|kind| !kind.may.is_empty()).map(|kind| {
        let on = match kind.on {
            On::Everything | On::Nowhere => "everything".to_owned(),
            On::Pay => format!("{{services: [{PAY}]}}"),
            On::Loans => "{squads: [loans]}".to_owned(),
        };
        format!("  - {{to: ['token:{}'], on: {on}, may: [{}]}}\n", kind.name, kind.may.join(", "))
    });
    // Nobody comes in as anonymous here, whatever is granted.
    let others = "  - {to: [anonymous, 'token:admin'], on: everything, may: [everything]}\n".to_owned();
    let grants: String = grants.chain([others]).collect();
    format!("grants:\n{grants}targets: [{{exchange: '', routing-key: 'x*'}}]\n")
}

struct Things {
    letter: String,
    group: String,
    operation: String,
    plan: String,
    incident: String,
}

impl Things {
    fn named_in(&self, text: &str) -> String {
        let Self { letter, group, operation, plan, incident } = self;
        let nil = uuid::Uuid::nil().to_string();
        let names = [
            ("LETTER", letter),
            ("GROUP", group),
            ("OPERATION", operation),
            ("PLAN", plan),
            ("INCIDENT", incident),
            ("NIL", &nil),
        ];
        names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// The request of a route.
    fn request(&self, route: &Route, world: &World) -> RequestBuilder {
        let (method, path) = route.asked.split_once(' ').unwrap();
        let request = world.api().request(method.parse().unwrap(), &self.named_in(path));
        if route.body.is_empty() {
            return request;
        }
        request.header("content-type", "application/json").body(self.named_in(route.body))
    }
}

impl Kind {
    fn covers_pay(&self) -> bool {
        matches!(self.on, On::Everything | On::Pay)
    }

    fn has(&self, permission: &str) -> bool {
        self.may.contains(&permission)
    }

    /// What `GET /me` is to tell.
    fn told(&self) -> Told {
        let of = |permission: &str| match self.on {
            On::Everything if self.has(permission) => (true, vec![]),
            On::Pay if self.has(permission) => (false, vec![PAY.to_owned()]),
            On::Loans if self.has(permission) => (false, vec!["loan".to_owned()]),
            _ => (false, vec![]),
        };
        ALL.map(|permission| (permission.to_owned(), of(permission).0, of(permission).1)).to_vec()
    }

    /// What this caller is to get. `any_of`: the permissions of which the document says that the route needs one.
    fn expected(&self, route: &Route, any_of: &[&str]) -> Expected {
        if self.on == On::Nowhere {
            return Expected::Unauthenticated;
        }
        if !any_of.is_empty() && !any_of.iter().any(|permission| self.has(permission)) {
            return Expected::NotAllowed;
        }
        let is_seen = match route.about {
            About::Everything => true,
            About::Pay => self.has("read") && self.covers_pay(),
            About::ForeignPlan => self.has("read") && self.on == On::Everything,
        };
        match route.needs.iter().all(|permission| self.has(permission)) {
            _ if !is_seen => Expected::NotFound,
            true => Expected::Done,
            false => Expected::NotAllowed,
        }
    }
}

/// What `GET /me` tells of each permission: whether it is for everything, and for which services.
type Told = Vec<(String, bool, Vec<String>)>;

fn told(me: &Value) -> Told {
    let list = |services: &Value| serde_json::from_value(services.clone()).unwrap();
    let permissions = me["permissions"].as_array().unwrap().iter();
    permissions
        .map(|one| {
            let name = one["permission"].as_str().unwrap().to_owned();
            (name, one["everything"].as_bool().unwrap(), list(&one["services"]))
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Unauthenticated,
    NotAllowed,
    NotFound,
    /// Whatever comes of it: nothing was in the way.
    Done,
}

impl Expected {
    fn of(status: u16, problem: &Value) -> Self {
        match (status, problem.as_str()) {
            (401, Some("unauthenticated")) => Self::Unauthenticated,
            (403, Some("not-allowed")) => Self::NotAllowed,
            (404, Some("not-found")) => Self::NotFound,
            // An operation that has ended cannot be steered; a plan is run once.
            (200..=202, _) | (409, Some("wrong-state" | "plan-already-run")) => Self::Done,
            other => panic!("{other:?}"),
        }
    }
}

/// The permissions that the document says a route needs one of.
fn declared<'d>(document: &'d Value, operation: &str) -> Vec<&'d str> {
    let paths = document["paths"].as_object().unwrap().values();
    let mut operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let of = operations.find(|one| one["operationId"] == operation).unwrap();
    of["x-permissions"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// Something of [`PAY`] and of another service, by somebody who may do everything.
async fn things(world: &World, token: &str) -> Things {
    for service in [PAY, "loan"] {
        for _ in 0..2 {
            world.publish(DeadMessage::new(&id(), &format!("work_{service}")).error("E", "it failed")).await;
        }
    }
    world.until_stored(4).await;
    let ask = async |method, path: &str, body: Option<Value>| {
        let request = world.api().request(method, path).bearer_auth(token);
        let request = body.iter().fold(request, RequestBuilder::json);
        let answer = world.api().send(request).await;
        assert!(answer.status.is_success(), "{path}: {}", String::from_utf8_lossy(&answer.bytes));
        answer.json
    };
    let found = ask(Method::GET, &format!("/dead-letters?service={PAY}"), None).await;
    let letter = |number: usize| found["messages"][number]["id"].as_str().unwrap().to_owned();
    let group = found["messages"][0]["errorGroup"].as_str().unwrap().to_owned();
    let delete = json!({"ids": [letter(1)]});
    let operation = ask(Method::DELETE, "/dead-letters?wait=30", Some(delete)).await;
    let plan = json!({"kind": "delete", "ids": [uuid::Uuid::nil()]});
    let plan = ask(Method::POST, "/operations/plan", Some(plan)).await;
    let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let incident = until("the incident of the new error", || async {
        let found = ask(Method::GET, &format!("/incidents?service={PAY}"), None).await;
        found["incidents"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    Things { incident, letter: letter(0), group, operation: text(&operation), plan: text(&plan) }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_gets_what_its_permissions_allow() {
    let mut kinds = kinds();
    let access = Access::new(&policy(&kinds));
    let mut entries = Vec::new();
    for kind in &mut kinds {
        let (token, entry) = new_token(&kind.name);
        match kind.name.as_str() {
            "no-token" => continue,
            "unknown-token" => {}
            "expired-token" => {
                let (before, _) = entry.split_once("expires:").unwrap();
                entries.push(format!("{before}expires: 2020-01-01T00:00:00Z\n"));
            }
            _ => entries.push(entry),
        }
        kind.token = Some(token);
    }
    let (admin, entry) = new_token("admin");
    entries.push(entry);
    access.know(&entries.iter().map(String::as_str).collect::<Vec<_>>());
    let owners = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        owners.path(),
        "services:\n  - {service: pay, squad: payments}\n  - {service: loan, squad: loans}\n",
    )
    .unwrap();
    let mut settings = access.settings().to_vec();
    settings.push(("DEAD_LETTER_OWNERSHIP_FILE", owners.path().to_str().unwrap()));
    let world = World::start_with(&settings).await;
    let document = world.api().get("/openapi.json").await.assert(200).json;

    let things = things(&world, &admin).await;
    let (mut cells, mut seen) = (0, BTreeSet::new());
    for route in ROUTES {
        let any_of = declared(&document, route.operation);
        seen.insert(route.operation);
        for kind in &kinds {
            let request = kind.token.iter().fold(things.request(&route, &world), RequestBuilder::bearer_auth);
            let answer = world.api().send(request).await;
            let what =
                format!("{} as {}: {}", route.operation, kind.name, String::from_utf8_lossy(&answer.bytes));
            let got = Expected::of(answer.status.as_u16(), &answer.json["type"]);
            assert_eq!(got, kind.expected(&route, &any_of), "{what}");
            if route.operation == "getMe" && got == Expected::Done {
                assert_eq!(told(&answer.json), kind.told(), "{what}");
            }
            cells += 1;
        }
    }
    let paths = document["paths"].as_object().unwrap().values();
    let all = paths.flat_map(|path| path.as_object().unwrap().values());
    let missing: Vec<_> =
        all.map(|one| one["operationId"].as_str().unwrap()).filter(|one| !seen.contains(one)).collect();
    assert!(missing.is_empty(), "nobody asked for {missing:?}");
    assert!(kinds.len() >= 20 && cells >= 500, "{} callers, {cells} cells", kinds.len());
}

/// Who may see the payloads of one service does not see those of another that they may read.
#[tokio::test(flavor = "multi_thread")]
async fn payloads_are_shown_where_that_is_granted() {
    let policy = "grants:\n  - {to: [everyone], on: {services: [pay, loan]}, may: [read]}\n  \
                  - {to: [everyone], on: {services: [loan]}, may: [read-payload]}\n";
    let access = Access::new(policy);
    let (token, entry) = new_token("reader");
    access.know(&[&entry]);
    let world = World::start_with(&access.settings()).await;
    for service in [PAY, "loan"] {
        let message = DeadMessage::new(&id(), &format!("work_{service}")).error("E", "it failed");
        world.publish(message.body("the secret").header("secret", text("the secret"))).await;
    }
    world.until_stored(2).await;
    let get =
        async |path: &str| world.api().send(world.api().request(Method::GET, path).bearer_auth(&token)).await;
    for (service, is_shown) in [(PAY, false), ("loan", true)] {
        let found = get(&format!("/dead-letters?service={service}")).await.assert(200).json;
        let letter = found["messages"][0]["id"].as_str().unwrap().to_owned();
        let whole = get(&format!("/dead-letters/{letter}")).await.assert(200);
        assert_eq!(whole.json["errorMessage"], "it failed");
        assert_eq!(String::from_utf8_lossy(&whole.bytes).contains("the secret"), is_shown, "{}", whole.json);
        assert_eq!(whole.json["errorStack"].is_string(), is_shown, "{}", whole.json);
        assert_eq!(whole.json["warning"].is_string(), !is_shown);
        let body = get(&format!("/dead-letters/{letter}/body")).await;
        assert_eq!(body.status, if is_shown { 200 } else { 403 }, "{service}");
        // What is searched for is not told either.
        let told = get(&format!("/dead-letters?service={service}&contains=secret")).await.assert(200).json;
        assert_eq!(told["total"]["value"], i32::from(is_shown), "{service}");
    }
}
