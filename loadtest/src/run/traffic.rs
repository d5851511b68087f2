//! Messages at a steady rate into a running service, with everything that can be watched recorded: rates, backlog,
//! latencies, processor, memory.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::cpu::{Processes, Usage, cores};
use super::recorder::{API, BACKLOG, CONFIRMED, CPU, MEMORY, Recorder, SEARCHABLE, THROUGHPUT};
use super::rounds::Run;
use super::service::Service;
use super::world::World;
use crate::figures::{Summary, per_second, real, whole};
use crate::letters::Letters;
use crate::measure::{Api, Figures, Probes};
use crate::pace::Pace;
use crate::publish::{Plan, Samples, Share, Tally};
use crate::{amqp, publish};

/// Between two points of every line.
const TICK: Duration = Duration::from_secs(1);
/// Messages a second that are looked for.
const SAMPLES: f64 = 10.0;

/// What was seen.
#[derive(Debug)]
pub struct Seen {
    /// Messages, time and cost.
    pub run: Run,
    /// From publishing to the broker's confirm.
    pub confirmed: Summary,
    /// Latencies.
    pub figures: Arc<Figures>,
    /// Memory of the service at its highest, in MB.
    pub memory: f64,
}

/// Publishes at this pace, and looks at nothing but what it costs: a service that nobody asks for each message.
pub async fn unwatched(
    world: &World,
    service: &Service,
    queue: &str,
    letters: &Letters,
    pace: Pace,
) -> Result<Run> {
    let connection = world.connect("traffic").await?;
    let channel = connection.create_channel().await?;
    let (tally, stop) = (Tally::default(), CancellationToken::new());
    let processes = world.processes(Some(service));
    let (began, cpu) = (Instant::now(), processes.usage());
    publish::run(&channel, letters, &plan(queue, pace, None), &tally, &stop).await?;
    let run = Run { messages: pace.count, took: began.elapsed(), cpu: processes.usage() - cpu };
    amqp::close(&connection).await;
    all_confirmed(&tally, pace)?;
    Ok(run)
}

/// Publishes at this pace into the queue that the service consumes, until all is confirmed.
pub async fn send(
    world: &World,
    service: &Service,
    queue: &str,
    letters: &Letters,
    pace: Pace,
    recorder: &Recorder,
) -> Result<Seen> {
    let connection = world.connect("traffic").await?;
    let channel = connection.create_channel().await?;
    let (to, samples) = mpsc::unbounded_channel();
    let api = Api::new(&service.api, None)?;
    let probes = Probes::start(&api, &world.amqp_url, queue, samples).await?;
    let plan = plan(queue, pace, Some(Samples { stride: pace.stride(SAMPLES), to }));
    let (tally, stop) = (Tally::default(), CancellationToken::new());
    let processes = world.processes(Some(service));
    let before = whole(service.metric("dead_letter_ingested_total").await?);
    let mut watch = Watch::new(recorder, &processes, service, before);
    let (began, cpu) = (Instant::now(), processes.usage());
    let publishing = publish::run(&channel, letters, &plan, &tally, &stop);
    let took = {
        let mut publishing = std::pin::pin!(publishing);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            tokio::select! {
                published = &mut publishing => break published,
                _ = ticks.tick() => watch.tick(&tally, probes.figures()).await?,
            }
        }
    };
    took?;
    let (took, cpu) = (began.elapsed(), processes.usage() - cpu);
    let memory = watch.memory;
    drop(plan);
    let figures = probes.finish().await;
    amqp::close(&connection).await;
    all_confirmed(&tally, pace)?;
    Ok(Seen {
        run: Run { messages: pace.count, took, cpu },
        confirmed: tally.confirm_latency.summary(),
        figures,
        memory,
    })
}

fn plan(queue: &str, pace: Pace, samples: Option<Samples>) -> Plan {
    Plan {
        exchange: String::new(),
        routing_key: Some(queue.to_owned()),
        pace,
        share: Share::ALL,
        window: Some(10_000),
        samples,
    }
}

fn all_confirmed(tally: &Tally, pace: Pace) -> Result<()> {
    let confirmed = tally.counts().confirmed;
    ensure!(confirmed == pace.count, "only {confirmed} of {} messages were confirmed", pace.count);
    Ok(())
}

/// Turns counters into points, a tick at a time.
struct Watch<'a> {
    recorder: &'a Recorder,
    processes: &'a Processes,
    service: &'a Service,
    at: Instant,
    stored_before: u64,
    stored: u64,
    published: u64,
    usage: Usage,
    memory: f64,
}

impl<'a> Watch<'a> {
    fn new(
        recorder: &'a Recorder,
        processes: &'a Processes,
        service: &'a Service,
        stored_before: u64,
    ) -> Self {
        let usage = processes.usage();
        Self {
            recorder,
            processes,
            service,
            at: Instant::now(),
            stored_before,
            stored: 0,
            published: 0,
            usage,
            memory: 0.0,
        }
    }

    async fn tick(&mut self, tally: &Tally, figures: &Figures) -> Result<()> {
        // Counted in this order, so that what is stored meanwhile does not show as less than nothing.
        let counts = tally.counts();
        let stored = whole(self.service.metric("dead_letter_ingested_total").await?) - self.stored_before;
        let (usage, elapsed) = (self.processes.usage(), self.at.elapsed());
        self.at = Instant::now();
        let point = |chart, name: &str, value| self.recorder.point(chart, name, value);
        point(THROUGHPUT, "published", per_second(counts.published - self.published, elapsed));
        point(THROUGHPUT, "stored", per_second(stored - self.stored, elapsed));
        point(BACKLOG, "confirmed, not stored", real(counts.confirmed.saturating_sub(stored)));
        let confirmed = tally.confirm_latency.lately();
        if confirmed.count > 0 {
            point(CONFIRMED, "p50", confirmed.p50_ms);
            point(CONFIRMED, "p95", confirmed.p95_ms);
            point(CONFIRMED, "p99", confirmed.p99_ms);
        }
        let late = figures.searchable.lately();
        if late.count > 0 {
            point(SEARCHABLE, "p50", late.p50_ms);
            point(SEARCHABLE, "p95", late.p95_ms);
            point(SEARCHABLE, "p99", late.p99_ms);
        }
        for (name, summary) in figures.requests_lately() {
            if summary.count > 0 {
                point(API, name, summary.p99_ms);
            }
        }
        let cpu = usage - self.usage;
        let seconds = elapsed.as_secs_f64();
        for (name, used) in [
            ("broker", cpu.broker),
            ("database", cpu.database),
            ("dead-letter", cpu.service),
            ("load test", cpu.tool),
            ("stolen", cpu.stolen),
        ] {
            point(CPU, name, used / seconds);
        }
        if let Some(memory) = self.processes.service_memory() {
            point(MEMORY, "resident", memory);
            self.memory = self.memory.max(memory);
        }
        eprintln!(
            "{:>7.0}/s published  {:>7.0}/s stored  backlog {:>6}  searchable p99 {:>7.1} ms  {:.0} % of {} cores",
            per_second(counts.published - self.published, elapsed),
            per_second(stored - self.stored, elapsed),
            counts.confirmed.saturating_sub(stored),
            late.p99_ms,
            100.0 * cpu.used() / seconds / real(cores() as u64),
            cores(),
        );
        (self.stored, self.published, self.usage) = (stored, counts.published, usage);
        Ok(())
    }
}
