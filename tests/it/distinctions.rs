//! Why these, and not the others of the same service.

mod causes;
mod draft;

use reqwest::Method;
use serde_json::{Value, json};

use crate::access::{Access, new_token};
use crate::support::{DeadMessage, World, id, text, until};
use causes::{CAUSES, Cause, is};
use draft::Draft;

/// Messages of each error group with a planted cause, and the others of its service.
const INSIDE: u64 = 40;
const OUTSIDE: u64 = 160;
/// A cause counts as found among so many distinctions.
const TOP: usize = 3;
/// Of twenty causes at least so many are to be found.
const FOUND: usize = 18;

/// Where among the distinctions the cause is, from 1. One that holds for nearly the same dead letters counts as the one it is told with.
fn rank(cause: &Cause, answer: &Value) -> Option<usize> {
    let told = answer["distinctions"].as_array().unwrap();
    let is_found = |distinction: &Value| {
        ["conditions", "together"]
            .iter()
            .any(|name| distinction[*name].as_array().unwrap().iter().any(|told| (cause.is_found)(told)))
    };
    told.iter().position(is_found).map(|place| place + 1)
}

async fn distinctions(world: &World, service: &str, error_type: &str) -> Value {
    let groups =
        world.api().get(&format!("/dead-letters/error-groups?service={service}")).await.assert(200).json;
    let groups = groups["groups"].as_array().unwrap().clone();
    let group = groups.into_iter().find(|group| group["errorType"] == error_type).unwrap();
    let path = format!("/dead-letters/error-groups/{}/distinctions", group["id"].as_str().unwrap());
    world.api().get(&path).await.assert(200).json
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_planted_causes_eighteen_are_among_the_first_three() {
    let world = World::start().await;
    assert_eq!(CAUSES.len(), 20);
    for (number, cause) in CAUSES.iter().enumerate() {
        for row in 0..INSIDE + OUTSIDE {
            let mut draft = Draft::new(row + 1_000 * number as u64, row < INSIDE);
            (cause.plant)(&mut draft);
            world.publish(draft.message(&format!("shop{number}"))).await;
        }
    }
    world.until_stored(((INSIDE + OUTSIDE) * CAUSES.len() as u64) as i64).await;
    let mut found = 0;
    for (number, cause) in CAUSES.iter().enumerate() {
        let answer = distinctions(&world, &format!("shop{number}"), "Planted").await;
        assert_eq!((&answer["comparedWith"], &answer["payload"]), (&json!("service"), &json!(true)));
        let rank = rank(cause, &answer);
        found += usize::from(rank.is_some_and(|rank| rank <= TOP));
        let shown =
            rank.map_or_else(|| format!("not found: {}", answer["distinctions"]), |rank| rank.to_string());
        println!("{:<44} {shown}", cause.name);
    }
    println!("{found} of {} are among the first {TOP}", CAUSES.len());
    assert!(found >= FOUND, "{found} of {} are among the first {TOP}", CAUSES.len());
}

/// Bodies that cannot be read do no harm. A group without others is compared with nothing, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_and_a_group_that_is_alone() {
    let world = World::start().await;
    let bodies: [Vec<u8>; 5] = [
        b"\xff\x00\xfe".to_vec(),
        vec![b'{'; 4_000],
        b"{\"a\":1,".to_vec(),
        format!("[{}0]", "0,".repeat(40_000)).into_bytes(),
        Vec::new(),
    ];
    for body in &bodies {
        let message = DeadMessage::new(&id(), "work_alone").error("Planted", "it broke").body(body.clone());
        world.publish(message.header("release", text("42"))).await;
    }
    world.until_stored(bodies.len() as i64).await;
    let answer = distinctions(&world, "alone", "Planted").await;
    assert_eq!((&answer["comparedWith"], &answer["unreadBodies"]), (&json!("nothing"), &json!(1)));
    assert_eq!((&answer["inside"]["messages"], &answer["inside"]["choice"]), (&json!(5), &json!("all")));
    let told = answer["distinctions"].as_array().unwrap();
    let is_common = |told: &Value| is(told, "header", Some("release"), "is", Some("42"));
    let all = told.iter().flat_map(|one| ["conditions", "together"].map(|name| one[name].clone()));
    assert!(all.flat_map(|list| list.as_array().unwrap().clone()).any(|told| is_common(&told)), "{answer}");
}

/// Without `read-payload` nothing is told of publishers, headers and bodies. With it, the audit says who looked.
#[tokio::test(flavor = "multi_thread")]
async fn payloads_are_for_those_who_may_read_them_and_are_audited() {
    let access = Access::new(
        "grants:\n  - {to: ['token:reader'], on: everything, may: [read]}\n  \
           - {to: ['token:viewer'], on: everything, may: [read, read-payload, admin]}\n",
    );
    let [(reader, first), (viewer, second)] = ["reader", "viewer"].map(new_token);
    access.know(&[&first, &second]);
    let world = World::start_with(&access.settings()).await;
    for (error, count) in [("Planted", 4), ("Other", 20)] {
        for _ in 0..count {
            let message = DeadMessage::new(&id(), "work_pay").error(error, error);
            world.publish(message.header("tenant", text(&format!("tenant-{error}")))).await;
        }
    }
    let ask = async |token: &str, path: &str| {
        let request = world.api().request(Method::GET, path).bearer_auth(token);
        world.api().send(request).await.assert(200).json
    };
    let group = until("all are stored", || async {
        let answer = ask(&viewer, "/dead-letters/error-groups").await;
        let groups = answer["groups"].as_array()?.clone();
        let group = groups.iter().find(|group| group["errorType"] == "Planted" && group["count"] == 4)?;
        (answer["messages"] == 24).then(|| group["id"].as_str().unwrap().to_owned())
    })
    .await;
    let path = format!("/dead-letters/error-groups/{group}/distinctions");
    let hidden = ask(&reader, &path).await;
    assert_eq!(hidden["payload"], false);
    assert!(!hidden.to_string().contains("tenant"), "{hidden}");
    let shown = ask(&viewer, &path).await;
    assert_eq!(shown["distinctions"][0]["conditions"][0]["name"], "tenant", "{shown}");
    ask(&viewer, "/dead-letters/facets?by=header&service=pay").await;
    let read = ask(&viewer, "/audit?action=readPayload").await;
    let entries = read["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{read}");
    assert!(
        entries
            .iter()
            .all(|entry| entry["actor"]["id"] == "token:viewer" && entry["services"] == json!(["pay"]))
    );
    assert_eq!(
        (&entries[1]["errorGroupId"], &entries[0]["details"]["sampled"]),
        (&json!(group), &json!(24)),
        "{read}"
    );
}
