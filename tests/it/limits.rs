//! What one caller may ask for at most: rates, plans, operations, streams.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::access::{Access, new_token};
use crate::cli::{command, run};
use crate::support::api::Answer;
use crate::support::{DeadMessage, World, id, until};

/// A service with these limits, and the tokens of two callers who may do everything.
async fn world_of_two(limits: &[(&str, &str)]) -> (World, [String; 2], Access) {
    let access = Access::to_everyone();
    let (one, other) = (new_token("one"), new_token("other"));
    access.know(&[&one.1, &other.1]);
    let world = World::start_with(&[&access.settings()[..], limits].concat()).await;
    (world, [one.0, other.0], access)
}

async fn ask(world: &World, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let request = world.api().request(method, path).bearer_auth(token);
    world
        .api()
        .send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
}

async fn get(world: &World, token: &str, path: &str) -> Answer {
    ask(world, token, Method::GET, path, None).await
}

async fn post(world: &World, token: &str, path: &str, body: &Value) -> Answer {
    ask(world, token, Method::POST, path, Some(body)).await
}

/// The answer says which limit it is, and when to come again.
fn assert_limited(answer: &Answer, kind: &str) {
    assert_eq!((answer.status, &answer.json["type"]), (StatusCode::TOO_MANY_REQUESTS, &json!(kind)));
    let seconds: u32 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds > 0);
    let detail = answer.json["detail"].as_str().unwrap();
    let seconds = [format!("{seconds} second"), format!("{} second", seconds.saturating_sub(1))];
    assert!(seconds.iter().any(|seconds| detail.contains(seconds)), "{detail}");
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

async fn limited(world: &World, kind: &str) -> i64 {
    world.service.metric(&format!("dead_letter_http_limited_total{{type=\"{kind}\"}}")).await as i64
}

#[tokio::test(flavor = "multi_thread")]
async fn each_caller_has_a_rate_of_its_own() {
    let (world, [one, other], _access) = world_of_two(&[("DEAD_LETTER_REQUESTS_PER_SECOND", "1")]).await;
    let answers = join_all((0..40).map(|_| get(&world, &one, "/dead-letters/squad-overview"))).await;
    let good = count(&answers, 200);
    assert!((10..30).contains(&good), "ten at once, and one in each second: {good}");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    for answer in &refused {
        assert_limited(answer, "too-many-requests");
    }
    get(&world, &other, "/dead-letters/squad-overview").await.assert(200);
    assert!(limited(&world, "too-many-requests").await >= refused.len() as i64);
    // It passes.
    until("the caller is let in again", || async {
        (get(&world, &one, "/dead-letters/squad-overview").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_have_a_rate_that_reading_does_not_use_up() {
    let (world, [one, _], _access) = world_of_two(&[("DEAD_LETTER_ACTS_PER_MINUTE", "3")]).await;
    let request = json!({"kind": "delete", "all": true});
    for _ in 0..20 {
        get(&world, &one, "/operations").await.assert(200);
    }
    for _ in 0..3 {
        post(&world, &one, "/operations/plan", &request).await.assert(201);
    }
    let refused = post(&world, &one, "/operations", &request).await;
    assert_limited(&refused, "too-many-requests");
    assert_eq!(world.database.count("operation").await, 0, "nothing was done");
    get(&world, &one, "/operations").await.assert(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_again_and_again_is_no_longer_written_down() {
    let limit = [("DEAD_LETTER_REFUSED_SIGN_INS_PER_MINUTE", "5")];
    let (world, [one, _], _access) = world_of_two(&limit).await;
    let mut statuses = Vec::new();
    for attempt in 0..12 {
        let answer = match attempt % 2 {
            0 => get(&world, "dlt_wrong", "/dead-letters").await,
            _ => world.api().get_once("/dead-letters").await,
        };
        if answer.status != 401 {
            assert_limited(&answer, "too-many-requests");
        }
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(statuses, [[401; 5].as_slice(), &[429; 7]].concat());
    // Others, who may have the same address, are let in.
    get(&world, &one, "/dead-letters").await.assert(200);
    let refusals = "SELECT COALESCE(sum(times), 0)::bigint FROM audit_entry WHERE action = 'unauthenticated'";
    let refusals =
        || async { sqlx::query_scalar::<_, i64>(refusals).fetch_one(&world.database.pool).await.unwrap() };
    until("the refusals are written down", || async { (refusals().await >= 5).then_some(()) }).await;
    assert_eq!(refusals().await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_at_the_same_time_do_not_slip_past_the_limit() {
    let (world, [one, other], _access) = world_of_two(&[("DEAD_LETTER_PLANS_PER_CALLER", "3")]).await;
    world.publish(DeadMessage::new(&id(), &id())).await;
    world.until_stored(1).await;
    let request = json!({"kind": "delete", "all": true});
    let answers = join_all((0..20).map(|_| post(&world, &one, "/operations/plan", &request))).await;
    assert_eq!((count(&answers, 201), count(&answers, 429)), (3, 17));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_limited(refused, "too-many-plans");
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("You have 3 plans that can still be run, and no more are allowed. Run some"),
        "{detail}"
    );
    assert_eq!(world.database.count("operation_plan").await, 3);
    assert_eq!(world.database.count("operation_plan_item").await, 3);
    post(&world, &other, "/operations/plan", &request).await.assert(201);
    // A plan that was run makes room.
    let plan = answers.iter().find(|answer| answer.status == 201).unwrap();
    post(&world, &one, "/operations?wait=30", &json!({"planId": plan.json["id"]})).await.assert(200);
    let again = join_all((0..5).map(|_| post(&world, &one, "/operations/plan", &request))).await;
    assert_eq!(count(&again, 201), 1);
    assert_eq!(limited(&world, "too-many-plans").await, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_of_one_caller_are_bounded_by_what_they_freeze() {
    let (world, [one, other], _access) = world_of_two(&[("DEAD_LETTER_PLANNED_PER_CALLER", "5")]).await;
    let messages = (0..6).map(|_| DeadMessage::new(&id(), &id()));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(6).await;
    let request = json!({"kind": "delete", "all": true});
    // One may have any size.
    let first = post(&world, &one, "/operations/plan", &request).await.assert(201).json;
    let refused = post(&world, &one, "/operations/plan", &request).await;
    assert_limited(&refused, "too-many-plans");
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(
        detail.contains("would have 12 dead letters") || detail.contains("have 6 dead letters"),
        "{detail}"
    );
    post(&world, &other, "/operations/plan", &request).await.assert(201);
    // What has expired makes room, and what it froze is removed.
    let expire = "UPDATE operation_plan SET expires_at = now() - interval '1 s' WHERE id = $1::uuid";
    sqlx::query(expire).bind(first["id"].as_str()).execute(&world.database.pool).await.unwrap();
    post(&world, &one, "/operations/plan", &request).await.assert(201);
    assert_eq!(world.database.count("operation_plan_item").await, 18);
    world
        .database
        .store()
        .forget_planned(chrono::DateTime::from(std::time::SystemTime::now()))
        .await
        .unwrap();
    assert_eq!(world.database.count("operation_plan_item").await, 12);
    let expired = format!("/operations/plan/{}", first["id"].as_str().unwrap());
    assert_eq!(get(&world, &one, &expired).await.assert(409).json["type"], "plan-expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_at_the_same_time_do_not_slip_past_the_limit() {
    let (world, [one, other], _access) = world_of_two(&[("DEAD_LETTER_OPERATIONS_PER_CALLER", "3")]).await;
    let queue = world.broker.declare_queue(&format!("here-{}", id()), &[]).await;
    let messages = (0..60).map(|_| DeadMessage::new(&id(), &queue.name));
    world.broker.publish_all(&world.source.name, messages).await;
    world.until_stored(60).await;
    // One message of each, and then they wait for an hour.
    let letters = world.api().request(Method::GET, "/dead-letters?limit=60").bearer_auth(&one);
    let letters = world.api().send(letters).await.assert(200).json;
    let ids: Vec<_> = letters["messages"].as_array().unwrap().iter().map(|letter| &letter["id"]).collect();
    let start = |token: &str, ids: &[&Value]| {
        let request = json!({"ids": ids, "canary": [1], "canaryWait": 3_600});
        let (token, world) = (token.to_owned(), &world);
        async move { post(world, &token, "/dead-letters/redeliver", &request).await }
    };
    let answers = join_all(ids.chunks(2).take(20).map(|ids| start(&one, ids))).await;
    assert_eq!((count(&answers, 202), count(&answers, 429)), (3, 17));
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_limited(refused, "too-many-operations");
    assert_eq!(world.database.count("operation").await, 3);
    start(&other, &ids[40..42]).await.assert(202);
}

/// Follows the operation to its end, and returns its last event.
async fn follow(world: &World, operation: &Value) -> Value {
    let path = format!("/operations/{}/events", operation["id"].as_str().unwrap());
    let events = world.api().get(&path).await.assert(200).bytes;
    let events = String::from_utf8(events).unwrap();
    let last = events.lines().filter_map(|line| line.strip_prefix("data: ")).next_back().unwrap();
    serde_json::from_str(last).unwrap()
}

/// Transactions of the database until now.
async fn transactions(world: &World) -> i64 {
    let query = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    sqlx::query_scalar(query).fetch_one(&world.database.pool).await.unwrap()
}

/// R13: however many follow an operation, they cost the database as much as one.
#[tokio::test(flavor = "multi_thread")]
async fn many_followers_cost_the_database_as_much_as_one() {
    let world = World::start_with(&[("DEAD_LETTER_WATCH_RETURNS", "0s")]).await;
    let queue = world.broker.declare_queue(&format!("here-{}", id()), &[]).await;
    let mut cost = Vec::new();
    for followers in [1, 200] {
        let messages = (0..12).map(|_| DeadMessage::new(&id(), &queue.name));
        world.broker.publish_all(&world.source.name, messages).await;
        until("the dead letters are stored", || async {
            let found = world.api().get("/dead-letters?limit=200").await.json;
            (found["messages"].as_array()?.len() == 12).then_some(())
        })
        .await;
        let before = transactions(&world).await;
        let request = json!({"all": true, "filter": {}, "rate": 4});
        let operation = world.api().post("/dead-letters/redeliver", &request).await.assert(202).json;
        let ends = join_all((0..followers).map(|_| follow(&world, &operation))).await;
        for end in ends {
            assert_eq!(
                (&end["state"], &end["verdict"], &end["outcomes"]["sent"]),
                (&json!("completed"), &json!("completed"), &json!(12))
            );
        }
        cost.push(transactions(&world).await - before);
    }
    assert!(cost[1] < cost[0] * 2 + 100, "transactions with one follower, and with 200: {cost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_follows_so_many_operations_and_no_more() {
    let (world, [one, other], _access) = world_of_two(&[("DEAD_LETTER_STREAMS_PER_CALLER", "2")]).await;
    world.publish(DeadMessage::new(&id(), &id())).await;
    world.until_stored(1).await;
    let request = json!({"all": true, "filter": {}, "canary": [1], "canaryWait": 3_600});
    let operation = post(&world, &one, "/dead-letters/redeliver", &request).await.assert(202).json;
    let path = format!("/operations/{}/events", operation["id"].as_str().unwrap());
    let open = |token: &str| world.api().request(Method::GET, &path).bearer_auth(token).send();
    let streams = [open(&one).await.unwrap(), open(&one).await.unwrap()];
    assert!(streams.iter().all(|stream| stream.status() == 200));
    let refused = get(&world, &one, &path).await;
    assert_limited(&refused, "too-many-streams");
    assert_eq!(open(&other).await.unwrap().status(), 200);
    drop(streams);
    until("a stream that is closed makes room", || async {
        (open(&one).await.unwrap().status() == 200).then_some(())
    })
    .await;
}

/// The command line waits as long as the service says, and does what it was told.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_waits_for_its_turn() {
    let (world, [one, _], _access) = world_of_two(&[("DEAD_LETTER_REQUESTS_PER_SECOND", "1")]).await;
    for arguments in [&["overview"][..], &["plan", "--all"][..]] {
        let burst = join_all((0..40).map(|_| get(&world, &one, "/dead-letters/squad-overview"))).await;
        assert!(count(&burst, 429) > 0);
        let mut command = command(arguments);
        command.env("DEAD_LETTER_SERVER", world.api().url()).env("DEAD_LETTER_TOKEN", &one);
        let ran = run(command).await.assert(0);
        assert!(ran.err.contains("too many requests: the server asks to wait 1 s"), "{ran:?}");
    }
}

/// What is too large is refused with a short answer that says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_in_the_form_of_every_error() {
    let world = World::start().await;
    let with_header = |size: usize| {
        let large = world.api().request(Method::GET, "/dead-letters").header("x-large", "x".repeat(size));
        world.api().send(large.header("accept", "application/problem+json"))
    };
    with_header(60 << 10).await.assert(200);
    let refused = with_header(100 << 10).await.assert(431);
    assert_eq!(refused.json["type"], "headers-too-large");
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    assert!(with_header(200 << 10).await.assert(431).bytes.is_empty(), "it is not read");
    let large = json!({"kind": "delete", "note": "x".repeat(3 << 20)});
    for path in [
        "/operations",
        "/operations/plan",
        "/operations/preview",
        "/dead-letters/redeliver",
        "/dead-letters/restore",
    ] {
        let refused = world.api().post(path, &large).await.assert(413);
        assert!(refused.json["type"] == "invalid-body" && refused.bytes.len() < 1_000, "{}", refused.json);
    }
}
