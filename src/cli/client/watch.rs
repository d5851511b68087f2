//! `dead-letter watch`: an operation until its verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::api::{Answer, Api};
use super::ending::{Ending, Failure};
use super::output::{Output, print_line};
use super::patience::Patience;
use super::progress::Drawing;
use super::steer::OperationArgs;
use super::text::{count, line};

const LOOK: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub(in crate::cli) struct WatchArgs {
    #[command(flatten)]
    pub(super) operation: OperationArgs,
    #[command(flatten)]
    patience: WatchingArgs,
}

/// For how long an operation is followed.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct WatchingArgs {
    /// Do not wait for messages that die again: end when all is sent
    #[arg(long)]
    no_watch: bool,
}

impl WatchingArgs {
    fn until(self) -> Until {
        if self.no_watch { Until::Sent } else { Until::Verdict }
    }
}

/// Until when an operation is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// Every item has its outcome.
    Sent,
    /// What was sent has been watched for returns.
    Verdict,
}

/// What matters here of an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) id: Uuid,
    kind: String,
    state: String,
    /// Absent where the server is older than this client.
    verdict: Option<String>,
    verdict_text: Option<String>,
    pub(super) total: i64,
    pub(super) remaining: i64,
    #[serde(default)]
    outcomes: BTreeMap<String, i64>,
    waiting_for: Option<String>,
    last_error: Option<String>,
    pub(super) rate: Option<i64>,
    pub(super) progress: Option<Progress>,
}

/// How fast it goes, as the server says.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    pub(super) per_second: Option<f64>,
    pub(super) eta_seconds: Option<f64>,
}

impl Operation {
    pub(super) fn read(json: &Value) -> Result<Self, Failure> {
        Self::deserialize(json)
            .map_err(|error| Failure::Failed(format!("the server's answer cannot be read: {error}")))
    }

    /// How many are settled.
    pub(super) fn settled(&self) -> i64 {
        self.total - self.remaining
    }

    /// Numbers by outcome: `sent 11,990, returned 10`.
    pub(super) fn outcomes_said(&self) -> String {
        let some = self.outcomes.iter().filter(|(_, number)| **number > 0);
        some.map(|(outcome, number)| format!("{outcome} {}", count(*number))).collect::<Vec<_>>().join(", ")
    }

    /// Whether all is sent, and what died again is still waited for.
    pub(super) fn is_watching(&self) -> bool {
        self.verdict.as_deref() == Some("watching")
    }

    /// The verdict in plain words; from the numbers, where the server is older.
    pub(super) fn verdict_said(&self) -> String {
        self.verdict_text.as_deref().map_or_else(|| self.counted_said(), line)
    }

    fn counted_said(&self) -> String {
        let outcomes = self.outcomes_said();
        let comma = if outcomes.is_empty() { "" } else { ", " };
        format!("{} of {}{comma}{outcomes}{}", count(self.settled()), count(self.total), self.held_said())
    }

    /// What it waits for, or what keeps it from going on, after a semicolon.
    pub(super) fn held_said(&self) -> String {
        match (&self.waiting_for, &self.last_error) {
            (Some(what), _) => format!("; waiting: {}", line(what)),
            (None, Some(error)) => format!("; {}", line(error)),
            (None, None) => String::new(),
        }
    }

    /// How it ended, or where it stands, in a word or two.
    pub(super) fn headline(&self) -> String {
        match (self.verdict.as_deref(), &*self.state) {
            (Some("completedWithProblems"), "completed") => "completed with problems".into(),
            (Some("failed"), "completed") => "failed".into(),
            (Some("watching"), "completed") => "sent".into(),
            (_, state) => line(state),
        }
    }

    /// All of it in a line.
    pub(super) fn said(&self) -> String {
        let rate = self.rate.map_or_else(String::new, |rate| format!(" At most {} a second.", count(rate)));
        let said = self.verdict_said();
        let states = ["Cancelled: ", "Waiting: "];
        let said = states.iter().find_map(|state| said.strip_prefix(state)).unwrap_or(&said);
        format!("{} {}: {said}{rate}", line(&self.kind), self.headline())
    }

    fn ending(&self, until: Until) -> Option<Ending> {
        let went_wrong =
            ["refused", "skipped", "returned"].map(|outcome| self.outcomes.get(outcome).copied());
        match (&*self.state, self.verdict.as_deref()) {
            ("completed" | "cancelled", Some("watching")) if until == Until::Verdict => None,
            ("paused" | "cancelled", _) => Some(Ending::Stopped),
            ("completed", Some("failed" | "completedWithProblems")) => Some(Ending::Partial),
            ("completed", _) if went_wrong.iter().flatten().any(|number| *number > 0) => {
                Some(Ending::Partial)
            }
            ("completed", _) => Some(Ending::Done),
            _ => None,
        }
    }

    /// What to do next, where that is not clear: a line for each way.
    fn advice(&self, until: Until) -> Vec<String> {
        let id = self.id;
        if self.state == "paused" {
            return vec![
                format!("  continue: dead-letter resume {id}"),
                format!("  cancel:   dead-letter cancel {id}"),
            ];
        }
        if self.is_watching() && until == Until::Sent {
            return vec![format!("  did it help: dead-letter watch {id}")];
        }
        let wrong = ["refused", "returned", "skipped"]
            .into_iter()
            .filter(|outcome| self.outcomes.get(*outcome).is_some_and(|number| *number > 0));
        wrong.map(|outcome| format!("  {outcome}: dead-letter items {id} --outcome {outcome}")).collect()
    }
}

pub(super) async fn run(api: &Api, args: WatchArgs, output: Output) -> Result<Ending, Failure> {
    let id = args.operation.find(api).await?;
    let first = api.get(&format!("/operations/{id}"), &[]).await?;
    watch(api, first, args.patience, output).await
}

/// Follows an operation until its verdict, until it pauses, or Ctrl-C; then prints how it stands.
pub(super) async fn watch(
    api: &Api,
    first: Answer,
    patience: WatchingArgs,
    output: Output,
) -> Result<Ending, Failure> {
    let until = patience.until();
    let mut operation = Operation::read(&first.json)?;
    let id = operation.id;
    let mut drawing = Drawing::begin(&operation);
    let followed = tokio::select! {
        last = follow(api, first, until, &mut operation, &mut drawing) => Some(last),
        _ = tokio::signal::ctrl_c() => None,
    };
    drawing.end();
    match followed {
        Some(Ok(last)) => {
            print_line(&if output.is_json() { last.text } else { operation.said() })?;
            operation.advice(until).iter().for_each(|line| eprintln!("{line}"));
            Ok(operation.ending(until).unwrap_or(Ending::Failed))
        }
        Some(Err(failure)) => {
            eprintln!("last known: {}", operation.said());
            eprintln!("The operation continues on the server.\n  follow: dead-letter watch {id}");
            Err(failure)
        }
        None => {
            eprintln!("{}", operation.said());
            if operation.is_watching() {
                eprintln!("All is sent; the verdict is still open.\n  did it help: dead-letter watch {id}");
            } else {
                eprintln!(
                    "The operation continues on the server.\n  follow: dead-letter watch {id}\n  cancel: dead-letter cancel {id}"
                );
            }
            Ok(Ending::Interrupted)
        }
    }
}

async fn follow(
    api: &Api,
    first: Answer,
    until: Until,
    operation: &mut Operation,
    drawing: &mut Drawing,
) -> Result<Answer, Failure> {
    let path = format!("/operations/{}", operation.id);
    let (mut answer, mut patience) = (first, Patience::default());
    loop {
        *operation = Operation::read(&answer.json)?;
        drawing.draw(operation);
        if operation.ending(until).is_some() {
            return Ok(answer);
        }
        tokio::time::sleep(LOOK).await;
        answer = loop {
            match api.get(&path, &[]).await {
                Ok(answer) => break answer,
                Err(failure) => {
                    drawing.trouble("no answer, trying again");
                    patience.wait(failure).await?;
                }
            }
        };
        patience.renew();
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
        assert_eq!(watching.ending(Until::Verdict), None, "it may come back");
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
    fn the_end_is_said_in_plain_words() {
        let mut failed = operation("completed", Some("failed"), &json!({"returned": 3}));
        failed.verdict_text = Some("3 sent, all 3 died again: PaymentDeclined.".into());
        assert_eq!(failed.said(), "redeliver failed: 3 sent, all 3 died again: PaymentDeclined.");
        let advice = "  returned: dead-letter items 00000000-0000-0000-0000-000000000000 --outcome returned";
        assert_eq!(failed.advice(Until::Verdict), [advice]);
        let mut cancelled = operation("cancelled", Some("completedWithProblems"), &json!({"sent": 1}));
        cancelled.verdict_text = Some("Cancelled: 1 sent, 2 not sent (still dead).".into());
        assert_eq!(cancelled.said(), "redeliver cancelled: 1 sent, 2 not sent (still dead).");
        let older = operation("completed", None, &json!({"sent": 3}));
        assert_eq!(older.said(), "redeliver completed: 3 of 3, sent 3");
    }
}
