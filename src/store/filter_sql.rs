//! The filter as SQL: one place, so that list, count and act cannot differ (rule R9).

use sqlx::{Postgres, QueryBuilder};

use crate::domain::dead_letter;
use crate::domain::filter::Filter;

/// Appends ` FROM … WHERE true`, with the table under the alias `d`. Where the filter names an id that singles out few rows,
/// these are found by the index on its hash and by nothing else, whatever the planner believes of a young partition.
pub(super) fn push_from(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    let ids = [("message_id", &filter.message_id), ("correlation_id", &filter.correlation_id)];
    let named = ids.into_iter().find_map(|(column, value)| Some((column, value.as_ref()?)));
    let Some((column, value)) = named else {
        query.push(" FROM dead_letter d WHERE true");
        return;
    };
    query.push(" FROM (SELECT k.id FROM dead_letter k WHERE hashtextextended(k.").push(column);
    query.push(", 0) = hashtextextended(").push_bind(value.clone()).push(", 0) AND k.").push(column);
    query.push(" = ").push_bind(value.clone()).push(" OFFSET 0) f CROSS JOIN LATERAL (SELECT * FROM dead_letter x WHERE x.id = f.id LIMIT 1) d WHERE true");
}

/// Appends ` AND …` for each condition on the table aliased `d`, but for the services.
pub(super) fn push(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some(status) = filter.status.status() {
        // A literal, so that the planner knows the partial index fits.
        query.push(" AND d.status = '").push(status.as_str()).push("'");
    }
    let equal = [
        ("d.origin_queue", &filter.queue),
        ("d.origin_exchange", &filter.exchange),
        ("d.origin_routing_key", &filter.routing_key),
        ("d.message_id", &filter.message_id),
        ("d.correlation_id", &filter.correlation_id),
        ("d.message_type", &filter.message_type),
        ("d.reason", &filter.reason),
        ("d.convention", &filter.convention),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            query.push(" AND ").push(column).push(" = ").push_bind(value.clone());
        }
    }
    if let Some(text) = &filter.error {
        let pattern = like_pattern(text);
        query.push(" AND (d.error_message ILIKE ").push_bind(pattern.clone());
        query.push(" OR d.error_type ILIKE ").push_bind(pattern).push(")");
    }
    if let Some(group) = filter.error_group {
        query.push(" AND d.error_group = ").push_bind(group);
    }
    if let Some(from) = filter.from {
        query.push(" AND d.id >= ").push_bind(dead_letter::floor_id(from));
    }
    if let Some(to) = filter.to {
        query.push(" AND d.id < ").push_bind(dead_letter::floor_id(to));
    }
    if let Some(from) = filter.died_from {
        query.push(" AND d.died_at >= ").push_bind(from);
    }
    if let Some(to) = filter.died_to {
        query.push(" AND d.died_at < ").push_bind(to);
    }
    if let Some(bytes) = &filter.contains {
        query.push(" AND position(").push_bind(bytes.clone()).push(" IN d.body) > 0");
    }
    if let Some(attempts) = filter.min_attempt {
        query.push(" AND d.deaths >= ").push_bind(attempts);
    }
}

/// Appends ` AND …` for the services.
pub(super) fn push_services(query: &mut QueryBuilder<Postgres>, filter: &Filter) {
    if let Some(services) = &filter.services {
        query.push(" AND d.service = ANY(").push_bind(services.clone()).push(")");
    }
}

/// A pattern that finds the text anywhere, taking every character as it stands.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
