//! `dead-letter watch`: an operation until its end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::api::{Answer, Api};
use super::ending::{Ending, Failure};
use super::output::print_line;
use super::patience::Patience;
use super::progress::Drawing;
use super::steer::OperationArgs;
use super::text::{count, line};

const LOOK: Duration = Duration::from_millis(500);

/// What matters here of an operation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operation {
    pub(super) id: Uuid,
    kind: String,
    state: String,
    pub(super) total: i64,
    pub(super) remaining: i64,
    #[serde(default)]
    outcomes: BTreeMap<String, i64>,
    pub(super) last_error: Option<String>,
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

    /// All of it in a line.
    pub(super) fn said(&self) -> String {
        let (kind, state, outcomes) = (line(&self.kind), line(&self.state), self.outcomes_said());
        let rate = self.rate.map_or_else(String::new, |rate| format!(", at most {} a second", count(rate)));
        let error = self.last_error.as_deref().map_or_else(String::new, |error| format!("; {}", line(error)));
        format!(
            "{kind} {state}: {} of {}{}{outcomes}{rate}{error}",
            count(self.settled()),
            count(self.total),
            if outcomes.is_empty() { "" } else { ", " },
        )
    }

    fn ending(&self) -> Option<Ending> {
        let went_wrong =
            ["refused", "skipped", "returned"].map(|outcome| self.outcomes.get(outcome).copied());
        match self.state.as_str() {
            "completed" if went_wrong.iter().flatten().any(|number| *number > 0) => Some(Ending::Partial),
            "completed" => Some(Ending::Done),
            "paused" | "cancelled" => Some(Ending::Stopped),
            _ => None,
        }
    }

    /// What to do next, where that is not clear.
    fn advice(&self) -> Option<String> {
        let id = self.id;
        match (self.state.as_str(), self.ending()?) {
            ("paused", _) => {
                Some(format!("go on: dead-letter resume {id}; or give up: dead-letter cancel {id}"))
            }
            (_, Ending::Partial) => {
                Some(format!("which ones: dead-letter items {id} --outcome refused|skipped|returned"))
            }
            _ => None,
        }
    }
}

pub(super) async fn run(api: &Api, args: OperationArgs, json: bool) -> Result<Ending, Failure> {
    let first = api.get(&format!("/operations/{}", args.id), &[]).await?;
    watch(api, first, json).await
}

/// Follows an operation until it ends, pauses, or Ctrl-C; then prints how it stands.
pub(super) async fn watch(api: &Api, first: Answer, json: bool) -> Result<Ending, Failure> {
    let mut operation = Operation::read(&first.json)?;
    let id = operation.id;
    let mut drawing = Drawing::begin(&operation);
    let followed = tokio::select! {
        last = follow(api, first, &mut operation, &mut drawing) => Some(last),
        _ = tokio::signal::ctrl_c() => None,
    };
    drawing.end();
    match followed {
        Some(Ok(last)) => {
            print_line(&if json { last.text } else { operation.said() })?;
            if let Some(advice) = operation.advice() {
                eprintln!("{advice}");
            }
            Ok(operation.ending().unwrap_or(Ending::Failed))
        }
        Some(Err(failure)) => {
            eprintln!("last known: {}", operation.said());
            eprintln!("it goes on at the server: dead-letter watch {id}");
            Err(failure)
        }
        None => {
            eprintln!("{}", operation.said());
            eprintln!(
                "it goes on at the server: dead-letter watch {id}; or stop it: dead-letter cancel {id}"
            );
            Ok(Ending::Interrupted)
        }
    }
}

async fn follow(
    api: &Api,
    first: Answer,
    operation: &mut Operation,
    drawing: &mut Drawing,
) -> Result<Answer, Failure> {
    let path = format!("/operations/{}", operation.id);
    let (mut answer, mut patience) = (first, Patience::default());
    loop {
        *operation = Operation::read(&answer.json)?;
        drawing.draw(operation);
        if operation.ending().is_some() {
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

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let ending = |state: &str, outcomes: Value| {
            let operation = json!({"id": Uuid::nil(), "kind": "redeliver", "state": state, "total": 3, "remaining": 0,
                "outcomes": outcomes, "progress": null});
            Operation::read(&operation).unwrap().ending()
        };
        assert_eq!(ending("running", json!({"refused": 1})), None);
        assert_eq!(ending("cancelling", json!({})), None);
        assert_eq!(ending("completed", json!({"sent": 3, "refused": 0})), Some(Ending::Done));
        for outcome in ["refused", "skipped", "returned"] {
            assert_eq!(ending("completed", json!({"sent": 2, outcome: 1})), Some(Ending::Partial));
        }
        for state in ["paused", "cancelled"] {
            assert_eq!(ending(state, json!({"sent": 3})), Some(Ending::Stopped));
        }
    }
}
