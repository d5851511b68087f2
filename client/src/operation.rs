//! An operation as the API returns it: its state in words, the exit code, and what to do next.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::ending::{Ending, Failure};
use crate::text::{count, line};

/// How long an operation is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Every item has an outcome.
    Sent,
    /// The redelivered messages have been watched for returns.
    Verdict,
}

/// The fields that this client needs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) id: Uuid,
    kind: String,
    state: String,
    /// Absent if the server is older than this client.
    verdict: Option<String>,
    verdict_text: Option<String>,
    pub(crate) total: i64,
    pub(crate) remaining: i64,
    #[serde(default)]
    outcomes: BTreeMap<String, i64>,
    waiting_for: Option<String>,
    last_error: Option<String>,
    rate: Option<i64>,
    #[serde(default)]
    awaits_approval: bool,
    pub(crate) progress: Option<Progress>,
}

/// Speed and remaining time, as computed by the server.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Progress {
    pub(crate) per_second: Option<f64>,
    pub(crate) eta_seconds: Option<f64>,
}

impl Operation {
    pub(crate) fn read(json: &Value) -> Result<Self, Failure> {
        Self::deserialize(json)
            .map_err(|error| Failure::Failed(format!("Cannot read the server's response: {error}")))
    }

    /// Number of items with an outcome.
    pub(crate) fn settled(&self) -> i64 {
        self.total - self.remaining
    }

    /// Counts by outcome: `sent 11,990, returned 10`.
    pub(crate) fn outcomes_text(&self) -> String {
        let some = self.outcomes.iter().filter(|(_, number)| **number > 0);
        some.map(|(outcome, number)| format!("{outcome} {}", count(*number))).collect::<Vec<_>>().join(", ")
    }

    /// Whether all messages are sent and the watch for returns is not over.
    pub(crate) fn is_watching(&self) -> bool {
        self.verdict.as_deref() == Some("watching")
    }

    /// The server's verdict as a sentence. Counts, if the server is too old to have one.
    pub(crate) fn verdict_text(&self) -> String {
        self.verdict_text.as_deref().map_or_else(|| self.counts_text(), line)
    }

    fn counts_text(&self) -> String {
        let outcomes = self.outcomes_text();
        let comma = if outcomes.is_empty() { "" } else { ", " };
        format!("{} of {}{comma}{outcomes}{}", count(self.settled()), count(self.total), self.obstacle_text())
    }

    /// What the operation waits for, or its last error, after a semicolon.
    pub(crate) fn obstacle_text(&self) -> String {
        match (&self.waiting_for, &self.last_error) {
            (Some(what), _) => format!("; waiting: {}", line(what)),
            (None, Some(error)) => format!("; {}", line(error)),
            (None, None) => String::new(),
        }
    }

    /// State or verdict, in a word or two.
    pub(crate) fn headline(&self) -> String {
        match (self.verdict.as_deref(), &*self.state) {
            (Some("completedWithProblems"), "completed") => "completed with problems".into(),
            (Some("failed"), "completed") => "failed".into(),
            (Some("watching"), "completed") => "sent".into(),
            (_, state) => line(state),
        }
    }

    /// One line with everything: `redeliver failed: 3 sent, all 3 died again: PaymentDeclined.`
    pub(crate) fn summary(&self) -> String {
        let rate = self.rate.map_or_else(String::new, |rate| format!(" At most {} a second.", count(rate)));
        let verdict = self.verdict_text();
        // The headline already names these states.
        let states = ["Cancelled: ", "Waiting: "];
        let verdict = states.iter().find_map(|state| verdict.strip_prefix(state)).unwrap_or(&verdict);
        format!("{} {}: {verdict}{rate}", line(&self.kind), self.headline())
    }

    /// The exit code, or `None` while the operation is to be followed further.
    pub(crate) fn ending(&self, until: Until) -> Option<Ending> {
        let problems = ["refused", "skipped", "returned"].map(|outcome| self.outcomes.get(outcome).copied());
        match (&*self.state, self.verdict.as_deref()) {
            ("completed" | "cancelled", Some("watching")) if until == Until::Verdict => None,
            ("paused" | "cancelled", _) => Some(Ending::Stopped),
            ("completed", Some("failed" | "completedWithProblems")) => Some(Ending::Partial),
            ("completed", _) if problems.iter().flatten().any(|number| *number > 0) => Some(Ending::Partial),
            ("completed", _) => Some(Ending::Done),
            _ => None,
        }
    }

    /// The commands that may come next, one line each.
    pub(crate) fn next_steps(&self, until: Until) -> Vec<String> {
        let id = self.id;
        if self.awaits_approval {
            return vec![
                format!("  approve: dead-letter resume {id}   (somebody else than you)"),
                format!("  cancel:  dead-letter cancel {id}"),
            ];
        }
        if self.state == "paused" {
            return vec![
                format!("  continue: dead-letter resume {id}"),
                format!("  cancel:   dead-letter cancel {id}"),
            ];
        }
        if self.is_watching() && until == Until::Sent {
            return vec![format!("  verdict: dead-letter watch {id}")];
        }
        let problems = ["refused", "returned", "skipped"]
            .into_iter()
            .filter(|outcome| self.outcomes.get(*outcome).is_some_and(|number| *number > 0));
        problems.map(|outcome| format!("  {outcome}: dead-letter items {id} --outcome {outcome}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(state: &str, verdict: Option<&str>, outcomes: &Value) -> Operation {
        let operation = json!({"id": Uuid::nil(), "kind": "redeliver", "state": state, "total": 3, "remaining": 0,
            "verdict": verdict, "outcomes": outcomes, "progress": null});
        Operation::read(&operation).unwrap()
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let ending =
            |state, verdict, outcomes: Value| operation(state, verdict, &outcomes).ending(Until::Verdict);
        assert_eq!(ending("running", Some("running"), json!({"refused": 1})), None);
        assert_eq!(ending("cancelling", Some("running"), json!({})), None);
        let watching = operation("completed", Some("watching"), &json!({"sent": 3}));
        assert_eq!(watching.ending(Until::Verdict), None, "messages may still die again");
        assert_eq!(watching.ending(Until::Sent), Some(Ending::Done));
        assert_eq!(
            ending("completed", Some("completed"), json!({"sent": 3, "refused": 0})),
            Some(Ending::Done)
        );
        for verdict in ["failed", "completedWithProblems"] {
            assert_eq!(ending("completed", Some(verdict), json!({})), Some(Ending::Partial));
        }
        for outcome in ["refused", "skipped", "returned"] {
            assert_eq!(ending("completed", None, json!({"sent": 2, outcome: 1})), Some(Ending::Partial));
        }
        assert_eq!(ending("completed", None, json!({"sent": 3})), Some(Ending::Done));
        assert_eq!(ending("cancelled", Some("watching"), json!({"sent": 3})), None);
        for (state, verdict) in
            [("paused", "running"), ("cancelled", "completedWithProblems"), ("cancelled", "failed")]
        {
            assert_eq!(ending(state, Some(verdict), json!({"sent": 3})), Some(Ending::Stopped));
        }
    }

    #[test]
    fn the_summary_is_one_plain_line() {
        let mut failed = operation("completed", Some("failed"), &json!({"returned": 3}));
        failed.verdict_text = Some("3 sent, all 3 died again: PaymentDeclined.".into());
        assert_eq!(failed.summary(), "redeliver failed: 3 sent, all 3 died again: PaymentDeclined.");
        let items = "  returned: dead-letter items 00000000-0000-0000-0000-000000000000 --outcome returned";
        assert_eq!(failed.next_steps(Until::Verdict), [items]);
        let mut cancelled = operation("cancelled", Some("completedWithProblems"), &json!({"sent": 1}));
        cancelled.verdict_text = Some("Cancelled: 1 sent, 2 not sent (still dead).".into());
        assert_eq!(cancelled.summary(), "redeliver cancelled: 1 sent, 2 not sent (still dead).");
        let older = operation("completed", None, &json!({"sent": 3}));
        assert_eq!(older.summary(), "redeliver completed: 3 of 3, sent 3");
    }
}
