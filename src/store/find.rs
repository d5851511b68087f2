//! Ids of any kind, looked up by their indexes.

use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::StoreError;
use super::lease::Lease;
use crate::domain::find::{self, FoundAs};

/// More dead letters than this do not end alike.
const MAX_ENDING_SO: i64 = 1000;

/// One way to look an id up.
#[derive(Clone, Debug)]
pub(super) enum Lookup {
    Between(Uuid, Uuid),
    MessageId(String),
    CorrelationId(String),
    Redelivery(Uuid),
    Operation(Uuid),
    These(Vec<Uuid>),
}

impl Lookup {
    fn found_as(&self) -> FoundAs {
        match self {
            Self::Between(..) | Self::These(_) => FoundAs::DeadLetterId,
            Self::MessageId(_) => FoundAs::MessageId,
            Self::CorrelationId(_) => FoundAs::CorrelationId,
            Self::Redelivery(_) => FoundAs::RedeliveryId,
            Self::Operation(_) => FoundAs::OperationId,
        }
    }

    /// Appends a query for the ids of dead letters, each by an index.
    fn push(&self, query: &mut QueryBuilder<'static, Postgres>) {
        match self {
            Self::Between(first, last) => {
                query.push("SELECT k.id FROM dead_letter k WHERE k.id >= ").push_bind(*first);
                query.push(" AND k.id <= ").push_bind(*last);
            }
            Self::MessageId(text) => push_hashed(query, "message_id", text),
            Self::CorrelationId(text) => push_hashed(query, "correlation_id", text),
            Self::Redelivery(id) => {
                query.push("SELECT k.id FROM dead_letter k WHERE k.redelivery_id = ").push_bind(*id);
                query
                    .push(" UNION ALL SELECT r.dead_letter_id FROM dead_letter_redelivery(")
                    .push_bind(*id)
                    .push(") r");
            }
            Self::Operation(id) => {
                query.push("SELECT unnest(c.dead_letters) FROM operation_chunk c WHERE c.operation_id = ");
                query.push_bind(*id);
            }
            Self::These(ids) => {
                query.push("SELECT unnest(").push_bind(ids.clone()).push("::uuid[])");
            }
        }
    }
}

/// Appends a look-up by the index on the hash.
pub(super) fn push_hashed(query: &mut QueryBuilder<'static, Postgres>, column: &str, value: &str) {
    query.push("SELECT k.id FROM dead_letter k WHERE hashtextextended(k.").push(column);
    query.push(", 0) = hashtextextended(").push_bind(value.to_owned()).push(", 0) AND k.").push(column);
    query.push(" = ").push_bind(value.to_owned());
}

/// Appends the ids that these look-ups find, each once, as a query.
pub(super) fn push_found(query: &mut QueryBuilder<'static, Postgres>, lookups: &[Lookup]) {
    let mut before = "SELECT DISTINCT u.id FROM (";
    for lookup in lookups {
        query.push(before).push("SELECT x.id FROM (");
        lookup.push(query);
        query.push(" OFFSET 0) x (id)");
        before = " UNION ALL ";
    }
    query.push(") u");
}

/// As what these find.
pub(super) fn found_as(lookups: &[Lookup]) -> Vec<FoundAs> {
    let mut found: Vec<_> = lookups.iter().map(Lookup::found_as).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The look-ups by which the text is an id of some dead letter, whatever its status, of these services if any are given: an id of another
/// service is an unknown one.
pub(super) async fn look_up(
    connection: &mut Lease,
    text: &str,
    services: Option<&[String]>,
) -> Result<Vec<Lookup>, StoreError> {
    let mut lookups = vec![Lookup::MessageId(text.to_owned()), Lookup::CorrelationId(text.to_owned())];
    if let Some((first, last)) = find::beginning(text) {
        lookups.push(Lookup::Between(first, last));
        if first == last {
            lookups.extend([Lookup::Redelivery(first), Lookup::Operation(first)]);
        }
    }
    let mut query = QueryBuilder::new("SELECT ARRAY[");
    let mut before = "EXISTS (";
    for lookup in &lookups {
        query.push(before);
        match services {
            None => lookup.push(&mut query),
            Some(services) => {
                query.push("SELECT FROM (");
                lookup.push(&mut query);
                query.push(" OFFSET 0) f (id) CROSS JOIN LATERAL (SELECT service FROM dead_letter s WHERE s.id = f.id LIMIT 1) s ");
                query.push("WHERE s.service = ANY(").push_bind(services.to_vec()).push(")");
            }
        }
        query.push(")");
        before = ", EXISTS (";
    }
    let found: Vec<bool> = query.push("]").build().fetch_one(connection).await?.try_get(0)?;
    let mut found = found.into_iter();
    lookups.retain(|_| found.next().unwrap_or_default());
    Ok(lookups)
}

/// The dead letters whose ids end so, of these services if any are given. Reads all ids.
pub(super) async fn ending_so(
    connection: &mut Lease,
    text: &str,
    services: Option<&[String]>,
) -> Result<Vec<Uuid>, StoreError> {
    let Some(end) = find::end(text) else { return Ok(Vec::new()) };
    let ids = sqlx::query_scalar(
        "SELECT k.id FROM dead_letter k WHERE right(k.id::text, $2) = $1 AND ($4::text[] IS NULL OR k.service = ANY($4)) LIMIT $3",
    )
    .bind(&end)
    .bind(i32::try_from(end.len()).unwrap_or_default())
    .bind(MAX_ENDING_SO)
    .bind(services);
    Ok(ids.fetch_all(connection).await?)
}
