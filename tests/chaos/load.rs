//! Much to do: a backlog after an outage, and searches that read everything while messages come in.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use reqwest::Method;

use crate::memory::resident;
use crate::postgres::{Postgres, given};
use crate::stand::repeat;
use crate::support::{Broker, Database, DeadMessage, Service, TestQueue, World, id, until_within};
use crate::table::{Row, is_full, times};

/// The peak of a month, messages a second.
const PEAK: usize = 1300;
const PART: usize = 2_000;
const LONGEST: Duration = Duration::from_mins(30);
/// What the service may have in memory, in MiB: the budget for messages is 64.
const MEMORY: usize = 256;
const SEARCHES: usize = 50;
/// In turns with and without them, as the machine has moods.
const ROUNDS: usize = 5;
/// Share of the rate that searches may cost.
const LOSS: f64 = 0.1;

async fn publish(broker: &Broker, source: &TestQueue, count: usize) {
    for _ in 0..count / PART {
        let messages = (0..PART).map(|_| {
            let mark = id();
            DeadMessage::new(&mark, "load_service")
                .error("Timeout", "no answer in time")
                .body(mark.as_bytes())
        });
        broker.publish_all(&source.name, messages).await;
    }
}

/// R2, R12: the database was away, and the messages of an evening wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_drained() {
    let count = if is_full() { 1_000_000 } else { 50_000 };
    let mut row = Row::new("a backlog of 1 million after an outage", 1);
    let Some(postgres) = given(Postgres::start(&["max_wal_size=4GB"]).await) else { return };
    let (broker, database) = (Broker::shared().await, Database::on(&postgres.url()).await);
    let source = broker.declare_source(&[]).await;
    let service = Service::start(&database.url, &broker.url, &source.name, &[]);
    service.until_ready().await;
    postgres.kill();
    publish(&broker, &source, count).await;
    postgres.start_again().await;
    let begun = Instant::now();
    let ingested = format!("dead_letter_ingested_total{{source=\"{}\"}}", source.name);
    let samples = RefCell::new(Vec::new());
    until_within(LONGEST, &format!("the backlog is drained ({})", repeat()), || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        samples.borrow_mut().push(resident(service.pid()));
        (service.metric(&ingested).await >= count as f64).then_some(())
    })
    .await;
    let took = begun.elapsed();
    broker.until_empty(&source.name).await;
    let (all, different): (i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT body) FROM dead_letter")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    database.assert_counters_exact().await;
    row.figure("messages", count);
    row.figure("a second", format!("{:.0}", count as f64 / took.as_secs_f64()));
    row.within("drained after", vec![took], 1.0, Duration::from_secs((count / (2 * PEAK)) as u64));
    let highest = samples.into_inner().into_iter().max().unwrap();
    row.figure("most in memory", format!("{highest} MiB"));
    row.must(highest <= MEMORY, format!("{highest} MiB in memory where {MEMORY} is the bound"));
    row.must(
        all == count as i64 && different == all,
        format!("{all} stored, {different} of them different, of {count}"),
    );
    row.finish();
}

/// Searches that read whatever there is, all at once: they wait for each other, and not ingest for them.
#[tokio::test(flavor = "multi_thread")]
async fn the_worst_searches_while_ingesting() {
    // Half a minute: several turns of those who search, of which one may read for five seconds.
    let count = if is_full() { 1_000_000 } else { 20_000 };
    let mut row = Row::new("50 worst searches at once while ingesting at full rate", 1);
    let mut world = World::start().await;
    // There is something to search.
    drain(&mut world, count, false, &mut Vec::new()).await;
    let (mut rounds, mut health) = (Vec::new(), Vec::new());
    for number in 0..times(ROUNDS) {
        // What a round did to the machine and the tables is for one of them in this round, for the other in the next.
        let mut rates = [0.0; 2];
        for searching in [number % 2 == 1, number % 2 == 0] {
            let (mut alone, beside) = (Vec::new(), &mut health);
            let health = if searching { beside } else { &mut alone };
            rates[usize::from(searching)] = drain(&mut world, count, searching, health).await;
        }
        rounds.push(rates);
    }
    let shown = rounds.iter().map(|[alone, beside]| format!("{beside:.0} of {alone:.0}"));
    row.figure("a second, beside them and alone:", shown.collect::<Vec<_>>().join(", "));
    let kept = median(rounds.iter().map(|[alone, beside]| beside / alone).collect());
    row.figure("loss", format!("{:.0} %", 100.0 * (1.0 - kept)));
    let lost = Duration::from_secs_f64((1.0 / kept - 1.0).max(0.0));
    row.within("time lost for each second", vec![lost], 1.0, Duration::from_secs_f64(LOSS / (1.0 - LOSS)));
    row.within("health in", health, 1.0, Duration::from_millis(100));
    world.assert_counters_exact().await;
    row.finish();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns how many a second of a backlog were stored.
async fn drain(world: &mut World, count: usize, searching: bool, health: &mut Vec<Duration>) -> f64 {
    world.service.kill();
    publish(&world.broker, &world.source, count).await;
    let before = world.database.count("dead_letter").await;
    world.service.restart();
    let service = &world.service;
    let searches = async {
        if searching {
            futures_util::future::join_all((0..SEARCHES).map(|number| search(service, number))).await;
        }
        std::future::pending::<()>().await;
    };
    let watch = async {
        service.until_ready().await;
        loop {
            for path in ["/health/live", "/health/ready"] {
                let begun = Instant::now();
                service.admin.try_send(service.admin.request(Method::GET, path)).await;
                health.push(begun.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let begun = Instant::now();
    let stored = until_within(LONGEST, "all are stored", || async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let ingested = format!("dead_letter_ingested_total{{source=\"{}\"}}", world.source.name);
        let answer = service.admin.try_send(service.admin.request(Method::GET, "/metrics")).await?;
        let text = String::from_utf8(answer.bytes).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(&ingested)?.strip_prefix(' '))?;
        (line.parse::<f64>().ok()? >= count as f64).then_some(())
    });
    tokio::select! {
        () = stored => {}
        () = searches => {}
        () = watch => {}
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    assert_eq!(world.database.count("dead_letter").await, before + count as i64);
    rate
}

/// One after another, of the kinds that no index serves.
async fn search(service: &Service, number: usize) {
    let queries = [
        "contains=nothing-has-this",
        "error=nothing-has-this&status=any",
        "status=any&order=oldest&exchange=nothing",
        "reason=expired&status=any&minAttempt=3",
    ];
    loop {
        let path = format!("/dead-letters?{}", queries[number % queries.len()]);
        let answer = service.api.try_send(service.api.request(Method::GET, &path)).await;
        if answer.is_none_or(|answer| answer.status != 200) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
