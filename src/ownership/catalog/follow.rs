//! Follows the catalog: takes a snapshot in each interval, and keeps the last good one in the database.
//!
//! Replicas share it. One that finds a recent snapshot takes that instead of asking the catalog, and looks again a little later than the
//! replica that has asked.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, Utc};
use prometheus::IntCounter;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::fetch::Reader;
use super::snapshot::{Conflict, Services, Snapshot, next};
use super::{Catalog, CatalogSettings};
use crate::clock;
use crate::ownership::{Owner, Ownership, UNOWNED};
use crate::store::{CatalogSnapshot, Store};

/// Changes that are logged one by one.
const MOST_CHANGES_LOGGED: usize = 100;

/// Follows the catalog.
#[derive(Debug)]
pub struct Follower {
    settings: CatalogSettings,
    reader: Reader,
    store: Store,
    ownership: Ownership,
    failures: IntCounter,
}

impl Follower {
    /// From now on, what no rule of the file decides is up to the catalog. Until its snapshot is there, that is undecided.
    pub fn new(
        settings: CatalogSettings,
        store: Store,
        ownership: &Ownership,
        failures: IntCounter,
    ) -> anyhow::Result<Self> {
        let reader = Reader::new(&settings).context("DEAD_LETTER_CATALOG_URL cannot be used")?;
        ownership.catalog.replace(Some(Catalog::awaited(clock::now(), settings.interval)));
        Ok(Self { settings, reader, store, ownership: ownership.clone(), failures })
    }

    /// Follows it until the process stops. The last good snapshot stays while there is no new one.
    pub async fn follow(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut failing = false;
        loop {
            let pause = match stop.run_until_cancelled(self.look()).await {
                None => return Ok(()),
                Some(Ok(pause)) => {
                    if failing {
                        info!("the catalog is read again");
                    }
                    failing = false;
                    pause
                }
                Some(Err(error)) => {
                    self.failures.inc();
                    if !failing {
                        error!(
                            error = format!("{error:#}"),
                            "could not read the catalog, keeping the last good squads and retrying in each interval"
                        );
                    }
                    failing = true;
                    self.settings.interval
                }
            };
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Takes the stored snapshot, and a new one if that is old. Returns when to look again.
    async fn look(&self) -> anyhow::Result<Duration> {
        let stored = self.store.catalog_snapshot().await?;
        let interval = self.settings.interval;
        let Some(CatalogSnapshot { taken_at, age, services }) = stored else {
            return self.renew(None, &Services::new()).await.map(|()| interval);
        };
        let services: Services = match serde_json::from_str(&services) {
            Ok(services) => services,
            Err(error) => {
                warn!(%error, "the stored snapshot of the catalog is not valid, and is taken again");
                return self.renew(Some(taken_at), &Services::new()).await.map(|()| interval);
            }
        };
        self.publish(Snapshot { taken_at, services: services.clone() });
        if age < interval {
            return Ok(interval.saturating_sub(age) + interval / 4);
        }
        self.renew(Some(taken_at), &services).await.map(|()| interval)
    }

    /// Asks the catalog. If another replica was faster, its snapshot is taken the next time.
    async fn renew(&self, base: Option<DateTime<Utc>>, before: &Services) -> anyhow::Result<()> {
        let claims = self.reader.claims().await?;
        let services = next(before, claims, clock::now(), self.settings.takeover_delay);
        let text = serde_json::to_string(&services)?;
        let is_new = base.is_none() || services != *before;
        if let Some(taken_at) = self.store.keep_catalog(base, is_new.then_some(&text)).await? {
            self.publish(Snapshot { taken_at, services });
        }
        Ok(())
    }

    fn publish(&self, snapshot: Snapshot) {
        let before = self.ownership.now();
        let Some(catalog) = before.catalog() else { return };
        if let Some(known) = &catalog.snapshot {
            log_changes(known, &snapshot);
        } else {
            info!(services = snapshot.services.len(), as_of = %snapshot.taken_at, "squads come from the catalog");
        }
        let decided = |service: &str| !matches!(catalog.owner(service), Owner::Undecided);
        let known = |service: &str| catalog.snapshot.is_none() || decided(service);
        snapshot
            .conflicts()
            .filter(|conflict| known(conflict.service))
            .for_each(|conflict| log_conflict(&conflict));
        self.ownership.catalog.replace(Some(Catalog { snapshot: Some(snapshot), ..catalog.clone() }));
    }
}

fn log_changes(before: &Snapshot, after: &Snapshot) {
    let squad = |owner: Owner<'_>| match owner {
        Owner::Squad(squad) => squad.to_owned(),
        Owner::Nobody => UNOWNED.to_owned(),
        Owner::Undecided => "undecided".to_owned(),
    };
    let services = before
        .services
        .keys()
        .chain(after.services.keys().filter(|name| !before.services.contains_key(*name)));
    let changed = services.filter(|service| before.owner(service) != after.owner(service));
    for service in changed.take(MOST_CHANGES_LOGGED) {
        let (from, to) = (squad(before.owner(service)), squad(after.owner(service)));
        info!(service, from, to, "the catalog has changed the owner of a service");
    }
}

fn log_conflict(Conflict { service, claims, takes_over_at }: &Conflict<'_>) {
    let claims: Vec<_> = claims
        .iter()
        .map(|claim| format!("{} for {}", claim.entity, claim.squad.as_deref().unwrap_or("no squad")))
        .collect();
    let claims = claims.join(", ");
    match takes_over_at {
        None => {
            warn!(service, claims, "components contradict each other about a service: it belongs to nobody");
        }
        Some(until) => warn!(
            service,
            claims,
            %until,
            "another component claims a service for another squad: it belongs to nobody until then"
        ),
    }
}
