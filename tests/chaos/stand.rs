//! The service between two proxies, and a ledger of what was sent to it.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::ledger::{Ledger, Verdict};
use crate::proxy::{Protocol, Proxy, server};
use crate::support::{Broker, Database, Service, TestQueue, until_within};

/// Time in which all is well again after a fault that the service has to find out about.
pub const RECOVERY: Duration = Duration::from_mins(1);

/// Stands that strike at the same time, where there are so many rounds.
const SIDE_BY_SIDE: usize = 5;

/// Which connection a fault is on.
#[derive(Clone, Copy, Debug)]
pub enum At {
    Broker,
    Database,
}

/// Fields are dropped in this order.
pub struct Stand {
    pub service: Service,
    amqp: Proxy,
    postgres: Proxy,
    pub source: TestQueue,
    pub database: Database,
    pub broker: Broker,
    pub ledger: Ledger,
    pub random: StdRng,
}

impl Stand {
    /// On the shared servers, with these settings of the service.
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_seeded(seed(), settings).await
    }

    async fn start_seeded(seed: u64, settings: &[(&str, &str)]) -> Self {
        let (broker, database) = (Broker::shared().await, Database::shared().await);
        let source = broker.declare_source(&[]).await;
        let amqp = Proxy::start(server(&broker.url), Protocol::Amqp).await;
        let postgres = Proxy::start(server(&database.url), Protocol::Postgres).await;
        let database_url = format!("{}?sslmode=disable", postgres.url(&database.url));
        let amqp_url = format!("{}?heartbeat=4", amqp.url(&broker.url));
        let service = Service::start(&database_url, &amqp_url, &source.name, settings);
        service.until_ready().await;
        let random = StdRng::seed_from_u64(seed);
        Self { service, amqp, postgres, source, database, broker, ledger: Ledger::default(), random }
    }

    /// The one in front of this.
    pub fn proxy(&self, at: At) -> &Proxy {
        match at {
            At::Broker => &self.amqp,
            At::Database => &self.postgres,
        }
    }

    /// Another one on the same source, without proxies.
    pub fn replica(&self, settings: &[(&str, &str)]) -> Service {
        Service::start(&self.database.url, &self.broker.url, &self.source.name, settings)
    }

    /// Goes on with this source and another service, without proxies.
    pub async fn consume_instead(&mut self, source: TestQueue, settings: &[(&str, &str)]) {
        self.source = source;
        self.service = self.replica(settings);
        self.service.until_ready().await;
    }

    pub async fn publish(&mut self, count: usize) {
        self.ledger.publish(&self.broker, &self.source.name, count, &mut self.random).await;
    }

    /// Waits until everything that was published is stored and acknowledged; says how long that took.
    pub async fn until_quiet(&self, after: &str) -> Duration {
        let begun = Instant::now();
        until_within(RECOVERY, &format!("all is stored after `{after}` ({})", repeat()), || async {
            self.ledger.is_stored(&self.database.pool).await.then_some(())
        })
        .await;
        self.broker.until_empty(&self.source.name).await;
        begun.elapsed()
    }

    /// The ledger and the counters hold.
    pub async fn verdict(&self) -> Verdict {
        self.database.assert_counters_exact().await;
        self.ledger.classify(&self.database.pool).await
    }
}

/// Deals rounds to stands that strike at the same time, as faults are mostly waited for: each has its own source, database and
/// proxies, and what this run's seed and its number make happen. Returns them, and how long each strike took.
pub async fn side_by_side(
    rounds: usize,
    settings: &[(&str, &str)],
    strike: impl AsyncFn(&mut Stand, usize) -> Vec<Duration>,
) -> (Vec<Stand>, Vec<Duration>) {
    let stands = (0..SIDE_BY_SIDE.min(rounds)).map(async |number| {
        let mut stand = Stand::start_seeded(seed() + ((number as u64) << 32), settings).await;
        let mut took = Vec::new();
        for round in (number..rounds).step_by(SIDE_BY_SIDE) {
            took.extend(strike(&mut stand, round + 1).await);
        }
        (stand, took)
    });
    let (stands, took): (Vec<_>, Vec<_>) = join_all(stands).await.into_iter().unzip();
    (stands, took.concat())
}

/// Of this run.
pub fn seed() -> u64 {
    std::env::var("CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// The command that does it again.
pub fn repeat() -> String {
    format!("again: CHAOS_SEED={} make chaos", seed())
}
