//! How channels to other machines are secured (R18): to the database, to brokers, to issuers of tokens, and to the collector of traces.
//! The other side is verified, unless it is this machine or plain text was allowed.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use reqwest::redirect::Policy;
use reqwest::{Certificate, ClientBuilder, Identity, Url};

/// Whether plain text, or TLS without verification, is allowed to other machines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plaintext {
    /// Only to this machine.
    #[default]
    Loopback,
    /// Everywhere.
    Allowed,
}

/// How one kind of channel is secured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether it may be plain text.
    pub plaintext: Plaintext,
    /// PEM file with the certificates of authorities that are trusted. For the database in place of the system's, else beside them.
    pub ca_file: Option<PathBuf>,
    /// What we identify ourselves by.
    pub client: Option<ClientFiles>,
}

/// PEM files of a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFiles {
    /// The certificate, and the chain above it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Tls {
    /// Whether a channel to this host may be plain text.
    pub fn allows_plaintext(&self, host: &str) -> bool {
        self.plaintext == Plaintext::Allowed || is_loopback(host)
    }

    /// Whether an address is that of a server that is verified, or may be reached by plain HTTP.
    pub fn allows(&self, url: &Url) -> bool {
        let may_be_plain = || url.host_str().is_some_and(|host| self.allows_plaintext(host));
        url.scheme() == "https" || (url.scheme() == "http" && may_be_plain())
    }

    /// A client that verifies servers, and is never led to an address that nobody configured.
    ///
    /// # Errors
    /// Those of [`Self::of_https`].
    pub fn client(&self) -> anyhow::Result<ClientBuilder> {
        let (authorities, identity) = self.of_https()?;
        let client = reqwest::Client::builder().redirect(Policy::none());
        let client = authorities.into_iter().fold(client, ClientBuilder::add_root_certificate);
        Ok(identity.into_iter().fold(client, ClientBuilder::identity))
    }

    /// The authorities that are trusted, as PEM.
    pub fn authorities(&self) -> anyhow::Result<Option<String>> {
        self.ca_file.as_deref().map(read).transpose()
    }

    /// What HTTPS clients trust beside the system's authorities, and what they identify themselves by.
    ///
    /// # Errors
    /// A file cannot be read, or is no PEM file of what it should be.
    pub fn of_https(&self) -> anyhow::Result<(Vec<Certificate>, Option<Identity>)> {
        let authorities = self.authorities()?.unwrap_or_default();
        let authorities = Certificate::from_pem_bundle(authorities.as_bytes())?;
        let client = self.identity()?;
        let client =
            client.map(|(certificate, key)| Identity::from_pem(format!("{certificate}\n{key}").as_bytes()));
        Ok((authorities, client.transpose().context("the client certificate or its key cannot be used")?))
    }

    /// The client certificate and its key, as PEM.
    pub fn identity(&self) -> anyhow::Result<Option<(String, String)>> {
        let Some(ClientFiles { certificate, key }) = &self.client else { return Ok(None) };
        Ok(Some((read(certificate)?, read(key)?)))
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Whether a host, as URLs and the header `Host` write it, is this machine.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
