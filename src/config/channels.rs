//! Settings of what leads to other machines.

use std::path::PathBuf;

use anyhow::ensure;
use clap::{Args, ValueEnum};

use crate::tls::{ClientFiles, Plaintext, Tls};

/// How channels are secured.
#[derive(Args, Clone, Debug)]
pub struct ChannelConfig {
    /// Channels to other machines that may be plain text, or TLS that is not verified, separated by commas
    #[arg(long, env = "DEAD_LETTER_PLAINTEXT", value_enum, value_delimiter = ',', default_value = "no")]
    plaintext: Vec<PlaintextChannel>,
    /// PEM file with certificates of authorities to trust: for the database instead of the system's, for the other channels
    /// beside them
    #[arg(long, env = "DEAD_LETTER_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// PEM file with the client certificate for all channels
    #[arg(
        long,
        env = "DEAD_LETTER_CLIENT_CERTIFICATE_FILE",
        value_name = "FILE",
        requires = "client_key_file"
    )]
    client_certificate_file: Option<PathBuf>,
    /// PEM file with the key of the client certificate
    #[arg(
        long,
        env = "DEAD_LETTER_CLIENT_KEY_FILE",
        value_name = "FILE",
        requires = "client_certificate_file"
    )]
    client_key_file: Option<PathBuf>,
}

/// A channel that may be plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlaintextChannel {
    /// None
    No,
    /// All
    Yes,
    /// To the database
    Database,
    /// To brokers and their management APIs
    Broker,
    /// To issuers of tokens, and to the catalog
    Issuer,
    /// To the collector of traces
    Telemetry,
    /// To receivers of notifications
    Notifications,
}

impl ChannelConfig {
    /// How this channel is secured.
    pub fn tls(&self, channel: PlaintextChannel) -> Tls {
        let is_allowed =
            self.plaintext.iter().any(|allowed| *allowed == channel || *allowed == PlaintextChannel::Yes);
        let files = self.client_certificate_file.clone().zip(self.client_key_file.clone());
        Tls {
            plaintext: if is_allowed { Plaintext::Allowed } else { Plaintext::Loopback },
            ca_file: self.ca_file.clone(),
            client: files.map(|(certificate, key)| ClientFiles { certificate, key }),
        }
    }
}

/// A secret as it was given, or the content of the file that was given in its place.
pub(super) fn secret(given: &str, file: Option<&PathBuf>) -> anyhow::Result<String> {
    let Some(path) = file else { return Ok(given.to_owned()) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| anyhow::anyhow!("cannot read {}: {error}", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    ensure!(!text.is_empty(), "{} is empty", path.display());
    Ok(text.to_owned())
}
