//! The columns of `dead_letter` that a new row has, in one list: what `COPY` sends and what `INSERT` takes.

use chrono::{DateTime, Utc};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::QueryScalar;
use uuid::Uuid;

use crate::domain::convention::ToldBy;
use crate::domain::dead_letter::NewDeadLetter;

/// A column, and what a row has in it.
pub(super) struct Column {
    pub name: &'static str,
    pub value: Value,
}

/// What a row has in a column, by the column's type.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Uuid(fn(&NewDeadLetter) -> Option<Uuid>),
    Time(fn(&NewDeadLetter) -> Option<DateTime<Utc>>),
    Text(fn(&NewDeadLetter) -> Option<&str>),
    Bytes(fn(&NewDeadLetter) -> &[u8]),
    Bool(fn(&NewDeadLetter) -> bool),
    Integer(fn(&NewDeadLetter) -> i32),
    BigInt(fn(&NewDeadLetter) -> i64),
}

const fn column(name: &'static str, value: Value) -> Column {
    Column { name, value }
}

/// All of them. The bytes of the body come last: of a large one they are sent from where they are.
pub(super) static ALL: [Column; 26] = [
    column("id", Value::Uuid(|row| Some(row.id))),
    column("identity", Value::Uuid(|row| row.identity)),
    column("deaths", Value::Integer(|row| row.derived.deaths)),
    column("died_at", Value::Time(|row| row.derived.died_at)),
    column("redelivery_id", Value::Uuid(|row| row.derived.redelivery_id)),
    column("error_group", Value::Uuid(|row| Some(row.fingerprint.group))),
    column("source", Value::Text(|row| Some(row.source.queue()))),
    column("service", Value::Text(|row| Some(&row.derived.service))),
    column("origin_queue", Value::Text(|row| row.derived.origin.queue.as_deref())),
    column("origin_exchange", Value::Text(|row| row.derived.origin.exchange.as_deref())),
    column("origin_routing_key", Value::Text(|row| row.derived.origin.routing_key.as_deref())),
    column("reason", Value::Text(|row| row.derived.reason.as_deref())),
    column("message_id", Value::Text(|row| row.derived.message_id.as_deref())),
    column("correlation_id", Value::Text(|row| row.derived.correlation_id.as_deref())),
    column("message_type", Value::Text(|row| row.derived.message_type.as_deref())),
    column("convention", Value::Text(|row| row.derived.convention.as_deref())),
    column("error_type", Value::Text(|row| row.derived.error_type.as_deref())),
    column("error_message", Value::Text(|row| row.derived.error_message.as_deref())),
    column("warning", Value::Text(|row| row.warning.as_deref())),
    column("trigrams", Value::BigInt(|row| row.fingerprint.trigrams)),
    column("origin_claimed", Value::Bool(|row| row.derived.origin_told_by == ToldBy::Message)),
    column("redeliveries", Value::Integer(|row| row.derived.redeliveries)),
    column("broker", Value::Text(|row| row.source.place().map(|place| place.broker.as_str()))),
    column("vhost", Value::Text(|row| row.source.place().map(|place| place.vhost.as_str()))),
    column("properties", Value::Bytes(|row| &row.properties)),
    column("body", Value::Bytes(|row| &row.body)),
];

impl Column {
    /// Whether each row has what the column has by itself: nothing, no, or 0. What is left out costs nothing.
    pub fn is_default(&self, rows: &[NewDeadLetter]) -> bool {
        match self.value {
            Value::Uuid(of) => rows.iter().all(|row| of(row).is_none()),
            Value::Time(of) => rows.iter().all(|row| of(row).is_none()),
            Value::Text(of) => rows.iter().all(|row| of(row).is_none()),
            Value::Bool(of) => rows.iter().all(|row| !of(row)),
            Value::Integer(of) => rows.iter().all(|row| of(row) == 0),
            // These have no default that anybody would count on.
            Value::Bytes(_) | Value::BigInt(_) => false,
        }
    }

    /// The type of an array of such values.
    pub fn array(&self) -> &'static str {
        match self.value {
            Value::Uuid(_) => "uuid[]",
            Value::Time(_) => "timestamptz[]",
            Value::Text(_) => "text[]",
            Value::Bytes(_) => "bytea[]",
            Value::Bool(_) => "boolean[]",
            Value::Integer(_) => "integer[]",
            Value::BigInt(_) => "bigint[]",
        }
    }

    /// Binds that array, as the next parameter.
    pub fn bind<'q, O>(
        &self,
        query: QueryScalar<'q, Postgres, O, PgArguments>,
        rows: &[&'q NewDeadLetter],
    ) -> QueryScalar<'q, Postgres, O, PgArguments> {
        fn all<'r, T>(rows: &[&'r NewDeadLetter], of: fn(&'r NewDeadLetter) -> T) -> Vec<T> {
            rows.iter().map(|row| of(row)).collect()
        }
        match self.value {
            Value::Uuid(of) => query.bind(all(rows, of)),
            Value::Time(of) => query.bind(all(rows, of)),
            Value::Text(of) => query.bind(all(rows, of)),
            Value::Bytes(of) => query.bind(all(rows, of)),
            Value::Bool(of) => query.bind(all(rows, of)),
            Value::Integer(of) => query.bind(all(rows, of)),
            Value::BigInt(of) => query.bind(all(rows, of)),
        }
    }
}

/// Those of `dead_letter_pending`.
pub(super) fn pending() -> impl Iterator<Item = &'static Column> {
    ALL.iter().filter(|column| ["id", "service", "error_group", "trigrams"].contains(&column.name))
}

/// Their names, as statements list them.
pub(super) fn names<'c>(columns: impl IntoIterator<Item = &'c Column>) -> String {
    columns.into_iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}
