//! Ownership by the claims of Backstage's catalog. A component claims a service for the group that owns the component.
//!
//! Claims are made by whoever can register a component, and they decide who may act. So they are checked against each other and against
//! what was before ([`decide`](decision::decide)), and what is undecided belongs to nobody. The last good snapshot is kept in the database.

mod claims;
mod decision;
mod fetch;
mod follow;
mod snapshot;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Url;

pub use claims::Claim;
pub use follow::Follower;
pub use snapshot::Conflict;

use super::Owner;
use crate::tls::Tls;
use fetch::Reader;
use snapshot::Snapshot;

/// A snapshot is stale after this many intervals without a new one.
const STALE_AFTER: u32 = 5;
/// Namespaces that claims may come from: a catalog takes so many conditions.
pub const MOST_NAMESPACES: usize = 50;

/// Where the catalog is, and what is taken from it.
#[derive(Clone, Debug)]
pub struct CatalogSettings {
    /// Backstage's `backend.baseUrl`.
    pub url: Url,
    /// The token to ask with.
    pub token: TokenSource,
    /// Between two snapshots.
    pub interval: Duration,
    /// Namespaces whose components may claim services.
    pub namespaces: Vec<String>,
    /// How long a service stays nobody's before another component takes it over for another squad.
    pub takeover_delay: TimeDelta,
    /// How Backstage is reached.
    pub tls: Tls,
}

impl CatalogSettings {
    /// Checks the address and the token. Nobody is asked.
    pub fn check(&self) -> anyhow::Result<()> {
        Reader::new(self).context("DEAD_LETTER_CATALOG_URL cannot be used")?;
        self.token.read().map(drop)
    }

    /// Reads the catalog once.
    pub async fn read_once(&self) -> anyhow::Result<()> {
        Reader::new(self)?.claims().await.map(drop)
    }
}

/// Where a token is.
#[derive(Clone)]
pub enum TokenSource {
    /// Here.
    Given(String),
    /// In this file, which is read each time.
    File(PathBuf),
}

impl std::fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// What is known of the catalog.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// Since when it is followed.
    since: DateTime<Utc>,
    stale_after: TimeDelta,
    /// The last good snapshot, if there is one.
    snapshot: Option<Snapshot>,
}

impl Catalog {
    /// Nothing is known yet.
    fn awaited(since: DateTime<Utc>, interval: Duration) -> Self {
        let stale_after = TimeDelta::from_std(interval * STALE_AFTER).unwrap_or(TimeDelta::MAX);
        Self { since, stale_after, snapshot: None }
    }

    /// Whose a service is. Until there is a snapshot, that is undecided for all of them.
    pub fn owner(&self, service: &str) -> Owner<'_> {
        self.snapshot.as_ref().map_or(Owner::Undecided, |snapshot| snapshot.owner(service))
    }

    /// When the snapshot was taken.
    pub fn as_of(&self) -> Option<DateTime<Utc>> {
        self.snapshot.as_ref().map(|snapshot| snapshot.taken_at)
    }

    /// The age of the snapshot. Without one, the time that it has been waited for.
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        (now - self.as_of().unwrap_or(self.since)).max(TimeDelta::zero())
    }

    /// Whether it is much older than it should be, or is not there.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.snapshot.is_none() || self.age(now) > self.stale_after
    }

    pub(super) fn conflicts(&self) -> impl Iterator<Item = Conflict<'_>> {
        self.snapshot.iter().flat_map(Snapshot::conflicts)
    }
}

#[cfg(test)]
mod tests;
