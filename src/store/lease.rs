//! A connection for as long as it is wanted, and the transactions on it.
//!
//! A connection goes back to its pool only where each exchange with the server came to its end. One whose statement was cancelled, or
//! not answered in time, is closed: the answer may still come, and whoever had the connection next would take it for its own. A BEGIN
//! that is answered with another's error leaves a transaction open of which nobody knows, and what is written in it is never committed.

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

/// Longest that the pool waits for a connection to say that it is well, where answers have no deadline.
const WELL_WITHIN: Duration = Duration::from_secs(5);

/// A connection. Dropped, it goes back to its pool, or is closed; a transaction that is open on it is rolled back.
#[derive(Debug)]
pub(super) struct Lease {
    /// There until it is dropped.
    connection: Option<PoolConnection<Postgres>>,
    /// An exchange has begun, and its end has not been heard.
    unanswered: bool,
    /// For each answer.
    deadline: Option<Duration>,
}

/// A transaction on a connection of its own, or within one that somebody holds. Dropped without [`Transaction::commit`], it is rolled back.
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

/// What the server is still to say in an exchange.
struct Answer<'l> {
    unanswered: &'l mut bool,
    deadline: Option<Duration>,
}

impl Answer<'_> {
    /// A part of it, in time.
    async fn part<T>(&self, part: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let Some(deadline) = self.deadline else { return part.await };
        timeout(deadline, part).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    /// All of it, in time.
    async fn whole<T>(self, answer: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        let answer = self.part(answer).await;
        self.end(&answer);
        answer
    }

    /// Its last part: with an error of the server's own it has answered to the end, and it is known what the connection says next.
    fn end<T>(self, last: &sqlx::Result<T>) {
        *self.unanswered = !matches!(last, Ok(_) | Err(sqlx::Error::Database(_)));
    }
}

impl Lease {
    /// A connection that leaves a question without an answer for longer than the deadline is given up.
    pub fn new(connection: PoolConnection<Postgres>, deadline: Option<Duration>) -> Self {
        Self { connection: Some(connection), unanswered: false, deadline }
    }

    /// Begins an exchange, unless the last one did not come to its end.
    fn exchange(&mut self) -> sqlx::Result<(&mut PgConnection, Answer<'_>)> {
        let Self { connection: Some(connection), unanswered: unanswered @ false, deadline } = self else {
            return Err(sqlx::Error::Io(io::ErrorKind::ConnectionAborted.into()));
        };
        *unanswered = true;
        Ok((&mut *connection, Answer { unanswered, deadline: *deadline }))
    }

    /// Begins a transaction; within another one, a savepoint.
    pub async fn begin(&mut self) -> sqlx::Result<Transaction<'_>> {
        self.open(None).await?;
        Ok(Transaction { on: On::Held(self), is_open: true })
    }

    /// Begins a transaction that keeps the connection, with a statement of one's own in place of BEGIN.
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
        // After an error, whosever it is, nobody knows how far it came: sqlx forgets the transaction, and the server may not.
        let begun = answer.part(PgTransactionManager::begin(connection, statement)).await;
        if begun.is_ok() {
            answer.end(&begun);
        }
        begun
    }

    /// For what needs the connection itself, and takes as long as it takes.
    pub async fn raw<T, E>(
        &mut self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, E>,
    ) -> sqlx::Result<Result<T, E>> {
        let (connection, answer) = self.exchange()?;
        let done = work(connection).await;
        *answer.unanswered = done.is_err();
        Ok(done)
    }

    /// Gives back what the largest answer took, which the connection keeps for the next one.
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
        // The rollback is sent with it. Where the server is silent the connection is closed.
        tokio::spawn(timeout(self.deadline.unwrap_or(WELL_WITHIN), connection.return_to_pool()));
    }
}

impl Transaction<'_> {
    /// What was written stays.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        let (connection, answer) = self.exchange()?;
        let ended = answer.whole(PgTransactionManager::commit(connection)).await;
        self.is_open = ended.is_err();
        ended
    }

    /// What was written does not stay.
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
        // A connection of its own sees to that itself.
        if let On::Held(Lease { connection: Some(connection), unanswered: false, .. }) = &mut self.on
            && self.is_open
        {
            PgTransactionManager::start_rollback(connection);
        }
    }
}
