//! The schema: migrated, and checked before anything relies on it.
//!
//! Migrations only add, so that releases can run beside each other during an upgrade: one that finds migrations of a later
//! release says so and goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::Row;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;

use super::lease::Lease;
use super::migrations::migrator;
use super::{Store, StoreError};

/// What is known of the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schema {
    /// The database has not answered yet.
    #[default]
    Unknown,
    /// It is as this release needs it.
    Current,
    /// It has what this release needs, and these migrations of a later one, by number and name.
    Newer(Vec<String>),
    /// It cannot be used, for this reason.
    Unusable(String),
}

impl std::fmt::Display for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => write!(f, "not known yet"),
            Self::Current => write!(f, "up to date"),
            Self::Newer(migrations) => write!(
                f,
                "newer than this release ({}), which goes on beside it: a later release has added {}",
                env!("CARGO_PKG_VERSION"),
                migrations.join(", ")
            ),
            Self::Unusable(why) => write!(f, "{why}"),
        }
    }
}

/// What is known of the schema now. Clones know the same.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownSchema(Arc<Mutex<Schema>>);

impl KnownSchema {
    fn set(&self, schema: Schema) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = schema;
    }
}

/// How soon a migration that did not get its locks ([`StoreError::Locked`]) is to be tried again. Others wait for it half a second each
/// time.
pub const LOCKED_RETRY: Duration = Duration::from_secs(5);

impl Store {
    /// What the last [`Self::migrate`] found.
    pub fn schema(&self) -> Schema {
        self.schema.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Brings the schema up to date, where it is not.
    pub async fn migrate(&self) -> Result<Schema, StoreError> {
        let migrated = self.migrate_if_needed().await;
        match &migrated {
            Ok(schema) => self.schema.set(schema.clone()),
            Err(error @ StoreError::Locked(_)) => self.schema.set(Schema::Unusable(error.to_string())),
            Err(error) if error.is_transient() => {}
            Err(error) => self.schema.set(Schema::Unusable(error.to_string())),
        }
        migrated
    }

    /// Looks at the schema without a change. `None` where migrations are missing.
    pub async fn look_at_schema(&self) -> Result<Option<Schema>, StoreError> {
        let mut transaction = self.operations.begin().await?;
        check_encoding(&mut transaction).await?;
        let found = look(&mut transaction).await?;
        transaction.commit().await?;
        Ok(found)
    }

    async fn migrate_if_needed(&self) -> Result<Schema, StoreError> {
        let mut transaction = self.operations.begin().await?;
        check_encoding(&mut transaction).await?;
        let found = if let Some(schema) = look(&mut transaction).await? {
            schema
        } else {
            apply(&mut transaction).await?;
            look(&mut transaction).await?.unwrap_or_default()
        };
        transaction.commit().await?;
        Ok(found)
    }
}

/// Everything that is derived is UTF-8, and a database that cannot hold it would refuse rows for what they say.
async fn check_encoding(connection: &mut Lease) -> Result<(), StoreError> {
    let (encoding, name): (String, String) =
        sqlx::query_as("SELECT current_setting('server_encoding'), current_database()::text")
            .fetch_one(connection)
            .await?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(StoreError::Unusable(format!(
        "the database {name} has the encoding {encoding}, and dead-letter needs UTF8: create one with CREATE DATABASE … \
         ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0, and name it in DATABASE_URL"
    )))
}

/// Compares what was applied with what this release has. `None` where something is to be applied.
async fn look(connection: &mut Lease) -> Result<Option<Schema>, StoreError> {
    let is_there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        return Ok(None);
    }
    let rows = sqlx::query("SELECT version, description, checksum FROM _sqlx_migrations ORDER BY version")
        .fetch_all(connection)
        .await?;
    let mut applied = BTreeMap::new();
    for row in rows {
        let (version, checksum): (i64, Vec<u8>) = (row.try_get("version")?, row.try_get("checksum")?);
        applied.insert(version, (row.try_get::<String, _>("description")?, checksum));
    }
    for migration in migrator().iter() {
        match applied.remove(&migration.version) {
            None => return Ok(None),
            Some((_, checksum)) if *checksum != *migration.checksum => {
                return Err(changed(migration.version));
            }
            Some(_) => {}
        }
    }
    let newer = applied.into_iter().map(|(version, (name, _))| format!("migration {version} ({name})"));
    let newer: Vec<_> = newer.collect();
    Ok(Some(if newer.is_empty() { Schema::Current } else { Schema::Newer(newer) }))
}

/// Of several replicas that start together one applies, and the others wait. All in one transaction: a lock of the session's
/// would stay with whatever connection a pooler gave it.
async fn apply(connection: &mut Lease) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('dead-letter schema', 0))")
        .execute(&mut *connection)
        .await?;
    // Waiting for others has its limit; what a large table needs has none. Whoever wants a table waits behind the migration that waits for
    // it, and requests wait for a second at most.
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *connection).await?;
    sqlx::query("SET LOCAL lock_timeout = '500ms'").execute(&mut *connection).await?;
    let migrator = migrator();
    let migrated = connection.raw(async |connection| migrator.run_direct(connection).await).await?;
    migrated.map_err(|error| match error {
        MigrateError::Execute(error) => not_allowed(error.into()),
        MigrateError::ExecuteMigration(error, version) if is_locked(&error) => StoreError::Locked(version),
        MigrateError::ExecuteMigration(error, version) => not_applied(version, not_allowed(error.into())),
        MigrateError::VersionMismatch(version) => changed(version),
        other => StoreError::Unusable(format!("the schema cannot be brought up to date: {other}")),
    })
}

fn is_locked(error: &sqlx::Error) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

fn changed(version: i64) -> StoreError {
    StoreError::Unusable(format!(
        "the database has migration {version} in another form than this release ({}): it was migrated by a build that was not \
         released. Run that build, or use another database",
        env!("CARGO_PKG_VERSION")
    ))
}

/// What passes is tried again.
/// A role that may not migrate is no outage: it never will by itself.
fn not_allowed(error: StoreError) -> StoreError {
    match error {
        StoreError::NotPermitted => StoreError::Unusable(
            "the schema is older than this release, and the role of DATABASE_URL may not migrate it: run \
             `dead-letter migrate --grant-to ROLE` as the owner of the tables"
                .into(),
        ),
        other => other,
    }
}

fn not_applied(version: i64, error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("migration {version}: {why}")),
        known @ (StoreError::Slow | StoreError::Unusable(_)) => known,
        other => StoreError::Unusable(format!("migration {version} cannot be applied: {other}")),
    }
}
