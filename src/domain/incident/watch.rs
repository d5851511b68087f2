//! Which error groups are news, and when that is over.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Facts, Kind, NewIncident};
use crate::domain::error_group::{ErrorGroup, GroupState, error_name};
use crate::domain::triage::Ticket;

/// A group cannot escalate within this time after it was first seen, or an incident of it was opened: it has no week to be judged by, or
/// has just been told.
const TOLD_FOR: TimeDelta = TimeDelta::hours(24);
/// Fewer arrivals in an hour than this are no escalation of a group.
pub const GROUP_FLOOR: i64 = 20;
/// Fewer arrivals in an hour than this are no growth of a squad.
pub const SQUAD_GROWTH_FLOOR: i64 = 100;
/// The busiest hour of the week, times this, is the most that is expected.
pub const FACTOR: i64 = 2;

/// The largest number of arrivals in an hour, or another length of time, that the week before lets one expect. An hour of the sliding
/// window may hold the arrivals of two hours of the clock, which is what a factor of [`FACTOR`] allows for.
pub fn ceiling(busiest: i64, factor: i64, floor: i64) -> i64 {
    busiest.saturating_mul(factor).max(floor)
}

/// Whether a number above its ceiling is still too large: until it has fallen to half of it.
pub fn grows(last_hour: i64, ceiling: i64) -> bool {
    last_hour > ceiling / 2
}

/// What groups have in common that are one incident: the bug, and the squad that is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bug {
    /// The squad.
    pub squad: String,
    /// Reason, error, and line of code, whatever the service.
    pub bug: Uuid,
}

/// An error group in which something arrived lately, or of which an incident is open.
#[derive(Clone, Debug)]
pub struct WatchedGroup {
    /// The group.
    pub group: ErrorGroup,
    /// What it shares with groups of other services.
    pub bug: Uuid,
    /// How many of its dead letters are dead.
    pub dead: i64,
    /// Arrivals in the last hour.
    pub last_hour: i64,
    /// When an incident of it was last opened.
    pub told_at: Option<DateTime<Utc>>,
    /// When an incident of it was last resolved.
    pub over_at: Option<DateTime<Utc>>,
    /// Its open incidents.
    pub open: Vec<Uuid>,
}

impl WatchedGroup {
    /// Whether it is news that no open incident tells. `began` is when incidents were first looked for: what arrived before is no news.
    pub fn news(&self, began: DateTime<Utc>, now: DateTime<Utc>) -> Option<Kind> {
        let group = &self.group;
        // One that is resolved in a version may go on until that version is deployed.
        let is_silent = matches!(group.state(now), GroupState::Muted | GroupState::Resolved);
        if !self.open.is_empty() || self.dead <= 0 || is_silent {
            return None;
        }
        let ended = self.over_at.into_iter().chain(group.resolved_at).max();
        match ended {
            Some(ended) if group.last_seen > ended.max(began) => Some(Kind::RegressedErrorGroup),
            None if group.first_seen >= began => Some(Kind::NewErrorGroup),
            _ => None,
        }
    }

    /// Whether nobody wants to hear of it.
    fn is_muted(&self, now: DateTime<Utc>) -> bool {
        self.group.state(now) == GroupState::Muted
    }

    /// Whether it has been known for so long, and nobody was told of it lately or wants to be, that its growth is news.
    pub fn may_grow(&self, now: DateTime<Utc>) -> bool {
        let is_told = self.told_at.is_some_and(|told| now - told < TOLD_FOR);
        !is_told && now - self.group.first_seen >= TOLD_FOR && !self.is_muted(now)
    }

    /// Whether its last hour is to be judged against its week.
    pub fn may_escalate(&self, now: DateTime<Utc>) -> bool {
        self.last_hour > GROUP_FLOOR && self.dead > 0 && self.may_grow(now)
    }

    /// The ceiling that its last hour exceeds.
    pub fn escalates(&self, busiest_hour: i64) -> Option<i64> {
        let ceiling = ceiling(busiest_hour, FACTOR, GROUP_FLOOR);
        (self.last_hour > ceiling).then_some(ceiling)
    }

    /// Why it is over, in words. `quiet` is how long nothing may arrive.
    pub fn over(&self, quiet: TimeDelta, now: DateTime<Utc>) -> Option<&'static str> {
        match self.group.state(now) {
            GroupState::Muted => Some("muted"),
            GroupState::Resolved => Some("marked as resolved"),
            _ if self.dead <= 0 => Some("no dead letters are left"),
            _ if now - self.group.last_seen >= quiet => Some("nothing arrived for a while"),
            _ => None,
        }
    }

    /// Of an incident that is about it first.
    pub fn incident(&self, kind: Kind, squad: &str, ceiling: i64) -> NewIncident {
        let group = &self.group;
        let about = match kind {
            Kind::EscalatingErrorGroup => group.id,
            _ => self.bug,
        };
        let since = match kind {
            Kind::NewErrorGroup => group.first_seen,
            _ => group.last_seen,
        };
        NewIncident {
            kind,
            subject: format!("errorGroup/{squad}/{about}/{}", kind.as_str()),
            squad: squad.to_owned(),
            services: vec![group.service.clone()],
            groups: vec![group.id],
            facts: Facts {
                error: Some(self.error()),
                dead: self.dead,
                last_hour: self.last_hour,
                ceiling,
                since: Some(since),
                error_group: Some(group.id),
                assignee: group.assignee.clone(),
                ticket: group.ticket.as_ref().map(Ticket::named),
                ..Facts::default()
            },
        }
    }

    fn error(&self) -> String {
        let group = &self.group;
        error_name(group.error_type.as_deref(), group.template.as_deref(), group.reason.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_group::{Fix, Release};

    fn hour(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(number)
    }

    /// First seen in hour 10, last in hour 12.
    fn watched() -> WatchedGroup {
        let group = ErrorGroup {
            id: Uuid::from_u128(1),
            service: "webshop".into(),
            reason: None,
            error_type: Some("Declined".into()),
            template: None,
            first_seen: hour(10),
            first_version: None,
            last_seen: hour(12),
            last_died: hour(12),
            arrived: 30,
            resolved_at: None,
            fix: None,
            muted_until: None,
            muted_up_to: None,
            assignee: None,
            ticket: None,
        };
        let bug = Uuid::from_u128(2);
        WatchedGroup { group, bug, dead: 30, last_hour: 30, told_at: None, over_at: None, open: Vec::new() }
    }

    #[test]
    fn a_group_is_news_once() {
        let (began, now) = (hour(1), hour(13));
        let new = watched();
        assert_eq!(new.news(began, now), Some(Kind::NewErrorGroup));
        assert_eq!(new.news(hour(11), now), None, "it was there before");
        assert_eq!(WatchedGroup { dead: 0, ..new.clone() }.news(began, now), None);
        assert_eq!(WatchedGroup { open: vec![Uuid::nil()], ..new.clone() }.news(began, now), None);
        let told = WatchedGroup { over_at: Some(hour(12)), ..new.clone() };
        assert_eq!(told.news(began, now), None, "nothing arrived since");
        let mut muted = new;
        muted.group.muted_until = Some(hour(20));
        assert_eq!(muted.news(began, now), None);
    }

    #[test]
    fn what_was_over_and_comes_back_is_news() {
        let (began, now) = (hour(1), hour(13));
        let mut back = watched();
        back.group.resolved_at = Some(hour(11));
        assert_eq!(back.news(began, now), Some(Kind::RegressedErrorGroup));
        assert_eq!(back.news(hour(12), now), None, "it came back before");
        back.over_at = Some(hour(12));
        assert_eq!(back.news(began, now), None);
        let back = WatchedGroup { over_at: Some(hour(11)), ..watched() };
        assert_eq!(back.news(began, now), Some(Kind::RegressedErrorGroup), "though nobody marked it");
    }

    #[test]
    fn what_is_resolved_in_a_version_is_news_when_it_dies_under_it() {
        let (began, now) = (hour(1), hour(13));
        let mut fixed = watched();
        fixed.group.resolved_at = Some(hour(11));
        let mut with = |since| {
            fixed.group.fix = Some(Fix { release: Release::After("1.42".into()), since });
            (fixed.news(began, now), fixed.over(TimeDelta::hours(24), now))
        };
        assert_eq!(with(None), (None, Some("marked as resolved")));
        assert_eq!(with(Some(hour(13))), (None, Some("marked as resolved")));
        assert_eq!(with(Some(hour(12))), (Some(Kind::RegressedErrorGroup), None));
    }

    #[test]
    fn a_group_escalates_above_twice_its_busiest_hour() {
        let now = hour(40);
        let busy = WatchedGroup { last_hour: 101, ..watched() };
        assert!(busy.may_escalate(now) && !busy.may_escalate(hour(33)));
        assert_eq!([50, 51, 0].map(|busiest| busy.escalates(busiest)), [Some(100), None, Some(20)]);
        assert!(!WatchedGroup { last_hour: 20, ..watched() }.may_escalate(now));
        assert!(!WatchedGroup { told_at: Some(hour(17)), ..busy.clone() }.may_escalate(now));
        assert!(grows(51, 100) && !grows(50, 100));
    }

    #[test]
    fn a_group_is_over_for_a_reason() {
        let (quiet, mut group) = (TimeDelta::hours(24), watched());
        assert_eq!(group.over(quiet, hour(35)), None);
        assert_eq!(group.over(quiet, hour(36)), Some("nothing arrived for a while"));
        group.dead = 0;
        assert_eq!(group.over(quiet, hour(13)), Some("no dead letters are left"));
        group.group.resolved_at = Some(hour(12));
        assert_eq!(group.over(quiet, hour(13)), Some("marked as resolved"));
        group.group.muted_until = Some(hour(14));
        assert_eq!(group.over(quiet, hour(13)), Some("muted"));
    }
}
