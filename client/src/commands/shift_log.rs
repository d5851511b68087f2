//! `dead-letter shift-log`: what happened since a time, for whoever takes over.

use clap::Args;
use serde_json::Value;

use super::group;
use crate::api::Api;
use crate::ending::{Ending, Failure};
use crate::operation::Operation;
use crate::output::{Output, print, print_line};
use crate::text::{count, dead_letters, error, field, list, number};
use crate::when::time_or_age;
use crate::zone::Zone;

#[derive(Args, Debug)]
pub struct ShiftLogArgs {
    /// Start: RFC 3339, an age such as `8h`, or a time of day such as `22:00`
    #[arg(long, value_name = "TIME", value_parser = time_or_age, default_value = "12h")]
    since: String,
    /// End: RFC 3339, an age, or a time of day. By default now
    #[arg(long, value_name = "TIME", value_parser = time_or_age)]
    until: Option<String>,
    /// Only services of this squad; `unowned` for services without an owner
    #[arg(long)]
    squad: Option<String>,
    /// Only this service
    #[arg(long)]
    service: Option<String>,
    /// Print Markdown, to be pasted into a ticket or a chat
    #[arg(long)]
    markdown: bool,
}

pub(crate) async fn run(api: &Api, args: ShiftLogArgs, output: Output) -> Result<Ending, Failure> {
    let mut query = vec![("since".into(), args.since)];
    let given = [("until", args.until), ("squad", args.squad), ("service", args.service)];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
    if let Output::Text(zone) = output {
        query.push(("offset".into(), zone.offset()));
    }
    let answer = api.get("/shift-log", &query).await?;
    match output {
        Output::Json => print_line(&answer.text)?,
        Output::Text(_) if args.markdown => print(answer.json["markdown"].as_str().unwrap_or_default())?,
        Output::Text(zone) => print(&text(&answer.json, zone)?)?,
    }
    if answer.json["truncated"] == true && !args.markdown {
        crate::remark_line!("Not complete: each list ends after 200 entries. Ask for a shorter time.");
    }
    Ok(Ending::Done)
}

fn text(log: &Value, zone: Zone) -> Result<String, Failure> {
    let (arrived, dead) = (number(log, "arrived"), number(log, "dead"));
    let (since, until) = (zone.time(log, "since"), zone.time(log, "until"));
    let mut text =
        format!("{since} to {until}\n{} arrived, {} dead now\n", dead_letters(arrived), count(dead));
    let groups = |name: &str, at: &str| -> Vec<String> {
        list(log, name).iter().map(|group| group_line(group, &zone.time(group, at))).collect()
    };
    section(&mut text, "New error groups", &groups("newGroups", "firstSeen"));
    section(&mut text, "Regressed error groups", &groups("regressedGroups", "lastSeen"));
    let triage = list(log, "triage").iter().map(|entry| {
        let event = &entry["event"];
        let note = Some(field(event, "note")).filter(|note| !note.is_empty());
        let note = note.map_or_else(String::new, |note| format!(": {note}"));
        let (at, by, action) = (zone.time(event, "at"), field(event, "by"), field(event, "action"));
        let (service, title) = (field(&entry["group"], "service"), error(&entry["group"], "title"));
        let about = group::about(event);
        format!("{at}  {by}  {action}{about}  {service}  {title}{note}")
    });
    section(&mut text, "Triage", &triage.collect::<Vec<_>>());
    let mut operations = Vec::new();
    for json in list(log, "operations") {
        operations.push(operation_line(json, zone)?);
    }
    section(&mut text, "Operations", &operations);
    Ok(text)
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    text.extend(["\n", title, &format!(" ({})\n", lines.len())]);
    for line in lines {
        text.extend(["  ", line, "\n"]);
    }
}

fn group_line(group: &Value, at: &str) -> String {
    let (id, state, service) = (field(group, "id"), field(group, "state"), field(group, "service"));
    format!(
        "{at}  {id}  {state}  {service}  {} arrived  {}",
        count(number(group, "arrived")),
        error(group, "title")
    )
}

fn operation_line(json: &Value, zone: Zone) -> Result<String, Failure> {
    let (at, id, by) = (zone.time(json, "createdAt"), field(json, "id"), field(json, "requestedBy"));
    let note = Some(field(json, "note")).filter(|note| !note.is_empty());
    let note = note.map_or_else(String::new, |note| format!("  ({note})"));
    let mut shown = format!("{at}  {id}  {by}  {}{note}", Operation::read(json)?.summary());
    for event in list(json, "events") {
        let detail = Some(field(event, "detail")).filter(|detail| !detail.is_empty());
        let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
        let (at, by, action) = (zone.time(event, "at"), field(event, "by"), field(event, "action"));
        shown.extend(["\n    ", &at, "  ", &by, "  ", &action, &detail]);
    }
    Ok(shown)
}
