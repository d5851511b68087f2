//! The report, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use super::finding::{Finding, Report, Severity, Thing};

impl Report {
    /// The worst first, and those of one thing together.
    pub(super) fn sort(&mut self) {
        let mut worst: BTreeMap<Thing, Severity> = BTreeMap::new();
        for Finding { thing, severity, .. } in &self.findings {
            worst.entry(thing.clone()).and_modify(|known| *known = *severity.min(known)).or_insert(*severity);
        }
        self.findings.sort_by_cached_key(|Finding { thing, severity, check, .. }| {
            (worst.get(thing).copied(), thing.clone(), *severity, *check)
        });
    }

    /// The worst that was found.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).min()
    }

    /// All commands that mend something, each once, in their order.
    pub fn commands(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let all = self.findings.iter().flat_map(|finding| &finding.mend.commands).map(String::as_str);
        all.filter(|command| seen.insert(*command)).collect()
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "findings": self.findings,
            "commands": self.commands(),
            "seen": self.seen,
            "unseen": self.unseen,
        })
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for of_thing in self.findings.chunk_by(|one, other| one.thing == other.thing) {
            write_thing(&mut text, of_thing);
        }
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        line(&mut text, &format!("{errors} errors, {warnings} warnings"));
        for seen in &self.seen {
            line(&mut text, &format!("looked at {seen}"));
        }
        for unseen in &self.unseen {
            line(&mut text, &format!("could not see {unseen}"));
        }
        text
    }
}

fn write_thing(text: &mut String, findings: &[Finding]) {
    line(text, &findings[0].thing.to_string());
    for Finding { severity, check, happens, .. } in findings {
        let severity = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        line(text, &format!("  {severity} {}: {happens}", check.name()));
    }
    let mut mends: Vec<_> = findings.iter().map(|finding| &finding.mend).collect();
    mends.dedup();
    for mend in mends {
        let advice = if mend.advice.is_empty() { String::new() } else { format!(" {}", mend.advice) };
        line(text, &format!("  mend:{advice}"));
        for command in &mend.commands {
            line(text, &format!("    {command}"));
        }
    }
    text.push('\n');
}

fn line(text: &mut String, line: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{line}");
}
