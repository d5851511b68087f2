//! Settings of notifications.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::ensure;
use clap::Args;
use reqwest::Url;

use crate::live_file::LiveFile;
use crate::notifications::{self, Courier, Live, Routes};
use crate::tls::Tls;

/// Who is told of incidents.
#[derive(Args, Clone, Debug)]
pub struct NotificationConfig {
    /// YAML file that says which squad is told of which incidents, and through which channels. Changes take effect without a restart.
    /// Without it, incidents are only listed
    #[arg(long, env = "DEAD_LETTER_NOTIFICATIONS_FILE")]
    pub notifications_file: Option<PathBuf>,
    /// Address of the console as people reach it, such as `https://dead-letter.example.com`: notifications link to its pages
    #[arg(long, env = "DEAD_LETTER_PUBLIC_URL")]
    pub public_url: Option<Url>,
}

/// What notifications are sent with.
#[derive(Debug)]
pub struct Notifications {
    /// Whom incidents are told.
    pub routes: Live,
    /// The file that says so, if there is one.
    pub file: Option<LiveFile<Routes>>,
    /// What channels send with.
    pub courier: Courier,
    /// Public address of the console.
    pub console: Option<Arc<str>>,
}

impl NotificationConfig {
    /// Reads the file for the first time.
    pub fn notifications(&self, tls: &Tls) -> anyhow::Result<Notifications> {
        let routes = Live::default();
        let file = self
            .notifications_file
            .as_deref()
            .map(|path| notifications::open(path, &routes, tls))
            .transpose()?;
        if let Some(url) = &self.public_url {
            ensure!(
                matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none(),
                "DEAD_LETTER_PUBLIC_URL must be the address of the console, such as https://dead-letter.example.com"
            );
        }
        let console = self.public_url.as_ref().map(|url| Arc::from(url.as_str()));
        Ok(Notifications { routes, file, courier: Courier::new(tls)?, console })
    }
}
