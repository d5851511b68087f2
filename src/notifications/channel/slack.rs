//! Incoming webhooks of Slack, and of what is compatible with it (Mattermost, Rocket.Chat, Zulip): one text.

use anyhow::Context;
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;

use super::Letter;
use super::courier::{self, Courier};
use crate::domain::incident::Event;
use crate::notifications::secret::Secret;
use crate::tls::Tls;

/// An incoming webhook. Its address is the secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::notifications) struct Slack {
    pub url: Secret,
}

impl Slack {
    /// Whether its address can be used.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        courier::check(&self.address()?, tls)
    }

    /// Sends it.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        let body = serde_json::to_vec(&json!({ "text": text(letter) }))?;
        courier.post(&self.address()?, body, |request| request).await
    }

    fn address(&self) -> anyhow::Result<Url> {
        // The parser's error quotes nothing of it.
        self.url.read()?.parse().context("the address of the webhook is no URL")
    }
}

/// In Slack's markup. The last line tells a repetition: Slack has no key for that.
fn text(letter: &Letter<'_>) -> String {
    let notice = letter.notice;
    let sign = match letter.event {
        Event::Opened => ":rotating_light:",
        Event::Resolved => ":white_check_mark:",
    };
    let mut lines = vec![format!("{sign} *{}*", escaped(&notice.title))];
    lines.extend(notice.facts.iter().map(|fact| escaped(fact)));
    lines.push(escaped(&notice.next));
    lines.extend(notice.link.iter().map(|link| format!("<{link}|Open in dead-letter>")));
    lines.push(format!(
        "_{}, {}, notification {}_",
        escaped(&letter.incident.squad),
        letter.incident.severity.as_str(),
        letter.id
    ));
    lines.join("\n")
}

/// The three characters that Slack's markup needs escaped. A name of an error cannot mention anybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_mentions_nobody() {
        assert_eq!(escaped("<!channel> & co"), "&lt;!channel&gt; &amp; co");
    }
}
