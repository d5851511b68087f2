//! What `dead-letter doctor` asks the database. Nothing is changed.

use chrono::{DateTime, Utc};

use super::{Schema, Store, StoreError};

/// Our tables, by the beginnings of their names.
const TABLES: &str = "^(_sqlx_migrations|audit_|catalog_|dead_letter|deployment|error_group|former_redelivery|home_place|incident|ingest_life|\
                      known_broker|notification|operation|served_place|source_reading)";

/// The database, as it was found.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The version of PostgreSQL, such as `150020`.
    pub version: i32,
    /// Its time, and ours before and after the question.
    pub clock: (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>),
    /// Settings that give up durability, with their values.
    pub not_durable: Vec<(String, String)>,
    /// The schema. `None` where migrations are missing.
    pub schema: Option<Schema>,
    /// The role of the connection.
    pub role: String,
    /// What the role lacks, such as `UPDATE on operation`. Empty where migrations are missing.
    pub lacking: Vec<String>,
}

impl Store {
    /// Examines the database.
    pub async fn examine(&self, now: fn() -> DateTime<Utc>) -> Result<Examined, StoreError> {
        let (version, role): (i32, String) =
            sqlx::query_as("SELECT current_setting('server_version_num')::int, current_user::text")
                .fetch_one(&self.health)
                .await?;
        let before = now();
        let theirs = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&self.health).await?;
        let clock = (before, theirs, now());
        let not_durable = sqlx::query_as(
            "SELECT name, setting FROM pg_settings \
             WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name",
        )
        .fetch_all(&self.health)
        .await?;
        let (schema, lacking) = match self.look_at_schema().await {
            Ok(Some(schema)) => (Some(schema), self.lacking().await?),
            Ok(None) => (None, Vec::new()),
            Err(StoreError::NotPermitted) => {
                (Some(Schema::Unknown), vec!["SELECT on _sqlx_migrations".to_owned()])
            }
            Err(error) => (Some(Schema::Unusable(error.to_string())), Vec::new()),
        };
        Ok(Examined { version, clock, not_durable, schema, role, lacking })
    }

    /// The privileges that [`Store::grant_to`] grants, and this role lacks.
    async fn lacking(&self) -> Result<Vec<String>, StoreError> {
        let lacking = sqlx::query_scalar(
            "SELECT format('%s on %s', wanted, c.relname) FROM pg_class c, unnest(CASE \
                WHEN c.relname IN ('audit_entry', 'audit_seal') THEN ARRAY['SELECT', 'INSERT'] \
                WHEN c.relname = '_sqlx_migrations' THEN ARRAY['SELECT'] \
                ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'] END) AS wanted \
             WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition \
                AND c.relname ~ $1 AND NOT has_table_privilege(c.oid, wanted) \
             UNION ALL \
             SELECT format('EXECUTE on %s', p.proname) FROM pg_proc p \
             WHERE p.pronamespace = current_schema()::regnamespace \
                AND p.proname IN ('dead_letter_create_partition', 'dead_letter_drop_days', 'dead_letter_analyze_grown') \
                AND NOT has_function_privilege(p.oid, 'EXECUTE') \
             UNION ALL \
             SELECT 'TEMPORARY on the database' WHERE NOT has_database_privilege(current_database(), 'TEMPORARY') \
             ORDER BY 1",
        )
        .bind(TABLES)
        .fetch_all(&self.health)
        .await?;
        Ok(lacking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_migrations_is_examined() {
        let (ours, made) = (
            regex::Regex::new(TABLES).unwrap(),
            regex::Regex::new(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(\w+)").unwrap(),
        );
        let migrator = crate::store::migrator();
        let tables: Vec<_> = migrator
            .iter()
            .flat_map(|migration| made.captures_iter(&migration.sql).map(|found| found[1].to_owned()))
            .collect();
        assert!(tables.len() > 20);
        for table in tables {
            assert!(ours.is_match(&table), "{table}");
        }
    }
}
