//! `dead-letter group`, `resolve`, `reopen`, `mute` and `note`: one error group, and what people do with it.

use std::time::Duration;

use clap::{ArgGroup, Args};
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Answer, Api};
use super::ending::{Ending, Failure};
use super::options::members;
use super::output::{Output, print, print_line};
use super::text::{count, error, field, list, named, number};
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
    /// For so long, such as 30m, 8h or 3d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    r#for: Option<Duration>,
    /// Until so many more have arrived; what comes first ends it
    #[arg(long, value_name = "NUMBER")]
    count: Option<i64>,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct GroupArgs {
    /// Id of the error group
    group: Uuid,
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

pub(super) async fn noted(
    api: &Api,
    args: NotedArgs,
    output: Output,
    action: Action,
) -> Result<Ending, Failure> {
    let action = match action {
        Action::Resolve => "resolve",
        Action::Reopen => "reopen",
    };
    change(api, args.group, [("action", json!(action)), ("note", json!(args.note))], output).await
}

pub(super) async fn mute(api: &Api, args: MuteArgs, output: Output) -> Result<Ending, Failure> {
    let until = args.r#for.map(|span| json!(clock::now() + span)).or(args.until.map(Value::String));
    let parts = [
        ("action", json!("mute")),
        ("mutedUntil", json!(until)),
        ("mutedCount", json!(args.count)),
        ("note", json!(args.noted.note)),
    ];
    change(api, args.noted.group, parts, output).await
}

pub(super) async fn note(api: &Api, args: NoteArgs, output: Output) -> Result<Ending, Failure> {
    change(api, args.group, [("action", json!("note")), ("note", json!(args.text))], output).await
}

async fn change(
    api: &Api,
    group: Uuid,
    parts: impl IntoIterator<Item = (&'static str, Value)>,
    output: Output,
) -> Result<Ending, Failure> {
    let change = Value::Object(members(parts));
    show(&api.patch(&format!("/dead-letters/error-groups/{group}"), &change).await?, output)
}

pub(super) async fn one(api: &Api, args: GroupArgs, output: Output) -> Result<Ending, Failure> {
    show(&api.get(&format!("/dead-letters/error-groups/{}", args.group), &[]).await?, output)
}

fn show(answer: &Answer, output: Output) -> Result<Ending, Failure> {
    let Output::Text(zone) = output else {
        print_line(&answer.text)?;
        return Ok(Ending::Done);
    };
    let (group, now) = (&answer.json, clock::now());
    let muted_up_to = match &group["mutedUpTo"] {
        Value::Null => String::new(),
        _ => format!(
            "{} arrivals, of which {} were",
            count(number(group, "mutedUpTo")),
            count(number(group, "arrived"))
        ),
    };
    let mut text = named(&[
        ("id", field(group, "id")),
        ("state", field(group, "state")),
        ("service", field(group, "service")),
        ("error", error(group, "title")),
        ("first seen", zone.time_and_age(group, "firstSeen", now)),
        ("last seen", zone.time_and_age(group, "lastSeen", now)),
        ("muted until", zone.time(group, "mutedUntil")),
        ("muted up to", muted_up_to),
    ]);
    let events = list(group, "events");
    if !events.is_empty() {
        text.push_str("\nActivity\n");
    }
    for event in events {
        let note = Some(field(event, "note")).filter(|note| !note.is_empty());
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        let (at, by, action) = (zone.time(event, "at"), field(event, "by"), field(event, "action"));
        text.extend(["  ", &at, "  ", &by, "  ", &action, &note, "\n"]);
    }
    print(&text)?;
    Ok(Ending::Done)
}
