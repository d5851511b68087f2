//! A shift log as Markdown: the one text that the API, the command line and the screens hand over.

use std::fmt::Write as _;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};

use super::Told;
use crate::domain::dead_letter::received_at;
use crate::domain::error_group::{ErrorGroup, GroupEvent, error_name};
use crate::domain::error_text;
use crate::domain::operation::{Operation, OperationEvent};
use crate::domain::triage::Ticket;
use crate::domain::verdict::Judgement;
use crate::domain::words::{count, things};

/// Characters with a meaning in Markdown.
const SPECIAL: &str = "\\`*_[]<>#|~";

/// What is told, with times at this offset.
pub fn written(told: &Told, offset: FixedOffset, watch: TimeDelta, now: DateTime<Utc>) -> String {
    Writer { offset, watch, now }.log(told)
}

#[derive(Clone, Copy, Debug)]
struct Writer {
    offset: FixedOffset,
    watch: TimeDelta,
    now: DateTime<Utc>,
}

impl Writer {
    fn log(self, told: &Told) -> String {
        let (since, until) = (self.time(told.shift.since), self.time(told.shift.until));
        let mut text = format!("# Shift log, {since} to {until} ({})\n\n", self.offset);
        let (arrived, dead) = (told.counts.arrived, told.counts.dead);
        let verb = if dead == 1 { "is" } else { "are" };
        let _ =
            writeln!(text, "{} arrived. {} {verb} dead now.", things(arrived, "dead letter"), count(dead));
        if told.is_truncated {
            text.push_str("\nThis log is not complete: each list ends after 200 entries.\n");
        }
        section(&mut text, "New error groups", told.new.iter().map(|group| self.first_seen(group)));
        section(
            &mut text,
            "Regressed error groups",
            told.regressed.iter().map(|group| self.regressed(group)),
        );
        section(&mut text, "Triage", told.triage.iter().map(|(group, event)| self.triage(group, event)));
        section(
            &mut text,
            "Operations",
            told.operations.iter().map(|(operation, events)| self.operation(operation, events)),
        );
        text
    }

    fn time(self, time: DateTime<Utc>) -> String {
        time.with_timezone(&self.offset).format("%F %H:%M").to_string()
    }

    fn first_seen(self, group: &ErrorGroup) -> String {
        let (first, last) = (self.time(group.first_seen), self.time(group.last_seen));
        let (state, care) = (self.state(group), care(group));
        format!("- {first} {}: {}, last {last}, {state}{care}", named(group), arrivals(group))
    }

    fn regressed(self, group: &ErrorGroup) -> String {
        let resolved =
            group.resolved_at.map_or_else(String::new, |at| format!(", resolved {}", self.time(at)));
        let (last, care) = (self.time(group.last_seen), care(group));
        format!("- {last} {}: {}{resolved}{care}", named(group), arrivals(group))
    }

    fn state(self, group: &ErrorGroup) -> &'static str {
        group.state(self.now).as_str()
    }

    fn triage(self, group: &ErrorGroup, event: &GroupEvent) -> String {
        let by = plain(&event.done_by);
        let did = match (event.action.as_str(), event.muted_until, event.muted_count) {
            ("resolve", ..) => match &event.version {
                Some(version) => format!("resolved in version {}", plain(version)),
                None => "resolved".to_owned(),
            },
            ("reopen", ..) => "reopened".to_owned(),
            ("mute", until, number) => {
                let until = until.map(|until| format!("until {}", self.time(until)));
                let number = number.map(|number| format!("until {} more arrive", count(number)));
                format!("muted {}", [until, number].into_iter().flatten().collect::<Vec<_>>().join(" or "))
            }
            (action, ..) => cared(action, event),
        };
        format!(
            "- {} {by} {did}: {}{}",
            self.time(received_at(event.id)),
            named(group),
            noted(event.note.as_deref())
        )
    }

    fn operation(self, operation: &Operation, events: &[OperationEvent]) -> String {
        let Judgement { text: verdict, .. } = Judgement::of(operation, self.watch, self.now);
        let services = operation.services.iter().flatten().map(|name| plain(name)).collect::<Vec<_>>();
        let of = if services.is_empty() { String::new() } else { format!(" of {}", services.join(", ")) };
        let mut text = format!(
            "- {} {} by {}: {}{of}. {}{} `{}`",
            self.time(operation.created_at),
            operation.kind.as_str(),
            plain(&operation.requested_by),
            things(operation.total, "dead letter"),
            plain(&verdict),
            noted(operation.note.as_deref()),
            operation.id,
        );
        for event in events {
            let detail =
                event.detail.as_deref().map_or_else(String::new, |detail| format!(": {}", plain(detail)));
            let (at, by) = (self.time(received_at(event.id)), plain(&event.done_by));
            let _ = write!(text, "\n  - {at} {by} {}{detail}", event.action);
        }
        text
    }
}

/// Entries below a title; the title alone tells that there are none.
fn section(text: &mut String, title: &str, entries: impl ExactSizeIterator<Item = String>) {
    let _ = writeln!(text, "\n## {title} ({})", entries.len());
    for (number, entry) in entries.enumerate() {
        let _ = writeln!(text, "{}{entry}", if number == 0 { "\n" } else { "" });
    }
}

/// What somebody did with a group, of what has no time and no number.
fn cared(action: &str, event: &GroupEvent) -> String {
    let groups = || things(i64::try_from(event.groups.len()).unwrap_or(i64::MAX), "group");
    match action {
        "assign" => format!("assigned to {}", plain(event.assignee.as_deref().unwrap_or_default())),
        "unassign" => "unassigned".to_owned(),
        "link" => {
            let ticket = event.ticket.as_ref().map(Ticket::named).unwrap_or_default();
            format!("linked to {}", plain(&ticket))
        }
        "unlink" => "unlinked from its ticket".to_owned(),
        "merge" => format!("merged {} into one", groups()),
        "split" => format!("split off {}", groups()),
        _ => "added a note".to_owned(),
    }
}

fn arrivals(group: &ErrorGroup) -> String {
    format!("{} arrived", count(group.arrived))
}

/// Who is on a group, and its ticket.
fn care(group: &ErrorGroup) -> String {
    let assigned = group.assignee.as_ref().map(|who| format!(", assigned to {}", plain(who)));
    let ticket = group.ticket.as_ref().map(|ticket| format!(", ticket {}", plain(&ticket.named())));
    assigned.into_iter().chain(ticket).collect()
}

/// `**webshop** PaymentDeclined: card issuer timed out`.
fn named(group: &ErrorGroup) -> String {
    let text = group.template.as_deref().map(error_text::shown).filter(|text| !text.is_empty());
    let error = match (group.error_type.as_deref().filter(|name| !name.is_empty()), text) {
        (Some(name), Some(text)) => format!("{name}: {text}"),
        _ => error_name(group.error_type.as_deref(), group.template.as_deref(), group.reason.as_deref()),
    };
    format!("**{}** {}", plain(&group.service), plain(&error))
}

/// A note, as people wrote it.
fn noted(note: Option<&str>) -> String {
    note.filter(|note| !note.is_empty()).map_or_else(String::new, |note| format!(" Note: “{}”", plain(note)))
}

/// A text of others in one line, with nothing that Markdown takes for its own.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            special if SPECIAL.contains(special) => escaped.extend(['\\', special]),
            control if control.is_control() || control.is_whitespace() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_others_is_taken_for_markdown() {
        assert_eq!(plain("a*b_c\n# [x](y) `z` <b>"), "a\\*b\\_c \\# \\[x\\](y) \\`z\\` \\<b\\>");
        assert_eq!(plain("Åse ✓"), "Åse ✓");
    }

    #[test]
    fn a_section_says_how_many_there_are() {
        let mut text = String::new();
        section(&mut text, "Triage", std::iter::empty::<String>().collect::<Vec<_>>().into_iter());
        section(&mut text, "Operations", vec!["- a".to_owned(), "- b".to_owned()].into_iter());
        assert_eq!(text, "\n## Triage (0)\n\n## Operations (2)\n\n- a\n- b\n");
    }
}
