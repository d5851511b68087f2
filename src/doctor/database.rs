//! Examines the database.

use chrono::{DateTime, TimeDelta, Utc};

use super::finding::{Check, Finding, Mend, Report, Thing, capital};
use crate::clock;
use crate::store::{Examined, Schema, Store};

/// PostgreSQL 15.
const OLDEST: i32 = 150_000;
/// Times of arrival are ours, and leases are the database's. More makes both hard to read together.
const CLOCKS_MAY_DIFFER: TimeDelta = TimeDelta::seconds(5);
/// So many privileges are named.
const NAMED: usize = 5;

/// What is wrong with the database.
pub(super) async fn examine(store: &Store) -> Report {
    match store.examine(clock::now).await {
        Ok(examined) => Report {
            findings: judge(&examined),
            seen: vec![format!(
                "database: PostgreSQL {}.{}, as the role {}",
                examined.version / 10_000,
                examined.version % 10_000,
                examined.role
            )],
            unseen: Vec::new(),
        },
        Err(error) => {
            let thing = Thing::named("database", "DATABASE_URL");
            let happens =
                capital(&format!("{error}. Nothing can be stored, so everything stays in the sources."));
            let mend =
                Mend::advice("Check DATABASE_URL, and that the server runs and accepts the connection.");
            Report {
                findings: vec![Finding::new(Check::Database, &thing, happens, &mend)],
                ..Report::default()
            }
        }
    }
}

fn judge(examined: &Examined) -> Vec<Finding> {
    let thing = Thing::named("database", "DATABASE_URL");
    let finding = |check, happens: String, mend: &Mend| Finding::new(check, &thing, happens, mend);
    let mut findings = Vec::new();
    if examined.version < OLDEST {
        let happens = "The database is older than PostgreSQL 15: migrations fail.";
        findings.push(finding(Check::DatabaseVersion, happens.into(), &Mend::advice("Upgrade PostgreSQL.")));
    }
    for (name, value) in &examined.not_durable {
        let happens = format!(
            "{name} is {value}: a crash of the database loses dead letters that the broker no longer has."
        );
        let mend = Mend {
            advice: "As a superuser, in psql:".into(),
            commands: vec![format!(
                "psql --command 'ALTER SYSTEM RESET {name}' --command 'SELECT pg_reload_conf()'"
            )],
        };
        findings.push(finding(Check::DatabaseDurability, happens, &mend));
    }
    findings.extend(judge_schema(examined, &thing));
    if !examined.lacking.is_empty() {
        let named = examined.lacking.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = match examined.lacking.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let happens = format!(
            "The role {} lacks {named}{more}: dead letters stay in their sources, or requests fail.",
            examined.role
        );
        findings.push(finding(Check::Grants, happens, &granting(&examined.role)));
    }
    let (before, theirs, after) = examined.clock;
    if let Some(difference) = clocks_differ(before, theirs, after) {
        let happens = format!(
            "The clock of the database differs from ours by {} s: times of arrival, ages and the days of retention are wrong by as much.",
            difference.num_seconds()
        );
        findings.push(finding(Check::Clock, happens, &Mend::advice("Synchronise both machines by NTP.")));
    }
    findings
}

fn judge_schema(examined: &Examined, thing: &Thing) -> Option<Finding> {
    let (happens, mend) = match &examined.schema {
        None => (
            "Migrations are missing: `dead-letter serve` stores nothing until they are applied. It applies them if its role owns the \
             tables."
                .to_owned(),
            Mend {
                advice: "As the owner of the tables:".into(),
                commands: vec!["dead-letter migrate".into()],
            },
        ),
        Some(Schema::Unusable(why)) => {
            (capital(&format!("{why}.")), Mend::advice("Nothing is stored until then."))
        }
        Some(Schema::Unknown | Schema::Current | Schema::Newer(_)) => return None,
    };
    Some(Finding::new(Check::Schema, thing, happens, &mend))
}

fn granting(role: &str) -> Mend {
    Mend {
        advice: "With DATABASE_URL of the owner of the tables:".into(),
        commands: vec![format!("dead-letter migrate --grant-to {}", super::shell::quoted(role))],
    }
}

/// The difference of the clocks, where it is more than the time of the question explains.
fn clocks_differ(before: DateTime<Utc>, theirs: DateTime<Utc>, after: DateTime<Utc>) -> Option<TimeDelta> {
    let ahead = theirs - after;
    let behind = before - theirs;
    [ahead, behind].into_iter().find(|difference| *difference > CLOCKS_MAY_DIFFER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined() -> Examined {
        let now = DateTime::UNIX_EPOCH;
        Examined {
            version: 150_020,
            clock: (now, now, now),
            not_durable: Vec::new(),
            schema: Some(Schema::Current),
            role: "serving".into(),
            lacking: Vec::new(),
        }
    }

    fn found(examined: &Examined) -> Vec<&'static str> {
        judge(examined).iter().map(|finding| finding.check.name()).collect()
    }

    #[test]
    fn each_fault_of_a_database_is_found() {
        assert_eq!(found(&examined()), Vec::<&str>::new());
        let newer = Schema::Newer(vec!["migration 99 (later)".into()]);
        assert_eq!(found(&Examined { schema: Some(newer), ..examined() }), Vec::<&str>::new());
        let off = vec![("fsync".to_owned(), "off".to_owned())];
        let now = DateTime::UNIX_EPOCH;
        let faulty = Examined {
            version: 140_012,
            clock: (now, now + TimeDelta::seconds(6), now),
            not_durable: off,
            schema: None,
            lacking: vec!["UPDATE on operation".into()],
            ..examined()
        };
        assert_eq!(found(&faulty), ["database_version", "database_durability", "schema", "grants", "clock"]);
    }

    #[test]
    fn a_slow_answer_is_no_difference_of_clocks() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        assert_eq!(clocks_differ(at(0), at(10), at(20)), None);
        assert_eq!(clocks_differ(at(0), at(4), at(0)), None);
        assert_eq!(clocks_differ(at(0), at(26), at(20)), Some(TimeDelta::seconds(6)));
        assert_eq!(clocks_differ(at(10), at(0), at(11)), Some(TimeDelta::seconds(10)));
    }
}
