//! `dead-letter doctor`: says what would lose messages, and how to mend it. Nothing is changed.
//!
//! It checks our own settings, the database, and each broker: over AMQP the sources, and over the management API every queue with
//! its policies and bindings. What it prints as commands mends what it found, so that the next run finds nothing (docs/adr/0043).

mod amqp_only;
mod broker;
mod database;
mod finding;
mod mend;
mod report;
mod settings;
mod shell;
mod sources;
#[cfg(test)]
mod tests;
mod vhost;
mod work_queues;

use crate::config::{Consumed, PlaintextChannel, ServeConfig};
use crate::store::PoolSettings;
pub use finding::{Check, Finding, Mend, Report, Severity, Thing};
pub use settings::{WrongSetting, wrong_settings};

/// Examines everything that these settings lead to.
pub async fn examine(config: &ServeConfig) -> Report {
    let mut report = Report::default();
    report.findings.extend(wrong_settings(config).iter().map(wrong_setting));
    if let Ok(store) = config.database.store(PoolSettings::default()) {
        report.add(database::examine(&store).await);
        store.close().await;
    }
    report.findings.extend(catalog(config).await);
    // What is wrong with it was said above.
    let consumed = config.consumed().unwrap_or_default();
    for place in &consumed {
        report.add(amqp_only::examine(place).await);
    }
    for (name, places) in Consumed::by_broker(&consumed) {
        if let Some(management) = places.iter().find_map(|place| place.management.as_ref()) {
            report.add(broker::examine(management, name, &places).await);
        }
    }
    report.sort();
    report
}

fn wrong_setting(wrong: &WrongSetting) -> Finding {
    let happens = format!("{}. `dead-letter serve` does not start with it.", finding::capital(&wrong.why));
    let mend = Mend::advice("Correct the setting. `dead-letter check-config` checks it again.");
    Finding::new(Check::Configuration, &Thing::named("setting", wrong.setting), happens, &mend)
}

async fn catalog(config: &ServeConfig) -> Option<Finding> {
    let tls = config.database.channels.tls(PlaintextChannel::Issuer);
    let settings = config.catalog.settings(&tls).ok().flatten()?;
    let error = settings.read_once().await.err()?;
    let why = settings::without_secrets(&format!("{error:#}"));
    let happens = format!("The catalog cannot be read ({why}): squads stay as they were, and then nobody's.");
    let mend = Mend::advice("Check DEAD_LETTER_CATALOG_URL and its token.");
    Some(Finding::new(Check::Catalog, &Thing::named("setting", "DEAD_LETTER_CATALOG_URL"), happens, &mend))
}
