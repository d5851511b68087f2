//! Error groups, their counts, and the actions of users.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::merged::{is_part_of, whole_of, wholes};
use super::search::{COLUMNS, dead_letter};
use super::search_plan::{push_counts, push_counts_since};
use super::{Store, StoreError, audit, filter_sql};
use crate::clock;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::dead_letter::{DeadLetter, floor_id};
use crate::domain::error_group::{ErrorGroup, Fix, GroupAction, GroupEvent, Release};
use crate::domain::filter::Filter;
use crate::domain::triage::Ticket;

/// Of a group `g` whose counters are `t`, one of [`wholes`].
pub(super) const GROUP: &str = "g.id, g.service, g.reason, g.error_type, g.template, t.first_seen, \
     (SELECT p.version FROM deployment p WHERE p.service = g.service AND p.started_at <= t.first_seen \
      ORDER BY p.started_at DESC, p.id DESC LIMIT 1) AS first_version, \
     t.last_seen, t.last_died, t.arrived, g.resolved_at, g.resolved_version, g.resolved_after, \
     CASE WHEN COALESCE(g.resolved_version, g.resolved_after) IS NULL THEN g.resolved_at ELSE \
         dead_letter_regresses_from(g.service, g.resolved_at, g.resolved_version, g.resolved_after) END AS regresses_from, \
     g.muted_until, g.muted_up_to, g.assignee, g.ticket_url, g.ticket_key";

/// Hours that a sparkline shows.
pub const SPARKLINE: usize = 24;
/// How long a group stays in lists after its last arrival, when nothing of it is dead.
const STAYS: TimeDelta = TimeDelta::days(1);
/// Largest number of recorded actions per group.
const MAX_EVENTS: i64 = 200;

/// What a list shows of a group in addition to its counters.
#[derive(Clone, Debug, Default)]
pub struct GroupPreview {
    /// The newest dead letter that is dead.
    pub sample: Option<DeadLetter>,
    /// Arrivals in each of the last hours, the current one last.
    pub sparkline: [i64; SPARKLINE],
    /// How many notes users have left on it.
    pub notes: i64,
}

/// Of an event `e`.
pub(super) const EVENT: &str = "e.id, e.action, e.note, e.muted_until, e.muted_count, e.version, e.assignee, \
     e.ticket_url, e.ticket_key, e.groups, e.done_by";

/// Appends the whole groups of the counts `f`, most first.
fn push_wholes(query: &mut QueryBuilder<'static, Postgres>) {
    query.push(") f JOIN error_group g ON g.id = f.id JOIN ").push(wholes("true"));
    query.push(" t ON t.error_group = g.id").push(MOST_FIRST);
}

/// Most first.
const MOST_FIRST: &str = " ORDER BY f.count DESC, t.last_seen DESC";

impl Store {
    /// The groups of the dead letters that the filter lists, and how many each has, most first. Where it asks for dead ones, a
    /// group whose last arrival lies within a day stays when none is left, so that it can be resolved after its messages were
    /// redelivered.
    pub async fn error_groups(
        &self,
        filter: &Filter,
        now: DateTime<Utc>,
    ) -> Result<Vec<(ErrorGroup, i64)>, StoreError> {
        let mut search = self.resolve(filter).await?;
        self.narrow(&mut search).await?;
        let mut query = QueryBuilder::new(format!("SELECT {GROUP}, f.count FROM (SELECT "));
        let rows = if search.counted().is_some() {
            query.push(
                "COALESCE(g.merged_into, g.id) AS id, sum(t.count)::bigint AS count FROM error_group g",
            );
            if filter.status.is_dead() && filter.error.is_none() {
                push_counts_since(&mut query, filter.status, now - STAYS);
            } else {
                push_counts(&mut query, filter.status);
            }
            search.push_groups(&mut query);
            query.push(" GROUP BY 1");
            push_wholes(&mut query);
            query.build().fetch_all(&self.http).await?
        } else {
            query.push("COALESCE(m.merged_into, m.id) AS id, sum(d.count)::bigint AS count FROM (SELECT d.error_group, count(*) AS count");
            filter_sql::push(&mut query, &search);
            query.push(" GROUP BY d.error_group) d JOIN error_group m ON m.id = d.error_group GROUP BY 1");
            push_wholes(&mut query);
            self.fetch_all(&search, query).await?
        };
        rows.iter().map(|row| Ok((group(row)?, row.try_get("count")?))).collect()
    }

    /// Previews of groups, each with the time when it was last seen.
    pub async fn group_previews(
        &self,
        groups: &[(Uuid, DateTime<Utc>)],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, GroupPreview>, StoreError> {
        let mut previews: HashMap<Uuid, GroupPreview> = HashMap::new();
        let mut connection = self.http.acquire().await?;
        let query = format!(
            "SELECT {COLUMNS} FROM UNNEST($1::uuid[], $2::timestamptz[]) AS g (id, late) CROSS JOIN LATERAL ( \
                 SELECT n.id FROM error_group m CROSS JOIN LATERAL ( \
                     (SELECT x.id FROM dead_letter_pending x WHERE x.error_group = m.id \
                         AND x.id >= dead_letter_floor_id(g.late) AND x.id < dead_letter_floor_id(g.late + interval '25 hours') \
                      ORDER BY x.id DESC LIMIT 1) \
                     UNION ALL \
                     (SELECT x.id FROM dead_letter_pending x WHERE x.error_group = m.id \
                         AND x.id < dead_letter_floor_id(g.late) ORDER BY x.id DESC LIMIT 1) \
                     LIMIT 1) n WHERE m.id = g.id OR m.merged_into = g.id ORDER BY n.id DESC LIMIT 1) n \
             CROSS JOIN LATERAL (SELECT * FROM dead_letter_now x WHERE x.id = n.id LIMIT 1) d"
        );
        let (groups, late): (Vec<_>, Vec<_>) =
            groups.iter().map(|(id, last_seen)| (*id, *last_seen - TimeDelta::days(1))).unzip();
        for row in sqlx::query(&query).bind(&groups).bind(late).fetch_all(&mut connection).await? {
            let sample = dead_letter(&row)?;
            let group = sample.error_group.unwrap_or_default();
            previews.entry(group).or_default().sample = Some(sample);
        }
        let hour = TimeDelta::hours(1);
        let from = (now + hour).duration_trunc(hour).unwrap_or(now)
            - hour * i32::try_from(SPARKLINE).unwrap_or(i32::MAX);
        let query = format!(
            "SELECT COALESCE(m.merged_into, m.id), date_trunc('hour', i.start, 'UTC'), \
                 sum(i.dead + i.redelivered + i.deleted)::bigint \
             FROM error_group m JOIN error_group_timeline i ON i.error_group = m.id \
             WHERE {} AND i.start >= $2 AND i.start < $3 GROUP BY 1, 2",
            is_part_of("$1")
        );
        let counts: Vec<(Uuid, DateTime<Utc>, i64)> = sqlx::query_as(&query)
            .bind(&groups)
            .bind(from)
            .bind(now + hour)
            .fetch_all(&mut connection)
            .await?;
        for (group, start, count) in counts {
            let at = usize::try_from((start - from).num_hours()).unwrap_or(usize::MAX);
            if let Some(place) = previews.entry(group).or_default().sparkline.get_mut(at) {
                *place = count;
            }
        }
        let query = format!(
            "SELECT COALESCE(m.merged_into, m.id), count(*) FROM error_group m JOIN error_group_event e ON e.error_group = m.id \
             WHERE {} AND e.note IS NOT NULL GROUP BY 1",
            is_part_of("$1")
        );
        let notes: Vec<(Uuid, i64)> = sqlx::query_as(&query).bind(groups).fetch_all(&mut connection).await?;
        for (group, count) in notes {
            previews.entry(group).or_default().notes = count;
        }
        Ok(previews)
    }

    /// The group of this id, or the one that it was merged into.
    pub async fn error_group(&self, id: Uuid) -> Result<Option<ErrorGroup>, StoreError> {
        Ok(self.known_error_groups(&[id]).await?.pop())
    }

    /// The groups of these ids, whatever became of their dead letters. For those that were merged: the group that they were merged into.
    pub async fn known_error_groups(&self, ids: &[Uuid]) -> Result<Vec<ErrorGroup>, StoreError> {
        let query = format!(
            "SELECT {GROUP} FROM error_group g JOIN {} t ON t.error_group = g.id",
            wholes(&is_part_of("$1"))
        );
        let rows = sqlx::query(&query).bind(ids).fetch_all(&self.http).await?;
        rows.iter().map(group).collect()
    }

    /// How many dead letters of each of these groups arrived since and are dead, as far as 10,000.
    pub async fn arrivals_since(
        &self,
        groups: &[Uuid],
        since: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, i64>, StoreError> {
        self.arrivals_between(groups, floor_id(since), Uuid::max()).await
    }

    /// The same from one id on, and before another.
    pub(super) async fn arrivals_between(
        &self,
        groups: &[Uuid],
        since: Uuid,
        before: Uuid,
    ) -> Result<HashMap<Uuid, i64>, StoreError> {
        if groups.is_empty() {
            return Ok(HashMap::new());
        }
        let counts: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT g.id, c.count FROM UNNEST($1::uuid[]) AS g (id) CROSS JOIN LATERAL ( \
                 SELECT count(*) AS count FROM (SELECT FROM error_group m CROSS JOIN LATERAL ( \
                     SELECT FROM dead_letter_pending d WHERE d.error_group = m.id AND d.id >= $2 AND d.id < $3 LIMIT 10000) d \
                 WHERE m.id = g.id OR m.merged_into = g.id LIMIT 10000) s) c",
        )
        .bind(groups)
        .bind(since)
        .bind(before)
        .fetch_all(&self.http)
        .await?;
        Ok(counts.into_iter().collect())
    }

    /// What was done with the group, and with those that were merged into it, last first.
    pub async fn group_events(&self, id: Uuid) -> Result<Vec<GroupEvent>, StoreError> {
        let query = format!(
            "SELECT {EVENT} FROM error_group m JOIN error_group_event e ON e.error_group = m.id \
             WHERE m.id = $1 OR m.merged_into = $1 ORDER BY e.id DESC LIMIT $2"
        );
        let rows = sqlx::query(&query).bind(id).bind(MAX_EVENTS).fetch_all(&self.http).await?;
        rows.iter().map(event).collect()
    }

    /// Applies the action to the group, and records who did it (rule R13). Returns whether the group exists.
    pub async fn act_on_group(
        &self,
        id: Uuid,
        action: &GroupAction,
        note: Option<&str>,
        done_by: &Actor,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (assignee, ticket) = match action {
            GroupAction::Assign(assignee) => (assignee.as_ref(), None),
            GroupAction::Link(ticket) => (None, ticket.as_ref()),
            _ => (None, None),
        };
        let (until, count) = match action {
            GroupAction::Mute { until, count } => (*until, *count),
            _ => (None, None),
        };
        let (version, after) = match action {
            GroupAction::Resolve { fix: Some(Release::Version(version)) } => (Some(version), None),
            GroupAction::Resolve { fix: Some(Release::After(version)) } => (None, Some(version)),
            _ => (None, None),
        };
        let change = match action {
            GroupAction::Resolve { .. } => {
                "resolved_at = $2, resolved_version = $9, resolved_after = $10, muted_until = NULL, muted_up_to = NULL"
            }
            GroupAction::Reopen => {
                "resolved_at = NULL, resolved_version = NULL, resolved_after = NULL, muted_until = NULL, muted_up_to = NULL"
            }
            GroupAction::Mute { .. } => {
                "muted_until = $3, muted_up_to = $4 + (SELECT sum(t.arrived) FROM error_group_count t \
                 WHERE t.error_group IN (SELECT m.id FROM error_group m WHERE m.id = g.id OR m.merged_into = g.id))"
            }
            GroupAction::Assign(_) => "assignee = $11",
            GroupAction::Link(_) => "ticket_url = $12, ticket_key = $13",
            GroupAction::Note => "id = id",
        };
        let statement = format!(
            "WITH changed AS (UPDATE error_group g SET {change} \
                 WHERE g.id = {} AND $2::timestamptz IS NOT NULL RETURNING g.id) \
             INSERT INTO error_group_event (id, error_group, action, note, muted_until, muted_count, done_by, version, assignee, \
                 ticket_url, ticket_key) \
             SELECT $5, id, $6, $7, $3::timestamptz, $4::bigint, $8, COALESCE($9::text, 'after ' || $10::text), $11::text, $12::text, \
                 $13::text FROM changed \
             RETURNING (SELECT service FROM error_group g WHERE g.id = error_group)",
            whole_of("$1::uuid")
        );
        let mut transaction = self.http.begin().await?;
        let service: Option<String> = sqlx::query_scalar(&statement)
            .bind(id)
            .bind(now)
            .bind(until)
            .bind(count)
            .bind(clock::new_id())
            .bind(action.as_str())
            .bind(note)
            .bind(&done_by.name)
            .bind(version)
            .bind(after)
            .bind(assignee)
            .bind(ticket.map(|ticket| &ticket.url))
            .bind(ticket.and_then(|ticket| ticket.key.as_ref()))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(service) = service else { return Ok(false) };
        let (audited, details) = match action {
            GroupAction::Resolve { fix: None } => (Action::Resolve, json!({})),
            GroupAction::Resolve { fix: Some(_) } => {
                (Action::Resolve, json!({"inVersion": version, "afterVersion": after}))
            }
            GroupAction::Reopen => (Action::Reopen, json!({})),
            GroupAction::Mute { until, count } => (Action::Mute, json!({"until": until, "count": count})),
            GroupAction::Assign(Some(assignee)) => (Action::Assign, json!({"assignee": assignee})),
            GroupAction::Assign(None) => (Action::Unassign, json!({})),
            GroupAction::Link(Some(ticket)) => {
                (Action::Link, json!({"ticket": ticket.url, "key": ticket.key}))
            }
            GroupAction::Link(None) => (Action::Unlink, json!({})),
            GroupAction::Note => (Action::Note, json!({})),
        };
        let entry = Entry {
            services: vec![service],
            error_group: Some(id),
            details,
            reason: note.map(str::to_owned),
            ..Entry::new(clock::new_id(), done_by.clone(), audited)
        };
        audit::append(&mut transaction, &entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

pub(super) fn event(row: &PgRow) -> Result<GroupEvent, StoreError> {
    Ok(GroupEvent {
        id: row.try_get("id")?,
        action: row.try_get("action")?,
        note: row.try_get("note")?,
        muted_until: row.try_get("muted_until")?,
        muted_count: row.try_get("muted_count")?,
        assignee: row.try_get("assignee")?,
        ticket: ticket(row)?,
        groups: row.try_get::<Option<_>, _>("groups")?.unwrap_or_default(),
        version: row.try_get("version")?,
        done_by: row.try_get("done_by")?,
    })
}

/// A row of [`GROUP`].
pub(super) fn group(row: &PgRow) -> Result<ErrorGroup, StoreError> {
    let first_seen = row.try_get("first_seen")?;
    let last_seen = row.try_get::<Option<_>, _>("last_seen")?.unwrap_or(first_seen);
    let (version, after): (Option<_>, Option<_>) =
        (row.try_get("resolved_version")?, row.try_get("resolved_after")?);
    let release = version.map(Release::Version).or(after.map(Release::After));
    let since = row.try_get("regresses_from")?;
    Ok(ErrorGroup {
        id: row.try_get("id")?,
        service: row.try_get("service")?,
        reason: row.try_get("reason")?,
        error_type: row.try_get("error_type")?,
        template: row.try_get("template")?,
        first_seen,
        first_version: row.try_get("first_version")?,
        last_seen,
        last_died: row.try_get::<Option<_>, _>("last_died")?.unwrap_or(last_seen),
        arrived: row.try_get("arrived")?,
        resolved_at: row.try_get("resolved_at")?,
        fix: release.map(|release| Fix { release, since }),
        muted_until: row.try_get("muted_until")?,
        muted_up_to: row.try_get("muted_up_to")?,
        assignee: row.try_get("assignee")?,
        ticket: ticket(row)?,
    })
}

fn ticket(row: &PgRow) -> Result<Option<Ticket>, StoreError> {
    let (url, key): (Option<String>, _) = (row.try_get("ticket_url")?, row.try_get("ticket_key")?);
    Ok(url.map(|url| Ticket { url, key }))
}
