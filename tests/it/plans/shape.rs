//! What is worth keeping of a plan: which tables are read, how, and along which index.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The plans that a server has sent as notices.
#[derive(Clone, Debug, Default)]
pub struct Plans(Arc<Mutex<Vec<Value>>>);

impl Plans {
    /// The shapes of those that came since the last time, each once.
    pub fn take(&self) -> Vec<String> {
        let plans = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let shapes = plans.iter().map(|plan| {
            let mut shape = String::new();
            for line in lines(&plan["Plan"], 1) {
                writeln!(shape, "{line}").unwrap();
            }
            shape
        });
        let mut different: Vec<String> = Vec::new();
        for shape in shapes {
            // What reads no table is of no interest.
            if shape.contains(" on ") && !different.contains(&shape) {
                different.push(shape);
            }
        }
        different
    }
}

impl<S: Subscriber> Layer<S> for Plans {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        if let Some((_, plan)) = text.0.split_once("plan:\n") {
            let plan = serde_json::from_str(plan).expect("a plan in JSON");
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// A line for each node. The partitions of a table are one where they are read alike.
fn lines(node: &Value, depth: usize) -> Vec<String> {
    let mut children: Vec<Vec<String>> = Vec::new();
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let is_append = kind == "Append" || kind == "Merge Append";
    for child in node["Plans"].as_array().into_iter().flatten() {
        let lines = lines(child, depth + 1);
        if !is_append || !children.contains(&lines) {
            children.push(lines);
        }
    }
    let text = |name: &str| node[name].as_str().map(without_day);
    let mut line = format!("{}{kind}", "  ".repeat(depth));
    if let Some(operation) = text("Operation") {
        write!(line, " ({operation})").unwrap();
    }
    if let Some(table) = text("Relation Name") {
        write!(line, " on {table}").unwrap();
    }
    if let Some(index) = text("Index Name") {
        write!(line, " by {index}").unwrap();
    }
    if node["Scan Direction"] == "Backward" {
        line.push_str(", backwards");
    }
    if is_append && children.len() == 1 {
        // How many there are depends on the day.
        return children.remove(0).into_iter().map(|line| line[2..].to_owned()).collect();
    }
    std::iter::once(line).chain(children.into_iter().flatten()).collect()
}

/// The name of a partition, or of something of one, as that of its table.
fn without_day(name: &str) -> String {
    let is_day = |part: &&str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_digit());
    name.split('_').filter(|part| !is_day(part) && *part != "default").collect::<Vec<_>>().join("_")
}
