//! A pool of connections, with settings for all of its statements.
//!
//! Settings and prepared statements belong to a connection. Neither works behind a pooler in transaction mode (`PgBouncer`),
//! which gives every transaction whichever connection is free. There each statement runs in a transaction that begins with the
//! settings, and nothing outlives it.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::postgres::{
    PgConnectOptions, PgPool, PgPoolOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres,
};
use sqlx::{Describe, Either, Execute, Executor};

use super::lease::{Lease, Transaction};

/// The parameter of `DATABASE_URL` that announces a pooler.
const THROUGH_POOLER: &str = "statement-cache-capacity=0";

/// Name and value.
pub(super) type Setting = (&'static str, &'static str);

/// As an [`Executor`] it runs one statement in its own transaction, which is committed if the statement succeeds.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    connections: PgPool,
    /// For a pooler, which keeps no settings.
    pooled: Option<Beginnings>,
    answer_timeout: Option<Duration>,
}

/// Statements that begin a transaction with the settings.
#[derive(Clone, Debug)]
struct Beginnings {
    read: String,
    write: String,
}

/// Whether this URL leads to a pooler.
pub(super) fn is_pooler(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair == THROUGH_POOLER))
}

impl Pool {
    /// Connects on first use. A connection that does not answer for `answer_timeout` is closed.
    pub fn new(
        options: &PgConnectOptions,
        pooler: bool,
        size: u32,
        acquire: Duration,
        answer_timeout: Option<Duration>,
        settings: &[Setting],
    ) -> Self {
        let (options, pooled) = if pooler {
            // The one parameter of sqlx's own that PgBouncer does not know.
            (options.clone().extra_float_digits(None), Some(Beginnings::new(settings)))
        } else {
            (options.clone().options(settings.iter().copied()), None)
        };
        let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(acquire);
        Self { connections: pool.connect_lazy_with(options), pooled, answer_timeout }
    }

    /// A connection for several statements that only read.
    pub async fn acquire(&self) -> sqlx::Result<Lease> {
        let mut lease = self.lease().await?;
        if let Some(beginnings) = &self.pooled {
            lease.open(Some(Cow::Owned(beginnings.read.clone()))).await?;
        }
        Ok(lease)
    }

    pub async fn begin(&self) -> sqlx::Result<Transaction<'static>> {
        let beginning = self.pooled.as_ref().map(|beginnings| Cow::Owned(beginnings.write.clone()));
        self.lease().await?.into_transaction(beginning).await
    }

    async fn lease(&self) -> sqlx::Result<Lease> {
        Ok(Lease::new(self.connections.acquire().await?, self.answer_timeout))
    }

    /// Runs one statement to its end.
    async fn run<'q>(
        &self,
        query: impl Execute<'q, Postgres> + 'q,
    ) -> sqlx::Result<Vec<Either<PgQueryResult, PgRow>>> {
        if self.pooled.is_none() {
            return (&mut self.lease().await?).fetch_many(query).try_collect().await;
        }
        let mut transaction = self.begin().await?;
        let answers = transaction.fetch_many(query).try_collect().await?;
        transaction.commit().await?;
        Ok(answers)
    }

    /// Whether a pooler is in between.
    pub fn is_pooled(&self) -> bool {
        self.pooled.is_some()
    }

    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// Open connections, and the idle ones among them.
    pub fn size(&self) -> (u32, u32) {
        (self.connections.size(), u32::try_from(self.connections.num_idle()).unwrap_or(u32::MAX))
    }
}

impl Beginnings {
    fn new(settings: &[Setting]) -> Self {
        let settings = settings.iter().map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"));
        // sqlx names its statements even if it does not cache them, and other clients have left names on the connection.
        let rest = format!("; DEALLOCATE ALL{}", settings.collect::<String>());
        let of = |begin: &str| format!("{begin}{rest}");
        Self { read: of("BEGIN READ ONLY"), write: of("BEGIN") }
    }
}

impl<'p> Executor<'p> for &'p Pool {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        stream::once(self.run(query)).map_ok(|answers| stream::iter(answers).map(Ok)).try_flatten().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move { Ok(self.run(query).await?.into_iter().find_map(Either::right)) })
    }

    fn prepare_with<'e, 'q: 'e>(
        self,
        sql: &'q str,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement<'q>>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e, 'q: 'e>(self, sql: &'q str) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'p: 'e,
    {
        Box::pin(async move { self.acquire().await?.describe(sql).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_says_that_there_is_a_pooler() {
        assert!(is_pooler("postgres://u@h/d?statement-cache-capacity=0"));
        assert!(is_pooler("postgres://u@h/d?sslmode=disable&statement-cache-capacity=0"));
        assert!(!is_pooler("postgres://u@h/d"));
        assert!(!is_pooler("postgres://u@h/d?statement-cache-capacity=0100"));
    }
}
