//! Looks for incidents, in turns: of several replicas one does it at a time, in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{Live, Routes, endings};
use crate::clock;
use crate::domain::incident::{
    Bug, FACTOR, Facts, Incident, Kind, NewIncident, SQUAD_GROWTH_FLOOR, WatchedGroup, ceiling,
};
use crate::ownership::{Owners, Ownership};
use crate::store::{IncidentTurn, LaggingSource, Store, StoreError, WatchedOperation};

/// Between two turns.
const INTERVAL: Duration = Duration::from_secs(3);
/// So many incidents of new errors are opened for a squad within an hour. Further errors join the latest of them: a release that breaks
/// everything is one storm, not a thousand calls.
const STORM: usize = 10;

/// Looks for incidents.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// The database.
    pub store: Store,
    /// Service to squad.
    pub ownership: Ownership,
    /// Whom to tell.
    pub routes: Live,
}

/// Looks for incidents until the process stops.
pub async fn watch(watcher: Watcher, stop: CancellationToken) -> anyhow::Result<()> {
    let mut failing = false;
    while stop.run_until_cancelled(tokio::time::sleep(clock::jittered(INTERVAL))).await.is_some() {
        match watcher.look().await {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    warn!(%error, "could not look for incidents, retrying in 3 seconds");
                }
            }
        }
    }
    Ok(())
}

impl Watcher {
    async fn look(&self) -> Result<(), StoreError> {
        let Some(turn) = self.store.incident_turn(clock::now()).await? else { return Ok(()) };
        let mut look = Look {
            owners: self.ownership.now(),
            routes: self.routes.now(),
            groups: Vec::new(),
            open: Vec::new(),
            growth: BTreeMap::new(),
            turn,
        };
        look.groups = look.turn.watched_groups().await?;
        look.open = look.turn.open_incidents().await?;
        let known = look.open.len();
        look.new_errors().await?;
        look.escalations().await?;
        look.growing_squads().await?;
        let seen = look.operations_and_sources().await?;
        let open: Vec<_> = look.open.drain(..known).collect();
        endings::resolve(&mut look, open, &seen).await?;
        look.turn.finish().await
    }
}

/// One turn, and what it sees.
pub(super) struct Look {
    pub turn: IncidentTurn,
    pub routes: Arc<Routes>,
    pub groups: Vec<WatchedGroup>,
    /// Arrivals of the last hour that no incident tells, by squad.
    pub growth: BTreeMap<String, i64>,
    owners: Arc<Owners>,
    open: Vec<Incident>,
}

/// Subjects of operations and sources that are in trouble now.
pub(super) type Seen = BTreeSet<String>;

impl Look {
    fn squad(&self, service: &str) -> String {
        self.owners.squad(service).to_owned()
    }

    /// Opens an incident, or adds to the open one of the same subject.
    async fn tell(&mut self, new: NewIncident) -> Result<(), StoreError> {
        let is_open = self.open.iter().find(|open| open.subject == new.subject).map(|open| open.id);
        let incident = match is_open {
            Some(incident) => {
                self.turn.join(incident, &new).await?;
                incident
            }
            None => self.open(&new).await?,
        };
        for group in self.groups.iter_mut().filter(|group| new.groups.contains(&group.group.id)) {
            group.open.push(incident);
        }
        Ok(())
    }

    async fn open(&mut self, new: &NewIncident) -> Result<Uuid, StoreError> {
        let now = self.turn.now;
        let severity = self.routes.severity(new.kind);
        let recipients = self.routes.recipients(&new.squad, new.kind, now);
        let id = self.turn.open(new, severity, &recipients).await?;
        info!(
            incident = %id,
            kind = new.kind.as_str(),
            squad = new.squad,
            services = new.services.join(","),
            channels = recipients.len(),
            "incident opened"
        );
        self.open.push(Incident {
            id,
            kind: new.kind,
            subject: new.subject.clone(),
            squad: new.squad.clone(),
            severity,
            services: new.services.clone(),
            facts: new.facts.clone(),
            opened_at: now,
            over_since: None,
            resolved_at: None,
            resolution: None,
        });
        Ok(id)
    }

    /// New and regressed errors: one incident for each bug and squad, whatever the number of services.
    async fn new_errors(&mut self) -> Result<(), StoreError> {
        let mut found: BTreeMap<(&str, Bug), NewIncident> = BTreeMap::new();
        for group in &self.groups {
            let Some(kind) = group.news(self.turn.began_at, self.turn.now) else { continue };
            let squad = self.squad(&group.group.service);
            let new = group.incident(kind, &squad, 0);
            let of = (kind.as_str(), Bug { squad, bug: group.bug });
            match found.get_mut(&of) {
                None => {
                    found.insert(of, new);
                }
                Some(known) => {
                    known.facts.dead += new.facts.dead;
                    known.facts.last_hour += new.facts.last_hour;
                    known.facts.since = known.facts.since.min(new.facts.since);
                    known.groups.extend(new.groups);
                    if !known.services.contains(&group.group.service) {
                        known.services.extend(new.services);
                    }
                }
            }
        }
        for (_, mut new) in found {
            new.services.sort();
            if let Some(storm) = self.storm(&new) {
                new.subject = storm;
            }
            self.tell(new).await?;
        }
        Ok(())
    }

    /// The subject of the incident that one more error joins, where there are too many.
    fn storm(&self, new: &NewIncident) -> Option<String> {
        let recent = |open: &&Incident| {
            open.kind == new.kind
                && open.squad == new.squad
                && self.turn.now - open.opened_at < TimeDelta::hours(1)
        };
        let is_open = self.open.iter().any(|open| open.subject == new.subject);
        let recent: Vec<_> = self.open.iter().filter(recent).collect();
        (!is_open && recent.len() >= STORM).then(|| recent.last().map(|open| open.subject.clone())).flatten()
    }

    /// Known errors that occur far more often than in their week before.
    async fn escalations(&mut self) -> Result<(), StoreError> {
        let now = self.turn.now;
        let is_told = |group: &WatchedGroup| {
            let of =
                |open: &Incident| group.open.contains(&open.id) && open.kind == Kind::EscalatingErrorGroup;
            self.open.iter().any(of)
        };
        let may: Vec<_> =
            self.groups.iter().filter(|group| group.may_escalate(now) && !is_told(group)).collect();
        if may.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = may.iter().map(|group| group.group.id).collect();
        let busiest = self.turn.busiest_hours(&ids).await?;
        let escalate = may.into_iter().filter_map(|group| {
            let busiest = busiest.get(&group.group.id).copied().unwrap_or(0);
            let squad = self.squad(&group.group.service);
            Some(group.incident(Kind::EscalatingErrorGroup, &squad, group.escalates(busiest)?))
        });
        for new in escalate.collect::<Vec<_>>() {
            self.tell(new).await?;
        }
        Ok(())
    }

    /// Squads whose known errors together occur far more often, though no single one is told.
    async fn growing_squads(&mut self) -> Result<(), StoreError> {
        let now = self.turn.now;
        let mut services: HashMap<String, BTreeSet<String>> = HashMap::new();
        let mut dead: HashMap<String, i64> = HashMap::new();
        for group in &self.groups {
            if !group.open.is_empty() || group.last_hour == 0 || !group.may_grow(now) {
                continue;
            }
            let squad = self.squad(&group.group.service);
            *self.growth.entry(squad.clone()).or_default() += group.last_hour;
            *dead.entry(squad.clone()).or_default() += group.dead;
            services.entry(squad).or_default().insert(group.group.service.clone());
        }
        for (squad, last_hour) in self.growth.clone() {
            let subject = format!("squad/{squad}/{}", Kind::SquadGrowth.as_str());
            if last_hour <= SQUAD_GROWTH_FLOOR || self.open.iter().any(|open| open.subject == subject) {
                continue;
            }
            let services: Vec<_> = services.remove(&squad).unwrap_or_default().into_iter().collect();
            let ceiling = ceiling(self.turn.busiest_hour_of(&services).await?, FACTOR, SQUAD_GROWTH_FLOOR);
            if last_hour <= ceiling {
                continue;
            }
            let dead = dead.get(&squad).copied().unwrap_or(0);
            let facts = Facts { dead, last_hour, ceiling, ..Facts::default() };
            let kind = Kind::SquadGrowth;
            self.tell(NewIncident { kind, subject, squad, services, groups: Vec::new(), facts }).await?;
        }
        Ok(())
    }

    /// Operations that paused themselves or failed, and sources that lag.
    async fn operations_and_sources(&mut self) -> Result<Seen, StoreError> {
        let paused = self.turn.paused_operations().await?;
        let failed = self.turn.failed_operations().await?;
        let lagging = self.turn.lagging_sources(self.routes.source_lag().after).await?;
        let paused = paused.into_iter().map(|operation| self.of_operation(Kind::OperationPaused, operation));
        let lagging = lagging.into_iter().map(|source| self.of_source(source));
        let now: Vec<_> = paused.chain(lagging).collect();
        let failed: Vec<_> =
            failed.into_iter().map(|operation| self.of_operation(Kind::OperationFailed, operation)).collect();
        let seen = now.iter().map(|new| new.subject.clone()).collect();
        for new in now.into_iter().chain(failed) {
            if !self.open.iter().any(|open| open.subject == new.subject) {
                self.tell(new).await?;
            }
        }
        Ok(seen)
    }

    fn of_operation(&self, kind: Kind, operation: WatchedOperation) -> NewIncident {
        let WatchedOperation { id, services, at, detail } = operation;
        // An operation on several squads' services is told to the first of them.
        let squad =
            services.first().map_or_else(|| self.routes.platform().to_owned(), |service| self.squad(service));
        let facts = Facts { since: Some(at), operation: Some(id), detail: Some(detail), ..Facts::default() };
        let subject = format!("operation/{id}/{}", kind.as_str());
        NewIncident { kind, subject, squad, services, groups: Vec::new(), facts }
    }

    fn of_source(&self, source: LaggingSource) -> NewIncident {
        let LaggingSource { place, source, depth, since, is_consumed } = source;
        let why = if is_consumed { "" } else { ", which is not consumed" };
        let facts = Facts {
            dead: depth,
            since: Some(since),
            detail: Some(format!("the source {source} at {place}{why}")),
            ..Facts::default()
        };
        NewIncident {
            kind: Kind::SourceLag,
            subject: format!("source/{}/{}/{source}/{}", place.broker, place.vhost, Kind::SourceLag.as_str()),
            squad: self.routes.platform().to_owned(),
            services: Vec::new(),
            groups: Vec::new(),
            facts,
        }
    }
}
