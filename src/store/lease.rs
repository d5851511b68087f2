//! A connection on loan from its pool, and the transactions on it.
//!
//! A connection returns to its pool only if every exchange with the server was completed. If a statement was cancelled, or not
//! answered in time, the connection is closed: the answer may still arrive, and the next user would treat it as its own. A BEGIN
//! that is answered by the error of another statement would leave an unnoticed transaction open, whose writes are never
//! committed.

use std::borrow::Cow;
use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{
    PgConnection, PgQueryResult, PgRow, PgStatement, PgTransactionManager, PgTypeInfo, Postgres,
};
use sqlx::{Connection, Describe, Either, Execute, Executor, TransactionManager};
use tokio::time::timeout;

use super::copy::CopyData;

/// Longest health check of a returned connection, if answers have no deadline.
const HEALTH_CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection. When dropped, it returns to its pool or is closed. An open transaction is rolled back.
#[derive(Debug)]
pub(super) struct Lease {
    /// `None` only while it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    /// An exchange has begun and is not completed.
    unanswered: bool,
    /// For each answer.
    deadline: Option<Duration>,
}

/// A transaction that owns its connection, or borrows a lease. Without [`Transaction::commit`] it is rolled back when dropped.
#[derive(Debug)]
pub(super) struct Transaction<'c> {
    on: On<'c>,
    is_open: bool,
}

#[derive(Debug)]
enum On<'c> {
    Own(Lease),
    Held(&'c mut Lease),
}

/// The rest of an exchange.
struct Answer<'l> {
    unanswered: &'l mut bool,
    deadline: Option<Duration>,
}

impl Answer<'_> {
    /// Awaits a part of the answer, within the deadline.
    async fn part<T>(&self, part: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let Some(deadline) = self.deadline else { return part.await };
        timeout(deadline, part).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    /// Awaits the whole answer, within the deadline.
    async fn whole<T>(self, answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let answer = self.part(answer).await;
        self.end(&answer);
        answer
    }

    /// Completes the exchange. An error of the server itself also completes it.
    fn end<T>(self, last: &sqlx::Result<T>) {
        *self.unanswered = !matches!(last, Ok(_) | Err(sqlx::Error::Database(_)));
    }
}

impl Lease {
    /// Leases a connection. It is closed if an answer takes longer than the deadline.
    pub fn new(connection: PoolConnection<Postgres>, deadline: Option<Duration>) -> Self {
        Self { connection: Some(connection), unanswered: false, deadline }
    }

    /// Begins an exchange, unless the last one was not completed.
    fn exchange(&mut self) -> sqlx::Result<(&mut PgConnection, Answer<'_>)> {
        let Self { connection: Some(connection), unanswered: unanswered @ false, deadline } = self else {
            return Err(sqlx::Error::Io(io::ErrorKind::ConnectionAborted.into()));
        };
        *unanswered = true;
        Ok((&mut *connection, Answer { unanswered, deadline: *deadline }))
    }

    /// Begins a transaction, or a savepoint within one.
    pub async fn begin(&mut self) -> sqlx::Result<Transaction<'_>> {
        self.open(None).await?;
        Ok(Transaction { on: On::Held(self), is_open: true })
    }

    /// Begins a transaction that owns the connection, with a custom statement in place of BEGIN.
    pub async fn into_transaction(
        mut self,
        statement: Option<Cow<'static, str>>,
    ) -> sqlx::Result<Transaction<'static>> {
        self.open(statement).await?;
        Ok(Transaction { on: On::Own(self), is_open: true })
    }

    /// Begins a transaction that ends with the lease.
    pub async fn open(&mut self, statement: Option<Cow<'static, str>>) -> sqlx::Result<()> {
        let (connection, answer) = self.exchange()?;
        // After an error the state is unknown: sqlx forgets the transaction, the server may not.
        let begun = answer.part(PgTransactionManager::begin(connection, statement)).await;
        if begun.is_ok() {
            answer.end(&begun);
        }
        begun
    }

    /// Runs work that needs the connection itself, without a deadline.
    pub async fn raw<T, E>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> sqlx::Result<Result<T, E>> {
        let (connection, answer) = self.exchange()?;
        let done = work(connection).await;
        *answer.unanswered = done.is_err();
        Ok(done)
    }

    /// Releases the buffers that the connection keeps after large answers.
    pub fn shrink_buffers(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.shrink_buffers();
        }
    }

    /// Copies rows into their table. Returns how many.
    pub async fn copy_in(&mut self, mut rows: CopyData<'_>) -> sqlx::Result<u64> {
        let (connection, answer) = self.exchange()?;
        let copying = async {
            let mut copy = answer.part(connection.copy_in_raw(&rows.statement())).await?;
            while let Some(piece) = rows.next_piece() {
                answer.part(copy.send(piece)).await?;
            }
            answer.part(copy.finish()).await
        };
        let copied = copying.await;
        answer.end(&copied);
        copied
    }
}

impl<'c> Executor<'c> for &'c mut Lease {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (connection, answer) = match self.exchange() {
            Ok(exchange) => exchange,
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let rows = connection.fetch_many(query);
        stream::unfold(Some((rows, answer)), |left| async move {
            let (mut rows, answer) = left?;
            match answer.part(rows.try_next()).await {
                Ok(Some(row)) => Some((Ok(row), Some((rows, answer)))),
                last => {
                    answer.end(&last);
                    last.transpose().map(|error| (error, None))
                }
            }
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let (connection, answer) = self.exchange()?;
            answer.whole(connection.fetch_optional(query)).await
        })
    }

    fn prepare_with<'e, 'q: 'e>(
        self,
        sql: &'q str,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement<'q>>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let (connection, answer) = self.exchange()?;
            answer.whole(connection.prepare_with(sql, parameters)).await
        })
    }

    fn describe<'e, 'q: 'e>(self, sql: &'q str) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let (connection, answer) = self.exchange()?;
            answer.whole(connection.describe(sql)).await
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        if self.unanswered {
            drop(connection.detach());
            return;
        }
        if PgTransactionManager::get_transaction_depth(&connection) > 0 {
            PgTransactionManager::start_rollback(&mut connection);
        }
        // This also sends the rollback. If the server does not answer, the connection is closed.
        tokio::spawn(timeout(self.deadline.unwrap_or(HEALTH_CHECK_TIMEOUT), connection.return_to_pool()));
    }
}

impl Transaction<'_> {
    /// Commits.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let (connection, answer) = self.exchange()?;
        let ended = answer.whole(PgTransactionManager::commit(connection)).await;
        self.is_open = ended.is_err();
        ended
    }

    /// Rolls back.
    pub async fn rollback(mut self) -> sqlx::Result<()> {
        let (connection, answer) = self.exchange()?;
        let ended = answer.whole(PgTransactionManager::rollback(connection)).await;
        self.is_open = ended.is_err();
        ended
    }
}

impl Deref for Transaction<'_> {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        match &self.on {
            On::Own(lease) => lease,
            On::Held(lease) => lease,
        }
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Lease {
        match &mut self.on {
            On::Own(lease) => lease,
            On::Held(lease) => lease,
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // An owned connection does this itself.
        if let On::Held(Lease { connection: Some(connection), unanswered: false, .. }) = &mut self.on
            && self.is_open
        {
            PgTransactionManager::start_rollback(connection);
        }
    }
}
