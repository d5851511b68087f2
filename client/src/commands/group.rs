//! `dead-letter group`, `resolve`, `reopen`, `mute`, `note`, `unassign` and `unlink`: show and change one error group.

use std::time::Duration;

use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::distinctions;
use crate::api::{Answer, Api};
use crate::clock;
use crate::ending::{Ending, Failure};
use crate::options::members;
use crate::output::{Output, print, print_line};
use crate::short_id::GroupIdArgs;
use crate::text::{count, error, field, list, named, number};
use crate::zone::Zone;

#[derive(Args, Debug)]
pub struct NotedArgs {
    #[command(flatten)]
    group: GroupIdArgs,
    /// Reason, kept with the group
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args, Debug)]
pub struct ResolveArgs {
    #[command(flatten)]
    noted: NotedArgs,
    /// This version has the fix: the group has regressed only if the error occurs in it or in a later one
    #[arg(long, value_name = "VERSION")]
    in_version: Option<String>,
    /// The next version that is deployed has the fix
    #[arg(long, conflicts_with = "in_version")]
    in_next_version: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("end").args(["until", "for", "count"]).required(true).multiple(true))]
pub struct MuteArgs {
    #[command(flatten)]
    noted: NotedArgs,
    /// Until this time (RFC 3339)
    #[arg(long, value_name = "TIME", conflicts_with = "for")]
    until: Option<String>,
    /// For this long, such as 30m, 8h or 3d
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    r#for: Option<Duration>,
    /// Until this many more have arrived; with a time, whichever comes first
    #[arg(long, value_name = "NUMBER")]
    count: Option<i64>,
}

#[derive(Args, Debug)]
pub struct GroupArgs {
    #[command(flatten)]
    group: GroupIdArgs,
    /// Show what sets its dead letters apart from the others of the service
    #[arg(long)]
    why: bool,
}

#[derive(Args, Debug)]
pub struct NoteArgs {
    #[command(flatten)]
    group: GroupIdArgs,
    /// Text of the note
    text: String,
}

pub(crate) async fn resolve(api: &Api, args: ResolveArgs, output: Output) -> Result<Ending, Failure> {
    let parts = [
        ("action", json!("resolve")),
        ("inVersion", json!(args.in_version)),
        ("inNextVersion", json!(args.in_next_version.then_some(true))),
        ("note", json!(args.noted.note)),
    ];
    change(api, &args.noted.group, parts, output).await
}

/// A change that takes a note only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Reopen,
    Unassign,
    Unlink,
}

pub(crate) async fn noted(
    api: &Api,
    args: NotedArgs,
    output: Output,
    action: Action,
) -> Result<Ending, Failure> {
    let action = match action {
        Action::Reopen => "reopen",
        Action::Unassign => "unassign",
        Action::Unlink => "unlink",
    };
    change(api, &args.group, [("action", json!(action)), ("note", json!(args.note))], output).await
}

pub(crate) async fn mute(api: &Api, args: MuteArgs, output: Output) -> Result<Ending, Failure> {
    let until = args.r#for.map(|span| json!(clock::now() + span)).or(args.until.map(Value::String));
    let parts = [
        ("action", json!("mute")),
        ("mutedUntil", json!(until)),
        ("mutedCount", json!(args.count)),
        ("note", json!(args.noted.note)),
    ];
    change(api, &args.noted.group, parts, output).await
}

pub(crate) async fn note(api: &Api, args: NoteArgs, output: Output) -> Result<Ending, Failure> {
    change(api, &args.group, [("action", json!("note")), ("note", json!(args.text))], output).await
}

pub(super) async fn change(
    api: &Api,
    group: &GroupIdArgs,
    parts: impl IntoIterator<Item = (&'static str, Value)>,
    output: Output,
) -> Result<Ending, Failure> {
    let change = Value::Object(members(parts));
    let group = group.find(api).await?;
    show(&api.patch(&format!("/dead-letters/error-groups/{group}"), &change).await?, output)
}

pub(crate) async fn one(api: &Api, args: GroupArgs, output: Output) -> Result<Ending, Failure> {
    let group = args.group.find(api).await?;
    if args.why {
        return distinctions::show(api, group, output).await;
    }
    show(&api.get(&format!("/dead-letters/error-groups/{group}"), &[]).await?, output)
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
            "{} arrivals ({} so far)",
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
        ("first version", field(group, "firstVersion")),
        ("last seen", zone.time_and_age(group, "lastSeen", now)),
        ("resolved in", resolved_in(&group["resolvedIn"], zone)),
        ("muted until", zone.time(group, "mutedUntil")),
        ("muted up to", muted_up_to),
        ("assigned to", field(group, "assignee")),
        ("ticket", ticket(&group["ticket"])),
    ]);
    let merged = list(group, "merged");
    if !merged.is_empty() {
        text.push_str("\nMerged into it\n");
    }
    for part in merged {
        text.extend(["  ", &field(part, "id"), "  ", &error(part, "title"), "\n"]);
    }
    let events = list(group, "events");
    if !events.is_empty() {
        text.push_str("\nActivity\n");
    }
    for event in events {
        let note = Some(field(event, "note")).filter(|note| !note.is_empty());
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        let version = Some(field(event, "version")).filter(|version| !version.is_empty());
        let version = version.map_or_else(String::new, |version| format!(" in version {version}"));
        let (at, by, action) = (zone.time(event, "at"), field(event, "by"), field(event, "action"));
        text.extend(["  ", &at, "  ", &by, "  ", &action, &about(event), &version, &note, "\n"]);
    }
    print(&text)?;
    Ok(Ending::Done)
}

/// Whom or what an event is about, behind a space. Empty: nothing beside the group.
pub(super) fn about(event: &Value) -> String {
    let about = [field(event, "assignee"), ticket(&event["ticket"])];
    about.iter().find(|about| !about.is_empty()).map_or_else(String::new, |about| format!(" {about}"))
}

/// A ticket in one line.
fn ticket(ticket: &Value) -> String {
    [field(ticket, "key"), field(ticket, "url")].join(" ").trim().to_owned()
}

/// The version that has the fix, and since when it runs alone.
fn resolved_in(fix: &Value, zone: Zone) -> String {
    if fix.is_null() {
        return String::new();
    }
    let version = if fix["version"].is_null() {
        format!("the version after {}", field(fix, "after"))
    } else {
        field(fix, "version")
    };
    match zone.time(fix, "since") {
        since if since.is_empty() => format!("{version}, not deployed yet"),
        since => format!("{version}, on its own since {since}"),
    }
}
