//! The gate: whether the rollout of a version may go on. Judged by what the error groups of the service did since its deployment.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use super::deployment::Deployment;
use super::error_group::{ErrorGroup, GroupState, error_name};
use super::incident::ceiling;
use super::named::named;
use super::words::{span, things};

/// What is counted together: the shortest time that growth is judged by.
pub const INTERVAL: TimeDelta = TimeDelta::minutes(5);
/// Arrivals so long after a deployment are not put down to it.
pub const LONGEST: TimeDelta = TimeDelta::hours(24);
/// An error that was known for less than this before the deployment has no usual rate.
const HISTORY: TimeDelta = TimeDelta::hours(1);
/// The floor of a service, as a multiple of that of an error group.
pub const SERVICE_FLOORS: i64 = 5;
/// Reasons that are named.
const MOST: usize = 20;

named! {
    /// Whether the rollout may go on.
    Verdict {
        /// It may.
        Pass = "pass",
        /// It may not.
        Fail = "fail",
        /// That is not decided yet.
        Wait = "wait",
    }
}

named! {
    /// Why.
    ReasonCode {
        /// An error that no error group had before.
        NewErrorGroup = "newErrorGroup",
        /// An error occurred again after it was resolved.
        RegressedErrorGroup = "regressedErrorGroup",
        /// A known error occurs far more often than in the week before.
        EscalatingErrorGroup = "escalatingErrorGroup",
        /// The known errors of the service together do.
        ServiceGrowth = "serviceGrowth",
        /// Another version was deployed before this one was observed for long enough.
        Superseded = "superseded",
        /// No deployment of this version was told.
        NotDeployed = "notDeployed",
        /// It has been observed for too short a time.
        Observing = "observing",
        /// No source is consumed, so that nothing could be seen.
        NotWatched = "notWatched",
    }
}

/// One reason of a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Its kind.
    pub code: ReasonCode,
    /// In words.
    pub message: String,
    /// The error group that it is about.
    pub error_group: Option<Uuid>,
}

/// What is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// For how long a version is observed before it passes.
    pub window: TimeDelta,
    /// So many new error groups are tolerated.
    pub max_new_groups: usize,
    /// The busiest interval of the week before, times this, is the most that is expected of known errors.
    pub growth_factor: i64,
    /// Fewer arrivals than this are no growth of an error group.
    pub growth_floor: i64,
}

/// An error group in which something arrived since the deployment.
#[derive(Clone, Debug)]
pub struct ObservedGroup {
    /// The group.
    pub group: ErrorGroup,
    /// Arrivals since. Exact if there are more than the floor.
    pub arrived: i64,
    /// Whether it had come back before the deployment already.
    pub had_regressed: bool,
    /// Arrivals in its busiest interval of the week before. Known if more arrived since than the floor.
    pub busiest: i64,
}

/// What was seen since a deployment.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The deployment.
    pub deployment: Deployment,
    /// The one after it.
    pub next: Option<Deployment>,
    /// The groups in which something arrived since.
    pub groups: Vec<ObservedGroup>,
    /// Arrivals of known errors of the service in their busiest interval of the week before. Known if many arrived since.
    pub busiest: i64,
    /// Whether a source is consumed.
    pub is_watched: bool,
}

impl ErrorGroup {
    /// Whether it began with this deployment.
    fn is_new_in(&self, deployment: &Deployment) -> bool {
        self.first_seen >= deployment.started_at && self.died_since(deployment.started_at)
    }

    /// Whether one of its messages died since. Brokers tell the time of a death in whole seconds.
    fn died_since(&self, time: DateTime<Utc>) -> bool {
        self.last_died >= time.duration_trunc(TimeDelta::seconds(1)).unwrap_or(time)
    }

    /// Whether it has a usual rate that the time since the deployment can be judged by.
    fn is_known_before(&self, deployment: &Deployment) -> bool {
        deployment.started_at - self.first_seen >= HISTORY
    }

    /// Whether it came back and died since. Whether it had come back before is another question.
    pub fn may_regress_in(&self, deployment: &Deployment, now: DateTime<Utc>) -> bool {
        self.state(now) == GroupState::Regressed && self.died_since(deployment.started_at)
    }

    fn name(&self) -> String {
        error_name(self.error_type.as_deref(), self.template.as_deref(), self.reason.as_deref())
    }
}

/// When observing a deployment ends.
pub fn observed_until(
    deployment: &Deployment,
    next: Option<&Deployment>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let end = now.min(deployment.started_at + LONGEST);
    next.map_or(end, |next| end.min(next.started_at))
}

/// No deployment of the version was told.
pub fn not_deployed(service: &str, version: &str) -> (Verdict, Vec<Reason>) {
    let message = format!("No deployment of {service} {version} was told. `POST /deployments` tells it.");
    (Verdict::Wait, vec![Reason { code: ReasonCode::NotDeployed, message, error_group: None }])
}

impl Observation {
    /// For how long it was observed.
    pub fn observed(&self, now: DateTime<Utc>) -> TimeDelta {
        observed_until(&self.deployment, self.next.as_ref(), now) - self.deployment.started_at
    }

    /// Whether the rollout may go on, and why. Muted error groups do not count.
    pub fn judge(&self, allowed: &Thresholds, now: DateTime<Utc>) -> (Verdict, Vec<Reason>) {
        let heard = || self.groups.iter().filter(|one| one.group.state(now) != GroupState::Muted);
        let (new, known): (Vec<_>, Vec<_>) = heard().partition(|one| one.group.is_new_in(&self.deployment));
        let mut failures = Vec::new();
        if new.len() > allowed.max_new_groups {
            failures.extend(new.iter().map(|one| {
                let message =
                    format!("New error: {}, {}.", one.group.name(), things(one.arrived, "dead letter"));
                of_group(ReasonCode::NewErrorGroup, one, message)
            }));
        }
        let (back, usual): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|one| one.group.may_regress_in(&self.deployment, now) && !one.had_regressed);
        failures.extend(back.iter().map(|one| {
            let message = format!("{} occurred again after it was resolved.", one.group.name());
            of_group(ReasonCode::RegressedErrorGroup, one, message)
        }));
        let grown = usual.iter().filter_map(|one| self.growth_of(one, allowed, now)).collect::<Vec<_>>();
        if grown.is_empty() {
            failures.extend(self.growth(&usual, allowed, now));
        }
        failures.extend(grown);
        failures.truncate(MOST);
        if failures.is_empty() { self.unless_failed(allowed, now) } else { (Verdict::Fail, failures) }
    }

    /// The verdict if nothing is wrong.
    fn unless_failed(&self, allowed: &Thresholds, now: DateTime<Utc>) -> (Verdict, Vec<Reason>) {
        let (observed, window) = (self.observed(now), allowed.window);
        let one = |verdict, code, message| (verdict, vec![Reason { code, message, error_group: None }]);
        match &self.next {
            Some(next) if observed < window => {
                let message = format!(
                    "{} was deployed {} after it, before it was observed for {}.",
                    next.version,
                    span(observed),
                    span(window)
                );
                one(Verdict::Fail, ReasonCode::Superseded, message)
            }
            None if !self.is_watched => {
                let message = "No source is consumed at the moment, so that no failure would be seen.".into();
                one(Verdict::Wait, ReasonCode::NotWatched, message)
            }
            None if observed < window => {
                let message = format!(
                    "Nothing is wrong after {} of {} seconds.",
                    observed.num_seconds().max(0),
                    window.num_seconds()
                );
                one(Verdict::Wait, ReasonCode::Observing, message)
            }
            _ => (Verdict::Pass, Vec::new()),
        }
    }

    /// The most arrivals that a busiest interval lets one expect in the time since the deployment.
    fn expected(&self, busiest: i64, floor: i64, allowed: &Thresholds, now: DateTime<Utc>) -> i64 {
        let intervals = self.observed(now).num_seconds() / INTERVAL.num_seconds() + 1;
        ceiling(busiest.saturating_mul(intervals), allowed.growth_factor, floor)
    }

    fn growth_of(&self, one: &ObservedGroup, allowed: &Thresholds, now: DateTime<Utc>) -> Option<Reason> {
        let expected = self.expected(one.busiest, allowed.growth_floor, allowed, now);
        (one.group.is_known_before(&self.deployment) && one.arrived > expected).then(|| {
            let message = format!("{}: {}", one.group.name(), self.grew(one.arrived, expected, now));
            of_group(ReasonCode::EscalatingErrorGroup, one, message)
        })
    }

    fn growth(&self, known: &[&ObservedGroup], allowed: &Thresholds, now: DateTime<Utc>) -> Option<Reason> {
        let arrived = known.iter().map(|one| one.arrived).sum();
        let floor = allowed.growth_floor.saturating_mul(SERVICE_FLOORS);
        let expected = self.expected(self.busiest, floor, allowed, now);
        (arrived > expected).then(|| Reason {
            code: ReasonCode::ServiceGrowth,
            message: format!("Known errors together: {}", self.grew(arrived, expected, now)),
            error_group: None,
        })
    }

    fn grew(&self, arrived: i64, expected: i64, now: DateTime<Utc>) -> String {
        let letters = things(arrived, "dead letter");
        format!("{letters} in {}. Expected were {expected} at most.", span(self.observed(now)))
    }
}

fn of_group(code: ReasonCode, one: &ObservedGroup, message: String) -> Reason {
    Reason { code, message, error_group: Some(one.group.id) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error_group::{Fix, Release};

    const ALLOWED: Thresholds =
        Thresholds { window: TimeDelta::minutes(5), max_new_groups: 0, growth_factor: 2, growth_floor: 20 };

    /// Minutes after the deployment.
    fn minute(number: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(1) + TimeDelta::minutes(number)
    }

    fn deployment(version: &str, started: i64) -> Deployment {
        Deployment {
            id: Uuid::nil(),
            service: "webshop".into(),
            environment: None,
            version: version.into(),
            started_at: minute(started),
            finished_at: None,
            commit: None,
            link: None,
            told_by: "ci".into(),
        }
    }

    /// A known error of which something arrived since.
    fn usual(arrived: i64, busiest: i64) -> ObservedGroup {
        let group = ErrorGroup {
            id: Uuid::from_u128(7),
            service: "webshop".into(),
            reason: None,
            error_type: Some("Declined".into()),
            template: None,
            first_seen: minute(-600),
            first_version: None,
            last_seen: minute(1),
            last_died: minute(1),
            arrived: 1000,
            resolved_at: None,
            fix: None,
            muted_until: None,
            muted_up_to: None,
            assignee: None,
            ticket: None,
        };
        ObservedGroup { group, arrived, had_regressed: false, busiest }
    }

    fn seen(groups: Vec<ObservedGroup>) -> Observation {
        Observation { deployment: deployment("1.43", 0), next: None, groups, busiest: 200, is_watched: true }
    }

    fn verdict(seen: &Observation, minutes: i64) -> (Verdict, Vec<ReasonCode>) {
        let (verdict, reasons) = seen.judge(&ALLOWED, minute(minutes));
        (verdict, reasons.iter().map(|reason| reason.code).collect())
    }

    #[test]
    fn what_goes_on_as_usual_passes_after_the_window() {
        let good = seen(vec![usual(100, 50)]);
        assert_eq!(verdict(&good, 4), (Verdict::Wait, vec![ReasonCode::Observing]));
        assert_eq!(verdict(&good, 5), (Verdict::Pass, vec![]));
        assert_eq!(verdict(&Observation { is_watched: false, ..good.clone() }, 5).0, Verdict::Wait);
        let next = Some(deployment("1.44", 3));
        let superseded = Observation { next, ..good };
        assert_eq!(verdict(&superseded, 9), (Verdict::Fail, vec![ReasonCode::Superseded]));
    }

    #[test]
    fn a_new_error_fails_at_once_unless_it_died_before() {
        let mut new = usual(1, 0);
        new.group.first_seen = minute(1);
        assert_eq!(verdict(&seen(vec![new.clone()]), 1), (Verdict::Fail, vec![ReasonCode::NewErrorGroup]));
        let tolerant = Thresholds { max_new_groups: 1, ..ALLOWED };
        assert_eq!(seen(vec![new.clone()]).judge(&tolerant, minute(5)).0, Verdict::Pass);
        let mut muted = new.clone();
        muted.group.muted_until = Some(minute(60));
        assert_eq!(verdict(&seen(vec![muted]), 5).0, Verdict::Pass);
        new.group.last_died = minute(-1);
        assert_eq!(verdict(&seen(vec![new]), 5).0, Verdict::Pass, "it drains");
    }

    #[test]
    fn what_came_back_fails_unless_it_had_before() {
        let mut back = usual(1, 0);
        back.group.resolved_at = Some(minute(-60));
        let failed = (Verdict::Fail, vec![ReasonCode::RegressedErrorGroup]);
        assert_eq!(verdict(&seen(vec![back.clone()]), 1), failed);
        let before = ObservedGroup { had_regressed: true, ..back.clone() };
        assert_eq!(verdict(&seen(vec![before]), 5).0, Verdict::Pass);
        let fix = |since| Some(Fix { release: Release::Version("1.43".into()), since });
        back.group.fix = fix(Some(minute(2)));
        assert_eq!(verdict(&seen(vec![back.clone()]), 5).0, Verdict::Pass, "both versions may run");
        back.group.fix = fix(Some(minute(1)));
        assert_eq!(verdict(&seen(vec![back]), 1), failed);
    }

    #[test]
    fn a_known_error_fails_above_what_its_week_lets_one_expect() {
        let grown = |arrived, busiest, minutes| verdict(&seen(vec![usual(arrived, busiest)]), minutes);
        let failed = (Verdict::Fail, vec![ReasonCode::EscalatingErrorGroup]);
        assert_eq!(grown(20, 0, 5).0, Verdict::Pass);
        assert_eq!(grown(21, 0, 1), failed);
        assert_eq!(grown(200, 50, 6).0, Verdict::Pass, "two intervals");
        assert_eq!(grown(201, 50, 6), failed);
        let mut young = usual(1000, 0);
        young.group.first_seen = minute(-30);
        assert_eq!(verdict(&seen(vec![young]), 1), (Verdict::Fail, vec![ReasonCode::ServiceGrowth]));
        let many = |arrived| verdict(&seen(vec![usual(arrived, 500); 2]), 1);
        assert_eq!(many(201), (Verdict::Fail, vec![ReasonCode::ServiceGrowth]));
        assert_eq!(many(200).0, Verdict::Wait);
    }
}
