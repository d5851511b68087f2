//! What is not counted as it happens, but read anew at each scrape.

use chrono::{DateTime, Utc};
use prometheus::IntGaugeVec;

use super::registrar::Registrar;
use crate::domain::incident::Kind;
use crate::domain::operation::State;
use crate::domain::undelivered::Undelivered;

/// The labels of what does not arrive.
const UNDELIVERED: [&str; 4] = ["broker", "vhost", "queue", "reason"];
const NO_LABELS: &[&str] = &[];

/// Use of a connection pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolUse {
    /// The part of the service that uses it.
    pub name: &'static str,
    /// Open connections.
    pub size: u32,
    /// Idle connections among these.
    pub idle: u32,
}

/// What a squad owns that is dead, without muted error groups.
#[derive(Clone, Copy, Debug)]
pub struct SquadBacklog<'a> {
    /// The squad.
    pub squad: &'a str,
    /// Number of dead letters.
    pub dead: i64,
    /// Age of the oldest, in seconds. 0: there is none.
    pub oldest: i64,
}

/// What is read anew at each scrape.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scraped<'a> {
    /// Operations by state. `None`, as below: the database does not answer.
    pub operations: Option<&'a [(State, i64)]>,
    /// What each squad owns.
    pub squads: Option<&'a [SquadBacklog<'a>]>,
    /// The pools of connections.
    pub pools: &'a [PoolUse],
    /// The catalog, where squads come from one.
    pub catalog: Option<CatalogState>,
    /// What people are told.
    pub telling: Option<&'a TellingState>,
    /// What does not arrive, and when it is asked.
    pub undelivered: (&'a [Undelivered], DateTime<Utc>),
}

/// State of the catalog that squads come from.
#[derive(Clone, Copy, Debug)]
pub struct CatalogState {
    /// Seconds since its last snapshot was taken.
    pub age: i64,
    /// Services whose claims contradict each other.
    pub contested: i64,
    /// Services that wait until another component takes them over.
    pub waiting: i64,
}

/// What people are told.
#[derive(Clone, Debug, Default)]
pub struct TellingState {
    /// Open incidents of each kind.
    pub incidents: Vec<(Kind, i64)>,
    /// Squads with open incidents about error groups, and for how many seconds nobody has acted on one of them.
    pub untriaged: Vec<(String, i64)>,
    /// Notifications in the outbox, by where they stand.
    pub outbox: Vec<(&'static str, i64)>,
    /// Seconds since the oldest one was to be sent.
    pub oldest: i64,
}

/// The gauges of all of it.
#[derive(Debug)]
pub(super) struct ScrapedGauges {
    operations: IntGaugeVec,
    squad_dead: IntGaugeVec,
    squad_oldest: IntGaugeVec,
    squad_untriaged: IntGaugeVec,
    pool: IntGaugeVec,
    catalog_age: IntGaugeVec,
    catalog_conflicts: IntGaugeVec,
    outbox: IntGaugeVec,
    outbox_age: IntGaugeVec,
    incidents: IntGaugeVec,
    undelivered: IntGaugeVec,
    undelivered_age: IntGaugeVec,
}

impl ScrapedGauges {
    pub(super) fn new(registrar: &Registrar) -> Self {
        Self {
            operations: registrar.gauge(
                "dead_letter_operations",
                "Operations by state. The value comes from the database and is the same on every replica",
                &["state"],
            ),
            squad_dead: registrar.gauge(
                "dead_letter_squad_dead",
                "Dead letters of a squad, without those of muted error groups. The value comes from the database and is the same on every \
                 replica",
                &["squad"],
            ),
            squad_oldest: registrar.gauge(
                "dead_letter_squad_oldest_seconds",
                "Age of the oldest of them, or 0. It is rounded up to 5 minutes, and to an hour after two days",
                &["squad"],
            ),
            squad_untriaged: registrar.gauge(
                "dead_letter_squad_untriaged_seconds",
                "Age of the squad's oldest open incident about an error group on which nobody has acted since, or 0. The value comes from \
                 the database and is the same on every replica",
                &["squad"],
            ),
            pool: registrar.gauge(
                "dead_letter_db_connections",
                "Open database connections, by pool and by whether they are used or idle",
                &["pool", "state"],
            ),
            catalog_age: registrar.gauge(
                "dead_letter_catalog_age_seconds",
                "Age of the squads that come from the catalog. Before the first snapshot, the time since the start",
                &[],
            ),
            catalog_conflicts: registrar.gauge(
                "dead_letter_catalog_conflicts",
                "Services that belong to nobody because components contradict each other (`contested`), or because another component \
                 claims them for another squad (`waiting`)",
                &["kind"],
            ),
            outbox: registrar.gauge(
                "dead_letter_outbox",
                "Notifications that are stored and not sent: `due`, `held` in quiet hours, or `failed` for good. The value comes from the \
                 database and is the same on every replica",
                &["state"],
            ),
            outbox_age: registrar.gauge(
                "dead_letter_outbox_oldest_seconds",
                "Time since the oldest notification was to be sent that is not sent. The value comes from the database and is the same on \
                 every replica",
                &[],
            ),
            incidents: registrar.gauge(
                "dead_letter_incidents",
                "Open incidents by kind. The value comes from the database and is the same on every replica",
                &["kind"],
            ),
            undelivered: registrar.gauge(
                "dead_letter_undelivered_messages",
                "Dead letters that wait in the queue where they died. 0 if they are dropped, as the broker does not count those",
                &UNDELIVERED,
            ),
            undelivered_age: registrar.gauge(
                "dead_letter_undelivered_age_seconds",
                "Time since dead letters of the queue were first seen not to arrive",
                &UNDELIVERED,
            ),
        }
    }

    /// What the database does not answer is absent.
    pub(super) fn set(&self, scraped: &Scraped<'_>) {
        for gauge in [&self.operations, &self.squad_dead, &self.squad_oldest] {
            gauge.reset();
        }
        for (state, count) in scraped.operations.unwrap_or_default() {
            self.operations.with_label_values(&[state.as_str()]).set(*count);
        }
        for backlog in scraped.squads.unwrap_or_default() {
            self.squad_dead.with_label_values(&[backlog.squad]).set(backlog.dead);
            self.squad_oldest.with_label_values(&[backlog.squad]).set(backlog.oldest);
        }
        for pool in scraped.pools {
            let used = pool.size.saturating_sub(pool.idle);
            self.pool.with_label_values(&[pool.name, "idle"]).set(pool.idle.into());
            self.pool.with_label_values(&[pool.name, "used"]).set(used.into());
        }
        if let Some(CatalogState { age, contested, waiting }) = scraped.catalog {
            self.catalog_age.with_label_values(NO_LABELS).set(age);
            self.catalog_conflicts.with_label_values(&["contested"]).set(contested);
            self.catalog_conflicts.with_label_values(&["waiting"]).set(waiting);
        }
        self.set_telling(scraped.telling);
        self.set_undelivered(scraped.undelivered);
    }

    fn set_telling(&self, telling: Option<&TellingState>) {
        for gauge in [&self.incidents, &self.outbox, &self.outbox_age, &self.squad_untriaged] {
            gauge.reset();
        }
        let Some(TellingState { incidents, untriaged, outbox, oldest }) = telling else { return };
        for kind in Kind::ALL {
            self.incidents.with_label_values(&[kind.as_str()]).set(0);
        }
        for (kind, count) in incidents {
            self.incidents.with_label_values(&[kind.as_str()]).set(*count);
        }
        for (squad, seconds) in untriaged {
            self.squad_untriaged.with_label_values(&[squad.as_str()]).set(*seconds);
        }
        for (state, count) in outbox {
            self.outbox.with_label_values(&[*state]).set(*count);
        }
        self.outbox_age.with_label_values(NO_LABELS).set(*oldest);
    }

    fn set_undelivered(&self, (all, now): (&[Undelivered], DateTime<Utc>)) {
        self.undelivered.reset();
        self.undelivered_age.reset();
        for Undelivered { place, queue, messages, since, reason, .. } in all {
            let labels = [&place.broker, &place.vhost, queue, reason.as_str()];
            let messages = i64::try_from(messages.unwrap_or_default()).unwrap_or(i64::MAX);
            self.undelivered.with_label_values(&labels).set(messages);
            self.undelivered_age.with_label_values(&labels).set((now - since).num_seconds());
        }
    }
}
