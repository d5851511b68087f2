//! A database of its own for each test.

use dead_letter::store::{PoolSettings, Store};
use sqlx::{Connection, PgConnection, PgPool};

use super::clean_up;

/// Dropped with the value.
pub struct Database {
    pub url: String,
    pub pool: PgPool,
    admin_url: String,
    name: String,
    role: Option<String>,
}

impl Database {
    /// On the shared server.
    pub async fn shared() -> Self {
        let url = std::env::var("DATABASE_URL");
        Self::on(&url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into())).await
    }

    /// As the service should have it: migrated by the owner, and used by a role that does not own the tables.
    pub async fn served(mut self) -> Self {
        let role = format!("serving_{}", self.name);
        let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'serving'");
        sqlx::query(&create).execute(&self.pool).await.unwrap();
        let owner = self.store();
        owner.migrate().await.unwrap();
        owner.grant_to(&role).await.unwrap();
        owner.close().await;
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let (_, server) = rest.rsplit_once('@').unwrap();
        self.url = format!("{scheme}://{role}:serving@{server}");
        self.role = Some(role);
        self
    }

    /// On the server of this URL.
    pub async fn on(admin_url: &str) -> Self {
        Self::made(admin_url, "").await
    }

    /// On the shared server, in this encoding.
    pub async fn in_encoding(encoding: &str) -> Self {
        let url = std::env::var("DATABASE_URL");
        let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into());
        Self::made(&url, &format!(" ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")).await
    }

    async fn made(admin_url: &str, how: &str) -> Self {
        let name = format!("it_{}", uuid::Uuid::new_v4().simple());
        let mut admin =
            PgConnection::connect(admin_url).await.expect("DATABASE_URL leads to a server: try make test");
        sqlx::query(&format!("CREATE DATABASE {name}{how}")).execute(&mut admin).await.unwrap();
        let (server, _) = admin_url.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        Self {
            pool: PgPool::connect_lazy(&url).unwrap(),
            url,
            admin_url: admin_url.to_owned(),
            name,
            role: None,
        }
    }

    /// The store of the service, on this database.
    pub fn store(&self) -> Store {
        Store::new(&self.url, PoolSettings { ingest: 2, http: 4, operations: 4, ..PoolSettings::default() })
            .unwrap()
    }

    /// Rows of a table; -1 while it cannot be told.
    pub async fn count(&self, table: &'static str) -> i64 {
        let query = format!("SELECT count(*) FROM {table}");
        sqlx::query_scalar(&query).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    pub async fn assert_counters_exact(&self) {
        assert_eq!(self.store().recount().await.unwrap(), [], "counters that differ from a recount");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (url, name, role) = (self.admin_url.clone(), self.name.clone(), self.role.take());
        clean_up(async move {
            if let Ok(mut admin) = PgConnection::connect(&url).await {
                let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                let _ = sqlx::query(&drop).execute(&mut admin).await;
                if let Some(role) = role {
                    let _ = sqlx::query(&format!("DROP ROLE {role}")).execute(&mut admin).await;
                }
            }
        });
    }
}
