//! The notifications file:
//!
//! ```yaml
//! channels:
//!   checkout-hook:
//!     type: webhook
//!     url: https://hooks.example.com/dead-letter
//!     secret: {file: /etc/dead-letter/webhook-secret}
//! routes:
//!   - squads: [checkout]              # optional: without it, squads that no other route names
//!     kinds: [new-error-group]        # optional: all of them
//!     severity: warning               # optional: at least
//!     channels: [checkout-hook]
//!     quiet-hours: {from: "22:00", to: "07:00", zone: Europe/Berlin, unless: critical}
//! severities: {operation-paused: critical}
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use serde::{Deserialize, Deserializer};

use super::Live;
use super::channel::Channel;
use super::quiet_hours::QuietHours;
use super::routes::{Route, Routes, SourceLag};
use crate::config::{plain_name, without_values};
use crate::domain::incident::{Kind, Severity};
use crate::live_file::LiveFile;
use crate::tls::Tls;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Document {
    #[serde(default, deserialize_with = "span")]
    settle: Option<TimeDelta>,
    #[serde(default, deserialize_with = "span")]
    quiet_after: Option<TimeDelta>,
    #[serde(default, deserialize_with = "span")]
    give_up_after: Option<TimeDelta>,
    source_lag: Option<LagDocument>,
    platform: Option<String>,
    #[serde(default)]
    severities: BTreeMap<String, Severity>,
    channels: BTreeMap<String, Channel>,
    routes: Vec<RouteDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LagDocument {
    messages: i64,
    #[serde(default, deserialize_with = "span")]
    after: Option<TimeDelta>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RouteDocument {
    #[serde(default)]
    squads: Vec<String>,
    #[serde(default)]
    kinds: Vec<String>,
    severity: Option<Severity>,
    channels: Vec<String>,
    quiet_hours: Option<QuietHours>,
}

/// Reads the notifications file for the first time. It must exist and be valid, and each channel must be usable.
pub fn open(path: &Path, routes: &Live, tls: &Tls) -> anyhow::Result<LiveFile<Routes>> {
    let file = LiveFile::open("notifications file", path, parse, routes.clone())?;
    for (name, channel) in &routes.now().channels {
        channel.check(tls).with_context(|| format!("the channel {name} cannot be used"))?;
    }
    Ok(file)
}

fn parse(text: &str) -> anyhow::Result<Routes> {
    let document: Document = serde_saphyr::from_str(text)
        .map_err(|error| anyhow::anyhow!(without_values(&error.without_snippet().to_string())))
        .context(
            "it needs `channels:`, each with a name, a `type` and its settings, and `routes:`, a list of entries with `channels`",
        )?;
    let defaults = Routes::default();
    let mut severities = BTreeMap::new();
    for (name, severity) in &document.severities {
        severities.insert(kind(name)?.as_str(), *severity);
    }
    for (name, channel) in &document.channels {
        plain_name(name).map_err(|why| anyhow::anyhow!("the name of the channel {name:?} {why}"))?;
        channel.secrets().with_context(|| format!("the channel {name} cannot be used"))?;
    }
    let lag = document.source_lag;
    let routes = Routes {
        settle: document.settle.unwrap_or(defaults.settle),
        quiet_after: document.quiet_after.unwrap_or(defaults.quiet_after),
        give_up_after: document.give_up_after.unwrap_or(defaults.give_up_after),
        source_lag: SourceLag {
            messages: lag.as_ref().map_or(defaults.source_lag.messages, |lag| lag.messages),
            after: lag.and_then(|lag| lag.after).unwrap_or(defaults.source_lag.after),
        },
        platform: document.platform.unwrap_or(defaults.platform),
        severities,
        list: document.routes.into_iter().map(route).collect::<Result<_, _>>()?,
        channels: document.channels,
    };
    for route in &routes.list {
        ensure!(!route.channels.is_empty(), "a route needs `channels`");
        for channel in &route.channels {
            ensure!(
                routes.channels.contains_key(channel),
                "a route names the channel {channel}, which is not among `channels`"
            );
        }
    }
    Ok(routes)
}

fn route(document: RouteDocument) -> anyhow::Result<Route> {
    Ok(Route {
        squads: document.squads,
        kinds: document.kinds.iter().map(|name| kind(name)).collect::<Result<_, _>>()?,
        severity: document.severity.unwrap_or(Severity::Info),
        channels: document.channels,
        quiet_hours: document.quiet_hours,
    })
}

/// The kind of this name, in lower case with hyphens, as in the other files.
fn kind(name: &str) -> anyhow::Result<Kind> {
    let all = || Kind::ALL.iter().filter(|kind| **kind != Kind::Test);
    all().copied().find(|kind| hyphenated(*kind) == name).with_context(|| {
        let names: Vec<_> = all().map(|kind| hyphenated(*kind)).collect();
        format!("`{name}` is no kind of incident: there are {}", names.join(", "))
    })
}

fn hyphenated(kind: Kind) -> String {
    kind.as_str().chars().fold(String::new(), |mut name, letter| {
        if letter.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
        name
    })
}

/// A length of time with a unit: `1m`, `24h`.
fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeDelta>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let span = humantime::parse_duration(&text).map_err(serde::de::Error::custom)?;
    TimeDelta::from_std(span).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;
    use crate::store::Recipient;

    const CHANNELS: &str = "
channels:
  a: {type: webhook, url: 'https://a.example', secret: {env: PATH}}
  b: {type: webhook, url: 'https://b.example', secret: {env: PATH}}
";

    fn told(routes: &str, squad: &str, kind: Kind) -> Vec<Recipient> {
        let routes = parse(&format!("{CHANNELS}routes:\n{routes}")).unwrap();
        // A Monday, 23:00 in Berlin.
        routes.recipients(squad, kind, "2026-11-30T22:00:00Z".parse().unwrap())
    }

    fn at_once(channel: &str) -> Recipient {
        Recipient { channel: channel.into(), held_until: None }
    }

    #[test]
    fn a_squad_has_its_routes_or_those_of_everybody() {
        let routes = "  - {squads: [squad-nasa], channels: [a]}\n  - {channels: [b]}\n";
        assert_eq!(told(routes, "nasa", Kind::NewErrorGroup), [at_once("a")]);
        assert_eq!(told(routes, "gemini", Kind::NewErrorGroup), [at_once("b")]);
    }

    #[test]
    fn a_route_tells_its_kinds_and_severities_and_a_test_goes_everywhere() {
        let routes =
            "  - {kinds: [new-error-group], channels: [a]}\n  - {severity: critical, channels: [b]}\n";
        assert_eq!(told(routes, "x", Kind::NewErrorGroup), [at_once("a")]);
        assert_eq!(told(routes, "x", Kind::SourceLag), [at_once("b")]);
        assert_eq!(told(routes, "x", Kind::OperationPaused), []);
        assert_eq!(told(routes, "x", Kind::Test), [at_once("a"), at_once("b")]);
        let raised = "  - {severity: critical, channels: [b]}\nseverities: {operation-paused: critical}\n";
        assert_eq!(told(raised, "x", Kind::OperationPaused), [at_once("b")]);
    }

    #[test]
    fn the_route_that_is_not_quiet_wins() {
        let quiet = "quiet-hours: {from: '22:00', to: '07:00', zone: Europe/Berlin}";
        let held = format!("  - {{channels: [a], {quiet}}}\n");
        let morning: DateTime<Utc> = "2026-12-01T06:00:00Z".parse().unwrap();
        let later = Recipient { channel: "a".into(), held_until: Some(morning) };
        assert_eq!(told(&held, "x", Kind::NewErrorGroup), [later]);
        assert_eq!(told(&held, "x", Kind::SourceLag), [at_once("a")], "critical");
        assert_eq!(told(&held, "x", Kind::Test), [at_once("a")]);
        assert_eq!(told(&format!("{held}  - {{channels: [a]}}\n"), "x", Kind::NewErrorGroup), [at_once("a")]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, says) in [
            ("routes: []", "channels"),
            ("channels: {}\nroutes:\n  - {channels: [c]}", "names the channel c"),
            ("channels: {}\nroutes:\n  - {channels: []}", "a route needs `channels`"),
            ("channels: {}\nroutes: []\nseverities: {test: info}", "`test` is no kind of incident"),
            ("channels: {}\nroutes: []\nsettle: soon", "expected number"),
            ("channels: {a: {type: pigeon}}\nroutes: []", "pigeon"),
            (
                "channels: {a: {type: webhook, url: 'https://a', secret: {env: NOT_THERE_AT_ALL}}}\nroutes: []",
                "NOT_THERE_AT_ALL",
            ),
            ("channels: {a: {type: webhook, url: 'https://a', secret: hidden}}\nroutes: []", "secret"),
            ("channels: {'a b': {type: webhook, url: 'https://a', secret: {env: PATH}}}\nroutes: []", "a b"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn kinds_are_written_with_hyphens() {
        assert_eq!(kind("escalating-error-group").unwrap(), Kind::EscalatingErrorGroup);
        assert!(kind("escalatingErrorGroup").is_err());
    }
}
