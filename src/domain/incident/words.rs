//! What people are told of an incident: for whoever is woken by it.

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Event, Incident, Kind};
use crate::domain::words::{count, span, things};

/// So many services are named.
const MOST_SERVICES: usize = 5;

/// A notification in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// One line: what, where.
    pub title: String,
    /// What is known, one fact a line.
    pub facts: Vec<String>,
    /// What to do next.
    pub next: String,
    /// The page of the console, if there is a public address.
    pub link: Option<String>,
}

impl Notice {
    /// Of this event. `console` is the public address of the console.
    pub fn of(incident: &Incident, event: Event, console: Option<&str>, now: DateTime<Utc>) -> Self {
        let (title, facts) = match event {
            Event::Opened => (incident.title(), facts(incident, now)),
            Event::Resolved => (format!("Over: {}", incident.title()), how_it_ended(incident)),
        };
        let next = match event {
            Event::Opened => next(incident),
            Event::Resolved => "There is nothing to do.".into(),
        };
        let link =
            console.map(|console| format!("{}/console/{}", console.trim_end_matches('/'), page(incident)));
        Self { title, facts, next, link }
    }

    /// All of it but the title, as plain text.
    pub fn text(&self) -> String {
        let lines = self.facts.iter().map(String::as_str).chain([self.next.as_str()]);
        lines.chain(self.link.as_deref()).collect::<Vec<_>>().join("\n")
    }
}

impl Incident {
    /// What happened and where, in one line.
    pub fn title(&self) -> String {
        let (facts, services) = (&self.facts, services(self));
        let error = facts.error.as_deref().unwrap_or("an error");
        let detail = facts.detail.as_deref().unwrap_or_default();
        match self.kind {
            Kind::NewErrorGroup => format!("New error in {services}: {error}"),
            Kind::RegressedErrorGroup => format!("Error is back in {services}: {error}"),
            Kind::EscalatingErrorGroup => format!("Error escalates in {services}: {error}"),
            Kind::SquadGrowth => format!("Dead letters of {} grow fast", self.squad),
            Kind::OperationPaused => format!("An operation on {services} paused itself"),
            Kind::OperationFailed => format!("An operation on {services} ended with failures"),
            Kind::SourceLag => format!("Dead letters wait in {detail}"),
            Kind::Test => format!("Test notification for {}", self.squad),
        }
    }
}

fn services(incident: &Incident) -> String {
    let names = &incident.services;
    match names.len().checked_sub(MOST_SERVICES) {
        _ if names.is_empty() => "unknown services".into(),
        Some(more @ 1..) => format!("{} and {more} more", names[..MOST_SERVICES].join(", ")),
        _ => names.join(", "),
    }
}

fn facts(incident: &Incident, now: DateTime<Utc>) -> Vec<String> {
    let facts = &incident.facts;
    let are = |number| if number == 1 { "is" } else { "are" };
    let letters = things(facts.dead, "dead letter");
    let dead = format!("{letters} of {} {} dead now.", services(incident), are(facts.dead));
    let since = facts
        .since
        .map(|since| format!("Since {} UTC ({}).", since.format("%Y-%m-%d %H:%M"), span(now - since)));
    let hour = |of: &str| {
        let (now, most) = (things(facts.last_hour, "dead letter"), count(facts.ceiling));
        format!("{now} arrived within an hour. By the week before, at most {most}{of} were expected.")
    };
    let detail = facts.detail.iter().cloned();
    let assigned = facts.assignee.as_ref().map(|who| format!("Assigned to {who}."));
    let ticket = facts.ticket.as_ref().map(|ticket| format!("Ticket: {ticket}"));
    let care = assigned.into_iter().chain(ticket);
    match incident.kind {
        Kind::NewErrorGroup | Kind::RegressedErrorGroup => {
            [dead].into_iter().chain(since).chain(care).collect()
        }
        Kind::EscalatingErrorGroup => [hour(" of this error"), dead].into_iter().chain(care).collect(),
        Kind::SquadGrowth => vec![hour(""), format!("Services: {}.", services(incident))],
        Kind::OperationPaused | Kind::OperationFailed => detail.chain(since).collect(),
        Kind::SourceLag => {
            let waiting = format!("{} {} waiting there.", things(facts.dead, "message"), are(facts.dead));
            [waiting].into_iter().chain(since).collect()
        }
        Kind::Test => vec!["Somebody asked dead-letter to try this route.".into()],
    }
}

fn how_it_ended(incident: &Incident) -> Vec<String> {
    let lasted = incident.resolved_at.map(|end| format!("It lasted {}.", span(end - incident.opened_at)));
    let why = incident.resolution.as_ref().map(|why| format!("Resolved by itself: {why}."));
    why.into_iter().chain(lasted).collect()
}

fn next(incident: &Incident) -> String {
    match incident.kind {
        Kind::NewErrorGroup | Kind::RegressedErrorGroup => {
            "Next: open the group, look at an example and at what sets it apart. Fix the cause, then redeliver with a canary. Mute the \
             group if it can wait."
        }
        Kind::EscalatingErrorGroup => {
            "Next: find out what changed within the last hour: a release, a partner, a database. Stop the producer if the service cannot \
             keep up."
        }
        Kind::SquadGrowth => "Next: look at the squad's services. Several at once point to something that they share.",
        Kind::OperationPaused => {
            "Next: look at what came back. If the fix did not help, cancel the operation, else resume it."
        }
        Kind::OperationFailed => {
            "Next: look at the items that were refused or died again. Redeliver just these after the cause is fixed."
        }
        Kind::SourceLag => {
            "Next: look at /health/ready of the service, at the broker and at the database. Nothing is lost: the messages stay in the \
             queue."
        }
        Kind::Test => "There is nothing to do.",
    }
    .into()
}

/// The page of the console, after `/console/`.
fn page(incident: &Incident) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let facts = &incident.facts;
    match (facts.error_group, facts.operation) {
        (Some(group), _) => format!("group?id={group}"),
        (_, Some(operation)) => format!("operations?operation={operation}"),
        _ if incident.kind == Kind::SourceLag => "squads".into(),
        _ => format!("squad?squad={}", encoded(&incident.squad)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::domain::incident::{Facts, Severity};

    pub fn incident(kind: Kind) -> Incident {
        Incident {
            id: Uuid::from_u128(7),
            kind,
            subject: "subject".into(),
            squad: "check out".into(),
            severity: Severity::Warning,
            services: vec!["webshop".into()],
            facts: Facts {
                error: Some("PaymentDeclined".into()),
                dead: 43_000,
                last_hour: 50_000,
                ceiling: 20,
                since: Some(DateTime::UNIX_EPOCH),
                ..Facts::default()
            },
            opened_at: DateTime::UNIX_EPOCH,
            over_since: None,
            resolved_at: None,
            resolution: None,
        }
    }

    #[test]
    fn a_notice_says_what_where_how_many_since_when_and_what_next() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::minutes(12);
        let mut incident = incident(Kind::NewErrorGroup);
        incident.facts.error_group = Some(Uuid::from_u128(1));
        let notice = Notice::of(&incident, Event::Opened, Some("https://dl.example/"), now);
        assert_eq!(notice.title, "New error in webshop: PaymentDeclined");
        assert_eq!(
            notice.facts,
            ["43,000 dead letters of webshop are dead now.", "Since 1970-01-01 00:00 UTC (12 min)."]
        );
        let link = "https://dl.example/console/group?id=00000000-0000-0000-0000-000000000001";
        assert_eq!(notice.link.as_deref(), Some(link));
        assert!(notice.text().ends_with(link), "{}", notice.text());
    }

    #[test]
    fn a_notice_says_who_is_on_it() {
        let mut incident = incident(Kind::EscalatingErrorGroup);
        incident.facts.assignee = Some("user:default/ada".into());
        incident.facts.ticket = Some("SHOP-1 (https://t.example/1)".into());
        let notice = Notice::of(&incident, Event::Opened, None, DateTime::UNIX_EPOCH);
        assert_eq!(
            notice.facts[2..],
            ["Assigned to user:default/ada.", "Ticket: SHOP-1 (https://t.example/1)"]
        );
    }

    #[test]
    fn the_end_says_why_and_after_how_long() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let ended = Incident {
            resolved_at: Some(now),
            resolution: Some("muted".into()),
            ..incident(Kind::SquadGrowth)
        };
        let notice = Notice::of(&ended, Event::Resolved, Some("https://dl.example"), now);
        assert_eq!(notice.title, "Over: Dead letters of check out grow fast");
        assert_eq!(notice.facts, ["Resolved by itself: muted.", "It lasted 1 h."]);
        assert_eq!(notice.link.as_deref(), Some("https://dl.example/console/squad?squad=check%20out"));
    }

    #[test]
    fn many_services_are_not_all_named() {
        let services = (0..9).map(|number| format!("s{number}")).collect();
        let many = Incident { services, ..incident(Kind::RegressedErrorGroup) };
        assert_eq!(many.title(), "Error is back in s0, s1, s2, s3, s4 and 4 more: PaymentDeclined");
        assert_eq!(services_of_none(), "unknown services");
    }

    fn services_of_none() -> String {
        services(&Incident { services: Vec::new(), ..incident(Kind::Test) })
    }
}
