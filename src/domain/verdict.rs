//! Verdicts: whether an operation achieved its purpose. A redelivery counts as helpful only after it was watched for returns.

use chrono::{DateTime, TimeDelta, Utc};

use super::operation::{Kind, Operation, State};
use super::words::{count, span};

/// What an operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has not ended: it waits, runs, is paused, or is being cancelled.
    Running,
    /// All is sent, and what was sent may die again.
    Watching,
    /// Everything was done, and nothing is known to have died again.
    Completed,
    /// Some was done, and some was refused, skipped, not done, or died again.
    CompletedWithProblems,
    /// Nothing was done, or all that was sent died again.
    Failed,
}

impl Verdict {
    /// Every one of them.
    pub const ALL: [Self; 5] =
        [Self::Running, Self::Watching, Self::Completed, Self::CompletedWithProblems, Self::Failed];

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Watching => "watching",
            Self::Completed => "completed",
            Self::CompletedWithProblems => "completedWithProblems",
            Self::Failed => "failed",
        }
    }

    /// Whether it is spoken. A message that dies again later can still change it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::Watching)
    }
}

/// A verdict, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The same in a sentence or two.
    pub text: String,
    /// Until when what was sent is watched for returns.
    pub watch_until: Option<DateTime<Utc>>,
}

impl Judgement {
    /// Of the operation as it stands now, if returns are watched for so long.
    pub fn of(operation: &Operation, watch: TimeDelta, now: DateTime<Utc>) -> Self {
        let watch_until = watch_until(operation, watch);
        let verdict = verdict(operation, watch_until, now);
        let text = match (verdict, watch_until) {
            (Verdict::Running, _) => running(operation, now),
            (Verdict::Watching, Some(until)) => {
                let left = span(until - now + TimeDelta::milliseconds(999));
                format!("{}. Watching for returns for {left} more.", done(operation, Returns::SoFar))
            }
            _ => ended(operation, watch),
        };
        Self { verdict, text, watch_until }
    }
}

/// Only what is sent can return, and the death of a copy is no return.
fn watch_until(operation: &Operation, watch: TimeDelta) -> Option<DateTime<Utc>> {
    let ended = operation.ended_at.filter(|_| operation.state.is_final())?;
    let may_return = operation.kind == Kind::Redeliver && !operation.copy && operation.outcomes.went() > 0;
    (may_return && watch > TimeDelta::zero()).then_some(ended + watch)
}

fn verdict(operation: &Operation, watch_until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Verdict {
    let outcomes = &operation.outcomes;
    if !operation.state.is_final() {
        return Verdict::Running;
    }
    // Where all came back before, nothing is left to wait for.
    if outcomes.sent > 0 && watch_until.is_some_and(|until| now < until) {
        return Verdict::Watching;
    }
    let done = outcomes.sent + outcomes.deleted + outcomes.restored;
    // To be cancelled before anything was sent is no failure.
    let is_called_off = operation.state == State::Cancelled && outcomes.tried() == 0;
    match done {
        _ if done == operation.total => Verdict::Completed,
        0 if !is_called_off => Verdict::Failed,
        _ => Verdict::CompletedWithProblems,
    }
}

/// How what died again is spoken of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Returns {
    /// There may be more soon.
    SoFar,
    /// It was watched for so long.
    Watched(TimeDelta),
    /// Only if there are some.
    IfAny,
}

fn running(operation: &Operation, now: DateTime<Utc>) -> String {
    let settled = operation.outcomes.settled();
    let left = operation.total - settled;
    let waits = operation.waiting_for.as_deref().map(|what| format!("Waiting: {what}. Continues by itself."));
    let said = operation.last_error.as_deref().map(|error| format!("{}.", error.trim_end_matches('.')));
    let said = waits.or(said);
    let has_gone = (settled > 0).then(|| format!("{}.", done(operation, Returns::SoFar)));
    let waiting = match operation.state {
        State::Paused if operation.awaits_approval => {
            Some(format!("Waits for a second person to approve {} messages.", count(left)))
        }
        State::Paused if said.is_none() => Some(format!("Paused, {} left.", count(left))),
        State::Cancelling => Some("Cancelling.".into()),
        State::Pending if said.is_none() && has_gone.is_none() => Some("Waiting to start.".into()),
        State::Running if said.is_none() => {
            Some(canary_wait(operation, now).unwrap_or_else(|| format!("{} left.", count(left))))
        }
        _ => None,
    };
    [said, has_gone, waiting].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What comes next, at the end of a step of the canary.
fn canary_wait(operation: &Operation, now: DateTime<Utc>) -> Option<String> {
    let next = operation.canary.next_allowance(operation.canary_passed, &operation.outcomes)?;
    let wait = Some(operation.next_chunk_at - now).filter(|wait| *wait > TimeDelta::zero())?;
    let left = operation.total - operation.outcomes.settled();
    let next = match next.filter(|next| *next < left) {
        Some(next) => format!("the next {}", count(next)),
        None => format!("the other {}", count(left)),
    };
    Some(format!("Canary: sends {next} in {}.", span(wait + TimeDelta::milliseconds(999))))
}

fn ended(operation: &Operation, watch: TimeDelta) -> String {
    let watched = watch_until(operation, watch).map_or(Returns::IfAny, |_| Returns::Watched(watch));
    let done = done(operation, watched);
    match operation.state {
        State::Cancelled => format!("Cancelled: {done}."),
        _ if operation.total == 0 => "Nothing was selected.".into(),
        _ => format!("{done}."),
    }
}

/// Numbers by outcome, and how many died again, without the full stop.
fn done(operation: &Operation, returns: Returns) -> String {
    let outcomes = &operation.outcomes;
    let (done, verb, stays) = match operation.kind {
        Kind::Redeliver if operation.copy => (outcomes.went(), "copied", "dead"),
        Kind::Redeliver => (outcomes.went(), "sent", "dead"),
        Kind::Delete => (outcomes.deleted, "deleted", "dead"),
        Kind::Restore => (outcomes.restored, "restored", "deleted"),
    };
    let skipped = outcomes.skipped - operation.not_done;
    let mut said = vec![format!("{} {verb}", count(done))];
    said.extend(
        (outcomes.refused > 0).then(|| format!("{} refused (still {stays})", count(outcomes.refused))),
    );
    said.extend((skipped > 0).then(|| format!("{} skipped", count(skipped))));
    let not_done = operation.not_done;
    said.extend((not_done > 0).then(|| format!("{} not {verb} (still {stays})", count(not_done))));
    let Some(returned) = returned(operation, returns) else { return said.join(", ") };
    if said.len() == 1 {
        return format!("{}, {returned}", said.join(", "));
    }
    let mut capital = returned;
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{}. {capital}", said.join(", "))
}

fn returned(operation: &Operation, returns: Returns) -> Option<String> {
    let (went, returned) = (operation.outcomes.went(), operation.outcomes.returned);
    if operation.kind != Kind::Redeliver || operation.copy || went == 0 {
        return None;
    }
    let so_far = if returns == Returns::SoFar && returned < went { " so far" } else { "" };
    let cause = operation.died_of.as_deref().map_or_else(String::new, |cause| format!(": {cause}"));
    match (returned, returns) {
        (0, Returns::IfAny) => None,
        (0, Returns::SoFar) => Some("none died again so far".into()),
        (0, Returns::Watched(time)) => Some(format!("none died again within {}", span(time))),
        _ if returned == went && went > 1 => Some(format!("all {} died again{cause}", count(went))),
        _ => Some(format!("{} of {} died again{so_far}{cause}", count(returned), count(went))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::canary::Canary;
    use crate::domain::operation::Outcomes;

    const WATCH: TimeDelta = TimeDelta::seconds(20);

    fn operation(kind: Kind, state: State, outcomes: Outcomes, total: i64) -> Operation {
        let ended_at = state.is_final().then_some(DateTime::UNIX_EPOCH);
        let died_of = (outcomes.returned > 0).then(|| "PaymentDeclined".to_owned());
        Operation { kind, state, total, outcomes, ended_at, died_of, ..Operation::made() }
    }

    fn said(operation: &Operation, seconds: i64) -> (Verdict, String) {
        let judgement = Judgement::of(operation, WATCH, DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds));
        (judgement.verdict, judgement.text)
    }

    #[test]
    fn a_redelivery_is_watched_before_it_is_said_to_have_helped() {
        let of = |sent, returned| {
            let outcomes = Outcomes { sent, returned, ..Outcomes::default() };
            operation(Kind::Redeliver, State::Completed, outcomes, 3)
        };
        let (verdict, text) = said(&of(3, 0), 2);
        assert_eq!(
            (verdict, &*text),
            (Verdict::Watching, "3 sent, none died again so far. Watching for returns for 18 s more.")
        );
        let (verdict, text) = said(&of(1, 2), 2);
        assert_eq!(
            (verdict, &*text),
            (
                Verdict::Watching,
                "3 sent, 2 of 3 died again so far: PaymentDeclined. Watching for returns for 18 s more."
            )
        );
        let all = (Verdict::Failed, "3 sent, all 3 died again: PaymentDeclined.".to_owned());
        assert_eq!(said(&of(0, 3), 2), all, "nothing is left to wait for");
        assert_eq!(said(&of(3, 0), 20), (Verdict::Completed, "3 sent, none died again within 20 s.".into()));
        let some = (Verdict::CompletedWithProblems, "3 sent, 1 of 3 died again: PaymentDeclined.".to_owned());
        assert_eq!(said(&of(2, 1), 20), some);
        let copy = Operation { copy: true, ..of(3, 0) };
        assert_eq!(said(&copy, 0), (Verdict::Completed, "3 copied.".into()));
    }

    #[test]
    fn what_was_not_done_is_said() {
        let of = |state, outcomes: Outcomes| operation(Kind::Redeliver, state, outcomes, outcomes.settled());
        let none = Outcomes::default();
        let skipped = of(State::Completed, Outcomes { skipped: 163, ..none });
        assert_eq!(said(&skipped, 0), (Verdict::Failed, "0 sent, 163 skipped.".into()));
        let refused = of(State::Completed, Outcomes { sent: 1, refused: 20, ..none });
        let text = "1 sent, 20 refused (still dead). None died again within 20 s.";
        assert_eq!(said(&refused, 60), (Verdict::CompletedWithProblems, text.into()));
        let cancelled = of(State::Cancelled, Outcomes { sent: 1480, skipped: 2529, ..none });
        let cancelled = Operation { not_done: 2529, ..cancelled };
        let text = "Cancelled: 1,480 sent, 2,529 not sent (still dead). None died again within 20 s.";
        assert_eq!(said(&cancelled, 60), (Verdict::CompletedWithProblems, text.into()));
        let called_off = Operation { not_done: 7, ..of(State::Cancelled, Outcomes { skipped: 7, ..none }) };
        let text = "Cancelled: 0 sent, 7 not sent (still dead).";
        assert_eq!(said(&called_off, 0), (Verdict::CompletedWithProblems, text.into()));
        let deleted = operation(Kind::Delete, State::Completed, Outcomes { deleted: 249, ..none }, 249);
        assert_eq!(said(&deleted, 0), (Verdict::Completed, "249 deleted.".into()));
        let nothing = operation(Kind::Delete, State::Completed, none, 0);
        assert_eq!(said(&nothing, 0), (Verdict::Completed, "Nothing was selected.".into()));
    }

    #[test]
    fn one_that_runs_says_what_it_waits_for() {
        let of =
            |state, sent| operation(Kind::Redeliver, state, Outcomes { sent, ..Outcomes::default() }, 3_037);
        assert_eq!(said(&of(State::Pending, 0), 0), (Verdict::Running, "Waiting to start.".into()));
        let text = "37 sent, none died again so far. Paused, 3,000 left.";
        assert_eq!(said(&of(State::Paused, 37), 0), (Verdict::Running, text.into()));
        let held = Operation { last_error: Some("the broker is away".into()), ..of(State::Running, 37) };
        let text = "the broker is away. 37 sent, none died again so far.";
        assert_eq!(said(&held, 0), (Verdict::Running, text.into()));
        let waits = Operation { waiting_for: Some("queue q is full".into()), ..of(State::Waiting, 37) };
        let text = "Waiting: queue q is full. Continues by itself. 37 sent, none died again so far.";
        assert_eq!(said(&waits, 0), (Verdict::Running, text.into()));
        let canary = Canary { steps: vec![10, 100], wait_seconds: 30, max_failed_percent: 0.0 };
        let next_chunk_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(30);
        let climbing = Operation { canary, next_chunk_at, ..of(State::Running, 10) };
        let text = "10 sent, none died again so far. Canary: sends the next 90 in 18 s.";
        assert_eq!(said(&climbing, 12), (Verdict::Running, text.into()));
        let top = Operation {
            canary_passed: 10,
            outcomes: Outcomes { sent: 100, ..climbing.outcomes },
            ..climbing
        };
        let text = "100 sent, none died again so far. Canary: sends the other 2,937 in 18 s.";
        assert_eq!(said(&top, 12), (Verdict::Running, text.into()));
    }
}
