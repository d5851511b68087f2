//! Releases beside each other on one database, databases that cannot be used, and addresses of databases that lead nowhere.

use std::process::Command;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Broker, Database, DeadMessage, Service, free_address, id, until, until_eq};

/// What readiness says as soon as this holds for it.
async fn readiness(service: &Service, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    until(what, || async {
        let answer = service.admin.try_send(service.admin.request(Method::GET, "/health/ready")).await?;
        holds(&answer.json).then_some(answer.json)
    })
    .await
}

fn schema_says(part: &str) -> impl Fn(&Value) -> bool {
    let part = part.to_owned();
    move |ready| ready["schema"].as_str().is_some_and(|schema| schema.contains(&part))
}

/// A later release has migrated the database: this one goes on beside it, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_release_goes_on_beside_a_newer_schema() {
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    database.store().migrate().await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of tomorrow', true, '\\x00', 0)",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    sqlx::query("ALTER TABLE dead_letter ADD COLUMN of_tomorrow text").execute(&database.pool).await.unwrap();
    let source = broker.declare_source(&[]).await;
    let service = Service::start(&database.url, &broker.url, &source.name, &[]);
    service.until_ready().await;
    let ready = service.admin.get("/health/ready").await.assert(200).json;
    let schema = ready["schema"].as_str().unwrap();
    assert!(schema.contains("newer than this release") && schema.contains("9999 (of tomorrow)"), "{schema}");
    broker.publish(&source.name, "dead", &DeadMessage::new(&id(), "q_s")).await;
    until_eq("it stores", 1, || database.count("dead_letter")).await;
}

/// One of our own migrations is not what it was: nothing is done with such a database, and health says why; it goes on once that is
/// mended.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_was_changed_is_said_and_health_is_served() {
    let (broker, database) = (Broker::shared().await, Database::shared().await);
    database.store().migrate().await.unwrap();
    let change = "UPDATE _sqlx_migrations SET checksum = checksum || '\\x00' WHERE version = 3";
    sqlx::query(change).execute(&database.pool).await.unwrap();
    let source = broker.declare_source(&[]).await;
    let service = Service::start(&database.url, &broker.url, &source.name, &[]);
    let ready = readiness(&service, "it says why", schema_says("migration 3 in another form")).await;
    assert_eq!((&ready["ready"], &ready["database"]), (&Value::from(false), &Value::from("answers")));
    let mend =
        "UPDATE _sqlx_migrations SET checksum = substr(checksum, 1, length(checksum) - 1) WHERE version = 3";
    sqlx::query(mend).execute(&database.pool).await.unwrap();
    service.until_ready().await;
}

/// A database that cannot hold every text is refused with a reason, by `serve` and by `migrate`.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_utf8_is_refused_with_a_reason() {
    let broker = Broker::shared().await;
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let database = Database::in_encoding(encoding).await;
        let service = Service::start(&database.url, &broker.url, "", &[]);
        let ready = readiness(&service, "it says why", schema_says(encoding)).await;
        assert_eq!(ready["ready"], false);
        assert!(ready["schema"].as_str().unwrap().contains("ENCODING 'UTF8'"), "{ready}");
        let migrate = Command::new(env!("CARGO_BIN_EXE_dead-letter"))
            .args(["migrate", "--database-url", &database.url])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&migrate.stderr).into_owned();
        assert!(!migrate.status.success() && said.contains(encoding), "{said}");
    }
}

/// The address names several servers, of which the client library knows one.
#[tokio::test]
async fn an_address_of_several_databases_is_refused_with_what_to_do() {
    for url in [
        "postgres://u:secret@a,b/db?target_session_attrs=read-write",
        "postgres://u:secret@a:1,b:2/db",
        "postgres://u:secret@/db?host=a,b",
    ] {
        let serve = Command::new(env!("CARGO_BIN_EXE_dead-letter"))
            .arg("serve")
            .envs([("DATABASE_URL", url), ("HTTP_ADDR", &free_address()), ("ADMIN_ADDR", &free_address())])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&serve.stderr).into_owned();
        assert!(!serve.status.success() && said.contains("several hosts. Name one"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
