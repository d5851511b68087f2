//! The role that serves need not own the tables, and cannot change what it must not.

use std::process::Command;

use sqlx::PgPool;

use crate::support::{Database, DeadMessage, World, id};

/// Everything else in these tests runs as this role; here is what it may not do.
#[tokio::test(flavor = "multi_thread")]
async fn the_role_that_serves_cannot_change_the_record_or_the_schema() {
    let world = World::start().await;
    world.publish(DeadMessage::new(&id(), "a_service")).await;
    world.until_stored(1).await;
    let serving = PgPool::connect(&world.database.url).await.unwrap();
    for sql in [
        "UPDATE audit_entry SET actor = 'somebody else'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "DELETE FROM audit_seal",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON audit_entry",
        "DROP TABLE audit_entry",
        "UPDATE _sqlx_migrations SET checksum = ''",
        "DROP TABLE dead_letter",
        "TRUNCATE dead_letter",
        "ALTER TABLE dead_letter ADD COLUMN x int",
        "CREATE TABLE dead_letter_x (x int)",
        "CREATE OR REPLACE FUNCTION dead_letter_drop_days(days date[]) RETURNS void LANGUAGE sql AS ''",
    ] {
        let error = sqlx::query(sql).execute(&serving).await.unwrap_err();
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
        assert_eq!(code, "42501", "{sql}: {error}");
    }
    // What only the owner can do, and serving needs.
    let tomorrow = "SELECT dead_letter_create_partition(current_date + 30)";
    sqlx::query(tomorrow).execute(&serving).await.unwrap();
    sqlx::query("SELECT dead_letter_analyze_grown(0)").execute(&serving).await.unwrap();
    sqlx::query("SELECT dead_letter_drop_days(ARRAY[current_date + 30])").execute(&serving).await.unwrap();
    // A table of its own does not stand in for one of ours.
    sqlx::raw_sql("CREATE TEMPORARY TABLE dead_letter (id uuid); SELECT dead_letter_create_partition(current_date + 31)")
        .execute(&mut *serving.acquire().await.unwrap())
        .await
        .unwrap();
    let made: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'public.dead_letter'::regclass",
    )
    .fetch_one(&world.database.pool)
    .await
    .unwrap();
    assert!(made >= 6, "{made} partitions");
    serving.close().await;
}

/// A schema that has to be migrated by somebody else is no outage: what to do is said.
#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_migrate_is_told() {
    let database = Database::shared().await.served().await;
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 16").execute(&database.pool).await.unwrap();
    let mut migrate = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    let ran = migrate.arg("migrate").env("DATABASE_URL", &database.url).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(!ran.status.success() && said.contains("the schema is older than this release"), "{said}");
    assert!(said.contains("dead-letter migrate --grant-to ROLE"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_role_that_does_not_own_the_tables_is_granted() {
    let database = Database::shared().await;
    let store = database.store();
    store.migrate().await.unwrap();
    let owner: String =
        sqlx::query_scalar("SELECT current_user::text").fetch_one(&database.pool).await.unwrap();
    for (role, says) in [("nobody_at_all", "there is no role nobody_at_all"), (owner.as_str(), "owner")] {
        let error = store.grant_to(role).await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    store.close().await;
}
