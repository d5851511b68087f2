//! `dead-letter audit verify`: follows the chain of the audit.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use crate::clock;
use crate::config::{DatabaseConfig, LogConfig};
use crate::store::{PoolSettings, Store};
use crate::telemetry::Telemetry;

/// So many faults are listed.
const LISTED: usize = 20;

/// Commands of the audit.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Check that no entry of the audit was changed, removed or put in between; the exit code is 1 if one was
    Verify(VerifyConfig),
}

#[derive(Args, Debug)]
pub(super) struct VerifyConfig {
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(flatten)]
    log: LogConfig,
}

pub(super) async fn run(AuditCommand::Verify(config): AuditCommand) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log, &config.database.channels)?;
    let store = config.database.store(PoolSettings::default())?;
    let verified = verify(&store).await;
    store.close().await;
    telemetry.shutdown();
    verified
}

async fn verify(store: &Store) -> anyhow::Result<()> {
    let verified = store.verify_audit(clock::now()).await.context("could not read the audit")?;
    for fault in verified.faults.iter().take(LISTED) {
        println!("{fault}");
    }
    if !verified.faults.is_empty() {
        bail!("the audit was changed: {} faults", verified.faults.len());
    }
    println!("{} entries, none was changed. {} are not sealed yet.", verified.sealed, verified.open);
    println!("The last hash is {}.", verified.head);
    println!("Compare it with the log, to know that no entry was removed from the end.");
    Ok(())
}
