//! `dead-letter resolve`, `reopen`, `mute` and `note`: what people do with an error group.

use std::time::Duration;

use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::Api;
use super::ending::{Ending, Failure};
use super::options::members;
use super::output::{print, print_line};
use super::text::{count, error, field, named, number, time};
use crate::clock;
use crate::config::duration;

#[derive(Args, Debug)]
pub(in crate::cli) struct NotedArgs {
    /// Id of the error group
    group: Uuid,
    /// Why, in your own words
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("end").args(["until", "for", "count"]).required(true).multiple(true))]
pub(in crate::cli) struct MuteArgs {
    #[command(flatten)]
    noted: NotedArgs,
    /// Until this time, RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "for")]
    until: Option<String>,
    /// For so long, such as 30m or 8h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    r#for: Option<Duration>,
    /// Until so many more have arrived; what comes first ends it
    #[arg(long, value_name = "NUMBER")]
    count: Option<i64>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct NoteArgs {
    /// Id of the error group
    group: Uuid,
    /// What to write down
    text: String,
}

/// What needs no more than a note.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Resolve,
    Reopen,
}

pub(super) async fn noted(api: &Api, args: NotedArgs, json: bool, action: Action) -> Result<Ending, Failure> {
    let action = match action {
        Action::Resolve => "resolve",
        Action::Reopen => "reopen",
    };
    change(api, args.group, [("action", json!(action)), ("note", json!(args.note))], json).await
}

pub(super) async fn mute(api: &Api, args: MuteArgs, json: bool) -> Result<Ending, Failure> {
    let until = args.r#for.map(|span| json!(clock::now() + span)).or(args.until.map(Value::String));
    let parts = [
        ("action", json!("mute")),
        ("mutedUntil", json!(until)),
        ("mutedCount", json!(args.count)),
        ("note", json!(args.noted.note)),
    ];
    change(api, args.noted.group, parts, json).await
}

pub(super) async fn note(api: &Api, args: NoteArgs, json: bool) -> Result<Ending, Failure> {
    change(api, args.group, [("action", json!("note")), ("note", json!(args.text))], json).await
}

async fn change(
    api: &Api,
    group: Uuid,
    parts: impl IntoIterator<Item = (&'static str, Value)>,
    json: bool,
) -> Result<Ending, Failure> {
    let change = Value::Object(members(parts));
    let answer = api.patch(&format!("/dead-letters/error-groups/{group}"), &change).await?;
    if json {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    }
    let group = &answer.json;
    let muted_up_to = match &group["mutedUpTo"] {
        Value::Null => String::new(),
        _ => format!(
            "{} arrivals, of which {} were",
            count(number(group, "mutedUpTo")),
            count(number(group, "arrived"))
        ),
    };
    print(&named(&[
        ("id", field(group, "id")),
        ("state", field(group, "state")),
        ("service", field(group, "service")),
        ("error", error(group, "title")),
        ("muted until", time(group, "mutedUntil")),
        ("muted up to", muted_up_to),
    ]))?;
    Ok(Ending::Done)
}
