//! The metrics of squads: how many dead letters each owns, and how old the oldest is.

use chrono::TimeDelta;
use dead_letter::clock;
use reqwest::Method;
use serde_json::json;

use crate::support::{DeadMessage, World, id, until_eq};

/// Dead letters of the squad, and the age of its oldest in seconds.
async fn squad(world: &World, name: &str) -> (f64, f64) {
    let metric = async |metric: &str| world.service.metric(&format!("{metric}{{squad=\"{name}\"}}")).await;
    (metric("dead_letter_squad_dead").await, metric("dead_letter_squad_oldest_seconds").await)
}

async fn until_dead(world: &World, name: &str, dead: f64) {
    until_eq(&format!("{name} has {dead}"), true, || async {
        (squad(world, name).await.0 - dead).abs() < f64::EPSILON
    })
    .await;
}

/// Owned, unowned, muted, and deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_squad_has_metrics_of_what_it_owns() {
    let ownership = tempfile::NamedTempFile::new().unwrap();
    let rules =
        "services:\n  - {service: webshop, squad: checkout}\n  - {service: \"mail*\", squad: messaging}\n";
    std::fs::write(&ownership, rules).unwrap();
    let world =
        World::start_with(&[("DEAD_LETTER_OWNERSHIP_FILE", ownership.path().to_str().unwrap())]).await;
    for (service, count) in [("webshop", 3), ("mailer", 2), ("nobodys", 1)] {
        for _ in 0..count {
            world.publish(DeadMessage::new(&id(), &format!("gone_{service}")).error("E", "it failed")).await;
        }
    }
    world.until_stored(6).await;
    until_dead(&world, "checkout", 3.0).await;
    until_dead(&world, "messaging", 2.0).await;
    until_dead(&world, "unowned", 1.0).await;
    let (_, oldest) = squad(&world, "checkout").await;
    assert!(oldest < 86_400.0, "{oldest} s");

    let groups = world.api().get("/dead-letters/error-groups?service=mailer").await.assert(200).json;
    let path = format!("/dead-letters/error-groups/{}", groups["groups"][0]["id"].as_str().unwrap());
    let mute = json!({"action": "mute", "mutedUntil": clock::now() + TimeDelta::hours(1)});
    world.api().send(world.api().request(Method::PATCH, &path).json(&mute)).await.assert(200);
    until_dead(&world, "messaging", 0.0).await;
    assert_eq!(squad(&world, "messaging").await, (0.0, 0.0), "what is muted has no age");

    let delete = world.api().request(Method::DELETE, "/dead-letters?service=webshop&wait=10");
    world.api().send(delete).await.assert(200);
    until_eq("checkout has none", (0.0, 0.0), || squad(&world, "checkout")).await;
}
