//! Settings of the catalog that squads come from.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use clap::Args;
use reqwest::Url;

use super::{duration, plain_name};
use crate::ownership::{CatalogSettings, MOST_NAMESPACES, TokenSource};
use crate::tls::Tls;

const INTERVALS: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const LONGEST_DELAY: Duration = Duration::from_hours(30 * 24);

/// Squads from Backstage's catalog.
#[derive(Args, Clone, Debug)]
pub struct CatalogConfig {
    /// Backstage's `backend.baseUrl`. Squads come from its catalog where the ownership file has no rule. Needs a token
    #[arg(long, env = "DEAD_LETTER_CATALOG_URL", hide_env_values = true)]
    pub catalog_url: Option<Url>,
    /// Token for the catalog: a static token of `backend.auth.externalAccess`
    #[arg(long, env = "DEAD_LETTER_CATALOG_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub catalog_token: Option<String>,
    /// File with the token for the catalog, in place of `DEAD_LETTER_CATALOG_TOKEN`. It is read for each poll
    #[arg(
        long,
        env = "DEAD_LETTER_CATALOG_TOKEN_FILE",
        value_name = "FILE",
        conflicts_with = "catalog_token"
    )]
    pub catalog_token_file: Option<PathBuf>,
    /// How often the catalog is polled. From 1s to 1h
    #[arg(long, env = "DEAD_LETTER_CATALOG_INTERVAL", default_value = "1m", value_parser = interval)]
    pub catalog_interval: Duration,
    /// Namespaces of the catalog whose components may claim services, separated by commas
    #[arg(long, env = "DEAD_LETTER_CATALOG_NAMESPACES", value_delimiter = ',', default_value = "default", value_parser = plain_name)]
    pub catalog_namespaces: Vec<String>,
    /// How long a service without its former component stays nobody's before another component takes it over for another squad. At
    /// most 30d
    #[arg(long, env = "DEAD_LETTER_CATALOG_TAKEOVER_DELAY", default_value = "1d", value_parser = delay)]
    pub catalog_takeover_delay: Duration,
}

impl CatalogConfig {
    /// Where the catalog is, if squads come from one.
    pub fn settings(&self, tls: &Tls) -> anyhow::Result<Option<CatalogSettings>> {
        let token = match (&self.catalog_token_file, &self.catalog_token) {
            (Some(file), _) => Some(TokenSource::File(file.clone())),
            (None, Some(token)) => Some(TokenSource::Given(token.clone())),
            (None, None) => None,
        };
        let Some(url) = self.catalog_url.clone() else {
            ensure!(
                token.is_none(),
                "there is a token for a catalog, but no catalog: set DEAD_LETTER_CATALOG_URL"
            );
            return Ok(None);
        };
        let token = token.context(
            "the catalog at DEAD_LETTER_CATALOG_URL needs a token: set DEAD_LETTER_CATALOG_TOKEN_FILE to a file with a static token of \
             Backstage's backend.auth.externalAccess",
        )?;
        ensure!(
            self.catalog_namespaces.len() <= MOST_NAMESPACES,
            "DEAD_LETTER_CATALOG_NAMESPACES has more than {MOST_NAMESPACES} namespaces"
        );
        Ok(Some(CatalogSettings {
            url,
            token,
            interval: self.catalog_interval,
            namespaces: self.catalog_namespaces.clone(),
            takeover_delay: TimeDelta::from_std(self.catalog_takeover_delay).unwrap_or(TimeDelta::MAX),
            tls: tls.clone(),
        }))
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if INTERVALS.contains(&interval) { Ok(interval) } else { Err("must be from 1s to 1h".into()) }
}

fn delay(text: &str) -> Result<Duration, String> {
    let delay = duration(text)?;
    if delay <= LONGEST_DELAY { Ok(delay) } else { Err("must be at most 30d".into()) }
}
