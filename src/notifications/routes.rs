//! Which squad is told what, and through which channels.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::channel::Channel;
use super::quiet_hours::QuietHours;
use crate::domain::incident::{Kind, Severity};
use crate::ownership::same_squad;
use crate::store::Recipient;

/// The notifications file as it was last read. Without a file: incidents are found and listed, and nobody is told.
#[derive(Clone, Debug)]
pub struct Routes {
    pub(super) settle: TimeDelta,
    pub(super) quiet_after: TimeDelta,
    pub(super) give_up_after: TimeDelta,
    pub(super) source_lag: SourceLag,
    pub(super) platform: String,
    pub(super) severities: BTreeMap<&'static str, Severity>,
    pub(super) channels: BTreeMap<String, Channel>,
    pub(super) list: Vec<Route>,
}

/// When a source lags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLag {
    /// With more messages that wait,
    pub messages: i64,
    /// or without a consumer, for this long.
    pub after: TimeDelta,
}

/// Who is told what.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// Empty: squads without a route of their own.
    pub squads: Vec<String>,
    /// Empty: all.
    pub kinds: Vec<Kind>,
    /// At least.
    pub severity: Severity,
    pub channels: Vec<String>,
    pub quiet_hours: Option<QuietHours>,
}

impl Default for Routes {
    fn default() -> Self {
        Self {
            settle: TimeDelta::minutes(1),
            quiet_after: TimeDelta::hours(24),
            give_up_after: TimeDelta::hours(24),
            source_lag: SourceLag { messages: 1000, after: TimeDelta::minutes(5) },
            platform: "platform".into(),
            severities: BTreeMap::new(),
            channels: BTreeMap::new(),
            list: Vec::new(),
        }
    }
}

impl Routes {
    /// For how long an incident must seem over before it is resolved.
    pub fn settle(&self) -> TimeDelta {
        self.settle
    }

    /// After how long without arrivals an incident of an error group is over.
    pub fn quiet_after(&self) -> TimeDelta {
        self.quiet_after
    }

    /// For how long a notification is tried.
    pub fn give_up_after(&self) -> TimeDelta {
        self.give_up_after
    }

    /// When a source lags.
    pub fn source_lag(&self) -> SourceLag {
        self.source_lag
    }

    /// The squad that is told of sources.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// How bad an incident of this kind is.
    pub fn severity(&self, kind: Kind) -> Severity {
        self.severities.get(kind.as_str()).copied().unwrap_or_else(|| kind.severity())
    }

    pub(super) fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.get(name)
    }

    /// Whom a squad's incident is told, and when. The routes that name the squad count, or those that name none. A test is told to all
    /// of them at once.
    pub fn recipients(&self, squad: &str, kind: Kind, now: DateTime<Utc>) -> Vec<Recipient> {
        let severity = self.severity(kind);
        let names = |route: &&Route| route.squads.iter().any(|named| same_squad(named, squad));
        let mut routes: Vec<_> = self.list.iter().filter(names).collect();
        if routes.is_empty() {
            routes = self.list.iter().filter(|route| route.squads.is_empty()).collect();
        }
        let mut told: BTreeMap<&str, Option<DateTime<Utc>>> = BTreeMap::new();
        for route in routes.into_iter().filter(|route| route.tells(kind, severity)) {
            let quiet = route.quiet_hours.as_ref().filter(|_| kind != Kind::Test);
            let held = quiet.and_then(|quiet| quiet.held_until(severity, now));
            for channel in &route.channels {
                let earliest = told.entry(channel).or_insert(held);
                *earliest = (*earliest).min(held);
            }
        }
        told.into_iter()
            .map(|(channel, held_until)| Recipient { channel: channel.to_owned(), held_until })
            .collect()
    }
}

impl Route {
    fn tells(&self, kind: Kind, severity: Severity) -> bool {
        kind == Kind::Test
            || (severity >= self.severity && (self.kinds.is_empty() || self.kinds.contains(&kind)))
    }
}
