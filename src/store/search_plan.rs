//! How a search is carried out: its filter, and the error groups that can hold its text.
//!
//! A text is searched in the templates of the error groups first. There are thousands of these, but millions of rows. In some
//! groups every row contains the text, in most groups none can, and in the others the trigrams of the rows select candidates.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::find::{self, Lookup};
use super::lease::Lease;
use super::recheck::{self, Wanted};
use super::{StoreError, filter_sql};
use crate::domain::error_search::{Holds, holds};
use crate::domain::filter::{Filter, Order, StatusFilter};
use crate::domain::find::FoundAs;
use crate::domain::recheck::Recheck;

/// Largest number of groups that are read one by one.
const FEW: usize = 500;
/// If at least one row in this many certainly contains the text, a page of matches is found in passing.
const OFTEN: i64 = 10;

/// A filter, with everything that was looked up for it.
#[derive(Debug)]
pub(super) struct SearchPlan<'f> {
    pub filter: &'f Filter,
    /// The groups that can hold the text of `error`.
    pub text: Option<TextGroups>,
    /// What `find` is.
    pub find: Find,
    /// The conditions that SQL cannot decide.
    pub recheck: Option<Arc<Recheck>>,
    /// All matches, once the candidates are rechecked.
    pub rechecked: Option<Vec<Uuid>>,
}

/// What the text of `find` is.
#[derive(Debug)]
pub(super) enum Find {
    /// There is none.
    Nothing,
    /// An id, with these ways to look it up.
    Ids(Vec<Lookup>),
    /// A text, and the groups whose errors can hold it.
    Text(TextGroups),
}

/// The error groups whose rows can contain a text.
#[derive(Debug, Default)]
pub(super) struct TextGroups {
    /// Groups in which every row contains it.
    pub whole: Vec<Uuid>,
    /// The number of their rows with the requested status.
    pub in_whole: i64,
    /// The number of rows with that status in all groups.
    in_all: i64,
    /// Groups in which only some rows can contain it, with the trigrams of those rows.
    pub some: Vec<(Uuid, i64)>,
}

/// A group to read: its rows whose trigrams have all bits of the mask.
pub(super) type Head = (Uuid, i64);

impl TextGroups {
    fn is_often(&self) -> bool {
        self.in_whole > 0 && self.in_whole >= self.in_all / OFTEN
    }
}

impl<'f> SearchPlan<'f> {
    /// Looks up ids, and searches texts in the groups that have rows of the requested status. The plan selects a superset of the
    /// matches until it is [narrowed](Self::narrow).
    pub async fn resolve(connection: &mut Lease, filter: &'f Filter) -> Result<Self, StoreError> {
        let text = match &filter.error {
            Some(needle) => Some(text_groups(connection, filter, needle).await?),
            None => None,
        };
        let find = match &filter.find {
            None => Find::Nothing,
            Some(text) => match find::look_up(connection, text, filter.services.as_deref()).await? {
                lookups if lookups.is_empty() => Find::Text(text_groups(connection, filter, text).await?),
                lookups => Find::Ids(lookups),
            },
        };
        let mut search = Self { filter, text, find, recheck: None, rechecked: None };
        search.decide_recheck();
        Ok(search)
    }

    /// Rechecks all candidates, if necessary, so that the plan selects the matches only.
    pub async fn narrow(&mut self, connection: &mut Lease, within: Duration) -> Result<(), StoreError> {
        self.resolve_id_suffix(connection).await?;
        if let Some(recheck) = self.recheck.clone() {
            let wanted = Wanted { order: Order::Newest, edge: None, count: usize::MAX, within };
            self.rechecked = Some(recheck::recheck(self, &recheck, wanted, connection).await?.ids);
        }
        Ok(())
    }

    /// A text may be the end of an id.
    pub async fn resolve_id_suffix(&mut self, connection: &mut Lease) -> Result<(), StoreError> {
        if let (Find::Text(_), Some(text)) = (&self.find, &self.filter.find) {
            let ids = find::ending_so(connection, text, self.filter.services.as_deref()).await?;
            if !ids.is_empty() {
                self.find = Find::Ids(vec![Lookup::These(ids)]);
                self.decide_recheck();
            }
        }
        Ok(())
    }

    fn decide_recheck(&mut self) {
        let find = self.filter.find.clone().filter(|_| matches!(self.find, Find::Text(_)));
        self.recheck = Recheck::of(&Filter { find, ..self.filter.clone() }).map(Arc::new);
    }

    /// What the text of `find` turned out to be.
    pub fn found_as(&self) -> Vec<FoundAs> {
        match &self.find {
            Find::Nothing => Vec::new(),
            Find::Ids(lookups) => find::found_as(lookups),
            Find::Text(_) => vec![FoundAs::Text],
        }
    }

    /// Whether each service's dead letters are worth reading along their own index.
    pub fn leads_by_service(&self) -> bool {
        self.filter.leads_by_service() && !self.names_ids()
    }

    /// Whether ids select the rows, which are few.
    pub fn names_ids(&self) -> bool {
        self.has_ids() || self.filter.returned_from.is_some()
    }

    fn has_ids(&self) -> bool {
        self.rechecked.is_some() || matches!(self.find, Find::Ids(_)) || self.filter.names_an_id()
    }

    /// Whether the rows are found by what died again of what an operation sent, and by nothing else.
    pub fn leads_by_returns(&self) -> bool {
        self.filter.returned_from.is_some() && !self.has_ids()
    }

    /// Whether the narrow table of pending dead letters has everything that the filter needs.
    pub fn is_answered_by_pending(&self) -> bool {
        let Filter { status, services, error_group, from, to, .. } = self.filter;
        let rest = Filter {
            status: *status,
            services: services.clone(),
            error_group: *error_group,
            from: *from,
            to: *to,
            ..Filter::default()
        };
        self.rechecked.is_none() && status.is_dead() && rest == *self.filter
    }

    /// The groups to read one by one, if they are few and an index leads to their rows.
    pub fn heads(&self) -> Option<Vec<Head>> {
        if !self.filter.status.is_dead() || self.names_ids() {
            return None;
        }
        match (&self.text, self.filter.error_group) {
            (Some(text), _) if text.whole.len() + text.some.len() <= FEW && !text.is_often() => {
                Some(text.whole.iter().map(|id| (*id, 0)).chain(text.some.iter().copied()).collect())
            }
            (None, Some(group)) => Some(vec![(group, 0)]),
            _ => None,
        }
    }

    /// Where the exact number comes from, if it is known without rechecking candidates.
    pub fn counted(&self) -> Option<Counted> {
        let by_text = match &self.text {
            None => None,
            Some(text) if text.some.is_empty() => Some(text.in_whole),
            Some(_) => return None,
        };
        let rest = Filter { error: None, ..self.filter.clone() };
        rest.is_counted().then_some(by_text.map_or(Counted::ByGroups, Counted::Known))
    }

    /// Appends ` WHERE …` with each condition that is the same for all rows of a group `g`, for one that the counters know.
    pub fn push_groups(&self, query: &mut QueryBuilder<'static, Postgres>) {
        push_group_conditions(query, self.filter);
        if let Some(text) = &self.text {
            query.push(" AND g.id = ANY(").push_bind(text.whole.clone()).push(")");
        }
    }

    /// Whether an index leads to the rows, so that hardly any is read in vain.
    pub fn is_indexed(&self) -> bool {
        if self.recheck.is_some() || matches!(self.find, Find::Ids(_)) {
            return self.recheck.is_none();
        }
        match &self.text {
            None => self.filter.is_indexed(),
            Some(text) => {
                let rest = Filter { error: None, ..self.filter.clone() };
                rest.names_an_id()
                    || (text.some.is_empty()
                        && (self.heads().is_some() || text.is_often())
                        && rest.is_indexed())
            }
        }
    }
}

/// Searches a text in the groups.
async fn text_groups(
    connection: &mut Lease,
    filter: &Filter,
    needle: &str,
) -> Result<TextGroups, StoreError> {
    let mut query = QueryBuilder::new("SELECT g.id, g.error_type, g.template, t.count FROM error_group g");
    push_counts(&mut query, filter.status);
    push_group_conditions(&mut query, filter);
    let mut text = TextGroups::default();
    for row in query.build().fetch_all(connection).await? {
        let id = row.try_get("id")?;
        let error_type: Option<String> = row.try_get("error_type")?;
        let template: Option<String> = row.try_get("template")?;
        let count: i64 = row.try_get("count")?;
        text.in_all += count;
        match text_in(error_type.as_deref(), template.as_deref(), needle) {
            Holds::No => {}
            Holds::Always => {
                text.whole.push(id);
                text.in_whole += count;
            }
            Holds::Perhaps(mask) => text.some.push((id, mask)),
        }
    }
    Ok(text)
}

/// Where an exact number comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// It is this.
    Known(i64),
    /// From the counters of the filter's groups.
    ByGroups,
}

/// Appends a join with `t (error_group, count, arrived, last_seen, last_died)`: the counters of the groups `g` that have rows of this
/// status.
pub(super) fn push_counts(query: &mut QueryBuilder<'static, Postgres>, status: StatusFilter) {
    let count = status.count_column();
    query.push(format!(
        " JOIN (SELECT error_group, sum({count})::bigint AS count, sum(arrived)::bigint AS arrived, \
             max(last_seen) AS last_seen, max(last_died) AS last_died \
         FROM error_group_count GROUP BY error_group HAVING sum({count}) <> 0) t ON t.error_group = g.id"
    ));
}

/// The same, and of groups without any, those whose last arrival is not older than this.
pub(super) fn push_counts_since(
    query: &mut QueryBuilder<'static, Postgres>,
    status: StatusFilter,
    since: DateTime<Utc>,
) {
    let count = status.count_column();
    query.push(format!(
        " JOIN (SELECT error_group, sum({count})::bigint AS count, sum(arrived)::bigint AS arrived, \
             max(last_seen) AS last_seen, max(last_died) AS last_died \
         FROM error_group_count GROUP BY error_group HAVING sum({count}) <> 0 OR max(last_seen) >= "
    ));
    query.push_bind(since).push(") t ON t.error_group = g.id");
}

/// Appends ` WHERE …` with each condition that is the same for all rows of a group `g`.
fn push_group_conditions(query: &mut QueryBuilder<'static, Postgres>, filter: &Filter) {
    query.push(" WHERE true");
    if let Some(services) = &filter.services {
        query.push(" AND g.service = ANY(").push_bind(services.clone()).push(")");
    }
    if let Some(group) = filter.error_group {
        query.push(" AND g.id = ").push_bind(group);
    }
    if let Some(reason) = &filter.reason {
        query.push(" AND g.reason = ").push_bind(reason.clone());
    }
    filter_sql::push_place(query, "g", filter);
}

/// Within the type or the text. Of groups of the version before the template is not known, and their rows have no trigrams; of
/// types only the text's trigrams are among the rows'.
fn text_in(error_type: Option<&str>, template: Option<&str>, needle: &str) -> Holds {
    let in_type = error_type.map_or(Holds::No, |name| {
        if name.chars().any(char::is_control) { Holds::Perhaps(0) } else { holds(name, needle) }
    });
    let in_text = template.map_or(Holds::Perhaps(0), |template| holds(template, needle));
    match (in_type, in_text) {
        (Holds::Always, _) | (_, Holds::Always) => Holds::Always,
        (Holds::Perhaps(_), _) => Holds::Perhaps(0),
        (Holds::No, in_text) => in_text,
    }
}
