//! `dead-letter watch`: follows an operation until its verdict. `redeliver`, `delete` and `restore` do so too.

use std::time::Duration;

use clap::Args;

use crate::api::{Answer, Api};
use crate::ending::{Ending, Failure};
use crate::operation::{Operation, Until};
use crate::output::{Output, print_line};
use crate::progress::ProgressLine;
use crate::retry::Retry;
use crate::short_id::OperationArgs;

const POLL_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub struct WatchArgs {
    #[command(flatten)]
    operation: OperationArgs,
    #[command(flatten)]
    watching: WatchingArgs,
}

#[derive(Args, Clone, Copy, Debug)]
pub struct WatchingArgs {
    /// Exit when all messages are sent, without waiting for those that die again
    #[arg(long)]
    no_watch: bool,
}

impl WatchingArgs {
    fn until(self) -> Until {
        if self.no_watch { Until::Sent } else { Until::Verdict }
    }
}

pub(crate) async fn run(api: &Api, args: WatchArgs, output: Output) -> Result<Ending, Failure> {
    let id = args.operation.find(api).await?;
    let first = api.get(&format!("/operations/{id}"), &[]).await?;
    watch(api, first, args.watching, output).await
}

/// Follows an operation until its verdict, until it is paused, or until Ctrl-C. Then prints its state.
pub(crate) async fn watch(
    api: &Api,
    first: Answer,
    watching: WatchingArgs,
    output: Output,
) -> Result<Ending, Failure> {
    let until = watching.until();
    let mut operation = Operation::read(&first.json)?;
    let id = operation.id;
    let mut progress = ProgressLine::new(&operation);
    let followed = tokio::select! {
        last = follow(api, first, until, &mut operation, &mut progress) => Some(last),
        _ = tokio::signal::ctrl_c() => None,
    };
    progress.clear();
    match followed {
        Some(Ok(last)) => {
            print_line(&if output.is_json() { last.text } else { operation.summary() })?;
            operation.next_steps(until).iter().for_each(|step| crate::remark_line!("{step}"));
            Ok(operation.ending(until).unwrap_or(Ending::Failed))
        }
        Some(Err(failure)) => {
            crate::remark_line!("Last known state: {}", operation.summary());
            crate::remark_line!("The operation continues on the server.\n  follow: dead-letter watch {id}");
            Err(failure)
        }
        None => {
            crate::remark_line!("{}", operation.summary());
            if operation.is_watching() {
                crate::remark_line!(
                    "All messages are sent. The verdict is still open.\n  verdict: dead-letter watch {id}"
                );
            } else {
                crate::remark_line!(
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
    progress: &mut ProgressLine,
) -> Result<Answer, Failure> {
    let path = format!("/operations/{}", operation.id);
    let (mut answer, mut retry) = (first, Retry::default());
    loop {
        *operation = Operation::read(&answer.json)?;
        progress.update(operation);
        if operation.ending(until).is_some() {
            return Ok(answer);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        answer = loop {
            match api.get(&path, &[]).await {
                Ok(answer) => break answer,
                Err(failure) => {
                    progress.warn("no answer, retrying");
                    retry.wait(failure).await?;
                }
            }
        };
        retry.reset();
    }
}
