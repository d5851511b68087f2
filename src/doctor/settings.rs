//! Checks the settings as `dead-letter serve` would read them, with all of their files. Nobody is contacted.

use anyhow::{Context, ensure};
use regex::Regex;
use tracing_subscriber::EnvFilter;

use crate::config::{PlaintextChannel, ServeConfig};
use crate::ownership::{self, Ownership};
use crate::store::PoolSettings;

/// A setting that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongSetting {
    /// Its name, as an environment variable.
    pub setting: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// Every setting that is wrong.
pub fn wrong_settings(config: &ServeConfig) -> Vec<WrongSetting> {
    let issuer = config.database.channels.tls(PlaintextChannel::Issuer);
    let broker = match config.brokers_file {
        Some(_) => "DEAD_LETTER_BROKERS_FILE",
        None => "AMQP_URL",
    };
    let mut checks = vec![
        ("DEAD_LETTER_LOG", log_filter(config)),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", config.check_telemetry()),
        ("HTTP_ADDR", config.check_address()),
        ("ADMIN_ADDR", addresses_differ(config)),
        ("DEAD_LETTER_CA_FILE", issuer.of_https().map(drop)),
        (broker, config.consumed().map(drop)),
        ("DATABASE_URL", config.database.store(PoolSettings::default()).map(drop)),
        ("DEAD_LETTER_OWNERSHIP_FILE", ownership_file(config)),
        ("DEAD_LETTER_CATALOG_URL", catalog(config)),
    ];
    checks
        .extend(config.notifications.checks(&config.database.channels.tls(PlaintextChannel::Notifications)));
    let access = config.access.checks(&issuer);
    let are_parts_right = access.iter().all(|(_, checked)| checked.is_ok());
    checks.extend(access);
    if are_parts_right {
        let whole = config.access.access(config.unauthenticated, &issuer);
        checks.push(("DEAD_LETTER_POLICY_FILE", whole.map(drop)));
    }
    let wrong = checks.into_iter().filter_map(|(setting, checked)| Some((setting, checked.err()?)));
    wrong
        .map(|(setting, error)| WrongSetting { setting, why: without_secrets(&format!("{error:#}")) })
        .collect()
}

fn log_filter(config: &ServeConfig) -> anyhow::Result<()> {
    EnvFilter::try_new(&config.log.log).map(drop).context("it is not a log filter such as info,lapin=off")
}

/// The second listener would fail.
fn addresses_differ(config: &ServeConfig) -> anyhow::Result<()> {
    ensure!(
        config.http_addr != config.admin_addr || config.http_addr.port() == 0,
        "it is the same as HTTP_ADDR, and only one of them can listen there"
    );
    Ok(())
}

fn ownership_file(config: &ServeConfig) -> anyhow::Result<()> {
    let file = config.ownership_file.as_deref();
    file.map(|path| ownership::open(path, &Ownership::default())).transpose().map(drop)
}

fn catalog(config: &ServeConfig) -> anyhow::Result<()> {
    let tls = config.database.channels.tls(PlaintextChannel::Issuer);
    config.catalog.settings(&tls)?.map_or(Ok(()), |settings| settings.check())
}

/// Without user and password of URLs, wherever an error quotes one (rule R14).
pub(crate) fn without_secrets(text: &str) -> String {
    let Ok(user_info) = Regex::new(r"://[^/\s@]*@") else { return String::new() };
    user_info.replace_all(text, "://…@").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_left_out() {
        assert_eq!(without_secrets("http://u:p%40@h/x is not encrypted"), "http://…@h/x is not encrypted");
        assert_eq!(without_secrets("http://h/x@y"), "http://h/x@y");
    }
}
