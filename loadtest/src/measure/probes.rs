//! What is looked at while messages are published: samples of them, the queue's depth, and two pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use lapin::{Channel, Connection};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::Api;
use crate::amqp;
use crate::figures::{Latencies, Summary, per_second};
use crate::logs;
use crate::publish::Sample;

/// Nobody looks longer than this for one message.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(30);

/// The shortest pause between two looks for the same message.
pub(crate) const POLL: Duration = Duration::from_millis(1);

/// A message that is late is looked for less often, by this part of its age: else looking for it would be what keeps
/// it late.
pub(crate) const POLL_SHARE: u32 = 20;

const DEPTH_INTERVAL: Duration = Duration::from_millis(100);
const PAGE_INTERVAL: Duration = Duration::from_secs(1);

/// Everything that the probes saw.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// From publishing a message until it was found; one that never was counts with the time until nobody looked on.
    pub(crate) searchable: Latencies,
    /// One look for a message.
    pub(crate) look: Latencies,
    pub(crate) squad_overview: Latencies,
    pub(crate) newest: Latencies,
    pub(crate) not_found: AtomicU64,
    pub(crate) api_errors: AtomicU64,
    pub(crate) depth: Depth,
}

/// The queue's depth, in messages that no consumer holds.
#[derive(Debug, Default)]
pub(crate) struct Depth {
    count: AtomicU64,
    sum: AtomicU64,
    max: AtomicU32,
}

/// The running probes.
pub(crate) struct Probes {
    figures: Arc<Figures>,
    /// Ends by itself, when the publisher has gone and every sample is settled.
    samples: JoinHandle<()>,
    others: TaskTracker,
    stop: CancellationToken,
    connection: Connection,
}

impl Probes {
    pub(crate) async fn start(
        api: &Api,
        uri: &str,
        queue: &str,
        samples: UnboundedReceiver<Sample>,
    ) -> Result<Self> {
        let connection = amqp::connect(uri, "loadtest measure").await?;
        let channel = connection.create_channel().await?;
        amqp::depth(&channel, queue).await.with_context(|| format!("cannot watch the queue `{queue}`"))?;

        let figures = Arc::new(Figures::default());
        let (others, stop) = (TaskTracker::new(), CancellationToken::new());
        others.spawn(stop.clone().run_until_cancelled_owned(watch_depth(
            channel,
            queue.to_owned(),
            figures.clone(),
        )));
        others.spawn(stop.clone().run_until_cancelled_owned(watch_overview(api.clone(), figures.clone())));
        others.spawn(stop.clone().run_until_cancelled_owned(watch_newest(api.clone(), figures.clone())));
        let samples = tokio::spawn(look_for_samples(api.clone(), samples, figures.clone()));
        Ok(Self { figures, samples, others, stop, connection })
    }

    /// What has been seen up to now.
    pub(crate) fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Waits for the samples that are still looked for, and ends the rest.
    pub(crate) async fn finish(self) -> Arc<Figures> {
        // Its only way to fail is a panic, which has been printed.
        let _ = self.samples.await;
        self.stop.cancel();
        self.others.close();
        self.others.wait().await;
        amqp::close(&self.connection).await;
        self.figures
    }
}

async fn look_for_samples(api: Api, mut samples: UnboundedReceiver<Sample>, figures: Arc<Figures>) {
    let tasks = TaskTracker::new();
    while let Some(sample) = samples.recv().await {
        tasks.spawn(look_for(api.clone(), sample, figures.clone()));
    }
    tasks.close();
    tasks.wait().await;
}

async fn look_for(api: Api, sample: Sample, figures: Arc<Figures>) {
    loop {
        let asked = Instant::now();
        match api.has(&sample.message_id).await {
            Ok(found) => {
                figures.look.record(asked.elapsed());
                if found {
                    return figures.searchable.record(sample.at.elapsed());
                }
            }
            Err(error) => figures.api_error("search", &error),
        }
        let age = sample.at.elapsed();
        if age >= GIVE_UP {
            figures.not_found.fetch_add(1, Ordering::Relaxed);
            return figures.searchable.record(age);
        }
        sleep((age / POLL_SHARE).max(POLL)).await;
    }
}

async fn watch_depth(channel: Channel, queue: String, figures: Arc<Figures>) {
    let mut ticks = ticks(DEPTH_INTERVAL);
    loop {
        ticks.tick().await;
        match amqp::depth(&channel, &queue).await {
            Ok(depth) => figures.depth.record(depth),
            Err(error) => {
                return eprintln!("the queue's depth is not watched any more: {}", logs::brief(&error));
            }
        }
    }
}

async fn watch_overview(api: Api, figures: Arc<Figures>) {
    let mut ticks = ticks(PAGE_INTERVAL);
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        match api.stored().await {
            Ok(_) => figures.squad_overview.record(asked.elapsed()),
            Err(error) => figures.api_error("squad overview", &error),
        }
    }
}

async fn watch_newest(api: Api, figures: Arc<Figures>) {
    let mut ticks = ticks(PAGE_INTERVAL);
    loop {
        ticks.tick().await;
        let asked = Instant::now();
        match api.newest().await {
            Ok(()) => figures.newest.record(asked.elapsed()),
            Err(error) => figures.api_error("newest messages", &error),
        }
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Figures {
    /// What each kind of request took since this was last asked.
    pub(crate) fn requests_lately(&self) -> [(&'static str, Summary); 3] {
        [
            ("by message id", self.look.lately()),
            ("squad overview", self.squad_overview.lately()),
            ("newest page", self.newest.lately()),
        ]
    }

    /// Counts all, shows the first: a service that is down would fill the screen.
    fn api_error(&self, what: &str, error: &anyhow::Error) {
        if self.api_errors.fetch_add(1, Ordering::Relaxed) == 0 {
            let error = logs::brief(error);
            eprintln!("{what}: {error} (further errors of the API are only counted)");
        }
    }
}

impl Depth {
    fn record(&self, depth: u32) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(u64::from(depth), Ordering::Relaxed);
        self.max.fetch_max(depth, Ordering::Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    pub(crate) fn mean(&self) -> f64 {
        // So many messages over so many looks: the same division as a rate's.
        per_second(self.sum.load(Ordering::Relaxed), Duration::from_secs(self.count()))
    }

    pub(crate) fn max(&self) -> u32 {
        self.max.load(Ordering::Relaxed)
    }
}
