//! Canaries: a few messages first, then more, and the others only if these succeed.

use serde::{Deserialize, Serialize};

use super::outcome::Outcomes;
use super::words::count;

/// After each step the operation waits, and continues only if few enough messages failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    /// Total number of tried items at the end of each step, ascending. Empty without a canary.
    pub steps: Vec<i64>,
    /// Wait at the end of each step, in seconds.
    pub wait_seconds: i64,
    /// Limit in percent of items that were refused or died again.
    pub max_failed_percent: f64,
}

/// The verdict at the end of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Continue past this step.
    Pass(i64),
    /// Pause the operation, for this reason.
    Stop(String),
}

impl Canary {
    /// The current step: the first after the last one that was passed.
    fn step(&self, passed: i64) -> Option<i64> {
        self.steps.iter().copied().find(|step| *step > passed)
    }

    /// Whether there is a current step.
    pub fn is_climbing(&self, passed: i64) -> bool {
        self.step(passed).is_some()
    }

    /// Number of items that may be tried before the end of the step. `None` without a limit.
    pub fn allowance(&self, passed: i64, outcomes: &Outcomes) -> Option<i64> {
        self.step(passed).map(|step| (step - outcomes.tried()).max(0))
    }

    /// Number of items that may be tried after the step that has ended (`Some(None)` for all). `None` if no step has ended.
    pub fn next_allowance(&self, passed: i64, outcomes: &Outcomes) -> Option<Option<i64>> {
        let step = self.step(passed).filter(|step| outcomes.tried() >= *step)?;
        Some(self.allowance(step, outcomes))
    }

    /// The verdict, once the wait after the step is over. `None` before the end of the step.
    pub fn verdict(&self, passed: i64, outcomes: &Outcomes) -> Option<Verdict> {
        let tried = outcomes.tried();
        let step = self.step(passed).filter(|step| tried >= *step)?;
        let failed = outcomes.returned + outcomes.refused;
        #[expect(clippy::cast_precision_loss, reason = "numbers of messages")]
        let is_too_much = failed as f64 * 100.0 > self.max_failed_percent * tried as f64;
        Some(if is_too_much { Verdict::Stop(self.stopped(outcomes)) } else { Verdict::Pass(step) })
    }

    fn stopped(&self, outcomes: &Outcomes) -> String {
        let failed = [(outcomes.returned, "died again"), (outcomes.refused, "were refused")];
        let tried = count(outcomes.tried());
        let failed = failed.iter().filter(|(number, _)| *number > 0);
        let failed = failed.map(|(number, how)| format!("{} of {tried} {how}", count(*number)));
        let failed = failed.collect::<Vec<_>>().join(", ");
        format!("Paused by the canary: {failed} (limit {} %)", self.max_failed_percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ladder_is_climbed_step_by_step() {
        let canary = Canary { steps: vec![1, 10], wait_seconds: 30, max_failed_percent: 20.0 };
        let outcomes = |sent, returned, refused| Outcomes { sent, returned, refused, ..Outcomes::default() };
        assert_eq!(canary.allowance(0, &outcomes(0, 0, 0)), Some(1));
        assert_eq!(canary.verdict(0, &outcomes(0, 0, 0)), None);
        assert_eq!(canary.verdict(0, &outcomes(1, 0, 0)), Some(Verdict::Pass(1)));
        assert_eq!(canary.allowance(1, &outcomes(1, 0, 0)), Some(9));
        assert_eq!(canary.verdict(1, &outcomes(8, 1, 1)), Some(Verdict::Pass(10)));
        let stopped = "Paused by the canary: 2 of 10 died again, 1 of 10 were refused (limit 20 %)";
        assert_eq!(canary.verdict(1, &outcomes(7, 2, 1)), Some(Verdict::Stop(stopped.into())));
        assert_eq!(canary.next_allowance(0, &outcomes(1, 0, 0)), Some(Some(9)));
        assert_eq!(canary.next_allowance(1, &outcomes(10, 0, 0)), Some(None));
        assert_eq!(canary.next_allowance(1, &outcomes(9, 0, 0)), None);
        assert_eq!(canary.allowance(10, &outcomes(8, 1, 1)), None);
        assert_eq!(canary.verdict(10, &outcomes(8, 1, 1)), None);
        let stopped = "Paused by the canary: 3 of 10 were refused (limit 20 %)";
        assert_eq!(canary.verdict(1, &outcomes(7, 0, 3)), Some(Verdict::Stop(stopped.into())));
        assert!(canary.is_climbing(0) && canary.is_climbing(1));
        assert!(!canary.is_climbing(10) && !Canary::default().is_climbing(0));
    }
}
