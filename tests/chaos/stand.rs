//! The service between two proxies, and a ledger of what was sent to it.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::ledger::{Ledger, Verdict};
use crate::proxy::{Protocol, Proxy, server};
use crate::support::{Broker, Database, Service, TestQueue, until_within};

/// Time in which all is well again after a fault that the service has to find out about.
pub const RECOVERY: Duration = Duration::from_mins(1);

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
        let (broker, database) = (Broker::shared().await, Database::shared().await);
        let source = broker.declare_source(&[]).await;
        let amqp = Proxy::start(server(&broker.url), Protocol::Amqp).await;
        let postgres = Proxy::start(server(&database.url), Protocol::Postgres).await;
        let database_url = format!("{}?sslmode=disable", postgres.url(&database.url));
        let amqp_url = format!("{}?heartbeat=4", amqp.url(&broker.url));
        let service = Service::start(&database_url, &amqp_url, &source.name, settings);
        service.until_ready().await;
        let random = StdRng::seed_from_u64(seed());
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
        let (begun, sent) = (Instant::now(), i64::try_from(self.ledger.count()).unwrap());
        until_within(RECOVERY, &format!("all is stored after `{after}` ({})", repeat()), || async {
            (self.ledger.stored(&self.database.pool).await >= sent).then_some(())
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

/// Of this run.
pub fn seed() -> u64 {
    std::env::var("CHAOS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// The command that does it again.
pub fn repeat() -> String {
    format!("again: CHAOS_SEED={} make chaos", seed())
}
