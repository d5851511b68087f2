//! The management HTTP API of a broker, which is optional: it shows what AMQP does not, such as policies and bindings.
//!
//! Only `GET` requests are made. The user of the address needs the tag `monitoring`, and rights in the virtual hosts.

mod answers;
mod facts;
mod routing;
mod snapshot;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde::de::DeserializeOwned;

use crate::endpoint::{Endpoint, Limits};
use crate::tls::Tls;

pub use answers::{Binding, Exchange, Overview, Policy, Queue, Table};
pub(crate) use facts::{Facts, SetBy, Target};
pub(crate) use routing::{Key, Routed, Routing};
pub(crate) use snapshot::Snapshot;

/// A broker with ten thousand queues answers with some 20 MB.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), bytes: 256 << 20 };

/// The management API of a broker. It is never printed, because it has a password.
#[derive(Clone)]
pub struct Management(Arc<Parts>);

struct Parts {
    endpoint: Endpoint,
    /// Without user and password.
    url: Url,
    user: String,
    password: String,
}

impl fmt::Debug for Management {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Management({})", self.0.url)
    }
}

impl Management {
    /// Parses `http://user:password@host:15672` or `https://…`. Errors do not quote it (rule R14).
    ///
    /// # Errors
    /// It is no such URL, or leads to another machine without TLS and that is not allowed (R18).
    pub fn new(url: &str, tls: &Tls) -> anyhow::Result<Self> {
        let mut url: Url = url
            .trim()
            .parse()
            .map_err(|_| anyhow!("it is no URL such as https://user:password@host:15671"))?;
        ensure!(matches!(url.scheme(), "http" | "https"), "it does not begin with http:// or https://");
        ensure!(
            tls.allows(&url),
            "it is not encrypted: use https://, or allow plain text with DEAD_LETTER_PLAINTEXT=broker"
        );
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
        ensure!(!user.is_empty(), "it has no user: https://user:password@host:15671");
        let without = url.set_username("").and_then(|()| url.set_password(None));
        without.map_err(|()| anyhow!("it has no host"))?;
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(Arc::new(Parts { endpoint: Endpoint::new(tls, LIMITS)?, url, user, password })))
    }

    /// The address without user and password. It ends with a slash.
    pub fn address(&self) -> &str {
        self.0.url.as_str()
    }

    /// Version and name of the broker.
    pub async fn overview(&self) -> anyhow::Result<Overview> {
        self.get("overview").await
    }

    /// The queues of every virtual host that the user may see.
    pub async fn queues(&self) -> anyhow::Result<Vec<Queue>> {
        self.get("queues").await
    }

    /// The exchanges of every virtual host that the user may see.
    pub async fn exchanges(&self) -> anyhow::Result<Vec<Exchange>> {
        self.get("exchanges").await
    }

    /// The bindings of every virtual host that the user may see.
    pub async fn bindings(&self) -> anyhow::Result<Vec<Binding>> {
        self.get("bindings").await
    }

    /// The policies of every virtual host that the user may see.
    pub async fn policies(&self) -> anyhow::Result<Vec<Policy>> {
        self.get("policies").await
    }

    /// The operator policies of every virtual host that the user may see.
    pub async fn operator_policies(&self) -> anyhow::Result<Vec<Policy>> {
        self.get("operator-policies").await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let Parts { endpoint, url, user, password } = &*self.0;
        let url = url.join(&format!("api/{path}")).context("the address of the management API is no base")?;
        endpoint.get_by(&url, user, password).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_in_no_text() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = Tls::default();
        let management = Management::new("https://watch%40er:sec%2Fret@rabbit.example/mq", &tls).unwrap();
        assert_eq!(management.address(), "https://rabbit.example/mq/");
        assert_eq!((management.0.user.as_str(), management.0.password.as_str()), ("watch@er", "sec/ret"));
        assert!(!format!("{management:?}").contains("ret"), "{management:?}");
        for (wrong, says) in [
            ("", "no URL"),
            ("rabbit:secret", "http://"),
            ("amqp://u:secret@rabbit", "http://"),
            ("https://rabbit.example", "no user"),
            ("http://u:secret@rabbit.example", "DEAD_LETTER_PLAINTEXT=broker"),
        ] {
            let error = Management::new(wrong, &tls).unwrap_err().to_string();
            assert!(error.contains(says) && !error.contains("secret"), "{wrong}: {error}");
        }
        assert!(Management::new("http://u:p@127.0.0.1:15672", &tls).is_ok());
    }
}
