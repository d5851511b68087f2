//! What tests share: a world of its own for each, the running binary, and waiting by polling with a deadline.

pub mod api;
mod broker;
mod database;
mod message;
pub mod raw;
mod servers;
mod service;
mod vhost;
mod watchdog;

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use tokio::time::{sleep, timeout};

pub use api::Api;
pub use broker::{Broker, TestQueue};
pub use database::Database;
pub use message::{DeadMessage, id, text};
pub use servers::{Servers, turn};
pub use service::{Service, binary, free_address};
pub use vhost::{Vhost, ctl};

/// A condition that does not hold by then never will.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Longest that a test waits for what it made to be taken away.
const CLEANED_WITHIN: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Whether everything is done as often as the table of faults says, which takes hours: `make chaos`. `make test` does a tenth.
pub fn is_full() -> bool {
    std::env::var("CHAOS").is_ok_and(|chaos| chaos == "full")
}

/// Polls until the condition holds, and returns what it gave; fails with what was expected after the deadline.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, condition: impl FnMut() -> F) -> T {
    until_within(DEADLINE, what, condition).await
}

/// The same with a deadline of its own. A look that does not come to an end fails as well.
pub async fn until_within<T, F: Future<Output = Option<T>>>(
    deadline: Duration,
    what: &str,
    mut condition: impl FnMut() -> F,
) -> T {
    let holds = async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            sleep(LOOK).await;
        }
    };
    timeout(deadline, holds).await.unwrap_or_else(|_| panic!("not within {deadline:?}: {what}"))
}

/// Polls until a value is as expected; fails with the last one after the deadline.
pub async fn until_eq<T: PartialEq + Debug, F: Future<Output = T>>(
    what: &str,
    expected: T,
    mut value: impl FnMut() -> F,
) {
    let mut last = None;
    let equals = async {
        while *last.insert(value().await) != expected {
            sleep(LOOK).await;
        }
    };
    let ended = timeout(DEADLINE, equals).await;
    assert!(ended.is_ok(), "not within {DEADLINE:?}: {what}: {last:?} instead of {expected:?}");
}

/// Takes away what a test has made, in a thread of its own: whoever drops it may be a runtime already, which cannot wait. What is on
/// a server that is gone, or does not answer, is gone with it.
fn clean_up(work: impl Future<Output = ()> + Send + 'static) {
    let cleaning = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let _ = runtime.block_on(async { timeout(CLEANED_WITHIN, work).await });
        runtime.shutdown_background();
    });
    assert!(cleaning.join().is_ok() || std::thread::panicking(), "what a test has made is left over");
}

/// A database, a dead-letter queue, and the service between them.
pub struct World {
    // Fields are dropped in this order: the service goes before what it works with.
    pub service: Service,
    /// The dead-letter queue; its name is also that of the exchange that leads to it.
    pub source: TestQueue,
    pub database: Database,
    pub broker: Broker,
}

impl World {
    /// Starts one on the shared servers.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with further settings of the service.
    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let (broker, database) = (Broker::shared().await, Database::shared().await.served().await);
        Self::start_on(broker, database, settings).await
    }

    /// Starts one on these servers.
    pub async fn start_on(broker: Broker, database: Database, settings: &[(&str, &str)]) -> Self {
        let source = broker.declare_source(&[]).await;
        Self::start_from(source, broker, database, settings).await
    }

    /// Starts one that consumes this source.
    pub async fn start_from(
        source: TestQueue,
        broker: Broker,
        database: Database,
        settings: &[(&str, &str)],
    ) -> Self {
        let service = Service::start(&database.url, &broker.served_url(), &source.name, settings);
        service.until_ready().await;
        Self { service, source, database, broker }
    }

    pub fn api(&self) -> &Api {
        &self.service.api
    }

    /// Publishes to the dead-letter exchange, confirmed.
    pub async fn publish(&self, message: DeadMessage) {
        self.broker.publish(&self.source.name, "dead", &message).await;
    }

    /// Waits until so many dead letters are stored.
    pub async fn until_stored(&self, count: i64) {
        until_eq("dead letters stored", count, || self.database.count("dead_letter")).await;
    }

    /// Waits until the source holds nothing, neither ready nor out for delivery.
    pub async fn until_source_empty(&self) {
        self.broker.until_empty(&self.source.name).await;
    }

    /// The counters equal a recount of the rows.
    pub async fn assert_counters_exact(&self) {
        self.database.assert_counters_exact().await;
    }

    /// The only dead letter that a search finds.
    pub async fn only(&self, query: &str) -> serde_json::Value {
        let answer = self.api().get(&format!("/dead-letters?{query}")).await;
        let messages = answer.json["messages"].as_array().unwrap().clone();
        assert_eq!(messages.len(), 1, "{query}: {}", answer.json);
        messages.into_iter().next().unwrap()
    }
}
