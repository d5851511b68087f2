//! Backstage's notifications: `POST /api/notifications/notifications`, to the group of the squad. The incident's id is the `scope`, by
//! which Backstage updates a notification instead of adding another.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Letter;
use super::courier::{self, Address, Courier};
use crate::domain::incident::{Event, Severity};
use crate::notifications::secret::Secret;
use crate::tls::Tls;

/// A Backstage with its notifications backend.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::notifications) struct Backstage {
    /// Its `backend.baseUrl`.
    url: Address,
    /// A static token of `backend.auth.externalAccess`.
    pub token: Secret,
    /// Entities of squads whose group has another name.
    #[serde(default)]
    groups: BTreeMap<String, String>,
}

impl Backstage {
    /// Whether its address can be used.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        courier::check(&self.url.0, tls)
    }

    /// Sends it.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        let base = self.url.0.as_str().trim_end_matches('/');
        let url = format!("{base}/api/notifications/notifications").parse()?;
        let token = self.token.read()?;
        let body = serde_json::to_vec(&self.notification(letter))?;
        courier.post(&url, body, |request| request.bearer_auth(token)).await
    }

    fn notification(&self, letter: &Letter<'_>) -> Value {
        let (incident, notice) = (letter.incident, letter.notice);
        let severity = match (letter.event, incident.severity) {
            (Event::Resolved, _) | (_, Severity::Info) => "low",
            (_, Severity::Warning) => "high",
            (_, Severity::Critical) => "critical",
        };
        let description = format!("{} {}", notice.facts.join(" "), notice.next);
        let mut payload = json!({
            "title": notice.title,
            "description": description,
            "severity": severity,
            "topic": "dead-letter",
            "scope": incident.id,
        });
        if let Some(link) = &notice.link {
            payload["link"] = json!(link);
        }
        json!({ "recipients": { "type": "entity", "entityRef": self.group(&incident.squad) }, "payload": payload })
    }

    /// The group of a squad: `group:default/nasa`, and `group:bank/loans` for a squad of another namespace.
    fn group(&self, squad: &str) -> String {
        match self.groups.get(squad) {
            Some(entity) => entity.clone(),
            None if squad.contains('/') => format!("group:{squad}"),
            None => format!("group:default/{squad}"),
        }
    }
}
