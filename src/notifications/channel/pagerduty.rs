//! PagerDuty, by its Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2-overview>): `trigger` and `resolve` with the
//! incident's id as `dedup_key`, so that a repetition changes nothing.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Letter;
use super::courier::{self, Address, Courier};
use crate::domain::incident::Event;
use crate::notifications::secret::Secret;
use crate::tls::Tls;

/// Longest `summary` that PagerDuty takes, in characters.
const LONGEST_SUMMARY: usize = 1024;

/// A service of PagerDuty.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::notifications) struct PagerDuty {
    /// The integration key.
    pub routing_key: Secret,
    /// Where events go: another address in the EU.
    #[serde(default = "default_url")]
    url: Address,
}

#[expect(clippy::expect_used, reason = "a literal")]
fn default_url() -> Address {
    Address("https://events.pagerduty.com".parse().expect("a URL"))
}

impl PagerDuty {
    /// Whether its address can be used.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        courier::check(&self.url.0, tls)
    }

    /// Sends it.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        let url = self.url.0.join("/v2/enqueue")?;
        let body = event(letter, &self.routing_key.read()?);
        courier.post(&url, serde_json::to_vec(&body)?, |request| request).await
    }
}

fn event(letter: &Letter<'_>, routing_key: &str) -> Value {
    let (incident, notice) = (letter.incident, letter.notice);
    let key = format!("dead-letter/{}", incident.id);
    if letter.event == Event::Resolved {
        return json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": key });
    }
    let links: Vec<_> = notice.link.iter().map(|link| json!({"href": link, "text": "dead-letter"})).collect();
    let summary: String = notice.title.chars().take(LONGEST_SUMMARY).collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": key,
        "client": "dead-letter",
        "client_url": notice.link,
        "links": links,
        "payload": {
            "summary": summary,
            "source": incident.services.first().map_or("dead-letter", String::as_str),
            "severity": incident.severity.as_str(),
            "timestamp": incident.opened_at,
            "component": incident.services.first(),
            "group": incident.squad,
            "class": incident.kind.as_str(),
            "custom_details": { "facts": notice.facts, "next": notice.next, "services": incident.services },
        },
    })
}
