//! How the main statements are read, as the database itself tells (`auto_explain`): with nothing stored, with what came in a moment
//! ago and has no statistics yet, and with two weeks.
//!
//! The plans are kept in `tests/it/plans/`; `UPDATE_PLANS=1` writes them anew. Where another version of `PostgreSQL` plans otherwise than
//! version 15, it has a file of its own.

mod shape;

use std::fmt::Write;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use dead_letter::clock;
use dead_letter::domain::attribute::Layer;
use dead_letter::domain::audit::Actor;
use dead_letter::domain::convention::Failure;
use dead_letter::domain::dead_letter::{NewDeadLetter, Status, floor_id};
use dead_letter::domain::filter::{Filter, Order, StatusFilter};
use dead_letter::domain::fingerprint;
use dead_letter::domain::histogram::Buckets;
use dead_letter::domain::needle::Needle;
use dead_letter::domain::operation::{Kind, NewOperation, Options, Outcome, Selection, Settled};
use dead_letter::domain::place::Place;
use dead_letter::memory_budget::ChunkReservation;
use dead_letter::store::{Bounds, Edge, Frozen, Next, ServedPlaces, Shift, Store, WantedOperations};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;

use crate::filters::letters::{HOME, letter};
use crate::support::{Database, until};
use shape::Plans;

/// Fewer than the service has analysed.
const YOUNG: usize = 900;
const FULL: usize = 30_000;
const DAYS: i64 = 14;
/// When it is asked: how the rows lie in their days does not depend on the hour.
const NOW: &str = "2026-01-15T12:00:00Z";
/// Every session tells its plans.
const EXPLAIN: [&str; 5] = [
    "session_preload_libraries TO 'auto_explain'",
    "auto_explain.log_min_duration TO 0",
    "auto_explain.log_format TO 'json'",
    "auto_explain.log_level TO 'notice'",
    // Of a statement's parameters nothing is wanted.
    "log_parameter_max_length TO 0",
];

#[tokio::test]
async fn of_an_empty_database() {
    check("empty", 0, 1).await;
}

#[tokio::test]
async fn of_one_that_began_to_fill_a_moment_ago() {
    check("young", YOUNG, 1).await;
}

#[tokio::test]
async fn of_a_full_one() {
    check("full", FULL, DAYS).await;
}

/// What grows is analysed each time it has doubled.
#[tokio::test]
async fn what_has_doubled_is_analysed() {
    let (database, now) = (Database::shared().await, noon());
    let (store, _) = filled(&database, 11_000, 1, now).await;
    // Sessions tell what they have changed within a second.
    until("it is known how much has changed", || async {
        (store.analyze_what_has_grown().await.unwrap() > 0).then_some(())
    })
    .await;
    until("each table is analysed", || async {
        store.analyze_what_has_grown().await.unwrap();
        let known: f32 = sqlx::query_scalar(
            "SELECT sum(reltuples) FROM pg_class JOIN pg_inherits ON inhrelid = oid \
             WHERE inhparent = 'dead_letter_pending'::regclass AND reltuples > 0",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        (known > 10_999.0).then_some(())
    })
    .await;
    assert_eq!(store.analyze_what_has_grown().await.unwrap(), 0, "and then no more");
}

/// A store with so many dead letters, of so many days; and these.
async fn filled(
    database: &Database,
    count: usize,
    days: i64,
    now: DateTime<Utc>,
) -> (Store, Vec<NewDeadLetter>) {
    let store = database.store();
    store.migrate().await.unwrap();
    let today = now.date_naive();
    store.create_partitions_for(today - TimeDelta::days(days), today + TimeDelta::days(1)).await.unwrap();
    // Nobody else analyses.
    sqlx::raw_sql(
        "DO $$ DECLARE t regclass; BEGIN \
             FOR t IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP \
                 EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', t); END LOOP; END $$",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let mut random = StdRng::seed_from_u64(1);
    let mut rows: Vec<NewDeadLetter> = (0..count)
        .map(|number| {
            let age = TimeDelta::seconds(1) + TimeDelta::days(days - 1) * number as i32 / count as i32;
            let id = floor_id(now - age).as_u128() | u128::from(random.random::<u64>() >> 2);
            NewDeadLetter { id: Uuid::from_u128(id), ..letter(&mut random, now).row }
        })
        .collect();
    rows.sort_by_key(|row| row.id);
    for batch in rows.chunks(1_000) {
        store.insert(batch, now).await.unwrap();
    }
    (store, rows)
}

/// What the database does by itself within minutes: whatever nothing was written to stays as it is.
async fn vacuum(database: &Database, store: &Store) {
    store.fold_counters().await.unwrap();
    let written: Vec<String> = sqlx::query_scalar(
        "SELECT relid::regclass::text FROM pg_stat_user_tables WHERE pg_relation_size(relid) > 0",
    )
    .fetch_all(&database.pool)
    .await
    .unwrap();
    sqlx::raw_sql(&format!("VACUUM (ANALYZE) {}", written.join(", "))).execute(&database.pool).await.unwrap();
}

async fn check(name: &str, count: usize, days: i64) {
    let (database, now) = (Database::shared().await, noon());
    let (store, rows) = filled(&database, count, days, now).await;
    if days > 1 {
        vacuum(&database, &store).await;
    }
    store.close().await;
    let (_, database_name) = database.url.rsplit_once('/').unwrap();
    for setting in EXPLAIN {
        let statement = format!("ALTER DATABASE {database_name} SET {setting}");
        sqlx::query(&statement).execute(&database.pool).await.unwrap();
    }
    let plans = Plans::default();
    let _telling = tracing::subscriber::set_default(tracing_subscriber::registry().with(plans.clone()));
    let store = database.store();
    let mut interview = Interview { store: &store, plans: &plans, rows: &rows, now, text: String::new() };
    interview.search().await;
    interview.survey().await;
    interview.act().await;
    let found = interview.text;

    let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int / 10000")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plans");
    let (common, own) = (folder.join(format!("{name}.txt")), folder.join(format!("{name}-{version}.txt")));
    let kept = if own.exists() { &own } else { &common };
    if std::env::var_os("UPDATE_PLANS").is_some() {
        let is_same = std::fs::read_to_string(&common).is_ok_and(|text| text == found);
        let file = if version == 15 { &common } else { &own };
        if !is_same {
            std::fs::write(file, &found).unwrap();
        }
        return;
    }
    let expected = std::fs::read_to_string(kept).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{}:{}", kept.display(), number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// Asks what people and workers ask, and writes down how it was read.
struct Interview<'t> {
    store: &'t Store,
    plans: &'t Plans,
    rows: &'t [NewDeadLetter],
    now: DateTime<Utc>,
    text: String,
}

impl Interview<'_> {
    fn told(&mut self, what: &str) {
        writeln!(self.text, "{what}").unwrap();
        self.text.push_str(&self.plans.take().join("  and\n"));
        self.text.push('\n');
    }

    /// One of the dead letters, where there are any.
    fn any(&self) -> Option<&NewDeadLetter> {
        self.rows.get(self.rows.len() / 2)
    }

    fn id(&self) -> Uuid {
        self.any().map_or_else(clock::new_id, |row| row.id)
    }

    fn of_group(&self) -> Filter {
        let group = self.any().map_or_else(clock::new_id, |row| row.fingerprint.group);
        Filter { error_group: Some(group), ..Filter::default() }
    }

    async fn search(&mut self) {
        let (store, now, id) = (self.store, self.now, self.id());
        let (of_squad, of_group) = (of_squad(), self.of_group());
        let searches = [
            ("newest page", Filter::default()),
            ("page of a squad", of_squad.clone()),
            ("page of an error group", of_group.clone()),
            ("page of a squad and a queue", Filter { queue: Some("orders".into()), ..of_squad.clone() }),
            ("page of a queue", Filter { queue: Some("orders".into()), ..Filter::default() }),
            (
                "page of a squad within an hour",
                Filter { from: Some(now - TimeDelta::hours(1)), to: Some(now), ..of_squad.clone() },
            ),
            ("by message id", Filter { message_id: Some("m-1".into()), ..Filter::default() }),
            ("by an id of any kind", Filter { find: Some(id.to_string()), ..Filter::default() }),
            (
                "by a text of the error",
                Filter { error: Some("timed out after 1".into()), ..Filter::default() },
            ),
            (
                "by a text of the body",
                Filter { contains: Some(Needle::Text("sku".into())), ..of_squad.clone() },
            ),
            ("what was deleted", Filter { status: StatusFilter::Only(Status::Deleted), ..Filter::default() }),
            ("whatever its status", Filter { status: StatusFilter::Any, ..Filter::default() }),
            ("what came back of an operation", Filter { returned_from: Some(id), ..Filter::default() }),
        ];
        for (what, filter) in &searches {
            store.search(filter, Order::Newest, None, 25).await.unwrap();
            self.told(what);
        }
        store.search(&of_squad, Order::Oldest, Some(Edge::Before(id)), 25).await.unwrap();
        self.told("page of a squad before this one, oldest first");
        store.get(id, 1000).await.unwrap();
        self.told("one dead letter");
        store.history(id).await.unwrap();
        self.told("its history");
    }

    async fn survey(&mut self) {
        let (store, now, of_group) = (self.store, self.now, self.of_group());
        store.service_counts(None, None, now).await.unwrap();
        self.told("overview of services");
        store.error_groups(&of_squad(), now).await.unwrap();
        self.told("error groups of a squad");
        store.group_previews(&[(of_group.error_group.unwrap(), now)], now).await.unwrap();
        self.told("what a list shows of a group");
        let day = Buckets::cover(now - TimeDelta::days(1), now, None).unwrap();
        store.histogram(&of_group, &day, None, now).await.unwrap();
        self.told("chart of a group");
        self.survey_shift().await;
        self.survey_samples().await;
        let of_group = WantedOperations { error_group: of_group.error_group, ..WantedOperations::default() };
        store.operations(&of_group, None, 50).await.unwrap();
        self.told("operations of a group");
    }

    async fn survey_shift(&mut self) {
        let (store, now) = (self.store, self.now);
        let shift = Shift { since: now - TimeDelta::hours(8), until: now, services: of_squad().services };
        store.shift_counts(&shift).await.unwrap();
        self.told("numbers of a shift");
        store.new_groups(&shift, 201).await.unwrap();
        self.told("groups that are new in a shift");
        store.regressed_groups(&shift, 201).await.unwrap();
        self.told("groups that came back in a shift");
        store.triage(&shift, 201).await.unwrap();
        self.told("what was done with groups in a shift");
        store.steered(&[self.id()], &shift, 200).await.unwrap();
        self.told("what was done to operations in a shift");
    }

    async fn survey_samples(&mut self) {
        let (store, of_squad) = (self.store, of_squad());
        store.sample(&of_squad, 200, Layer::Body).await.unwrap();
        self.told("a sample of a squad");
        let (group, service) = self.any().map_or_else(
            || (clock::new_id(), "webshop".to_owned()),
            |row| (row.fingerprint.group, row.derived.service.clone()),
        );
        store.sample_group(group, &service, 200, Layer::Row).await.unwrap();
        self.told("a sample of a group, and one of the rest of its service");
    }

    async fn act(&mut self) {
        let (store, now, rows, of_group) = (self.store, self.now, self.rows, self.of_group());
        let batch: Vec<_> = (0..3).map(|_| new(rows.first(), now)).collect();
        store.insert(&batch, now).await.unwrap();
        self.told("a small batch");
        let ids: Vec<Uuid> = rows.iter().rev().take(500).map(|row| row.id).collect();
        let by_ids = order(Selection::Ids(if ids.is_empty() { vec![clock::new_id()] } else { ids }));
        let frozen = store.freeze(&by_ids, clock::new_id(), now, 250, &Bounds::OFF).await.unwrap();
        self.told("freezing by ids");
        assert!(matches!(frozen, Frozen::New(_)));
        let by_filter = order(Selection::Filter(Box::new(of_group)));
        store.plan(&by_filter, clock::new_id(), now, now + TimeDelta::hours(1), &Bounds::OFF).await.unwrap();
        self.told("planning by error group");
        store.freeze(&by_filter, clock::new_id(), now, 250, &Bounds::OFF).await.unwrap();
        self.told("freezing by error group");
        self.freeze_the_unknown().await;
        self.chunk().await;
        store.link_returns(now - TimeDelta::days(1), now).await.unwrap();
        self.told("linking returns");
    }

    async fn freeze_the_unknown(&mut self) {
        let (store, now, rows) = (self.store, self.now, self.rows);
        let unknown =
            fingerprint::of("webshop", &Failure { reason: Some("new".into()), ..Failure::default() });
        let incident: Vec<_> = (0..2_000)
            .map(|_| NewDeadLetter { fingerprint: unknown.clone(), ..new(rows.first(), now) })
            .collect();
        store.insert(&incident, now).await.unwrap();
        self.plans.take();
        let by_unknown = Filter { error_group: Some(unknown.group), ..Filter::default() };
        let by_unknown = order(Selection::Filter(Box::new(by_unknown)));
        let later = now + TimeDelta::minutes(1);
        store.freeze(&by_unknown, clock::new_id(), later, 250, &Bounds::OFF).await.unwrap();
        self.told("freezing by an error group of which the planner knows nothing");
    }

    async fn chunk(&mut self) {
        let store = self.store;
        let (served, room) = (ServedPlaces::new(places()), ChunkReservation::default());
        let limits = (100, 1 << 20);
        let next = store.next_chunk(clock::new_id(), clock::now(), limits, &served, room).await.unwrap();
        self.told("a chunk");
        if let Next::Chunk(chunk) = next {
            store.note_attempt(&chunk).await.unwrap();
            self.told("its beginning");
            let settled: Vec<_> = chunk
                .items
                .iter()
                .map(|item| Settled {
                    position: item.position,
                    dead_letter: item.dead_letter,
                    outcome: Outcome::Sent,
                    detail: None,
                    redelivery_id: Some(item.redelivery_id),
                })
                .collect();
            chunk.record(&settled, 0, None, clock::now(), clock::now()).await.unwrap();
            self.told("its outcome");
        }
    }
}

fn of_squad() -> Filter {
    Filter { services: Some(vec!["webshop".to_owned(), "mailer".to_owned()]), ..Filter::default() }
}

fn order(selection: Selection) -> NewOperation {
    NewOperation {
        kind: Kind::Redeliver,
        selection,
        asked: serde_json::json!({}),
        options: Options::default(),
        within: None,
        approved_above: None,
        requested_by: Actor::default(),
        idempotency_key: None,
    }
}

fn noon() -> DateTime<Utc> {
    NOW.parse().unwrap()
}

/// Of all the letters.
fn places() -> Vec<Place> {
    let (broker, vhost) = HOME;
    [(broker, vhost), (broker, "shop"), ("other", vhost)]
        .map(|(broker, vhost)| Place::new(broker, vhost))
        .into()
}

/// Another one like this.
fn new(like: Option<&NewDeadLetter>, now: DateTime<Utc>) -> NewDeadLetter {
    let mut random = StdRng::seed_from_u64(2);
    let row = like.cloned().unwrap_or_else(|| letter(&mut random, now).row);
    let id = Uuid::from_u128(floor_id(now).as_u128() | u128::from(rand::random::<u32>()));
    NewDeadLetter { id, ..row }
}
