//! Webhooks, signed as Standard Webhooks say (<https://www.standardwebhooks.com>): HMAC-SHA256 over id, time and body.

use anyhow::{Context, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use ring::hmac;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Letter;
use super::courier::{self, Address, Courier};
use crate::domain::incident::{Event, Facts};
use crate::notifications::secret::Secret;
use crate::tls::Tls;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A receiver of webhooks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::notifications) struct Webhook {
    url: Address,
    pub secret: Secret,
}

/// The body.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'b> {
    id: Uuid,
    r#type: &'static str,
    timestamp: DateTime<Utc>,
    data: Data<'b>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'b> {
    incident: Uuid,
    kind: &'static str,
    severity: &'static str,
    squad: &'b str,
    services: &'b [String],
    title: &'b str,
    text: String,
    link: Option<&'b str>,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    facts: &'b Facts,
}

impl Webhook {
    /// Whether its address and its secret can be used.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        courier::check(&self.url.0, tls)?;
        self.key().map(drop)
    }

    /// Sends it.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        let body = serde_json::to_vec(&body(letter))?;
        let (id, timestamp) = (letter.id.to_string(), letter.sent_at.timestamp().to_string());
        let mut signed = hmac::Context::with_key(&self.key()?);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", &body] {
            signed.update(part);
        }
        let signature = format!("v1,{}", STANDARD.encode(signed.sign()));
        let complete = |request: reqwest::RequestBuilder| {
            request
                .header("webhook-id", &id)
                .header("webhook-timestamp", &timestamp)
                .header("webhook-signature", signature)
                .header("idempotency-key", &id)
        };
        courier.post(&self.url.0, body, complete).await
    }

    fn key(&self) -> anyhow::Result<hmac::Key> {
        let secret = self.secret.read()?;
        let key = secret.strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
        let key = key.context(
            "the secret must be `whsec_` and 24 to 64 bytes in Base64: echo whsec_$(openssl rand -base64 32)",
        )?;
        ensure!(BYTES.contains(&key.len()), "the secret has {} bytes, and must have 24 to 64", key.len());
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }
}

fn body<'l>(letter: &'l Letter<'l>) -> Body<'l> {
    let (incident, notice) = (letter.incident, letter.notice);
    Body {
        id: letter.id,
        r#type: match letter.event {
            Event::Opened => "incident.opened",
            Event::Resolved => "incident.resolved",
        },
        timestamp: letter.sent_at,
        data: Data {
            incident: incident.id,
            kind: incident.kind.as_str(),
            severity: incident.severity.as_str(),
            squad: &incident.squad,
            services: &incident.services,
            title: &notice.title,
            text: notice.text(),
            link: notice.link.as_deref(),
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            facts: &incident.facts,
        },
    }
}
