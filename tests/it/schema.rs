//! Releases beside each other on one database, databases that cannot be used, and addresses of databases that lead nowhere.

use std::process::{Command, Stdio};

use dead_letter::domain::identity::former_redelivery_id;
use dead_letter::store::migrator;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

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
    let service = Service::start(&database.url, &broker.served_url(), &source.name, &[]);
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
    let service = Service::start(&database.url, &broker.served_url(), &source.name, &[]);
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

/// A migration waits for a backup, and those who want the table that it changes do not wait behind it.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_waits_for_a_backup_holds_nobody_up() {
    let database = Database::shared().await;
    let mut before = migrator();
    let last = before.migrations.to_mut().pop().unwrap().version;
    before.run(&database.pool).await.unwrap();
    let mut backup = database.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE error_group IN ACCESS SHARE MODE").execute(&mut *backup).await.unwrap();
    let mut migrating = Command::new(env!("CARGO_BIN_EXE_dead-letter"))
        .args(["migrate", "--database-url", &database.url])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'error_group'::regclass";
    until("the migration waits for the backup", || async {
        let count: i64 = sqlx::query_scalar(waiting).fetch_one(&database.pool).await.unwrap();
        (count > 0).then_some(())
    })
    .await;
    let mut ingest = database.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL lock_timeout = '20s'").execute(&mut *ingest).await.unwrap();
    let read = sqlx::query("SELECT count(*) FROM error_group").execute(&mut *ingest).await;
    assert!(read.is_ok(), "it waited behind the migration: {read:?}");
    drop(ingest);
    assert!(migrating.try_wait().unwrap().is_none(), "the migration waits");
    backup.commit().await.unwrap();
    let status = until("the migration ends", || {
        let ended = migrating.try_wait().unwrap();
        async move { ended }
    })
    .await;
    assert!(status.success(), "{status}");
    let applied = "SELECT max(version) FROM _sqlx_migrations";
    let applied: i64 = sqlx::query_scalar(applied).fetch_one(&database.pool).await.unwrap();
    assert_eq!(applied, last);
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

/// What the release before stored and did is as it was: statuses, items of operations and their redelivery ids, and what they still hold.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_release_before_stored_is_as_it_was() {
    let database = Database::shared().await;
    let run = async |file: &std::path::Path| {
        let sql = std::fs::read_to_string(file).unwrap();
        let mut transaction = database.pool.begin().await.unwrap();
        sqlx::raw_sql(&sql).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    };
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    let mut files: Vec<_> = folder.map(|file| file.unwrap().path()).collect();
    files.sort();
    let (before, since): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| file.file_name().unwrap().to_str().unwrap() < "0012");
    for file in before {
        run(file).await;
    }
    // Of each status a hundred, on two days; an operation with items of every outcome, neighbours and not, in three chunks.
    sqlx::raw_sql(
        "SELECT dead_letter_create_partition(current_date); SELECT dead_letter_create_partition(current_date - 1); \
         INSERT INTO dead_letter (id, source, service, properties, body, status) \
             SELECT encode(substring(uuid_send(dead_letter_floor_id(current_date - n % 2)) FOR 12) || int4send(n), 'hex')::uuid, 'q', 's' || n % 3, '', 'x', \
                 (ARRAY['dead', 'redelivered', 'deleted'])[1 + n % 3]::dead_letter_status \
             FROM generate_series(1, 600) n; \
         INSERT INTO operation (id, kind, selection, target, requested_by, request_hash, total, created_at, next_chunk_at) \
             SELECT gen_random_uuid(), 'redeliver', '{}', '{}', 'somebody', gen_random_uuid(), 600, now(), now(); \
         INSERT INTO operation_item (operation_id, position, dead_letter_id, outcome, detail, settled_at, returned_as, returned_group) \
             SELECT o.id, d.position, d.id, i.outcome, CASE WHEN i.outcome IN ('refused', 'skipped') THEN 'why ' || d.position / 2 END, \
                 CASE WHEN i.outcome IS NOT NULL THEN now() END, CASE i.outcome WHEN 'returned' THEN gen_random_uuid() END, \
                 CASE i.outcome WHEN 'returned' THEN gen_random_uuid() END \
             FROM operation o, (SELECT id, row_number() OVER (ORDER BY id) AS position FROM dead_letter) d, \
                 LATERAL (SELECT CASE WHEN d.position < 200 THEN 'sent' WHEN d.position > 560 THEN NULL \
                     ELSE (ARRAY['sent', 'sent', 'returned', 'refused', 'refused', 'skipped', NULL])[1 + d.position % 7] END AS outcome) i",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let published: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT operation_id, dead_letter_id FROM operation_item WHERE outcome IN ('sent', 'returned', 'refused')",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    for (operation, dead_letter) in published {
        sqlx::query(
            "UPDATE operation_item SET redelivery_id = $1 WHERE operation_id = $2 AND dead_letter_id = $3",
        )
        .bind(former_redelivery_id(operation, dead_letter))
        .bind(operation)
        .bind(dead_letter)
        .execute(&database.pool)
        .await
        .unwrap();
    }
    let items = "SELECT json_agg(json_build_object('position', position, 'id', dead_letter_id, 'outcome', outcome, 'detail', detail, \
         'redelivery', redelivery_id, 'at', settled_at, 'as', returned_as) ORDER BY position)::text FROM operation_item";
    let all =
        async |query: &str| -> String { sqlx::query_scalar(query).fetch_one(&database.pool).await.unwrap() };
    let statuses =
        |table: &str| format!("SELECT json_agg(json_build_array(id, status) ORDER BY id)::text FROM {table}");
    let (items_before, statuses_before) = (all(items).await, all(&statuses("dead_letter")).await);
    let open = all("SELECT json_agg(dead_letter_id ORDER BY dead_letter_id)::text FROM operation_item WHERE outcome IS NULL").await;

    for file in since {
        run(file).await;
    }
    assert_eq!(all(items).await, items_before);
    assert_eq!(all(&statuses("dead_letter_now")).await, statuses_before);
    assert_eq!(
        all("SELECT json_agg(dead_letter_id ORDER BY dead_letter_id)::text FROM operation_claim").await,
        open
    );
    let astray = "SELECT count(*)::text FROM operation_item i WHERE redelivery_id IS NOT NULL AND ( \
         SELECT jsonb_agg(r) FROM dead_letter_redelivery(i.redelivery_id) r) IS DISTINCT FROM jsonb_build_array( \
         jsonb_build_object('operation_id', operation_id, 'position', position, 'dead_letter_id', dead_letter_id))";
    assert_eq!(all(astray).await, "0", "a redelivery id leads to its item");
    let chunks = "SELECT json_agg(json_build_array(first_position, last_position) ORDER BY first_position)::text FROM operation_chunk";
    assert_eq!(all(chunks).await, "[[1, 250], [251, 500], [501, 600]]");
}
