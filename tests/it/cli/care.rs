//! Who is on an error group, its ticket, and groups that are one: by the command line.

use super::{client, world};
use crate::support::DeadMessage;

#[tokio::test(flavor = "multi_thread")]
async fn error_groups_are_assigned_linked_merged_and_split() {
    let world = world().await;
    let other = DeadMessage::new("another", "work_webshop").error("Timeout", "no answer");
    world.publish(other).await;
    world.until_stored(4).await;
    let of = async |query: &str| world.only(query).await["errorGroup"].as_str().unwrap().to_owned();
    let (timeout, mailer) = (of("error=no+answer").await, of("service=mailer").await);
    let group = client(&world, &["groups", "--service", "webshop", "--json"]).await.assert(0).json();
    let declined = group["groups"][0]["id"].as_str().unwrap().to_owned();
    let nobody = client(&world, &["groups", "--service", "webshop"]).await.assert(0).out;
    assert!(!nobody.contains("ASSIGNED TO"), "{nobody}");

    let assigned = client(&world, &["assign", &declined[..8], "user:default/ada", "--note", "yours"])
        .await
        .assert(0)
        .out;
    assert!(
        assigned.contains("assigned to") && assigned.contains("assign user:default/ada: yours"),
        "{assigned}"
    );
    let url = "https://t.example/SHOP-1";
    let linked = client(&world, &["link", &declined, url, "--key", "SHOP-1"]).await.assert(0).out;
    assert!(linked.contains(&format!("SHOP-1 {url}")), "{linked}");
    let mine = client(&world, &["groups", "--assignee", "user:default/ada"]).await.assert(0);
    assert!(mine.out.contains("ASSIGNED TO") && mine.err.starts_with("1 of 1 groups"), "{mine:?}");
    let refused = client(&world, &["link", &declined, "SHOP-1"]).await.assert(2).err;
    assert!(refused.contains("must be an address"), "{refused}");

    let merged = client(&world, &["merge", &declined, &timeout[28..]]).await.assert(0).out;
    assert!(merged.contains("Merged into it") && merged.contains(&timeout), "{merged}");
    assert!(client(&world, &["ls", "--error-group", &timeout]).await.assert(0).err.starts_with("3 of 3"));
    let across = client(&world, &["merge", &declined, &mailer]).await.assert(2).err;
    assert!(across.contains("Only groups of one service"), "{across}");
    let short = client(&world, &["split", &declined, &timeout[28..]]).await.assert(2).err;
    assert!(short.contains("is not a full id"), "{short}");
    let split = client(&world, &["split", &declined, &timeout, "--note", "two bugs"]).await.assert(0).out;
    assert!(!split.contains("Merged into it") && split.contains("split: two bugs"), "{split}");

    let log = client(&world, &["shift-log"]).await.assert(0).out;
    assert!(log.contains("assign user:default/ada") && log.contains(&format!("link SHOP-1 {url}")), "{log}");
    client(&world, &["unlink", &declined]).await.assert(0);
    let bare = client(&world, &["unassign", &declined, "--json"]).await.assert(0).json();
    assert!(bare["assignee"].is_null() && bare["ticket"].is_null(), "{bare}");
}
