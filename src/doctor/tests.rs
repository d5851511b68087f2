//! Judgement without a broker: what the documentation names, and cases that a real broker is long in making.

use serde_json::json;

use super::broker::judge;
use super::finding::{Check, Report};
use crate::amqp::{Broker, SourceQueue};
use crate::config::Consumed;
use crate::management::Snapshot;

#[test]
fn the_documentation_names_each_check() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/doctor.md")).unwrap();
    for check in Check::ALL {
        let row =
            page.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{}`", check.name())));
        let severity = format!("| {:?} |", check.severity()).to_lowercase();
        assert!(row.is_some_and(|row| row.contains(&severity)), "{} {severity}", check.name());
    }
}

fn place(vhost: &str, exchange: Option<&str>) -> Consumed {
    let source = SourceQueue { queue: "dead-letter".into(), exchange: exchange.map(str::to_owned) };
    let broker = Broker::new("main", "amqp://localhost/%2f").unwrap().with_vhost(vhost);
    Consumed { broker, sources: vec![source], management: None }
}

fn examine(snapshot: &Snapshot) -> Report {
    judge(snapshot, "http://rabbit:15672/", "main", &[&place("/", Some("dead-letter"))])
}

fn found(report: &Report) -> Vec<String> {
    let findings = report.findings.iter();
    findings.map(|finding| format!("{} {}", finding.check.name(), finding.thing.name)).collect()
}

/// A broker of this version with our source, its exchange, and these queues.
fn snapshot(version: &str, mut queues: Vec<serde_json::Value>) -> Snapshot {
    let arguments = if version.starts_with('4') { json!({"x-delivery-limit": -1}) } else { json!([]) };
    queues.push(json!({"name": "dead-letter", "vhost": "/", "type": "quorum", "durable": true, "arguments": arguments}));
    let exchange = json!({"name": "dead-letter", "vhost": "/", "type": "topic"});
    let binding = json!({"source": "dead-letter", "vhost": "/", "destination": "dead-letter", "destination_type": "queue",
        "routing_key": "#"});
    let of = |values: Vec<serde_json::Value>| serde_json::Value::Array(values);
    Snapshot {
        overview: serde_json::from_value(json!({"rabbitmq_version": version})).unwrap(),
        queues: serde_json::from_value(of(queues)).unwrap(),
        exchanges: serde_json::from_value(of(vec![exchange])).unwrap(),
        bindings: serde_json::from_value(of(vec![binding])).unwrap(),
        ..Snapshot::default()
    }
}

fn work_queue(name: &str, policy: &serde_json::Value) -> serde_json::Value {
    json!({"name": name, "vhost": "/", "type": "quorum", "durable": true, "policy": "p", "effective_policy_definition": policy})
}

#[test]
fn the_limit_by_default_belongs_to_rabbitmq_4() {
    assert_eq!(found(&examine(&snapshot("3.10.8", vec![]))), Vec::<String>::new());
    assert_eq!(found(&examine(&snapshot("4.3.6", vec![]))), Vec::<String>::new());
    let mut limited = snapshot("4.0.5", vec![]);
    limited.queues[0].arguments.clear();
    let report = examine(&limited);
    assert_eq!(found(&report), ["source_delivery_limit dead-letter"]);
    assert_eq!(
        report.commands(),
        [
            "rabbitmqctl set_policy --vhost / --priority 0 --apply-to queues dead-letter-doctor-dead-letter '^dead\\-letter$' \
          '{\"delivery-limit\":-1}'"
        ]
    );
}

/// A user who may not read policies still learns what they set, and gets a policy that is above them.
#[test]
fn policies_that_may_not_be_read_are_known_by_what_they_set() {
    let policy = json!({"dead-letter-exchange": "dead-letter", "max-length": 9});
    let report = examine(&snapshot("3.10.8", vec![work_queue("orders", &policy)]));
    assert_eq!(found(&report), ["at_most_once orders", "drop_head orders"]);
    let commands = report.commands();
    assert!(commands.len() == 1 && commands[0].contains("--priority 1000"), "{commands:?}");
    for kept in
        ["\"max-length\":9", "\"overflow\":\"reject-publish\"", "\"dead-letter-exchange\":\"dead-letter\""]
    {
        assert!(commands[0].contains(kept), "{commands:?}");
    }
}

/// A delay queue leads back to the work queue, which is not a place where dead letters end.
#[test]
fn a_work_queue_behind_a_delay_is_not_for_parking() {
    let delay = json!({"dead-letter-exchange": "", "dead-letter-routing-key": "orders", "message-ttl": 1000,
        "dead-letter-strategy": "at-least-once", "overflow": "reject-publish"});
    let report =
        examine(&snapshot("3.10.8", vec![work_queue("later", &delay), work_queue("orders", &json!({}))]));
    assert_eq!(found(&report), ["no_dead_letter_exchange orders"]);
}

/// A broker with many queues is judged in a moment.
#[test]
fn ten_thousand_queues_are_judged_in_a_moment() {
    let policy = json!({"dead-letter-exchange": "dead-letter"});
    let queues = (0..10_000).map(|number| work_queue(&format!("q{number}"), &policy)).collect();
    let report = examine(&snapshot("4.3.6", queues));
    assert_eq!(report.findings.len(), 10_000);
}
