//! `dead-letter pause`, `resume`, `cancel` and `rate`: change an operation that is running.

use clap::Args;
use serde_json::json;

use crate::api::{Answer, Api};
use crate::ending::{Ending, Failure};
use crate::operation::Operation;
use crate::output::{Output, print_line};
use crate::short_id::OperationArgs;

#[derive(Args, Debug)]
pub struct RateArgs {
    #[command(flatten)]
    operation: OperationArgs,
    /// Maximum messages per second, or `none`
    #[arg(value_name = "RATE", value_parser = rate_or_none)]
    rate: Rate,
}

/// Messages per second; `None` is unlimited.
#[derive(Clone, Copy, Debug)]
struct Rate(Option<u32>);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Steer {
    Pause,
    Resume,
    Cancel,
}

fn rate_or_none(text: &str) -> Result<Rate, &'static str> {
    match text {
        "none" => Ok(Rate(None)),
        number => number.parse().map(|number| Rate(Some(number))).map_err(|_| "expected a number or `none`"),
    }
}

pub(crate) async fn run(
    api: &Api,
    args: OperationArgs,
    output: Output,
    steer: Steer,
) -> Result<Ending, Failure> {
    let step = match steer {
        Steer::Pause => "pause",
        Steer::Resume => "resume",
        Steer::Cancel => "cancel",
    };
    let id = args.find(api).await?;
    show(&api.post(&format!("/operations/{id}/{step}"), &json!({})).await?, output)
}

pub(crate) async fn rate(api: &Api, args: RateArgs, output: Output) -> Result<Ending, Failure> {
    let change = json!({ "rate": args.rate.0 });
    let id = args.operation.find(api).await?;
    show(&api.patch(&format!("/operations/{id}"), &change).await?, output)
}

fn show(answer: &Answer, output: Output) -> Result<Ending, Failure> {
    if output.is_json() {
        print_line(&answer.text)?;
    } else {
        print_line(&Operation::read(&answer.json)?.summary())?;
    }
    Ok(Ending::Done)
}
