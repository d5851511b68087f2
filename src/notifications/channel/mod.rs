//! Channels: where notifications go. Each sends one notification at one attempt, and says whether the receiver has confirmed it.

mod courier;
mod webhook;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::incident::{Event, Incident, Notice};
use crate::tls::Tls;

pub use courier::Courier;
#[cfg(test)]
pub(super) use courier::TIMEOUT;
use webhook::Webhook;

/// A channel of the notifications file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Channel {
    /// HTTP requests in a form of our own, signed.
    Webhook(Webhook),
}

/// A notification to send.
#[derive(Clone, Debug)]
pub(super) struct Letter<'l> {
    /// Its id: the same at each attempt, so that the receiver can tell a repetition.
    pub id: Uuid,
    /// What it tells.
    pub event: Event,
    /// The incident. Its id is the same in all letters about it.
    pub incident: &'l Incident,
    /// The same in words.
    pub notice: &'l Notice,
    /// When this attempt began.
    pub sent_at: DateTime<Utc>,
}

impl Channel {
    /// Reads its secrets, to see that they are there.
    pub fn secrets(&self) -> anyhow::Result<()> {
        match self {
            Self::Webhook(webhook) => webhook.secret.read().map(drop),
        }
    }

    /// Refuses what could never be sent: plain text to another machine, a secret that is none.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        match self {
            Self::Webhook(webhook) => webhook.check(tls),
        }
    }

    /// Sends it. `Ok` is the receiver's confirmation. An error names no secret.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        match self {
            Self::Webhook(webhook) => webhook.send(courier, letter).await,
        }
    }
}
