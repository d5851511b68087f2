//! Settings of the broker's management API.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;

use super::channels;
use crate::management::Management;
use crate::tls::Tls;

/// The management API of a single broker.
#[derive(Args, Clone, Debug)]
pub struct ManagementConfig {
    /// URL of RabbitMQ's management API, optional: `https://user:password@host:15671`. `dead-letter doctor` reads policies, bindings and
    /// every queue there, and `dead-letter serve` shows dead letters that do not arrive. The user needs the tag `monitoring`
    #[arg(long, env = "DEAD_LETTER_MANAGEMENT_URL", hide_env_values = true)]
    management_url: Option<String>,
    /// File with the URL of the management API, in place of `DEAD_LETTER_MANAGEMENT_URL`
    #[arg(
        long,
        env = "DEAD_LETTER_MANAGEMENT_URL_FILE",
        value_name = "FILE",
        conflicts_with = "management_url"
    )]
    management_url_file: Option<PathBuf>,
}

impl ManagementConfig {
    /// The management API, if it is configured.
    pub(super) fn management(&self, tls: &Tls) -> anyhow::Result<Option<Management>> {
        if !self.is_set() {
            return Ok(None);
        }
        let given = self.management_url.as_deref().unwrap_or_default();
        let url = channels::secret(given, self.management_url_file.as_ref())?;
        Management::new(&url, tls).map(Some).context("DEAD_LETTER_MANAGEMENT_URL is invalid")
    }

    /// Refuses the setting beside a file that has one for each broker.
    pub(super) fn check_unset(&self) -> anyhow::Result<()> {
        ensure!(
            !self.is_set(),
            "DEAD_LETTER_MANAGEMENT_URL applies to AMQP_URL only: set `managementUrl` of each broker in DEAD_LETTER_BROKERS_FILE"
        );
        Ok(())
    }

    fn is_set(&self) -> bool {
        self.management_url.is_some() || self.management_url_file.is_some()
    }
}
