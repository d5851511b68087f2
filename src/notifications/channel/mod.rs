//! Channels: where notifications go. Each sends one notification at one attempt, and says whether the receiver has confirmed it.

mod backstage;
mod courier;
mod email;
mod pagerduty;
mod slack;
mod webhook;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use crate::domain::incident::{Event, Incident, Notice};
use crate::tls::Tls;

use backstage::Backstage;
pub use courier::Courier;
#[cfg(test)]
pub(super) use courier::TIMEOUT;
use email::Email;
use pagerduty::PagerDuty;
use slack::Slack;
use webhook::Webhook;

/// A channel of the notifications file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Channel {
    /// HTTP requests in a form of our own, signed.
    Webhook(Webhook),
    /// PagerDuty's Events API v2.
    Pagerduty(PagerDuty),
    /// Incoming webhooks of Slack and the like.
    Slack(Slack),
    /// E-mail by SMTP.
    Email(Email),
    /// Notifications of Backstage.
    Backstage(Backstage),
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
            Self::Pagerduty(pagerduty) => pagerduty.routing_key.read().map(drop),
            Self::Slack(slack) => slack.url.read().map(drop),
            Self::Email(email) => {
                email.password.as_ref().map_or(Ok(()), |password| password.read().map(drop))
            }
            Self::Backstage(backstage) => backstage.token.read().map(drop),
        }
    }

    /// Refuses what could never be sent: plain text to another machine, a secret that is none.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        match self {
            Self::Webhook(webhook) => webhook.check(tls),
            Self::Pagerduty(pagerduty) => pagerduty.check(tls),
            Self::Slack(slack) => slack.check(tls),
            Self::Email(email) => email.check(tls),
            Self::Backstage(backstage) => backstage.check(tls),
        }
    }

    /// Sends it. `Ok` is the receiver's confirmation. An error names no secret.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        match self {
            Self::Webhook(webhook) => webhook.send(courier, letter).await,
            Self::Pagerduty(pagerduty) => pagerduty.send(courier, letter).await,
            Self::Slack(slack) => slack.send(courier, letter).await,
            Self::Email(email) => email.send(courier, letter).await,
            Self::Backstage(backstage) => backstage.send(courier, letter).await,
        }
    }
}
