//! The brokers file: several brokers, virtual hosts and queues to consume dead letters from.
//!
//! ```yaml
//! brokers:
//!   - name: main
//!     url: amqps://user:password@rabbit-1,amqps://user:password@rabbit-2
//!     vhosts:
//!       - vhost: /
//!       - vhost: payments
//!         sources: [payments.dead, refunds.dead]
//!   - name: legacy
//!     urlFile: /run/secrets/legacy-amqp-url
//!     managementUrlFile: /run/secrets/legacy-management-url
//!     exchange: parking
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use serde::Deserialize;

use super::{DEFAULT_SOURCE, plain_name};
use crate::amqp::{Broker, SourceQueue};
use crate::management::Management;
use crate::tls::Tls;

/// A place and the queues to consume there.
#[derive(Clone, Debug)]
pub struct Consumed {
    /// How to connect.
    pub broker: Broker,
    /// The queues.
    pub sources: Vec<SourceQueue>,
    /// The management API of the broker, if it is configured.
    pub management: Option<Management>,
}

impl Consumed {
    /// The places of each broker, by its name.
    pub fn by_broker<'c>(places: impl IntoIterator<Item = &'c Self>) -> BTreeMap<&'c str, Vec<&'c Self>> {
        let mut brokers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for place in places {
            brokers.entry(place.broker.place().broker.as_str()).or_default().push(place);
        }
        brokers
    }

    /// Each queue with its broker.
    pub fn each(&self) -> impl Iterator<Item = (Broker, SourceQueue)> {
        self.sources.iter().map(|source| (self.broker.clone(), source.clone()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    brokers: Vec<BrokerEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BrokerEntry {
    name: String,
    url: Option<String>,
    urls: Option<Vec<String>>,
    url_file: Option<PathBuf>,
    management_url: Option<String>,
    management_url_file: Option<PathBuf>,
    vhosts: Option<Vec<VhostEntry>>,
    sources: Option<Vec<String>>,
    exchange: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VhostEntry {
    vhost: String,
    sources: Option<Vec<String>>,
    exchange: Option<String>,
}

/// Reads the file. Each place occurs once, in the order of the file. Errors name a line or a field, and never a value (rule R14).
pub(super) fn read(path: &Path, tls: &Tls) -> anyhow::Result<Vec<Consumed>> {
    let invalid = || format!("the brokers file {} is invalid", path.display());
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the brokers file {}", path.display()))?;
    let consumed = parse(&text, tls).with_context(invalid)?;
    let secured = |Consumed { broker, sources, management }: Consumed| {
        let name = broker.place().broker.clone();
        let broker = broker.secured(tls).with_context(|| format!("broker {name}"))?;
        Ok(Consumed { broker, sources, management })
    };
    consumed.into_iter().map(secured).collect::<anyhow::Result<_>>().with_context(invalid)
}

fn parse(text: &str, tls: &Tls) -> anyhow::Result<Vec<Consumed>> {
    let document: Document =
        serde_saphyr::from_str(text).map_err(|error| anyhow!(without_values(&error.without_snippet().to_string()))).context(
            "expected `brokers:`, a list of entries with `name` and one of `url`, `urls` and `urlFile`, and optionally `vhosts`, \
             `sources`, `exchange`, and one of `managementUrl` and `managementUrlFile`",
        )?;
    ensure!(!document.brokers.is_empty(), "`brokers:` needs at least one entry");
    let mut consumed: Vec<Consumed> = Vec::new();
    for (number, entry) in document.brokers.into_iter().enumerate() {
        let name = plain_name(&entry.name).map_err(|why| anyhow!("brokers[{number}].name: {why}"))?;
        let places = entry.places(&name, tls).with_context(|| format!("brokers[{number}] ({name})"))?;
        for place in places {
            let at = place.broker.place();
            ensure!(
                consumed.iter().all(|other| other.broker.place() != at),
                "{at} is listed twice, merge its `sources`"
            );
            consumed.push(place);
        }
    }
    Ok(consumed)
}

impl BrokerEntry {
    fn places(self, name: &str, tls: &Tls) -> anyhow::Result<Vec<Consumed>> {
        let broker = Broker::new(name, &self.url()?)?;
        let management = self.management(tls)?;
        let Some(vhosts) = self.vhosts else {
            return Ok(vec![Consumed { broker, sources: sources(self.sources, self.exchange)?, management }]);
        };
        if self.sources.is_some() || self.exchange.is_some() {
            bail!(
                "`sources` and `exchange` are not allowed beside `vhosts`, move them into an entry of `vhosts`"
            );
        }
        ensure!(
            !vhosts.is_empty(),
            "vhosts: needs at least one entry; leave it out to use the virtual host of the URL"
        );
        let place = |(number, entry): (usize, VhostEntry)| {
            let at = || format!("vhosts[{number}] ({})", entry.vhost);
            ensure!(!entry.vhost.is_empty(), "vhosts[{number}].vhost: must not be empty");
            let sources = sources(entry.sources.clone(), entry.exchange.clone()).with_context(at)?;
            Ok(Consumed { broker: broker.with_vhost(&entry.vhost), sources, management: management.clone() })
        };
        vhosts.into_iter().enumerate().map(place).collect()
    }

    fn management(&self, tls: &Tls) -> anyhow::Result<Option<Management>> {
        let (field, url) = match (&self.management_url, &self.management_url_file) {
            (None, None) => return Ok(None),
            (Some(url), None) => ("managementUrl", url.clone()),
            (None, Some(path)) => ("managementUrlFile", read_url("managementUrlFile", path)?),
            _ => bail!("needs at most one of `managementUrl` and `managementUrlFile`"),
        };
        Management::new(&url, tls).map(Some).context(field)
    }

    fn url(&self) -> anyhow::Result<String> {
        match (&self.url, &self.urls, &self.url_file) {
            (Some(url), None, None) => Ok(url.clone()),
            (None, Some(urls), None) => Ok(urls.join(",")),
            (None, None, Some(path)) => read_url("urlFile", path),
            _ => bail!("needs exactly one of `url`, `urls` and `urlFile`"),
        }
    }
}

/// The URL that is in the file of this field.
fn read_url(field: &str, path: &Path) -> anyhow::Result<String> {
    let url =
        std::fs::read_to_string(path).with_context(|| format!("{field}: cannot read {}", path.display()))?;
    Ok(url.trim().to_owned())
}

/// The queue and exchange `dead-letter`, if neither is configured. A configured exchange is declared together with its queue.
fn sources(queues: Option<Vec<String>>, exchange: Option<String>) -> anyhow::Result<Vec<SourceQueue>> {
    let named = |name: &String| !name.is_empty() && name.len() <= 255;
    ensure!(
        exchange.iter().chain(queues.iter().flatten()).all(named),
        "names of queues and exchanges must have 1 to 255 bytes"
    );
    let Some(queues) = queues else {
        let name = exchange.unwrap_or_else(|| DEFAULT_SOURCE.to_owned());
        return Ok(vec![SourceQueue { queue: name.clone(), exchange: Some(name) }]);
    };
    ensure!(
        !queues.is_empty(),
        "sources: needs at least one queue; leave it out to use the queue `{DEFAULT_SOURCE}`"
    );
    let distinct: BTreeSet<_> = queues.iter().collect();
    ensure!(distinct.len() == queues.len(), "sources: a queue is listed twice");
    ensure!(
        exchange.is_none() || queues.len() == 1,
        "exchange: is declared together with one queue, but `sources` names {}",
        queues.len()
    );
    Ok(queues.into_iter().map(|queue| SourceQueue { queue, exchange: exchange.clone() }).collect())
}

/// A parser's message without the values that it quotes. One may be a URL with a password.
pub(crate) fn without_values(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for (number, part) in message.split('"').enumerate() {
        text.push_str(if number % 2 == 0 { part } else { "\"…\"" });
    }
    match text.split_once("://") {
        Some((before, _)) => format!("{before}://…"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::place::Place;

    #[test]
    fn a_file_names_places_and_their_queues() {
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&secret, "amqp://u:p@c/shop\n").unwrap();
        let text = format!(
            "brokers:\n  - name: main\n    url: amqp://u:p@a,amqp://u:p@b\n    vhosts:\n      - vhost: /\n      \
             - vhost: payments\n        sources: [payments.dead, refunds.dead]\n      - {{vhost: x, sources: [q], exchange: e}}\n  \
             - name: legacy\n    urlFile: {}\n    exchange: parking\n  - name: third\n    urls: ['amqp://d/one', 'amqp://e/one']\n",
            secret.path().display()
        );
        let read: Vec<_> = parse(&text, &Tls::default())
            .unwrap()
            .into_iter()
            .map(|consumed| {
                let sources = consumed.sources.into_iter().map(|source| (source.queue, source.exchange));
                (consumed.broker.place().clone(), sources.collect::<Vec<_>>())
            })
            .collect();
        let queue = |queue: &str, exchange: Option<&str>| (queue.to_owned(), exchange.map(str::to_owned));
        let declared = |name| queue(name, Some(name));
        let expected = [
            (Place::new("main", "/"), vec![declared("dead-letter")]),
            (Place::new("main", "payments"), vec![queue("payments.dead", None), queue("refunds.dead", None)]),
            (Place::new("main", "x"), vec![queue("q", Some("e"))]),
            (Place::new("legacy", "shop"), vec![declared("parking")]),
            (Place::new("third", "one"), vec![declared("dead-letter")]),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn errors_name_the_line_or_field_and_never_the_password() {
        let url = "amqp://u:secret@a";
        let wrong = [
            ("", "brokers"),
            ("brokers: []", "needs at least one entry"),
            (&format!("brokers: {url}"), "line 1"),
            (&format!("brokers:\n  - {url}"), "line 2"),
            (&format!("brokers:\n  - name: a\n    url: [{url}]"), "line 3"),
            (&format!("brokers:\n  - name: a\n    urls: {url}"), "line 3"),
            (&format!("brokers:\n  - name: a\n    url: {url}\n    vhost: b"), "vhost"),
            (&format!("brokers:\n  - name: a\n   url: {url}"), "line"),
            (&format!("brokers:\n  - name: 'a b'\n    url: {url}"), "brokers[0].name: must have"),
            ("brokers:\n  - name: a", "brokers[0] (a): needs exactly one of"),
            (&format!("brokers:\n  - {{name: a, url: '{url}', urlFile: b}}"), "exactly one of"),
            ("brokers:\n  - {name: a, urlFile: /no/such}", "urlFile: cannot read /no/such"),
            ("brokers:\n  - {name: a, url: 'u:secret@a'}", "brokers[0] (a): URL 1"),
            (&format!("brokers:\n  - {{name: a, url: '{url},amqp:u:secret@b'}}"), "URL 2"),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}'}}\n  - {{name: a, url: '{url}'}}"),
                "is listed twice",
            ),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}', vhosts: []}}"),
                "vhosts: needs at least one entry",
            ),
            (&format!("brokers:\n  - {{name: a, url: '{url}', vhosts: [{{vhost: ''}}]}}"), "vhosts[0].vhost"),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}', vhosts: [{{vhost: v}}], sources: [q]}}"),
                "beside `vhosts`",
            ),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}', vhosts: [{{vhost: v, sources: []}}]}}"),
                "vhosts[0] (v): sources",
            ),
            (&format!("brokers:\n  - {{name: a, url: '{url}', sources: [q, q]}}"), "twice"),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}', sources: [q, r], exchange: e}}"),
                "exchange: is declared together with one queue",
            ),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}', managementUrl: 'http://u:secret@b'}}"),
                "brokers[0] (a): managementUrl: it is not encrypted",
            ),
            (
                &format!("brokers:\n  - {{name: a, url: '{url}', managementUrl: x, managementUrlFile: y}}"),
                "at most one of",
            ),
        ];
        for (text, part) in wrong {
            let error =
                format!("{:#}", parse(text, &Tls::default()).err().unwrap_or_else(|| panic!("{text}")));
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
