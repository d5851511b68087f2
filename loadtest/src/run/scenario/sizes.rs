//! `sizes`: bodies from half a kilobyte to a megabyte: how fast they are stored, and what they take on disk.

use anyhow::Result;
use sqlx::{Connection as _, PgConnection};

use super::{every_round, measured, report};
use crate::figures::real;
use crate::letters::{LetterArgs, Letters, Mode};
use crate::report::{Figure, Goal, Report, Table};
use crate::run::RunArgs;
use crate::run::contender::{consume, copy, drain};
use crate::run::rounds::{Contender, Spread, table};
use crate::run::world::{Database, World};

const SIZES: [usize; 6] = [512, 1024, 2048, 8192, 64 << 10, 1 << 20];
/// About so many bytes a round, whatever the size of a message.
const BYTES: usize = 200 << 20;
const MOST: u64 = 100_000;
/// More than consumers are sent at once.
const LEAST: u64 = 3_000;
/// So many bytes at most are copied from memory.
const IN_MEMORY: usize = 500 << 20;

pub async fn run(world: &World, args: &RunArgs) -> Result<Report> {
    let (mut contenders, mut sizes, mut disk_goal, mut messages) = (Vec::new(), Vec::new(), None, 0);
    for size in SIZES {
        let letters = Letters::new(&LetterArgs { size, ..args.letters.clone() }, Mode::Dead).with_fresh_ids();
        let count = args.count.unwrap_or(((BYTES / size) as u64).clamp(LEAST, MOST));
        let mut ours = Contender::new(format!("dead-letter, {}", human(size)));
        let mut bare = Contender::new(format!("consume and ack, {}", human(size)));
        let mut rows = Contender::new(format!("COPY of the same rows from memory, {}", human(size)));
        let copied = count.min((IN_MEMORY / size) as u64);
        let mut disk = None;
        for _ in 0..args.rounds {
            let database = world.database().await?;
            let mut first = true;
            measured(&mut ours, || {
                let (database, reuse) = (database.clone(), std::mem::take(&mut first));
                let letters = &letters;
                async move {
                    // A repeated run has a database of its own: this one is looked at afterwards.
                    if reuse {
                        drain::into(world, &database, letters, count).await
                    } else {
                        drain::run(world, letters, count).await
                    }
                }
            })
            .await?;
            disk = Some(on_disk(&database).await?);
            world.drop_database(&database).await?;
            measured(&mut bare, || consume::run(world, &letters, count)).await?;
            measured(&mut rows, || copy::run(world, &letters, copied)).await?;
            messages += count;
        }
        if let Some(disk) = disk {
            if size == 1024 {
                disk_goal = Some(disk.ratio());
            }
            sizes.push(row(size, &ours, [&bare, &rows], &disk));
        }
        contenders.extend([ours, bare, rows]);
    }
    let mut report = report(world, args, "Backlogs of bodies of several sizes are stored.".into()).await?;
    report.ledger = every_round(messages);
    report.headline = disk_goal
        .map(|ratio| Figure {
            label: "disk for a 1 KB message, of its bytes".into(),
            value: format!("{ratio:.2}"),
        })
        .into_iter()
        .collect();
    report.goals = vec![Goal {
        name: "disk per stored 1 KB message / (body + encoded properties)".into(),
        goal: "≤ 1.3".into(),
        measured: disk_goal.map_or_else(|| "not measured".into(), |ratio| format!("{ratio:.2}")),
        met: disk_goal.map(|ratio| ratio <= 1.3),
    }];
    report.tables.push(Table {
        title: "By size".into(),
        columns: ["body", "stored/s", "MB/s", "of consuming alone", "of COPY from memory", "bytes received", "bytes on disk", "ratio"]
            .map(String::from)
            .into(),
        rows: sizes,
        note: "Medians; bytes are those of body and encoded properties, and on disk of tables, TOAST and all indexes.".into(),
    });
    let all: Vec<&Contender> = contenders.iter().collect();
    report.tables.push(table("Rates and what they cost", &all));
    Ok(report)
}

/// Bytes of one message, before and after.
#[derive(Clone, Copy, Debug)]
struct Disk {
    received: f64,
    stored: f64,
}

impl Disk {
    fn ratio(&self) -> f64 {
        self.stored / self.received
    }
}

async fn on_disk(database: &Database) -> Result<Disk> {
    let mut connection = PgConnection::connect(&database.url).await?;
    let (received, stored) = sqlx::query_as(
        "SELECT avg(octet_length(body) + octet_length(properties))::float8, \
             (SELECT sum(pg_total_relation_size(relid)) \
              FROM UNNEST(ARRAY['dead_letter', 'dead_letter_pending', 'dead_letter_left']) AS t (name), pg_partition_tree(t.name) \
              WHERE isleaf)::float8 / count(*) \
         FROM dead_letter",
    )
    .fetch_one(&mut connection)
    .await?;
    Ok(Disk { received, stored })
}

fn row(size: usize, ours: &Contender, others: [&Contender; 2], disk: &Disk) -> Vec<String> {
    let rate = ours.rate().map_or(0.0, |rate| rate.median);
    let [of_bare, of_rows] =
        others.map(|other| ours.ratio_to(other).map_or_else(String::new, |ratio: Spread| ratio.text(2)));
    vec![
        human(size),
        format!("{rate:.0}"),
        format!("{:.1}", rate * real(size as u64) / 1e6),
        of_bare,
        of_rows,
        format!("{:.0}", disk.received),
        format!("{:.0}", disk.stored),
        format!("{:.2}", disk.ratio()),
    ]
}

fn human(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MB", bytes >> 20),
        bytes if bytes >= 1024 => format!("{} KB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}
