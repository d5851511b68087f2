//! The outbox: nothing that was decided is lost, and a repetition can be told by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::Rng;
use serde_json::json;

use super::Told;
use crate::support::{is_full, until, until_eq};

/// A receiver that is away is tried again with the same id.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_away_gets_it_later() {
    let told = Told::start().await;
    told.receiver.answers(503);
    told.dies("webshop", "Declined").await;
    until("an attempt", || async { (!told.receiver.all().is_empty()).then_some(()) }).await;
    told.receiver.answers(204);
    let confirmed = told.receiver.until_confirmed("/hook", 1).await;
    let ids: BTreeSet<_> =
        told.receiver.all().iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 1, "the same id at each attempt");
    confirmed[0].assert_signed();
    until_eq("it is recorded as sent", json!("sent"), || async {
        told.incident("newErrorGroup", "open").await["notifications"][0]["state"].clone()
    })
    .await;
    assert!(
        told.world
            .service
            .metric("dead_letter_notifications_total{channel=\"hook\",outcome=\"retried\"}")
            .await
            >= 1.0
    );
}

/// What cannot be sent for too long is given up, loudly.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_seen() {
    let told = Told::with("give-up-after: 1s\nroutes:\n  - {channels: [hook]}\n", &[]).await;
    told.receiver.answers(401);
    told.dies("webshop", "Declined").await;
    let notification = until("it is given up", || async {
        let incident = told.incident("newErrorGroup", "open").await;
        Some(incident["notifications"][0].clone()).filter(|one| one["state"] == "failed")
    })
    .await;
    assert_eq!(notification["lastError"], "the receiver answered 401 Unauthorized");
    assert!(
        told.world
            .service
            .metric("dead_letter_notifications_total{channel=\"hook\",outcome=\"failed\"}")
            .await
            >= 1.0
    );
    assert!(told.world.service.metric("dead_letter_outbox{state=\"failed\"}").await >= 1.0);
}

/// Kills at any instruction: each incident is told, each event with one id only, and what came twice has the same id.
#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_notification_and_a_repetition_has_the_same_id() {
    let mut told = Told::start().await;
    // So that a kill often meets a notification that is on its way.
    told.receiver.answers_after(Duration::from_millis(100));
    let kills = if is_full() { 200 } else { 20 };
    let services = ["mail", "loan", "webshop"];
    let mut expected = 0;
    for kill in 0..kills {
        if kill % 4 == 0 && expected < 24 {
            for service in services {
                told.dies(service, &format!("Bug{}", (0..=kill).map(|_| 'x').collect::<String>())).await;
                expected += 1;
            }
        }
        told.world.service.until_ready().await;
        // Not to wait for anything: any moment is as good as another.
        let moment = rand::rng().random_range(0..5_000);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        told.world.service.restart();
    }
    told.world.service.until_ready().await;
    let told_of = || {
        let mut ids: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for got in told.receiver.all() {
            ids.entry(got.about()).or_default().insert(got.header("webhook-id").to_owned());
        }
        ids
    };
    until_eq("every incident is told", expected, || async { told_of().len() }).await;
    assert_eq!(told.incidents("state=open&limit=200").await.len(), expected);
    // The end of them, too.
    told.sql("UPDATE error_group SET resolved_at = now() + interval '1 hour'").await;
    until_eq("every end is told", 2 * expected, || async { told_of().len() }).await;
    for (about, ids) in told_of() {
        assert_eq!(ids.len(), 1, "{about:?} was told with more than one id: {ids:?}");
    }
    told.receiver.all().iter().for_each(super::receiver::Got::assert_signed);
    let repeated = told.receiver.all().len() - 2 * expected;
    println!("{kills} kills, {} notifications, {repeated} of them came again with the same id", 2 * expected);
    assert!(repeated <= kills * 4, "{repeated} repetitions");
}
