//! Merged error groups as one: what every reader of groups and their counters has in common.
//!
//! Rows and counters keep the fingerprint that they were stored with. `error_group.merged_into` says which group it counts as: a group
//! that is merged into none, so that no reader has to follow a chain.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::StoreError;
use super::lease::Lease;

/// The group that the fingerprint in this column counts as, for a few rows.
pub(super) fn whole_of(column: &str) -> String {
    format!("COALESCE((SELECT m.merged_into FROM error_group m WHERE m.id = {column}), {column})")
}

/// Behind a column: whether its fingerprint counts as the group `g`, which is merged into none.
pub(super) const IS_PART_OF_G: &str =
    "IN (SELECT m.id FROM error_group m WHERE m.id = g.id OR m.merged_into = g.id)";

/// Whether `error_group m` counts as one of these groups, of which merged ones stand for the whole. `groups` is SQL for an array.
pub(super) fn is_part_of(groups: &str) -> String {
    let wholes = format!(
        "ARRAY(SELECT COALESCE(r.merged_into, r.id) FROM error_group r WHERE r.id = ANY({groups}::uuid[]))"
    );
    format!("(m.id = ANY({wholes}) OR m.merged_into = ANY({wholes}))")
}

/// SQL for an array of the fingerprints that count as the same group as this one.
pub(super) fn parts_of(group: Uuid) -> String {
    let is_part = is_part_of(&format!("ARRAY['{group}']"));
    format!("(ARRAY(SELECT m.id FROM error_group m WHERE {is_part}) || '{group}'::uuid)")
}

/// Counters of whole groups, as a table: `error_group`, `arrived`, `dead`, `last_seen`, `last_died`, `first_seen`. `condition` is on
/// the parts, which are `error_group m`.
pub(super) fn wholes(condition: &str) -> String {
    format!(
        "(SELECT COALESCE(m.merged_into, m.id) AS error_group, sum(c.arrived)::bigint AS arrived, sum(c.dead)::bigint AS dead, \
             max(c.last_seen) AS last_seen, max(c.last_died) AS last_died, min(m.first_seen) AS first_seen \
          FROM error_group m JOIN error_group_count c ON c.error_group = m.id WHERE {condition} GROUP BY 1)"
    )
}

/// Joins the whole `g` of the group `f`, and `c` with the number of arrivals that its mute is held against. It is only counted where it
/// matters.
pub(super) const WHOLE_AND_ITS_ARRIVALS: &str = "JOIN error_group g ON g.id = COALESCE(f.merged_into, f.id) \
     LEFT JOIN LATERAL (SELECT sum(n.arrived) AS arrived FROM error_group_count n WHERE g.muted_up_to IS NOT NULL AND n.error_group IN ( \
         SELECT m.id FROM error_group m WHERE m.id = g.id OR m.merged_into = g.id)) c ON true";

/// The fingerprints that count as the same group as this one. It alone, if it is unknown.
pub(super) async fn parts(connection: &mut Lease, group: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let query = format!("SELECT m.id FROM error_group m WHERE {} ORDER BY m.id", is_part_of("ARRAY[$1]"));
    let parts: Vec<Uuid> = sqlx::query_scalar(&query).bind(group).fetch_all(connection).await?;
    Ok(if parts.is_empty() { vec![group] } else { parts })
}

/// Appends ` = …` for one group and ` = ANY(…)` for several: an index has the order of one.
pub(super) fn push_is_one_of(query: &mut QueryBuilder<'static, Postgres>, groups: &[Uuid]) {
    match groups {
        [group] => query.push(" = ").push_bind(*group),
        groups => query.push(" = ANY(").push_bind(groups.to_vec()).push(")"),
    };
}
