//! `dead-letter doctor` on a whole broker: faults that are planted are found, what it prints mends them, and a sound broker has none.

mod plants;
mod stand;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::until_eq;
use plants::plant;
use stand::{Stand, commands, found};

/// What is found, once the statistics of the broker know of all that was declared.
async fn until_found(stand: &Stand, expected: &BTreeSet<String>) -> Value {
    until_eq("the findings", expected.clone(), || async { found(&stand.doctor().await.1) }).await;
    stand.doctor().await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn planted_faults_are_found_and_what_is_printed_mends_them() {
    let stand = Stand::start("doctor-faults").await;
    let faults = plant(&stand).await;
    let plants: BTreeSet<_> = faults.iter().map(|(_, thing)| thing).collect();
    assert!(plants.len() >= 30, "{} faults are planted", plants.len());
    let expected = faults.iter().map(|(check, thing)| format!("{check} {thing}")).collect();
    let report = until_found(&stand, &expected).await;
    println!("{} faults in {} things found", expected.len(), plants.len());
    let (code, _) = stand.doctor().await;
    assert_eq!(code, 1);
    let text = stand.text().await;
    assert!(text.contains("rabbitmqctl set_policy") && !text.contains("guest:guest"), "{text}");
    assert!(!text.contains("serving:serving") && !report.to_string().contains("guest:guest"), "{text}");

    stand.apply(&commands(&report)).await;
    // What no command mends: its owner has to declare it otherwise, and the file has to be written.
    stand.broker.delete_queue("w-exclusive").await;
    stand.write_ownership("services: []\n");
    until_found(&stand, &BTreeSet::new()).await;
    let (code, report) = stand.doctor().await;
    assert_eq!((code, commands(&report)), (0, Vec::new()), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_broker_has_no_faults() {
    let stand = Stand::start("doctor-sound").await;
    stand.write_ownership("services: []\n");
    plants::sound(&stand).await;
    until_found(&stand, &BTreeSet::new()).await;
    let (code, report) = stand.doctor().await;
    assert_eq!((code, report["unseen"].as_array().unwrap().len()), (0, 0), "{report:#}");
    // A user who may only read is enough.
    stand.ctl(&["add_user", "watcher", "secret"]);
    stand.ctl(&["set_user_tags", "watcher", "monitoring"]);
    stand.ctl(&["set_permissions", "watcher", "", "", ".*"]);
    let url = stand.servers.management_url.replace("guest:guest", "watcher:secret");
    let (code, report) = stand.doctor_with(&url).await;
    assert_eq!((code, report["unseen"].as_array().unwrap().len()), (0, 0), "{report:#}");
    // So is a wrong password, without it.
    let (code, report) = stand.doctor_with(&url.replace("secret", "wrong-one")).await;
    let text = report.to_string();
    assert!(code == 1 && text.contains("broker_unreachable") && text.contains("401"), "{report:#}");
    assert!(!text.contains("wrong-one"), "{text}");
}

/// Without the address, sources are looked at over AMQP, and what could not be seen is said.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_management_address_it_says_what_it_could_not_see() {
    let stand = Stand::start("doctor-amqp").await;
    stand.write_ownership("services: []\n");
    plants::sound(&stand).await;
    let (code, report) = stand.doctor_with("").await;
    assert_eq!((code, found(&report)), (0, BTreeSet::new()), "{report:#}");
    assert!(report["unseen"].to_string().contains("policies, bindings, and every queue"), "{report:#}");
    plants::bad_sources(&stand).await;
    let (code, report) = stand.doctor_with("").await;
    let expected = [
        "source_missing s-missing",
        "source_is_stream s-stream",
        "source_not_quorum s-classic",
        "source_ttl s-ttl",
    ];
    let found = found(&report);
    assert!(code == 1 && expected.iter().all(|fault| found.contains(*fault)), "{found:?}");
}

/// Files that nobody may read, and servers that are not there.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_told() {
    let stand = Stand::start("doctor-away").await;
    stand.write_ownership("services: []\n");
    plants::sound(&stand).await;
    stand.servers.kill("rabbitmq");
    stand.servers.kill("postgres");
    let (code, report) = stand.doctor().await;
    let found = found(&report);
    let expected = ["database DATABASE_URL", "broker_unreachable main"].map(str::to_owned);
    assert!(code == 1 && expected.iter().all(|fault| found.contains(fault)), "{found:?}");
}
