//! What can go wrong with the database, told apart by what to do about it.

use thiserror::Error;

use super::bounds::OverBound;

/// An error of the database. Its text never holds a value of a row (rule R14): of what the database says only the code is
/// kept, as its messages may quote data.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be reached, or cannot work now: try again later.
    #[error("the database is not available ({0})")]
    Unavailable(String),
    /// The statement took longer than it may.
    #[error("the database took too long")]
    Slow,
    /// A migration could not get its locks in the little time for which it makes others wait.
    #[error(
        "another session, such as a backup or an open transaction, holds a lock on a table that migration {0} changes: the migration \
         is tried again every 5 seconds until that session ends"
    )]
    Locked(i64),
    /// The role may not do this: nothing is lost by waiting until people have granted it.
    #[error(
        "the role of DATABASE_URL lacks a privilege (SQLSTATE 42501): its owner grants them with `dead-letter migrate --grant-to ROLE`"
    )]
    NotPermitted,
    /// It refuses this row's data: trying again will not help.
    #[error("the database refused the data (SQLSTATE {0})")]
    Refused(String),
    /// A row like it is there already.
    #[error("such a row exists already")]
    Duplicate,
    /// The same idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The caller has too much of something.
    #[error("the caller has too much: {0:?}")]
    OverBound(OverBound),
    /// It, its schema or the way to it is not what the program needs: people have to do something about it.
    #[error("{0}")]
    Unusable(String),
    /// What is stored contradicts what the program relies on.
    #[error("the database holds what it should not: {0}")]
    Inconsistent(String),
}

impl StoreError {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::NotPermitted | Self::Slow | Self::Locked(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) => {
                let code = database.code().unwrap_or_default();
                match code.as_ref() {
                    "23505" => Self::Duplicate,
                    "57014" => Self::Slow,
                    "42501" => Self::NotPermitted,
                    // Data exceptions, violated constraints, and limits such as the size of an index row.
                    code if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => {
                        Self::Refused(code.to_owned())
                    }
                    // What a pooler in transaction mode says to parameters and prepared statements that it cannot keep.
                    code @ ("08P01" | "26000" | "42P05") => Self::Unavailable(format!(
                        "SQLSTATE {code}: behind PgBouncer, DATABASE_URL has to end with ?statement-cache-capacity=0"
                    )),
                    // All else passes or is mended by people: shutting down, out of connections, disk full, read-only,
                    // deadlock, a schema that is not there yet. Nothing is lost by waiting.
                    code => Self::Unavailable(format!("SQLSTATE {code}")),
                }
            }
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection in time".into()),
            sqlx::Error::PoolClosed => Self::Unavailable("closed".into()),
            // A certificate that is not accepted: what TLS says of it has nothing of a row.
            sqlx::Error::Io(io) => Self::Unavailable(
                io.get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                    .map_or_else(|| io.kind().to_string(), ToString::to_string),
            ),
            sqlx::Error::ColumnDecode { index, .. } => Self::Inconsistent(format!("column {index}")),
            sqlx::Error::Configuration(source) => Self::Unusable(source.to_string()),
            _ => Self::Unavailable("connection failed".into()),
        }
    }
}
