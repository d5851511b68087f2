//! `dead-letter pause`, `resume`, `cancel` and `rate`: an operation that runs.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::api::{Answer, Api};
use super::ending::{Ending, Failure};
use super::output::{Output, print_line};
use super::text::{line, list};
use super::watch::Operation;

#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct OperationArgs {
    /// Id of the operation; of a recent one, its beginning or end is enough
    id: String,
}

/// A short id is looked for among so many operations, the last ones.
const RECENT: u32 = 200;
/// A shorter one is a slip of the hand.
const SHORTEST: usize = 4;

impl OperationArgs {
    /// The id, in full.
    pub(super) async fn find(&self, api: &Api) -> Result<Uuid, Failure> {
        let short = self.id.trim_start_matches('…').to_ascii_lowercase();
        if let Ok(id) = Uuid::parse_str(&short) {
            return Ok(id);
        }
        let is_id = |character: char| character.is_ascii_hexdigit() || character == '-';
        if short.len() < SHORTEST || !short.chars().all(is_id) {
            let message =
                format!("{} is not the id of an operation: see dead-letter operations", line(&self.id));
            return Err(Failure::Refused(message));
        }
        let answer = api.get("/operations", &[("limit".into(), RECENT.to_string())]).await?;
        let ids = list(&answer.json, "operations").iter().filter_map(|operation| operation["id"].as_str());
        let found: Vec<_> = ids.filter(|id| id.starts_with(&short) || id.ends_with(&short)).collect();
        match found[..] {
            [id] => id.parse().map_err(|_| Failure::Failed("the server's answer cannot be read".into())),
            [] => Err(Failure::NotFound(format!("none of the last {RECENT} operations has the id {short}"))),
            _ => Err(Failure::Refused(format!(
                "{} operations have the id {short}: give more of it",
                found.len()
            ))),
        }
    }
}

#[derive(Args, Debug)]
pub(in crate::cli) struct RateArgs {
    #[command(flatten)]
    operation: OperationArgs,
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

pub(super) async fn run(
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

pub(super) async fn rate(api: &Api, args: RateArgs, output: Output) -> Result<Ending, Failure> {
    let change = json!({ "rate": args.rate.0 });
    let id = args.operation.find(api).await?;
    show(&api.patch(&format!("/operations/{id}"), &change).await?, output)
}

fn show(answer: &Answer, output: Output) -> Result<Ending, Failure> {
    if output.is_json() {
        print_line(&answer.text)?;
    } else {
        print_line(&Operation::read(&answer.json)?.said())?;
    }
    Ok(Ending::Done)
}
