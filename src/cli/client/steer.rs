//! `dead-letter pause`, `resume`, `cancel` and `rate`: an operation that runs.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::api::{Answer, Api};
use super::ending::{Ending, Failure};
use super::output::print_line;
use super::watch::Operation;

#[derive(Args, Debug)]
pub(in crate::cli) struct OperationArgs {
    /// Id of the operation
    pub(super) id: Uuid,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RateArgs {
    /// Id of the operation
    id: Uuid,
    /// At most so many messages a second, or `none`
    #[arg(value_name = "RATE", value_parser = rate_or_none)]
    rate: Rate,
}

/// Messages a second; `None` is as fast as it goes.
#[derive(Clone, Copy, Debug)]
struct Rate(Option<u32>);

/// What is to happen to an operation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Steer {
    Pause,
    Resume,
    Cancel,
}

fn rate_or_none(text: &str) -> Result<Rate, String> {
    match text {
        "none" => Ok(Rate(None)),
        number => number.parse().map(|number| Rate(Some(number))).map_err(|_| "is a number, or none".into()),
    }
}

pub(super) async fn run(api: &Api, args: OperationArgs, json: bool, steer: Steer) -> Result<Ending, Failure> {
    let step = match steer {
        Steer::Pause => "pause",
        Steer::Resume => "resume",
        Steer::Cancel => "cancel",
    };
    show(&api.post(&format!("/operations/{}/{step}", args.id), &json!({})).await?, json)
}

pub(super) async fn rate(api: &Api, args: RateArgs, json: bool) -> Result<Ending, Failure> {
    let change = json!({ "rate": args.rate.0 });
    show(&api.patch(&format!("/operations/{}", args.id), &change).await?, json)
}

fn show(answer: &Answer, json: bool) -> Result<Ending, Failure> {
    if json {
        print_line(&answer.text)?;
    } else {
        print_line(&Operation::read(&answer.json)?.said())?;
    }
    Ok(Ending::Done)
}
