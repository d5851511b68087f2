//! The filter as SQL: one place, so that list, count and act cannot differ (rule R9).

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::find;
use super::merged::push_is_one_of;
use super::search_plan::{Find, Head, SearchPlan, TextGroups};
use crate::domain::dead_letter::{Status, floor_id};
use crate::domain::filter::{Filter, Order};
use crate::domain::needle::Needle;
use crate::domain::recheck::{Recheck, is_text_only};

/// Whether the body of `d` may be compressed: a content encoding is there, and its name may be at the beginning of the
/// properties.
const MAY_BE_COMPRESSED: &str = "(get_bit(substring(d.properties FOR 1) || '\\x00'::bytea, 6) = 1 \
     AND encode(substring(d.properties FROM 3 FOR 511), 'escape') ~* '(gzip|deflate|zstd)')";

/// Appends ` FROM … WHERE …` with each condition; the table has the alias `d`.
///
/// Where the filter names an id that singles out few rows, these are found by the index on its hash and by nothing else,
/// whatever the planner believes of a young partition; and where a text may be in some rows of few groups, by the index that
/// has their trigrams. Returns the alias by whose ids an index has the order.
pub(super) fn push(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) -> &'static str {
    let filter = search.filter;
    let ids = [("message_id", &filter.message_id), ("correlation_id", &filter.correlation_id)];
    let named = ids.into_iter().find_map(|(column, value)| Some((column, value.as_ref()?)));
    let has_some = search.text.as_ref().is_some_and(|text| !text.some.is_empty());
    if let Some(ids) = &search.rechecked {
        query.push(" FROM UNNEST(").push_bind(ids.clone()).push("::uuid[]) f (id)");
        push_row(query, "f");
    } else if let Some((column, value)) = named {
        query.push(" FROM (");
        find::push_hashed(query, column, value);
        query.push(" OFFSET 0) f");
        push_row(query, "f");
    } else if let Find::Ids(lookups) = &search.find {
        query.push(" FROM (");
        find::push_found(query, lookups);
        query.push(") f");
        push_row(query, "f");
    } else if let Some(operation) = filter.returned_from {
        query.push(" FROM (");
        push_returned_from(query, operation);
        query.push(" OFFSET 0) f (id)");
        push_row(query, "f");
        push_where(query, search);
        return "f";
    } else if let Some(heads) = search.heads().filter(|_| has_some) {
        query.push(" FROM ");
        push_heads(query, heads);
        query.push(" CROSS JOIN LATERAL (");
        push_head_ids(query, filter, Order::Newest, None);
        query.push(" OFFSET 0");
        query.push(") k");
        push_dead_row(query, "k");
    } else {
        push_standing(query, filter);
        push_standing_row(query, filter);
        push_where(query, search);
        push_narrowed(query, search);
        return "k";
    }
    push_where(query, search);
    "d"
}

/// The same for who reads nothing of `d` but its id and its service: where nothing else is asked for either, no payload is
/// come near.
pub(super) fn push_ids(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    if !search.is_answered_by_pending() {
        push(query, search);
        return;
    }
    query.push(" FROM dead_letter_pending d WHERE true");
    push_answered_by_pending(query, search, "d");
    push_arrival(query, search.filter, "d");
}

/// Appends ` AND …` for what `dead_letter_pending` tells beside the id.
fn push_answered_by_pending(
    query: &mut QueryBuilder<'static, Postgres>,
    search: &SearchPlan<'_>,
    alias: &str,
) {
    if let Some(services) = &search.filter.services {
        query.push(" AND ").push(alias).push(".service = ANY(").push_bind(services.clone()).push(")");
    }
    if let Some(groups) = &search.groups {
        query.push(" AND ").push(alias).push(".error_group");
        push_is_one_of(query, groups);
    }
}

/// Appends ` FROM … k`: the ids of those that stand as the filter wants them.
fn push_standing(query: &mut QueryBuilder<'static, Postgres>, filter: &Filter) {
    query.push(match filter.status.status() {
        Some(Status::Dead) => " FROM dead_letter_pending k",
        Some(_) => " FROM dead_letter_left k",
        None => " FROM dead_letter k",
    });
}

/// Appends the look-up of the rows of these, as `d`.
fn push_standing_row(query: &mut QueryBuilder<'static, Postgres>, filter: &Filter) {
    match filter.status.status() {
        Some(Status::Dead) => push_dead_row(query, "k"),
        Some(_) => {
            query.push(
                " CROSS JOIN LATERAL (SELECT x.*, k.status FROM dead_letter x WHERE x.id = k.id LIMIT 1) d",
            );
        }
        None => push_row(query, "k"),
    }
}

/// Appends ` AND …` for what is known of `k` without its row, so that an index leads to few.
fn push_narrowed(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    push_arrival(query, search.filter, "k");
    match search.filter.status.status() {
        Some(Status::Dead) => push_answered_by_pending(query, search, "k"),
        Some(status) => {
            query.push(" AND k.status = '").push(status.as_str()).push("'");
        }
        None => {}
    }
}

/// Appends the groups to read, as `h (error_group, mask)`.
pub(super) fn push_heads(query: &mut QueryBuilder<'static, Postgres>, heads: Vec<Head>) {
    let (groups, masks): (Vec<_>, Vec<_>) = heads.into_iter().unzip();
    query.push("UNNEST(").push_bind(groups).push("::uuid[], ").push_bind(masks);
    query.push("::bigint[]) AS h (error_group, mask)");
}

/// Appends a query for the ids of the head's candidates, from the index alone. The caller appends an order, and `OFFSET 0`, which
/// keeps the planner from merging the query into another.
pub(super) fn push_head_ids(
    query: &mut QueryBuilder<'static, Postgres>,
    filter: &Filter,
    order: Order,
    edge: Option<Uuid>,
) {
    query.push(
        "SELECT k.id FROM dead_letter_pending k WHERE k.error_group = h.error_group \
         AND (k.trigrams & h.mask) = h.mask",
    );
    push_arrival(query, filter, "k");
    push_edge(query, "k", order, edge);
}

/// Appends the look-up of a row by its id, as `d`.
pub(super) fn push_row(query: &mut QueryBuilder<'static, Postgres>, of: &str) {
    query.push(format!(
        " CROSS JOIN LATERAL (SELECT * FROM dead_letter_now x WHERE x.id = {of}.id LIMIT 1) d"
    ));
}

/// The same for a row that is known to be dead.
pub(super) fn push_dead_row(query: &mut QueryBuilder<'static, Postgres>, of: &str) {
    query.push(format!(
        " CROSS JOIN LATERAL (SELECT x.*, 'dead'::dead_letter_status AS status FROM dead_letter x WHERE x.id = {of}.id LIMIT 1) d"
    ));
}

/// Appends ` WHERE …` with each condition on the table aliased `d`.
pub(super) fn push_where(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    let filter = search.filter;
    query.push(" WHERE true");
    push_conditions(query, search);
    if let Some(services) = &filter.services {
        query.push(" AND d.service = ANY(").push_bind(services.clone()).push(")");
    }
}

/// Appends ` AND …` for each condition on the table aliased `d`, but for the services.
pub(super) fn push_conditions(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    let filter = search.filter;
    if let Some(status) = filter.status.status() {
        // A literal, which the planner may know to be so.
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
    push_place(query, "d", filter);
    push_text(query, search);
    if let Some(groups) = &search.groups {
        query.push(" AND d.error_group");
        push_is_one_of(query, groups);
    }
    push_arrival(query, filter, "d");
    if let Some(from) = filter.died_from {
        query.push(" AND d.died_at >= ").push_bind(from);
    }
    if let Some(to) = filter.died_to {
        query.push(" AND d.died_at < ").push_bind(to);
    }
    push_found(query, search);
    push_candidates(query, search);
    if let Some(attempts) = filter.min_attempt {
        query.push(" AND d.deaths >= ").push_bind(attempts);
    }
    if let Some(operation) = filter.returned_from.filter(|_| !search.leads_by_returns()) {
        query.push(" AND d.id IN (");
        push_returned_from(query, operation);
        query.push(")");
    }
    match filter.returned {
        Some(true) => query.push(" AND d.redelivery_id IS NOT NULL"),
        Some(false) => query.push(" AND d.redelivery_id IS NULL"),
        None => query,
    };
}

/// Appends a query for what died again of what this operation sent.
fn push_returned_from(query: &mut QueryBuilder<'static, Postgres>, operation: Uuid) {
    query.push("SELECT t.returned_as FROM operation_return t WHERE t.operation_id = ").push_bind(operation);
}

/// Appends ` AND …` for the place of a dead letter or an error group. Without a place it belongs to the home place.
pub(super) fn push_place(query: &mut QueryBuilder<'static, Postgres>, alias: &str, filter: &Filter) {
    for (column, value) in [("broker", &filter.broker), ("vhost", &filter.vhost)] {
        if let Some(value) = value {
            query.push(format!(" AND COALESCE({alias}.{column}, (SELECT {column} FROM home_place)) = "));
            query.push_bind(value.clone());
        }
    }
}

fn push_text(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    if let (Some(needle), Some(text)) = (&search.filter.error, &search.text) {
        query.push(" AND ");
        push_error(query, needle, text);
    }
}

/// Appends whether the error of `d` has the text. Of most groups it is known whether their rows have it; only the others' are
/// looked at.
fn push_error(query: &mut QueryBuilder<'static, Postgres>, needle: &str, text: &TextGroups) {
    query.push("(d.error_group = ANY(").push_bind(text.whole.clone()).push(")");
    if !text.some.is_empty() {
        let groups: Vec<Uuid> = text.some.iter().map(|(id, _)| *id).collect();
        let pattern = like_pattern(needle);
        // To fold the case of ASCII alone takes a fraction of the time, and is all that an ASCII text needs.
        let collation = if needle.is_ascii() { " COLLATE \"C\"" } else { "" };
        query.push(" OR (d.error_group = ANY(").push_bind(groups).push(") AND (d.error_message");
        query.push(collation).push(" ILIKE ").push_bind(pattern.clone()).push(" OR d.error_type");
        query.push(collation).push(" ILIKE ").push_bind(pattern).push("))");
    }
    query.push(")");
}

/// Appends ` AND …` where the ids that are to be found are conditions beside others that lead to the rows.
fn push_found(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    let leads = search.rechecked.is_none() && !search.filter.names_an_id();
    if let (Find::Ids(lookups), false) = (&search.find, leads) {
        query.push(" AND d.id IN (");
        find::push_found(query, lookups);
        query.push(")");
    }
}

/// Appends ` AND …` for the bytes that every match contains, to select the candidates of a recheck.
fn push_candidates(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    let Some(recheck) = search.recheck.as_deref().filter(|_| search.rechecked.is_none()) else { return };
    if let Some(needle) = &recheck.contains {
        query.push(" AND (").push(MAY_BE_COMPRESSED);
        push_anchors(query, needle);
        query.push(")");
    }
    if let (Some(needle), Find::Text(groups)) = (&recheck.find, &search.find) {
        query.push(" AND (").push(MAY_BE_COMPRESSED).push(" OR position(").push_bind(needle.bytes().to_vec());
        query.push(" IN d.properties) > 0 OR ");
        push_error(query, &String::from_utf8_lossy(needle.bytes()), groups);
        push_anchors(query, needle);
        query.push(")");
    }
    push_headers(query, recheck);
    for (path, value) in &recheck.body_paths {
        let name = path.last_name().map(str::to_owned);
        let value = Some(value).filter(|value| is_text_only(value)).cloned();
        for text in [name, value].into_iter().flatten().filter(|text| !text.is_empty()) {
            query.push(" AND (").push(MAY_BE_COMPRESSED);
            push_anchors(query, &Needle::Text(text));
            query.push(")");
        }
    }
}

/// A property and a header's name stand behind their length, and a text as it is.
fn push_headers(query: &mut QueryBuilder<'static, Postgres>, recheck: &Recheck) {
    for value in recheck.properties.iter().flatten() {
        let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
        let property = [&[length], value.as_bytes()].concat();
        query.push(" AND position(").push_bind(property).push(" IN d.properties) > 0");
    }
    for (name, value) in &recheck.headers {
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        let name = [&[length], name.as_bytes()].concat();
        query.push(" AND position(").push_bind(name).push(" IN d.properties) > 0");
        if is_text_only(value) {
            query.push(" AND position(").push_bind(value.clone().into_bytes()).push(" IN d.properties) > 0");
        }
    }
}

fn push_anchors(query: &mut QueryBuilder<'static, Postgres>, needle: &Needle) {
    for anchor in needle.anchors() {
        query.push(" OR position(").push_bind(anchor).push(" IN d.body) > 0");
    }
}

/// Appends whether the body of `d` contains the text as it stands.
pub(super) fn push_known_contains(query: &mut QueryBuilder<'static, Postgres>, recheck: &Recheck) {
    match &recheck.contains {
        Some(needle) => {
            query.push("(position(").push_bind(needle.bytes().to_vec()).push(" IN d.body) > 0)");
        }
        None => {
            query.push("true");
        }
    }
}

/// Appends whether the error of `d` has the text that is to be found, or its body as it stands.
pub(super) fn push_known_finds(query: &mut QueryBuilder<'static, Postgres>, search: &SearchPlan<'_>) {
    let (Some(needle), Find::Text(groups)) = (&search.filter.find, &search.find) else {
        query.push("true");
        return;
    };
    // An error that is not there has no text.
    query.push("COALESCE(position(").push_bind(needle.clone().into_bytes()).push(" IN d.body) > 0 OR ");
    push_error(query, needle, groups);
    query.push(", false)");
}

pub(super) fn push_arrival(query: &mut QueryBuilder<'static, Postgres>, filter: &Filter, alias: &str) {
    for (operator, time) in [(" >= ", filter.from), (" < ", filter.to)] {
        if let Some(time) = time {
            query.push(" AND ").push(alias).push(".id").push(operator).push_bind(floor_id(time));
        }
    }
}

/// Appends ` AND …` for what comes after the edge.
pub(super) fn push_edge(
    query: &mut QueryBuilder<'static, Postgres>,
    alias: &str,
    order: Order,
    edge: Option<Uuid>,
) {
    if let Some(edge) = edge {
        let beyond = match order {
            Order::Newest => ".id < ",
            Order::Oldest => ".id > ",
        };
        query.push(" AND ").push(alias).push(beyond).push_bind(edge);
    }
}

/// A pattern that finds the text anywhere, taking every character as it stands.
pub(super) fn like_pattern(text: &str) -> String {
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
