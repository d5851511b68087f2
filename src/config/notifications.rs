//! Settings of notifications.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
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
        let console = self.console().context("DEAD_LETTER_PUBLIC_URL")?;
        Ok(Notifications { routes, file, courier: Courier::new(tls)?, console })
    }

    /// The public address of the console.
    fn console(&self) -> anyhow::Result<Option<Arc<str>>> {
        let Some(url) = &self.public_url else { return Ok(None) };
        ensure!(
            matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none(),
            "it must be the address of the console, such as https://dead-letter.example.com"
        );
        Ok(Some(Arc::from(url.as_str())))
    }

    /// What is wrong with each setting.
    pub fn checks(&self, tls: &Tls) -> [(&'static str, anyhow::Result<()>); 2] {
        let file = self.notifications_file.as_deref();
        let opened = file.map(|path| notifications::open(path, &Live::default(), tls)).transpose();
        [
            ("DEAD_LETTER_NOTIFICATIONS_FILE", opened.map(drop)),
            ("DEAD_LETTER_PUBLIC_URL", self.console().map(drop)),
        ]
    }
}
