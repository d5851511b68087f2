//! Error groups, their counts, and the actions of users.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use super::search::{COLUMNS, dead_letter};
use super::search_plan::{push_counts, push_counts_since};
use super::{Store, StoreError, audit, filter_sql};
use crate::clock;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::dead_letter::{DeadLetter, floor_id};
use crate::domain::error_group::{ErrorGroup, Fix, GroupAction, GroupEvent, Release};
use crate::domain::filter::{Filter, StatusFilter};

/// Of a group `g` whose counters are `t`.
pub(super) const GROUP: &str = "g.id, g.service, g.reason, g.error_type, g.template, g.first_seen, \
     (SELECT p.version FROM deployment p WHERE p.service = g.service AND p.started_at <= g.first_seen \
      ORDER BY p.started_at DESC, p.id DESC LIMIT 1) AS first_version, \
     t.last_seen, t.last_died, t.arrived, g.resolved_at, g.resolved_version, g.resolved_after, \
     CASE WHEN COALESCE(g.resolved_version, g.resolved_after) IS NULL THEN g.resolved_at ELSE \
         dead_letter_regresses_from(g.service, g.resolved_at, g.resolved_version, g.resolved_after) END AS regresses_from, \
     g.muted_until, g.muted_up_to";

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

/// Most first.
const MOST_FIRST: &str = " ORDER BY count DESC, t.last_seen DESC";

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
        let mut query = QueryBuilder::new(format!("SELECT {GROUP}, "));
        let rows = if search.counted().is_some() {
            query.push("t.count FROM error_group g");
            if filter.status.is_dead() && filter.error.is_none() {
                push_counts_since(&mut query, filter.status, now - STAYS);
            } else {
                push_counts(&mut query, filter.status);
            }
            search.push_groups(&mut query);
            query.push(MOST_FIRST);
            query.build().fetch_all(&self.http).await?
        } else {
            query.push("f.count FROM (SELECT d.error_group, count(*) AS count");
            filter_sql::push(&mut query, &search);
            query.push(" GROUP BY d.error_group) f JOIN error_group g ON g.id = f.error_group");
            push_counts(&mut query, StatusFilter::Any);
            query.push(MOST_FIRST);
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
                 (SELECT x.id FROM dead_letter_pending x WHERE x.error_group = g.id \
                     AND x.id >= dead_letter_floor_id(g.late) AND x.id < dead_letter_floor_id(g.late + interval '25 hours') \
                  ORDER BY x.id DESC LIMIT 1) \
                 UNION ALL \
                 (SELECT x.id FROM dead_letter_pending x WHERE x.error_group = g.id \
                     AND x.id < dead_letter_floor_id(g.late) ORDER BY x.id DESC LIMIT 1) \
                 LIMIT 1) n CROSS JOIN LATERAL (SELECT * FROM dead_letter_now x WHERE x.id = n.id LIMIT 1) d"
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
        let counts: Vec<(Uuid, DateTime<Utc>, i64)> = sqlx::query_as(
            "SELECT error_group, date_trunc('hour', start, 'UTC'), sum(dead + redelivered + deleted)::bigint \
             FROM error_group_timeline WHERE error_group = ANY($1) AND start >= $2 AND start < $3 GROUP BY 1, 2",
        )
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
        let notes: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT error_group, count(*) FROM error_group_event \
             WHERE error_group = ANY($1) AND note IS NOT NULL GROUP BY error_group",
        )
        .bind(groups)
        .fetch_all(&mut connection)
        .await?;
        for (group, count) in notes {
            previews.entry(group).or_default().notes = count;
        }
        Ok(previews)
    }

    /// The group of this id.
    pub async fn error_group(&self, id: Uuid) -> Result<Option<ErrorGroup>, StoreError> {
        Ok(self.known_error_groups(&[id]).await?.pop())
    }

    /// The groups of these ids, whatever became of their dead letters.
    pub async fn known_error_groups(&self, ids: &[Uuid]) -> Result<Vec<ErrorGroup>, StoreError> {
        let query = format!(
            "SELECT {GROUP} FROM error_group g \
             JOIN (SELECT error_group, sum(arrived)::bigint AS arrived, max(last_seen) AS last_seen, max(last_died) AS last_died \
                   FROM error_group_count WHERE error_group = ANY($1) GROUP BY error_group) t ON t.error_group = g.id"
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
        if groups.is_empty() {
            return Ok(HashMap::new());
        }
        let counts: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT g.id, c.count FROM UNNEST($1::uuid[]) AS g (id) CROSS JOIN LATERAL ( \
                 SELECT count(*) AS count FROM (SELECT FROM dead_letter_pending d WHERE d.error_group = g.id \
                     AND d.id >= $2 LIMIT 10000) s) c",
        )
        .bind(groups)
        .bind(floor_id(since))
        .fetch_all(&self.http)
        .await?;
        Ok(counts.into_iter().collect())
    }

    /// What was done with the group, last first.
    pub async fn group_events(&self, id: Uuid) -> Result<Vec<GroupEvent>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, action, note, muted_until, muted_count, version, done_by FROM error_group_event \
             WHERE error_group = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(id)
        .bind(MAX_EVENTS)
        .fetch_all(&self.http)
        .await?;
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
                "muted_until = $3, muted_up_to = $4 + \
                 (SELECT sum(arrived) FROM error_group_count t WHERE t.error_group = g.id)"
            }
            GroupAction::Note => "id = id",
        };
        let statement = format!(
            "WITH changed AS (UPDATE error_group g SET {change} \
                 WHERE g.id = $1 AND $2::timestamptz IS NOT NULL RETURNING g.id) \
             INSERT INTO error_group_event (id, error_group, action, note, muted_until, muted_count, done_by, version) \
             SELECT $5, id, $6, $7, $3::timestamptz, $4::bigint, $8, COALESCE($9::text, 'after ' || $10::text) FROM changed \
             RETURNING (SELECT service FROM error_group g WHERE g.id = error_group)"
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
    })
}
