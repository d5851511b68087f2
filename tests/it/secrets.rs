//! R14: what is secret is nowhere to be read: neither in what the programs print, nor in metrics, spans, refusals or the audit.

use std::path::Path;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::access::{Access, new_token};
use crate::collector::Collector;
use crate::support::{Api, Broker, Database, DeadMessage, free_address, id, text, until, until_eq};

/// What must not be read anywhere, by what it is.
#[derive(Default)]
struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// A secret of this kind.
    fn plant(&mut self, what: &'static str) -> String {
        self.keep(what, format!("Planted{}", uuid::Uuid::new_v4().simple()))
    }

    fn keep(&mut self, what: &'static str, secret: String) -> String {
        self.0.push((what, secret.clone()));
        secret
    }

    fn assert_none_in(&self, place: &str, text: &str) {
        for (what, secret) in &self.0 {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(found, None, "{what} in {place}");
        }
    }
}

/// All that a program prints, which ends by itself, or is ended after it has said that it waits.
async fn printed(arguments: &[&str], settings: &[(&str, &str)]) -> String {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    command.args(arguments).env("XDG_CONFIG_HOME", "/nonexistent").envs(settings.iter().copied());
    let appended = || std::fs::OpenOptions::new().append(true).open(log.path()).unwrap();
    let (out, err) = (appended(), appended());
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap();
    let read = || std::fs::read_to_string(log.path()).unwrap();
    let running = std::cell::RefCell::new(&mut child);
    until("it ends, or says what it waits for", || async {
        let ended = running.borrow_mut().try_wait().unwrap().is_some();
        (ended || read().contains("ERROR") || read().contains("WARN")).then_some(())
    })
    .await;
    let _ = child.kill();
    child.wait().unwrap();
    assert!(!read().is_empty(), "{arguments:?} {settings:?}");
    read()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Each way to start wrongly, with secrets in the settings.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_start_tells_no_secret() {
    let (mut secrets, folder) = (Secrets::default(), TempDir::new().unwrap());
    let mut plant = |what| secrets.plant(what);
    let nowhere = free_address();
    let (http, admin) = (free_address(), free_address());
    let database = format!("postgres://u:{}@{nowhere}/d", plant("password of the database"));
    let encoded = format!("postgres://u:{}%2F@{nowhere}/d", plant("encoded password of the database"));
    let no_url = format!("postgres://u:{}@[/d", plant("password in what is no URL"));
    let remote =
        format!("postgres://u:{}@db.example/d?sslmode=disable", plant("password of a remote database"));
    let broker = format!("amqp://u:{}@{nowhere}/%2f", plant("password of the broker"));
    let no_broker = format!("amqp:/u:{}@h", plant("password of what is no broker"));
    let of_database =
        write(folder.path(), "database", &format!("postgres://u:{}@[", plant("DATABASE_URL_FILE")));
    let of_broker =
        write(folder.path(), "broker", &format!("amqps://u:{}@{nowhere}", plant("AMQP_URL_FILE")));
    let key = write(folder.path(), "key", &format!("-----BEGIN PRIVATE KEY-----\n{}\n", plant("client key")));
    let tokens = write(folder.path(), "tokens", &format!("tokens: [{}", plant("tokens file")));
    let brokers =
        format!("brokers:\n  - {{name: a, url: 'amqp://u:{}@h', what: 1}}\n", plant("brokers file"));
    let brokers = write(folder.path(), "brokers", &brokers);
    let collector = format!("http://u:{}@{nowhere}", plant("user of the collector"));
    let headers = format!("authorization={}", plant("headers for the collector"));
    let token = plant("token of the command line");
    let base = [("HTTP_ADDR", http.as_str()), ("ADMIN_ADDR", &admin), ("DEAD_LETTER_LOG", "debug,lapin=off")];
    let cases: [&[(&str, &str)]; 12] = [
        &[("DATABASE_URL", &database)],
        &[("DATABASE_URL", &encoded)],
        &[("DATABASE_URL", &no_url)],
        &[("DATABASE_URL", &remote)],
        &[("DATABASE_URL_FILE", &of_database)],
        &[("AMQP_URL", &broker), ("DATABASE_URL", &database)],
        &[("AMQP_URL", &no_broker)],
        &[("AMQP_URL_FILE", &of_broker), ("DATABASE_URL", &database)],
        &[
            ("DEAD_LETTER_CLIENT_KEY_FILE", &key),
            ("DEAD_LETTER_CLIENT_CERTIFICATE_FILE", &key),
            ("DATABASE_URL", &remote),
        ],
        &[("DEAD_LETTER_TOKENS_FILE", &tokens), ("DATABASE_URL", &database)],
        &[("DEAD_LETTER_BROKERS_FILE", &brokers), ("DATABASE_URL", &database)],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector),
            ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
            ("DATABASE_URL", &database),
        ],
    ];
    for case in cases {
        let said = printed(&["serve"], &[&base[..], case].concat()).await;
        secrets.assert_none_in(&format!("the log of {:?}", case[0].0), &said);
    }
    let all = [
        ("DATABASE_URL", database.as_str()),
        ("AMQP_URL", &broker),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ("DEAD_LETTER_TOKEN", &token),
        ("DEAD_LETTER_SERVER", &collector),
    ];
    for command in ["serve", "migrate", "audit", "ls", "redeliver", "login", "watch"] {
        secrets.assert_none_in(&format!("{command} --help"), &printed(&[command, "--help"], &all).await);
    }
    secrets.assert_none_in("ls", &printed(&["ls"], &all).await);
    assert!(secrets.0.len() >= 14);
}

/// Asks for what messages hold, and changes it.
async fn ask_of_payloads(api: &Api, token: &str, payloads: &mut Secrets) {
    for asked in ["contains", "header.tenant", "body.tenant", "find"] {
        let path = format!("/dead-letters?{asked}={}", payloads.plant("what is searched for"));
        api.send(api.request(Method::GET, &path).bearer_auth(token)).await.assert(200);
    }
    let redeliver = |body: Value| {
        api.send(api.request(Method::POST, "/dead-letters/redeliver?wait=10").bearer_auth(token).json(&body))
    };
    let patch = json!([{"op": "replace", "path": "/a", "value": payloads.plant("value in a patch")}]);
    let key = payloads.plant("idempotency key");
    let edited = json!({"all": true, "filter": {}, "edit": {"patch": patch}, "idempotencyKey": key});
    redeliver(edited).await.assert(200);
    redeliver(json!({"all": true, "filter": {}})).await.assert(200);
}

/// Shows what is no good token, wherever a caller may put one. Returns all answers.
async fn be_refused(api: &Api, token: &str, credentials: &mut Secrets) -> String {
    let mut answers = String::new();
    for path in ["/dead-letters?token=", "/dead-letters?access_token=", "/operations?authorization="] {
        let path = format!("{path}{}", credentials.plant("token in a query"));
        let answer = api.send(api.request(Method::GET, &path).bearer_auth(token)).await.assert(400);
        answers += &String::from_utf8_lossy(&answer.bytes);
    }
    let three_parts = format!("eyJhbGciOiJSUzI1NiJ9.{0}.{0}", credentials.plant("token of an issuer"));
    for header in [
        format!("Bearer {}", credentials.plant("bad token")),
        format!("Bearer dlt_{}", credentials.plant("unknown token")),
        format!("Bearer {three_parts}"),
        format!("Basic {}", credentials.plant("basic")),
    ] {
        let request = api.request(Method::GET, "/operations").header("authorization", header);
        let request = request
            .header("cookie", credentials.plant("cookie"))
            .header("x-api-key", credentials.plant("another header"));
        answers += &String::from_utf8_lossy(&api.send(request).await.assert(401).bytes);
    }
    answers
}

/// The service in use, with callers who are let in and refused, and messages that fail in all ways.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_in_use_tells_no_secret() {
    let (mut credentials, mut payloads) = (Secrets::default(), Secrets::default());
    let (broker, database) = (Broker::shared().await, Database::shared().await.served().await);
    let source = broker.declare_source(&[]).await;
    let access = Access::to_everyone();
    let (token, entry) = new_token("one");
    access.know(&[&entry]);
    credentials.keep("good token", token.clone());
    // The test servers trust whoever comes from this machine.
    let password = credentials.plant("password of the database");
    let url = database.url.replace(":serving@", &format!(":{password}@"));
    assert!(url.contains(&password));
    let (collector, url_of_collector) = Collector::start().await;
    let headers = format!("authorization={}", credentials.plant("headers for the collector"));
    let (http, admin) = (free_address(), free_address());
    let log = tempfile::NamedTempFile::new().unwrap();
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("AMQP_URL", &broker.url),
        ("HTTP_ADDR", &http),
        ("ADMIN_ADDR", &admin),
        ("DEAD_LETTER_SOURCES", &source.name),
        ("DEAD_LETTER_LOG", "debug,lapin=off"),
        ("DEAD_LETTER_DRAIN_DELAY", "0s"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &url_of_collector),
        ("OTEL_EXPORTER_OTLP_HEADERS", &headers),
        ("OTEL_METRICS_EXPORTER", "otlp"),
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    command.arg("serve").envs(settings).envs(access.settings()).stdin(Stdio::null());
    let service = command.stderr(log.reopen().unwrap()).spawn().unwrap();
    let (api, admin) = (Api::new(&http), Api::new(&admin));
    let ready = || async {
        admin
            .try_send(admin.request(Method::GET, "/health/ready"))
            .await
            .filter(|answer| answer.status == 200)
    };
    until("the service is ready", ready).await;

    let message = DeadMessage::new(&payloads.plant("message id"), &format!("gone-{}", id()))
        .body(payloads.plant("body"))
        .error("E", &payloads.plant("error text"))
        .header("tenant", text(&payloads.plant("value of a header")));
    broker
        .publish(
            &source.name,
            "dead",
            &message.properties(|p| p.with_correlation_id(payloads.plant("correlation id").into())),
        )
        .await;
    until_eq("stored", 1, || database.count("dead_letter")).await;
    ask_of_payloads(&api, &token, &mut payloads).await;
    let refusals = be_refused(&api, &token, &mut credentials).await;
    let refused = "SELECT count(*) FROM audit_entry WHERE action = 'unauthenticated'";
    let refused = || async { sqlx::query_scalar::<_, i64>(refused).fetch_one(&database.pool).await.unwrap() };
    until("the refusals are in the audit", || async { (refused().await > 0).then_some(()) }).await;

    let metrics = String::from_utf8(admin.get("/metrics").await.bytes).unwrap();
    let audit: String = sqlx::query_scalar("SELECT string_agg(a::text, E'\\n') FROM audit_entry a")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let sent = Command::new("kill").arg("-TERM").arg(service.id().to_string()).status().unwrap();
    assert!(sent.success());
    let service = std::cell::RefCell::new(service);
    until("the service ends", || async { service.borrow_mut().try_wait().unwrap() }).await;
    let (log, sent) = (std::fs::read_to_string(log.path()).unwrap(), collector.text());
    assert!(
        sent.contains("http request")
            && sent.contains("dead_letter_ingested_total")
            && log.contains("Request handled")
            && audit.contains("unauthenticated")
    );
    for secrets in [&credentials, &payloads] {
        for (place, text) in [("the log", &log), ("metrics", &metrics), ("what the collector is sent", &sent)]
        {
            secrets.assert_none_in(place, text);
        }
    }
    credentials.assert_none_in("refusals", &refusals);
    credentials.assert_none_in("the audit", &audit);
    assert!(credentials.0.len() + payloads.0.len() >= 20);
}
