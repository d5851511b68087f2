//! A pool of connections, and the settings that hold for each of its statements.
//!
//! Settings go with the connection, and statements are prepared once for each. Neither works behind a pooler in transaction mode
//! (`PgBouncer`), which gives every transaction the connection that happens to be free: there each statement is in a
//! transaction, which begins with the settings, and nothing is kept beyond its end.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Postgres, Transaction};

/// What says in `DATABASE_URL` that a pooler is in between.
const THROUGH_POOLER: &str = "statement-cache-capacity=0";

/// Name and value.
pub(super) type Setting = (&'static str, &'static str);

#[derive(Clone, Debug)]
pub(super) struct Pool {
    connections: PgPool,
    /// What begins a transaction with its settings, where connections cannot have them.
    begin: Option<String>,
}

/// A connection, for as long as it is wanted.
pub(super) enum Lease {
    Connection(PoolConnection<Postgres>),
    /// Given back without [`Lease::done`], it did nothing but read.
    Transaction(Transaction<'static, Postgres>),
}

/// Whether this URL leads to a pooler.
pub(super) fn is_pooler(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair == THROUGH_POOLER))
}

impl Pool {
    /// Connects when first asked to.
    pub fn new(
        options: &PgConnectOptions,
        pooler: bool,
        size: u32,
        acquire: Duration,
        settings: &[Setting],
    ) -> Self {
        let (options, begin) = if pooler {
            let settings = settings.iter().map(|(name, value)| format!("; SET LOCAL {name} = '{value}'"));
            // sqlx names its statements even where it does not keep them, and others' names lie about on the connection.
            let begin = format!("BEGIN; DEALLOCATE ALL{}", settings.collect::<String>());
            // The one parameter of sqlx's own that PgBouncer does not know.
            (options.clone().extra_float_digits(None), Some(begin))
        } else {
            (options.clone().options(settings.iter().copied()), None)
        };
        let pool = PgPoolOptions::new().max_connections(size).acquire_timeout(acquire);
        Self { connections: pool.connect_lazy_with(options), begin }
    }

    /// For a statement on its own.
    pub async fn acquire(&self) -> Result<Lease, sqlx::Error> {
        if self.begin.is_some() {
            return Ok(Lease::Transaction(self.begin().await?));
        }
        Ok(Lease::Connection(self.connections.acquire().await?))
    }

    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        match &self.begin {
            Some(begin) => self.connections.begin_with(AssertSqlSafe(begin.as_str())).await,
            None => self.connections.begin().await,
        }
    }

    /// Whether a pooler is in between.
    pub fn is_pooled(&self) -> bool {
        self.begin.is_some()
    }

    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// Connections that are open, and of these those that nobody uses.
    pub fn size(&self) -> (u32, u32) {
        (self.connections.size(), u32::try_from(self.connections.num_idle()).unwrap_or(u32::MAX))
    }
}

impl Lease {
    /// What was written is to stay.
    pub async fn done(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Connection(_) => Ok(()),
            Self::Transaction(transaction) => transaction.commit().await,
        }
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(transaction) => transaction,
        }
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
