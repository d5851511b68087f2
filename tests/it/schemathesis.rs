//! What Schemathesis finds when it asks the service everything that the `OpenAPI` document allows, and what it forbids.
//!
//! It needs Python: `make schemathesis` installs what it consists of and runs the tests, which are ignored otherwise.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::access::{Access, new_token};
use crate::support::{DeadMessage, World, id};

/// What it looks at: everything that an answer may contradict the document in.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,ignored_auth";
/// What it asks, and what it looks at besides. The document describes the whole stream of events, as `OpenAPI` 3.1 does; Schemathesis reads
/// that as the schema of each event.
const PARTS: [([&str; 2], &str); 2] = [
    (["--exclude-operation-id", "watchOperation"], ",response_schema_conformance"),
    (["--include-operation-id", "watchOperation"], ""),
];
/// One worker: Python 3.11 cannot parse in several threads at the same time.
const OPTIONS: [&str; 16] = [
    "--phases",
    "examples,coverage,fuzzing",
    "--seed",
    "1",
    "--workers",
    "1",
    "--request-timeout",
    "60",
    "--suppress-health-check",
    "all",
    "--generation-database",
    "none",
    "--warnings",
    "off",
    "--no-color",
    "--continue-on-failure",
];
/// Far more than it asks.
const UNLIMITED: [(&str, &str); 6] = [
    ("DEAD_LETTER_REQUESTS_PER_SECOND", "off"),
    ("DEAD_LETTER_ACTS_PER_MINUTE", "off"),
    ("DEAD_LETTER_REFUSED_SIGN_INS_PER_MINUTE", "off"),
    ("DEAD_LETTER_PLANS_PER_CALLER", "off"),
    ("DEAD_LETTER_PLANNED_PER_CALLER", "off"),
    ("DEAD_LETTER_OPERATIONS_PER_CALLER", "off"),
];
const POLICY: &str = "grants:
  - {to: ['token:all', anonymous], on: everything, may: [everything]}
  - {to: ['token:squad'], on: {squads: [one]}, may: [read, read-payload, triage, redeliver, edit, delete, redirect]}
targets: [{exchange: '', routing-key: '*'}]
";

/// A service with dead letters of two squads, and the tokens of those who may do everything, and something in one squad.
struct Stand {
    world: World,
    all: String,
    squad: String,
    _access: Access,
    _ownership: tempfile::NamedTempFile,
}

impl Stand {
    /// With sign-in.
    async fn start(limits: &[(&str, &str)]) -> Self {
        let access = Access::new(POLICY);
        let (all, squad) = (new_token("all"), new_token("squad"));
        access.know(&[&all.1, &squad.1]);
        let ownership = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            ownership.path(),
            "services:\n  - {service: shop, squad: one}\n  - {service: bank, squad: two}\n",
        )
        .unwrap();
        let own = [("DEAD_LETTER_OWNERSHIP_FILE", ownership.path().to_str().unwrap())];
        let signed_in = access.settings();
        let world = World::start_with(&[&signed_in[..], &own, limits].concat()).await;
        Self { world, all: all.0, squad: squad.0, _access: access, _ownership: ownership }
    }

    /// Dead letters with all kinds of bodies, an operation that has ended, a plan, and a group: the values of the document's parameters
    /// by path.
    async fn fill(&self) -> String {
        let world = &self.world;
        for service in ["shop", "bank"] {
            let queue = format!("orders_{service}");
            let messages = (0..20).map(|number| {
                let message =
                    DeadMessage::new(&id(), &queue).error("Declined", &format!("card {number} declined"));
                match number % 3 {
                    0 => message
                        .body(r#"{"order":1}"#)
                        .properties(|p| p.with_content_type("application/json".into())),
                    1 => message.body("\u{0}\u{ffff} text"),
                    _ => message.body(String::new()),
                }
            });
            world.broker.publish_all(&world.source.name, messages).await;
        }
        world.until_stored(40).await;
        let get = async |path: &str| {
            let request = world.api().request(Method::GET, path).bearer_auth(&self.all);
            world.api().send(request).await.assert(200).json
        };
        let post = async |path: &str, body: Value| {
            let request = world.api().request(Method::POST, path).bearer_auth(&self.all).json(&body);
            world.api().send(request).await.json
        };
        let letter = get("/dead-letters?service=shop&limit=1").await["messages"][0]["id"].clone();
        let group = get("/dead-letters/error-groups?service=shop").await["groups"][0]["id"].clone();
        let ended =
            post("/dead-letters/redeliver?wait=30", json!({"filter": {"service": "bank"}, "limit": 2})).await
                ["id"]
                .clone();
        let plan =
            post("/operations/plan", json!({"kind": "delete", "filter": {"service": "shop"}})).await["id"]
                .clone();
        // With `asStatus`, a gate that has not decided says so by its status.
        let mut config = String::from(
            "[[operations]]\ninclude-path = \"/gate\"\n\
             checks.not_a_server_error.expected-statuses = [\"2xx\", \"4xx\", \"503\"]\n\n",
        );
        for (path, value) in [
            ("/dead-letters/{id}", &letter),
            ("/dead-letters/{id}/body", &letter),
            ("/dead-letters/error-groups/{id}", &group),
            ("/operations/{id}", &ended),
            ("/operations/{id}/items", &ended),
            ("/operations/{id}/events", &ended),
            ("/operations/plan/{id}", &plan),
        ] {
            let value = value.as_str().unwrap_or_else(|| panic!("nothing for {path}"));
            let entry = format!(
                "[[operations]]\ninclude-path = \"{path}\"\nparameters = {{ \"path.id\" = \"{value}\" }}\n\n"
            );
            config.push_str(&entry);
        }
        config
    }

    /// Has Schemathesis ask, with this token, and returns its report if something is wrong.
    async fn ask(&self, name: &str, token: Option<&str>, config: &str) -> Result<(), String> {
        let folder = PathBuf::from(std::env::var("SCHEMATHESIS").expect("make schemathesis"));
        let file = folder.join(format!("{name}.toml"));
        std::fs::write(&file, config).unwrap();
        let examples = std::env::var("EXAMPLES").unwrap_or_else(|_| "3".into());
        for (operations, further) in PARTS {
            let mut command = Command::new(folder.join("python/bin/st"));
            command.arg("--config-file").arg(&file).arg("run").args(operations);
            command.args(["--checks", &format!("{CHECKS}{further}"), "--max-examples", &examples]);
            command.args(OPTIONS).arg(format!("{}/openapi.json", self.world.api().url()));
            if let Some(token) = token {
                command.args(["--header", &format!("Authorization: Bearer {token}")]);
            }
            let ran = command.current_dir(&folder).stdin(Stdio::null()).output().await.unwrap();
            if !ran.status.success() {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                return Err(format!("{}{}", text(&ran.stdout), text(&ran.stderr)));
            }
        }
        Ok(())
    }

    /// The statuses that the routes of the API have answered with.
    async fn statuses(&self) -> BTreeSet<String> {
        let metrics = String::from_utf8(self.world.service.admin.get("/metrics").await.bytes).unwrap();
        let label = |line: &str, name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        let counts =
            metrics.lines().filter(|line| line.starts_with("http_server_request_duration_seconds_count{"));
        let of_routes = counts.filter(|line| {
            label(line, "http_route")
                .is_some_and(|route| route.starts_with("/dead-letters") || route.starts_with("/operations"))
        });
        of_routes.filter_map(|line| label(line, "http_response_status_code")).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Schemathesis: make schemathesis"]
async fn of_an_open_service() {
    // Whoever has no token may do everything here.
    let open = [&UNLIMITED[..], &[("DEAD_LETTER_UNAUTHENTICATED", "yes")]].concat();
    let stand = Stand::start(&open).await;
    let config = stand.fill().await;
    stand.ask("open", None, &config).await.unwrap_or_else(|report| panic!("{report}"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Schemathesis: make schemathesis"]
async fn of_callers_who_have_signed_in() {
    let stand = Stand::start(&UNLIMITED).await;
    let config = stand.fill().await;
    let squad = stand.ask("squad", Some(&stand.squad), &config).await;
    let all = stand.ask("all", Some(&stand.all), &config).await;
    squad.and(all).unwrap_or_else(|report| panic!("{report}"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Schemathesis: make schemathesis"]
async fn of_strangers_is_answered_with_401() {
    for (name, token) in [("none", None), ("garbage", Some("dlt_garbage"))] {
        let stand = Stand::start(&UNLIMITED).await;
        stand.ask(name, token, "").await.unwrap_or_else(|report| panic!("{report}"));
        let statuses = stand.statuses().await;
        let expected = ["401", "405"].map(String::from);
        assert!(
            statuses.contains("401") && statuses.iter().all(|status| expected.contains(status)),
            "{statuses:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Schemathesis: make schemathesis"]
async fn of_a_caller_over_its_limits() {
    let stand =
        Stand::start(&[("DEAD_LETTER_REQUESTS_PER_SECOND", "5"), ("DEAD_LETTER_STREAMS_PER_CALLER", "1")])
            .await;
    let config = stand.fill().await;
    stand.ask("limits", Some(&stand.all), &config).await.unwrap_or_else(|report| panic!("{report}"));
    assert!(stand.statuses().await.contains("429"));
}
