//! `ceiling`: the highest rate with flat latency, with dead-letter and with a consumer that stores nothing.
//!
//! The rate is raised step by step. The backlog, all that is confirmed and not settled, ready and unacknowledged alike, tells
//! whether a step is held: the depth of the queue alone would not show what waits in a consumer's hands.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{every_round, letters, report};
use crate::figures::{real, whole};
use crate::pace::PaceArgs;
use crate::publish::{self, Plan, Share, Tally};
use crate::report::{Chart, Figure, Goal, Report, Series, Table};
use crate::run::RunArgs;
use crate::run::contender::consume::Bare;
use crate::run::ledger;
use crate::run::rounds::Spread;
use crate::run::service::Service;
use crate::run::world::World;

const STEP: Duration = Duration::from_secs(8);
const FIRST: f64 = 5000.0;
const FACTOR: f64 = 1.1;
/// A rate is held while what is not settled is less than so much of it: the latency, by Little's law.
const FLAT: Duration = Duration::from_millis(150);
const LOOK: Duration = Duration::from_millis(100);
/// A machine on which no rate is too much has not been tested.
const MOST: f64 = 200_000.0;

/// Who takes the messages.
enum Taker<'a> {
    Service(&'a Service),
    Bare(&'a Bare),
}

impl Taker<'_> {
    async fn taken(&self) -> Result<u64> {
        Ok(match self {
            Self::Service(service) => whole(service.metric("dead_letter_ingested_total").await?),
            Self::Bare(bare) => bare.consumed.load(Ordering::Relaxed),
        })
    }
}

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let (mut ours, mut bare, mut messages) = (Vec::new(), Vec::new(), 0);
    for round in 1..=args.rounds {
        let (ceiling, published) = with_service(world, args, start(&ours)).await?;
        eprintln!("round {round}: dead-letter holds {ceiling:.0}/s");
        ours.push(ceiling);
        messages += published;
        let ceiling = with_bare(world, args, start(&bare)).await?;
        eprintln!("round {round}: the bare consumer holds {ceiling:.0}/s");
        bare.push(ceiling);
    }
    let lasts = args.duration.unwrap_or(STEP).as_secs_f64();
    let summary = format!("The rate is raised by a tenth every {lasts} s, until the backlog grows.");
    let mut report = report(world, args, summary).await?;
    report.ledger = every_round(messages);
    let (of_ours, of_bare) = (Spread::of(ours.iter().copied()), Spread::of(bare.iter().copied()));
    let text = |spread: Option<Spread>| spread.map_or_else(String::new, |spread| spread.text(0));
    report.headline = vec![
        Figure {
            label: "held with dead-letter".into(),
            value: of_ours.map_or_else(String::new, |s| format!("{:.0}/s", s.median)),
        },
        Figure {
            label: "held with a bare consumer".into(),
            value: of_bare.map_or_else(String::new, |s| format!("{:.0}/s", s.median)),
        },
    ];
    let ratio = Spread::of(ours.iter().zip(&bare).map(|(ours, bare)| ours / bare));
    report.goals = vec![Goal {
        name: "ceiling with dead-letter / with the bare consumer".into(),
        goal: "≥ 0.95".into(),
        measured: ratio.map_or_else(String::new, |ratio| ratio.text(2)),
        met: ratio.map(|ratio| ratio.median >= 0.95),
    }];
    report.tables.push(Table {
        title: "Highest rate with flat latency, messages/s".into(),
        columns: ["", "median (spread)"].map(String::from).into(),
        rows: vec![vec!["dead-letter".into(), text(of_ours)], vec!["bare consumer".into(), text(of_bare)]],
        note: format!(
            "Held: less than {} ms of messages are not settled at the end of a step.",
            FLAT.as_millis()
        ),
    });
    report.charts.push(rounds_chart(&ours, &bare));
    Ok(report)
}

/// Later rounds begin near where the one before ended.
fn start(before: &[f64]) -> f64 {
    before.last().map_or(FIRST, |last| (last / FACTOR.powi(3)).max(FIRST))
}

async fn with_service(world: &World, args: &RunArgs, first: f64) -> Result<(f64, u64)> {
    let database = world.database().await?;
    let connection = world.connect("ceiling").await?;
    let queue = world.queue(&connection, "ceiling").await?;
    let service = world.service(&queue, &database, &[]).await?;
    let (ceiling, published) = raise(world, &queue, args, &Taker::Service(&service), first).await?;
    service.stop().await?;
    ledger::check(&database.url, &connection, &queue, published).await?;
    world.delete_queue(&connection, &queue).await?;
    world.drop_database(&database).await?;
    Ok((ceiling, published))
}

async fn with_bare(world: &World, args: &RunArgs, first: f64) -> Result<f64> {
    let connection = world.connect("ceiling").await?;
    let queue = world.queue(&connection, "ceiling").await?;
    let bare = Bare::start(world, &queue).await?;
    let (ceiling, _) = raise(world, &queue, args, &Taker::Bare(&bare), first).await?;
    bare.end().await;
    world.delete_queue(&connection, &queue).await?;
    Ok(ceiling)
}

/// Raises the rate until it is not held twice in a row; the last that was held, and how many messages it took.
async fn raise(
    world: &World,
    queue: &str,
    args: &RunArgs,
    taker: &Taker<'_>,
    first: f64,
) -> Result<(f64, u64)> {
    let (mut rate, mut held, mut published, mut misses) = (first, 0.0, 0, 0);
    while misses < 2 {
        let (flat, count) = step(world, queue, args, taker, rate, published).await?;
        published += count;
        if flat {
            (held, misses) = (rate, 0);
            rate *= FACTOR;
        } else {
            // A storm may have hit this one: it is tried once more.
            misses += 1;
        }
        if rate > MOST {
            bail!("no rate up to {MOST}/s is too much");
        }
    }
    Ok((held, published))
}

/// Publishes at this rate, and says whether it was held, and how many were published.
async fn step(
    world: &World,
    queue: &str,
    args: &RunArgs,
    taker: &Taker<'_>,
    rate: f64,
    before: u64,
) -> Result<(bool, u64)> {
    // Other messages than those of the step before.
    let letters = letters(args);
    let connection = world.connect("step").await?;
    let channel = connection.create_channel().await?;
    let lasts = args.duration.unwrap_or(STEP);
    let pace = PaceArgs { rate: Some(rate), duration: Some(lasts), ..PaceArgs::default() }.pace()?;
    let plan = Plan {
        exchange: String::new(),
        routing_key: Some(queue.to_owned()),
        pace,
        share: Share::ALL,
        window: Some(20_000),
        samples: None,
    };
    let (tally, stop) = (Tally::default(), CancellationToken::new());
    let mut publishing = std::pin::pin!(publish::run(&channel, &letters, &plan, &tally, &stop));
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (began, mut backlogs) = (Instant::now(), Vec::new());
    let took = loop {
        tokio::select! {
            took = &mut publishing => break took?,
            _ = looks.tick() => {
                let published = before + tally.counts().published;
                let backlog = published.saturating_sub(taker.taken().await?);
                // The first half is for getting under way.
                if began.elapsed() > lasts / 2 {
                    backlogs.push(real(backlog));
                }
            }
        }
    };
    let late = Spread::of(backlogs).map_or(0.0, |backlog| backlog.median) / rate;
    let flat = took.as_secs_f64() < lasts.as_secs_f64() * 1.03 && late < FLAT.as_secs_f64();
    eprintln!(
        "  {rate:>7.0}/s  {:>7.1} ms not settled  {}",
        late * 1000.0,
        if flat { "held" } else { "not held" }
    );
    let confirmed = tally.counts().confirmed;
    while taker.taken().await? < before + confirmed {
        tokio::time::sleep(LOOK).await;
    }
    crate::amqp::close(&connection).await;
    Ok((flat, confirmed))
}

fn rounds_chart(ours: &[f64], bare: &[f64]) -> Chart {
    let series = |name: &str, rates: &[f64]| Series {
        name: name.into(),
        points: rates.iter().enumerate().map(|(round, rate)| (real(round as u64 + 1), *rate)).collect(),
    };
    Chart {
        title: "Highest rate held, by round".into(),
        unit: "messages/s".into(),
        logarithmic: false,
        series: vec![series("dead-letter", ours), series("bare consumer", bare)],
    }
}
