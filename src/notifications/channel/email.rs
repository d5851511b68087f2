//! E-mail by SMTP. The notification's id is the `Message-ID`, and the incident's is in `References`, so that mail programs show the
//! beginning and the end of an incident together.

use anyhow::{Context, ensure};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as SmtpTls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde::Deserialize;

use super::Letter;
use super::courier::{Address, Courier, TIMEOUT};
use crate::notifications::secret::Secret;
use crate::tls::Tls;

/// The right side of our `Message-ID`s.
const DOMAIN: &str = "dead-letter.invalid";

/// A mail server, and who gets mail from it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::notifications) struct Email {
    /// `smtps://mail.example.com` encrypts from the beginning, `smtp://mail.example.com` by STARTTLS.
    server: Address,
    from: String,
    to: Vec<String>,
    username: Option<String>,
    pub password: Option<Secret>,
}

impl Email {
    /// Whether its addresses can be used.
    pub fn check(&self, tls: &Tls) -> anyhow::Result<()> {
        ensure!(!self.to.is_empty(), "it needs addresses in `to`");
        ensure!(
            self.username.is_some() == self.password.is_some(),
            "it needs both `username` and `password`, or neither"
        );
        self.to.iter().chain([&self.from]).try_for_each(|address| mailbox(address).map(drop))?;
        self.transport(tls).map(drop)
    }

    /// Sends it.
    pub async fn send(&self, courier: &Courier, letter: &Letter<'_>) -> anyhow::Result<()> {
        let (transport, message) = (self.transport(courier.tls())?, self.message(letter)?);
        let sent = tokio::time::timeout(TIMEOUT, transport.send(message))
            .await
            .context("the mail server takes too long")?;
        // What a server says may quote addresses and names, and no secret.
        sent.map(drop).context("the mail server did not take it")
    }

    fn message(&self, letter: &Letter<'_>) -> anyhow::Result<Message> {
        let mut message = Message::builder()
            .from(mailbox(&self.from)?)
            .message_id(Some(format!("<{}@{DOMAIN}>", letter.id)))
            .references(format!("<{}@{DOMAIN}>", letter.incident.id))
            .subject(format!("[{}] {}", letter.incident.severity.as_str(), letter.notice.title));
        for address in &self.to {
            message = message.to(mailbox(address)?);
        }
        Ok(message.body(format!("{}\n", letter.notice.text()))?)
    }

    fn transport(&self, tls: &Tls) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
        let host = self.server.0.host_str().context("`server` names no host")?;
        let encrypted = || parameters(host, tls);
        let (port, security) = match self.server.0.scheme() {
            "smtps" => (465, SmtpTls::Wrapper(encrypted()?)),
            "smtp" if tls.allows_plaintext(host) => (587, SmtpTls::Opportunistic(encrypted()?)),
            "smtp" => (587, SmtpTls::Required(encrypted()?)),
            _ => anyhow::bail!("`server` must begin with smtps:// or smtp://"),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(self.server.0.port().unwrap_or(port))
            .tls(security)
            .timeout(Some(TIMEOUT));
        if let (Some(name), Some(password)) = (&self.username, &self.password) {
            transport = transport.credentials(Credentials::new(name.clone(), password.read()?));
        }
        Ok(transport.build())
    }
}

fn parameters(host: &str, tls: &Tls) -> anyhow::Result<TlsParameters> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(authorities) = tls.authorities()? {
        parameters = parameters.add_root_certificate(Certificate::from_pem(authorities.as_bytes())?);
    }
    Ok(parameters.build_rustls()?)
}

fn mailbox(address: &str) -> anyhow::Result<Mailbox> {
    address.parse().with_context(|| format!("`{address}` is no e-mail address"))
}
