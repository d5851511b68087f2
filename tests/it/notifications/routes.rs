//! Whom, when, and what if the file is wrong.

use chrono::{TimeDelta, Utc};
use dead_letter::clock;
use serde_json::json;

use super::Told;
use crate::support::until;

/// Quiet hours that began an hour ago and end in two.
fn quiet_now() -> (String, chrono::DateTime<Utc>) {
    let now = clock::now();
    let time = |at: chrono::DateTime<Utc>| at.format("%H:%M").to_string();
    let end = now + TimeDelta::hours(2);
    let quiet = format!(
        "quiet-hours: {{from: '{}', to: '{}', zone: UTC}}",
        time(now - TimeDelta::hours(1)),
        time(end)
    );
    (quiet, end)
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_hold_what_can_wait() {
    let (quiet, end) = quiet_now();
    let routes = format!("routes:\n  - {{channels: [hook], {quiet}}}\n  - {{channels: [other]}}\n");
    let told = Told::with(&routes, &[]).await;
    told.dies("webshop", "Declined").await;
    told.receiver.until_confirmed("/other", 1).await;
    let incident = told.incident("newErrorGroup", "open").await;
    let held =
        &incident["notifications"].as_array().unwrap().iter().find(|one| one["channel"] == "hook").unwrap();
    assert_eq!((&held["state"], &held["held"]), (&json!("pending"), &json!(true)), "{held}");
    let due: chrono::DateTime<Utc> = held["dueAt"].as_str().unwrap().parse().unwrap();
    assert!((end - due).abs() < TimeDelta::minutes(2), "{due} instead of {end}");
    assert!(told.world.service.metric("dead_letter_outbox{state=\"held\"}").await >= 1.0);

    // What is over before the end of quiet hours is not told at all to whom it was held for.
    let filter = json!({"filter": {"service": "webshop"}});
    told.world.api().delete("/dead-letters?wait=30", &filter).await.assert(200);
    told.receiver.until_confirmed("/other", 2).await;
    let over = told.incident("newErrorGroup", "resolved").await;
    let of_hook: Vec<_> =
        over["notifications"].as_array().unwrap().iter().filter(|one| one["channel"] == "hook").collect();
    assert_eq!((of_hook.len(), &of_hook[0]["state"]), (1, &json!("dropped")), "{over}");
    assert_eq!(told.receiver.confirmed("/hook").len(), 0);

    // Unless it is urgent: the file is read again.
    told.reroute(&format!("severities: {{new-error-group: critical}}\n{routes}"));
    let mut number = 0;
    until("an urgent one is told at once", || {
        number += 1;
        let error = format!("Urgent{}", (0..number).map(|_| 'x').collect::<String>());
        let told = &told;
        async move {
            told.dies("webshop", &error).await;
            told.until_looked_twice().await;
            (!told.receiver.confirmed("/hook").is_empty()).then_some(())
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_tries_whether_it_arrives() {
    let told = Told::start().await;
    let test = told.world.api().post("/notifications/test", &json!({"squad": "shop"})).await.assert(202).json;
    assert_eq!(test["notifications"][0]["channel"], "hook");
    let got = told.receiver.until_confirmed("/hook", 1).await;
    got[0].assert_signed();
    assert_eq!(got[0].json["data"]["title"], "Test notification for shop");
    assert_eq!(told.incident("test", "resolved").await["resolution"], "it was a test");
    told.receiver.until_confirmed("/hook", 2).await;
    let audit = told.get("/audit?action=testNotification").await;
    assert_eq!(audit["entries"][0]["details"], json!({"squad": "shop"}));
    for body in
        [json!({}), json!({"squad": ""}), json!({"squad": "a", "channel": "b"}), json!({"squad": "a\u{0}"})]
    {
        told.world.api().post("/notifications/test", &body).await.assert(400);
    }
    for (path, field) in
        [("/incidents?state=gone", "state"), ("/incidents?kind=7", "kind"), ("/incidents/7", "id")]
    {
        assert_eq!(told.world.api().get(path).await.assert(400).json["errors"][0]["field"], field);
    }
    told.world.api().get(&format!("/incidents/{}", uuid::Uuid::nil())).await.assert(404);
}
