//! Makes several error groups of a service one, and groups of their own again. No dead letter and no counter changes.

use std::collections::HashMap;

use serde_json::json;
use sqlx::Row;
use uuid::Uuid;

use super::lease::Transaction;
use super::{Store, StoreError, audit};
use crate::clock;
use crate::domain::audit::{Action, Actor, Entry};
use crate::domain::error_group::MergedGroup;

/// Advisory lock of whoever merges or splits: two merges in opposite directions come one after the other.
const MERGING: &str = "SELECT pg_advisory_xact_lock(hashtextextended('dead-letter merged groups', 0))";

/// What became of a merge or a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Regrouped {
    /// It is as it was asked for.
    Done,
    /// The group that was to change is not stored.
    Unknown,
    /// One of the others is not stored.
    OtherUnknown(Uuid),
    /// One of the others is of this service.
    OfService(Uuid, String),
    /// It cannot be split off, because it is no part of the group.
    NoPart(Uuid),
}

/// Who does it, and why.
#[derive(Clone, Copy, Debug)]
pub struct Done<'d> {
    /// Who.
    pub by: &'d Actor,
    /// Why, in their own words.
    pub note: Option<&'d str>,
}

/// A group, as it was asked for.
struct Asked {
    /// The group that it counts as.
    whole: Uuid,
    service: String,
}

impl Store {
    /// Merges these groups, with those that were merged into them, into this one. The whole is resolved if all of them are, as the last of
    /// them is. It keeps the mute, the assignee and the ticket of this one, or takes the assignee and the ticket of another. Groups that
    /// are one already stay it.
    pub async fn merge_groups(
        &self,
        into: Uuid,
        others: &[Uuid],
        done: Done<'_>,
    ) -> Result<Regrouped, StoreError> {
        let mut transaction = self.http.begin().await?;
        sqlx::query(MERGING).execute(&mut *transaction).await?;
        let Some(target) = asked(&mut transaction, into).await? else { return Ok(Regrouped::Unknown) };
        let mut sources = Vec::new();
        for other in others {
            let Some(source) = asked(&mut transaction, *other).await? else {
                return Ok(Regrouped::OtherUnknown(*other));
            };
            if source.service != target.service {
                return Ok(Regrouped::OfService(*other, source.service));
            }
            if source.whole != target.whole && !sources.contains(&source.whole) {
                sources.push(source.whole);
            }
        }
        if sources.is_empty() {
            return Ok(Regrouped::Done);
        }
        lock(&mut transaction, &[&[target.whole], &sources[..]].concat()).await?;
        // Before they are merged: the arrivals of the others do not end a mute.
        sqlx::query(
            "UPDATE error_group g SET \
                 (resolved_at, resolved_version, resolved_after) = (SELECT p.resolved_at, p.resolved_version, p.resolved_after \
                     FROM error_group p WHERE (p.id = $1 OR p.id = ANY($2)) AND NOT EXISTS ( \
                         SELECT FROM error_group q WHERE (q.id = $1 OR q.id = ANY($2)) AND q.resolved_at IS NULL) \
                     ORDER BY p.resolved_at DESC LIMIT 1), \
                 muted_up_to = muted_up_to + (SELECT COALESCE(sum(c.arrived), 0) FROM error_group_count c WHERE c.error_group IN ( \
                     SELECT m.id FROM error_group m WHERE m.id = ANY($2) OR m.merged_into = ANY($2))), \
                 assignee = COALESCE(assignee, (SELECT p.assignee FROM error_group p \
                     WHERE p.id = ANY($2) AND p.assignee IS NOT NULL ORDER BY p.first_seen LIMIT 1)), \
                 (ticket_url, ticket_key) = (SELECT p.ticket_url, p.ticket_key FROM error_group p \
                     WHERE p.id = $1 OR p.id = ANY($2) ORDER BY p.ticket_url IS NULL, p.id <> $1, p.first_seen LIMIT 1) \
             WHERE g.id = $1",
        )
        .bind(target.whole)
        .bind(&sources)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE error_group SET merged_into = $1 WHERE id = ANY($2) OR merged_into = ANY($2)")
            .bind(target.whole)
            .bind(&sources)
            .execute(&mut *transaction)
            .await?;
        record(&mut transaction, Action::Merge, &target, &sources, done).await?;
        transaction.commit().await?;
        Ok(Regrouped::Done)
    }

    /// Makes these groups, which were merged into this one, groups of their own again. What was said of the whole holds for each of them,
    /// and who was told of the whole was told of them: a split is no news.
    pub async fn split_groups(
        &self,
        from: Uuid,
        others: &[Uuid],
        done: Done<'_>,
    ) -> Result<Regrouped, StoreError> {
        let mut transaction = self.http.begin().await?;
        sqlx::query(MERGING).execute(&mut *transaction).await?;
        let Some(whole) = asked(&mut transaction, from).await? else { return Ok(Regrouped::Unknown) };
        let mut parts = others.to_vec();
        parts.sort_unstable();
        parts.dedup();
        let merged: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM error_group WHERE merged_into = $1 AND id = ANY($2)")
                .bind(whole.whole)
                .bind(&parts)
                .fetch_all(&mut *transaction)
                .await?;
        if let Some(other) = parts.iter().find(|part| !merged.contains(part)) {
            return Ok(Regrouped::NoPart(*other));
        }
        lock(&mut transaction, &[whole.whole]).await?;
        for statement in [
            // What is left of a mute by number is left to each.
            "UPDATE error_group p SET merged_into = NULL, resolved_at = g.resolved_at, resolved_version = g.resolved_version, \
                 resolved_after = g.resolved_after, muted_until = g.muted_until, assignee = g.assignee, ticket_url = g.ticket_url, ticket_key = g.ticket_key, \
                 muted_up_to = g.muted_up_to \
                     - (SELECT sum(c.arrived) FROM error_group_count c WHERE c.error_group IN ( \
                         SELECT m.id FROM error_group m WHERE m.id = $1 OR m.merged_into = $1)) \
                     + (SELECT COALESCE(sum(c.arrived), 0) FROM error_group_count c WHERE c.error_group = p.id) \
             FROM error_group g WHERE g.id = $1 AND p.id = ANY($2)",
            "UPDATE error_group SET muted_up_to = muted_up_to \
                 - (SELECT COALESCE(sum(c.arrived), 0) FROM error_group_count c WHERE c.error_group = ANY($2)) WHERE id = $1",
            "INSERT INTO incident_group (error_group, incident) \
             SELECT p.id, i.incident FROM unnest($2::uuid[]) AS p (id), \
                 (SELECT m.incident FROM incident_group m JOIN error_group g ON g.id = m.error_group \
                  WHERE g.id = $1 OR g.merged_into = $1) i ON CONFLICT DO NOTHING",
        ] {
            sqlx::query(statement).bind(whole.whole).bind(&parts).execute(&mut *transaction).await?;
        }
        record(&mut transaction, Action::Split, &whole, &parts, done).await?;
        transaction.commit().await?;
        Ok(Regrouped::Done)
    }

    /// The services of these groups, of those that are stored.
    pub async fn services_of_groups(&self, groups: &[Uuid]) -> Result<HashMap<Uuid, String>, StoreError> {
        let services: Vec<(Uuid, String)> =
            sqlx::query_as("SELECT id, service FROM error_group WHERE id = ANY($1)")
                .bind(groups)
                .fetch_all(&self.http)
                .await?;
        Ok(services.into_iter().collect())
    }

    /// The groups that were merged into this one, the first one first.
    pub async fn merged_groups(&self, whole: Uuid) -> Result<Vec<MergedGroup>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, reason, error_type, template, first_seen FROM error_group WHERE merged_into = $1 ORDER BY first_seen, id",
        )
        .bind(whole)
        .fetch_all(&self.http)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(MergedGroup {
                    id: row.try_get("id")?,
                    reason: row.try_get("reason")?,
                    error_type: row.try_get("error_type")?,
                    template: row.try_get("template")?,
                    first_seen: row.try_get("first_seen")?,
                })
            })
            .collect()
    }
}

async fn asked(transaction: &mut Transaction<'static>, group: Uuid) -> Result<Option<Asked>, StoreError> {
    let row =
        sqlx::query("SELECT COALESCE(merged_into, id) AS whole, service FROM error_group WHERE id = $1")
            .bind(group)
            .fetch_optional(&mut **transaction)
            .await?;
    row.map(|row| Ok(Asked { whole: row.try_get("whole")?, service: row.try_get("service")? })).transpose()
}

/// Locks groups and their parts in the order of their ids, as batches do that make sure of their groups: neither waits for the other.
async fn lock(transaction: &mut Transaction<'static>, groups: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query(
        "SELECT FROM error_group WHERE id = ANY($1) OR merged_into = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind(groups)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Writes it down, with the group and in the audit (rule R13).
async fn record(
    transaction: &mut Transaction<'static>,
    action: Action,
    whole: &Asked,
    others: &[Uuid],
    done: Done<'_>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO error_group_event (id, error_group, action, note, groups, done_by) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(clock::new_id())
    .bind(whole.whole)
    .bind(action.as_str())
    .bind(done.note)
    .bind(others)
    .bind(&done.by.name)
    .execute(&mut **transaction)
    .await?;
    let entry = Entry {
        services: vec![whole.service.clone()],
        error_group: Some(whole.whole),
        details: json!({"groups": others}),
        reason: done.note.map(str::to_owned),
        ..Entry::new(clock::new_id(), done.by.clone(), action)
    };
    audit::append(transaction, &entry).await
}
