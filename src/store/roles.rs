//! The role that serves: it works with the tables, and does not own them.

use super::{Store, StoreError};

/// What the role may do, in this order. `%1$I` is the schema, `%2$I` the role.
const GRANTS: [&str; 7] = [
    "GRANT USAGE ON SCHEMA %1$I TO %2$I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO %2$I",
    "REVOKE ALL ON audit_entry, audit_seal, _sqlx_migrations FROM %2$I",
    "GRANT SELECT, INSERT ON audit_entry, audit_seal TO %2$I",
    "GRANT SELECT ON _sqlx_migrations TO %2$I",
    "GRANT EXECUTE ON FUNCTION dead_letter_create_partition(date), dead_letter_drop_days(date[]), \
     dead_letter_analyze_grown(bigint) TO %2$I",
    // Recounting needs a temporary table.
    "GRANT TEMPORARY ON DATABASE %3$I TO %2$I",
];

impl Store {
    /// Grants a role what serving needs, and no more. The role must exist, and must not be the owner.
    pub async fn grant_to(&self, role: &str) -> Result<(), StoreError> {
        let mut transaction = self.operations.begin().await?;
        let is_owner: Option<bool> = sqlx::query_scalar(
            "SELECT pg_has_role(r.oid, c.relowner, 'USAGE') FROM pg_roles r, pg_class c \
             WHERE r.rolname = $1 AND c.oid = 'dead_letter'::regclass",
        )
        .bind(role)
        .fetch_optional(&mut *transaction)
        .await?;
        match is_owner {
            None => {
                return Err(StoreError::Unusable(format!("there is no role {role}: CREATE ROLE makes it")));
            }
            Some(true) => {
                let message =
                    format!("{role} has the rights of the tables' owner: grant to a role of its own");
                return Err(StoreError::Unusable(message));
            }
            Some(false) => {}
        }
        for grant in GRANTS {
            let statement: String =
                sqlx::query_scalar("SELECT format($1, current_schema(), $2::text, current_database())")
                    .bind(grant)
                    .bind(role)
                    .fetch_one(&mut *transaction)
                    .await?;
            sqlx::query(&statement).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}
