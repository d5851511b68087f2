//! Searching, pages, errors, and what stands beside the API.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{DeadMessage, World, id, text, until};

/// Every filter finds what it should and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn every_filter_finds_its_own() {
    let ownership = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&ownership, "services:\n  - {service: mine, squad: squad-nasa}\n").unwrap();
    let settings = [("DEAD_LETTER_OWNERSHIP_FILE", ownership.path().to_str().unwrap())];
    let world = World::start_with(&settings).await;
    let wanted = DeadMessage::plain()
        .id("wanted")
        .died("q_mine", "expired", 3, 1_700_000_000)
        .properties(|p| p.with_correlation_id("c 1&2".into()).with_type("Wanted".into()))
        .error("SocketTimeout", "read timed out")
        .body(b"needle\0in hay".to_vec());
    world.publish(wanted).await;
    // The other one arrives at a later time, by which the two can be told apart.
    world.until_stored(1).await;
    let other = DeadMessage::plain()
        .id("other")
        .died_after(("", "q_other"), "q_other", "rejected", 1, 1_600_000_000)
        .error("Other", "nothing alike");
    world.publish(other).await;
    world.until_stored(2).await;
    let wanted = world.only("messageId=wanted").await;
    let group = wanted["errorGroup"].as_str().unwrap();
    let middle = chrono::DateTime::parse_from_rfc3339(wanted["receivedAt"].as_str().unwrap()).unwrap()
        + chrono::TimeDelta::milliseconds(1);
    let middle = middle.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    for filter in [
        "squad=nasa",
        "squad=squad-nasa&service=mine",
        "service=mine",
        "queue=q_mine",
        "exchange=orders",
        "routingKey=orders.placed",
        "messageId=wanted",
        "correlationId=c%201%262",
        "type=Wanted",
        "error=TIMED%20out",
        "error=sockettimeout",
        &format!("errorGroup={group}"),
        "reason=expired",
        "convention=native&minAttempt=2",
        "status=any&service=mine",
        &format!("to={middle}"),
        "diedFrom=2023-01-01T00:00:00Z",
        "diedFrom=2023-01-01T00:00:00%2B01:00&diedTo=2024-01-01T00:00:00Z",
        "contains=needle",
        "contains=hex:6500696E",
        "minAttempt=3",
    ] {
        assert_eq!(world.only(filter).await["messageId"], "wanted", "{filter}");
    }
    for filter in [
        "squad=unowned",
        "exchange=",
        &format!("from={middle}"),
        "diedTo=2021-01-01T00:00:00Z",
        "contains=%7B%7D",
    ] {
        assert_eq!(world.only(filter).await["messageId"], "other", "{filter}");
    }
    for filter in [
        "status=deleted",
        "service=nobody",
        "squad=nobody",
        "minAttempt=4",
        "error=%25",
        "messageId=%27%20OR%201=1",
    ] {
        let page = world.api().get(&format!("/dead-letters?{filter}")).await.assert(200).json;
        assert_eq!(page["messages"], json!([]), "{filter}");
        assert_eq!(page["total"], json!({"value": 0, "relation": "eq"}), "{filter}");
    }
    // Ownership is read again when it changes.
    assert_eq!(world.only("messageId=other").await["squad"], "unowned");
    std::fs::write(&ownership, "services:\n  - {service: '*', squad: gemini}\n").unwrap();
    until("the new ownership", || async {
        (world.only("messageId=other").await["squad"] == "gemini").then_some(())
    })
    .await;
    let squads = world.api().get("/dead-letters/squad-overview").await.assert(200).json;
    assert_eq!(
        (&squads[0]["squad"], &squads[0]["messages"], &squads[0]["services"]),
        (&json!("gemini"), &json!(2), &json!(2))
    );
    let services = world.api().get("/dead-letters/service-overview?squad=gemini").await.assert(200).json;
    assert_eq!(services.as_array().unwrap().len(), 2);
    assert_eq!(world.api().get("/dead-letters/service-overview?squad=nasa").await.json, json!([]));
}

/// Pages by keyset, both orders, there and back.
#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_through_everything_once_and_back() {
    let world = World::start().await;
    world
        .broker
        .publish_all(&world.source.name, (0..25).map(|n| DeadMessage::new(&id(), &format!("q_s{}", n % 3))))
        .await;
    world.until_stored(25).await;
    for query in ["order=newest", "order=oldest", "order=newest&status=any"] {
        let all = world.api().all(query, 7).await;
        let ids: Vec<String> = all.iter().map(|letter| letter["id"].as_str().unwrap().to_owned()).collect();
        let mut sorted = ids.clone();
        sorted.sort();
        if query.contains("newest") {
            sorted.reverse();
        }
        assert_eq!((ids.len(), &ids), (25, &sorted), "{query}");
        // To the second page and back to the first.
        let api = world.api();
        let page = |cursor: String| async move {
            api.get(&format!("/dead-letters?{query}&limit=7{cursor}")).await.assert(200).json
        };
        let first = page(String::new()).await;
        assert_eq!(first["prevCursor"], Value::Null);
        assert_eq!(first["total"], json!({"value": 25, "relation": "eq"}));
        let second = page(format!("&cursor={}", first["nextCursor"].as_str().unwrap())).await;
        let back = page(format!("&cursor={}", second["prevCursor"].as_str().unwrap())).await;
        assert_eq!(back["messages"], first["messages"]);
        assert_eq!(back["prevCursor"], Value::Null);
        assert_eq!(back["nextCursor"], first["nextCursor"]);
    }
}

/// A total beyond what is counted one by one is a lower bound, unless the counters know it.
#[tokio::test(flavor = "multi_thread")]
async fn totals_are_exact_or_a_lower_bound() {
    let world = World::start().await;
    let seeded = std::process::Command::new(env!("CARGO_BIN_EXE_dead-letter"))
        .args(["seed", "--count", "12000", "--days", "2", "--log", "warn"])
        .env("DATABASE_URL", &world.database.url)
        .output()
        .unwrap();
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let api = world.api();
    let total = |query: &'static str| async move {
        api.get(&format!("/dead-letters?limit=1&{query}")).await.assert(200).json["total"].clone()
    };
    assert_eq!(total("status=dead").await, json!({"value": 12_000, "relation": "eq"}));
    assert_eq!(total("convention=native").await, json!({"value": 10_000, "relation": "gte"}));
    assert_eq!(total("convention=none").await, json!({"value": 0, "relation": "eq"}));
    world.assert_counters_exact().await;
}

/// Bad input: 400 with what is wrong, and nothing happens.
#[tokio::test(flavor = "multi_thread")]
async fn bad_input_says_what_is_wrong_and_does_nothing() {
    let world = World::start().await;
    world.publish(DeadMessage::new(&id(), "q_s")).await;
    world.until_stored(1).await;
    let operations = world.database.count("operation").await;
    let cursor = {
        world.publish(DeadMessage::new(&id(), "q_s")).await;
        world.until_stored(2).await;
        let page = world.api().get("/dead-letters?limit=1").await.json;
        page["nextCursor"].as_str().unwrap().to_owned()
    };
    for (path, field) in [
        ("/dead-letters?sevice=a".to_owned(), "sevice"),
        ("/dead-letters?service=a&service=b".into(), "service"),
        ("/dead-letters?service=".into(), "service"),
        ("/dead-letters?service=a%00".into(), "service"),
        ("/dead-letters?limit=0".into(), "limit"),
        ("/dead-letters?limit=201".into(), "limit"),
        ("/dead-letters?limit=many".into(), "limit"),
        ("/dead-letters?order=up".into(), "order"),
        ("/dead-letters?status=gone".into(), "status"),
        ("/dead-letters?from=yesterday".into(), "from"),
        ("/dead-letters?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z".into(), "to"),
        ("/dead-letters?diedTo=1".into(), "diedTo"),
        ("/dead-letters?errorGroup=7".into(), "errorGroup"),
        ("/dead-letters?minAttempt=-1".into(), "minAttempt"),
        ("/dead-letters?contains=hex:xyz".into(), "contains"),
        ("/dead-letters?cursor=abc".into(), "cursor"),
        (format!("/dead-letters?cursor={cursor}&order=oldest"), "cursor"),
        (format!("/dead-letters?cursor={cursor}&service=s"), "cursor"),
        ("/dead-letters?squad=nasa&service=s".into(), "squad"),
        ("/dead-letters/not-a-uuid".into(), "id"),
        ("/dead-letters/not-a-uuid/body".into(), "id"),
        ("/dead-letters/squad-overview?squad=a".into(), "squad"),
        ("/dead-letters/service-overview?squad=".into(), "squad"),
        ("/operations?order=newest".into(), "order"),
        ("/operations?cursor=zz".into(), "cursor"),
        ("/operations/7".into(), "id"),
        ("/operations/7/items".into(), "id"),
        (format!("/operations/{}/items?outcome=lost", uuid::Uuid::nil()), "outcome"),
    ] {
        let answer = world.api().get(&path).await.assert(400);
        assert_eq!(answer.json["errors"][0]["field"], field, "{path}: {}", answer.json);
        assert_eq!(answer.json["error"]["name"], "InputError");
        assert_eq!(answer.json["response"]["statusCode"], 400);
    }
    let some = uuid::Uuid::nil();
    for (body, field) in [
        (json!({}), "ids"),
        (json!({"ids": []}), "ids"),
        (json!({"ids": ["x"]}), "body"),
        (json!({"filter": {}}), "filter"),
        (json!({"filter": {"status": "dead"}}), "filter"),
        (json!({"filter": {"status": "any", "service": "s"}}), "filter.status"),
        (json!({"filter": {"sevice": "s"}}), "body"),
        (json!({"ids": [some], "filter": {"service": "s"}}), "filter"),
        (json!({"ids": [some], "all": true}), "all"),
        (json!({"ids": [some], "rate": 0}), "rate"),
        (json!({"ids": [some], "limit": 0}), "limit"),
        (json!({"ids": [some], "order": "up"}), "order"),
        (json!({"ids": [some], "note": "x".repeat(1001)}), "note"),
        (json!({"ids": [some], "idempotencyKey": ""}), "idempotencyKey"),
        (json!({"ids": [some], "to": "nowhere"}), "body"),
        (json!({"ids": [some], "to": {"exchange": "x".repeat(256), "routingKey": ""}}), "to"),
        (json!({"ids": vec![some; 10_001]}), "ids"),
        (json!([1]), "body"),
    ] {
        let answer = world.api().post("/dead-letters/redeliver", &body).await.assert(400);
        assert_eq!(answer.json["errors"][0]["field"], field, "{}", answer.json);
    }
    world.api().post("/dead-letters/redeliver?wait=31", &json!({"ids": [some]})).await.assert(400);
    world.api().post("/operations", &json!({"ids": [some]})).await.assert(400);
    world.api().post("/operations", &json!({"kind": "burn", "ids": [some]})).await.assert(400);
    world.api().delete("/dead-letters?service=s", &json!({"ids": [some]})).await.assert(400);
    world.api().delete("/dead-letters", &json!({"ids": [some], "to": "queue"})).await.assert(400);
    let bare = |method, path: &str| world.api().request(method, path);
    world.api().send(bare(Method::DELETE, "/dead-letters")).await.assert(400);
    world.api().send(bare(Method::DELETE, "/dead-letters?all=maybe")).await.assert(400);
    world.api().send(bare(Method::DELETE, "/dead-letters?id=7")).await.assert(400);
    world.api().send(bare(Method::POST, "/dead-letters/redeliver").body("{}")).await.assert(415);
    let large = json!({"ids": [some], "note": "x".repeat(3 << 20)});
    world.api().post("/dead-letters/redeliver", &large).await.assert(413);
    world.api().send(bare(Method::PUT, "/dead-letters")).await.assert(405);
    assert_eq!(world.database.count("operation").await, operations, "nothing happened");
    assert_eq!(world.api().all("status=dead", 50).await.len(), 2);
}

/// What is not there is 404, as JSON, or as a problem for who asks for one.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_things_are_not_found() {
    let world = World::start().await;
    let some = uuid::Uuid::nil();
    for path in [
        format!("/dead-letters/{some}"),
        format!("/dead-letters/{some}/body"),
        format!("/operations/{some}"),
        format!("/operations/{some}/items"),
        "/nothing".into(),
    ] {
        let answer = world.api().get(&path).await.assert(404);
        assert_eq!(answer.headers["content-type"], "application/json", "{path}");
        assert_eq!(answer.json["error"]["name"], "NotFoundError", "{path}");
        let request = world.api().request(Method::GET, &path).header("accept", "application/problem+json");
        let answer = world.api().send(request).await.assert(404);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{path}");
    }
    let operation = json!({"ids": [some]});
    let answer = world
        .api()
        .post("/operations?wait=5", &json!({"kind": "redeliver", "ids": [some]}))
        .await
        .assert(200);
    assert_eq!(answer.json["outcomes"]["skipped"], 1);
    let answer = world.api().post("/dead-letters/redeliver", &operation).await.assert(202);
    let location = answer.headers["location"].to_str().unwrap();
    let items = world.api().get(&format!("{location}/items?outcome=skipped")).await.assert(200).json;
    assert_eq!(items["items"][0]["detail"], "No longer stored, or never was");
}

/// R14: neither logs nor metrics hold what the messages hold.
#[tokio::test(flavor = "multi_thread")]
async fn logs_and_metrics_hold_no_payload() {
    let (broker, database) =
        (crate::support::Broker::shared().await, crate::support::Database::shared().await);
    let source = broker.declare_source(&[]).await;
    let (http, admin) = (crate::support::free_address(), crate::support::free_address());
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut service = std::process::Command::new(env!("CARGO_BIN_EXE_dead-letter"))
        .arg("serve")
        .envs([
            ("DATABASE_URL", database.url.as_str()),
            ("AMQP_URL", &broker.url),
            ("HTTP_ADDR", &http),
            ("ADMIN_ADDR", &admin),
        ])
        .envs([
            ("DEAD_LETTER_SOURCES", source.name.as_str()),
            ("DEAD_LETTER_LOG", "trace"),
            ("DEAD_LETTER_LOG_FORMAT", "json"),
        ])
        .stderr(log.reopen().unwrap())
        .spawn()
        .unwrap();
    let secret = "4711-1234-secret";
    let (api, admin) = (crate::support::Api::new(&http), crate::support::Api::new(&admin));
    until("migrated", || async { (database.count("dead_letter").await == 0).then_some(()) }).await;
    sqlx::query("ALTER TABLE dead_letter ADD CONSTRAINT poison CHECK (message_id IS DISTINCT FROM 'poison-4711-1234-secret')")
        .execute(&database.pool)
        .await
        .unwrap();
    for name in ["fine", "poison"] {
        let message = DeadMessage::new(&format!("{name}-{secret}"), &format!("gone_{name}"))
            .body(format!("body {secret}"))
            .error("E", &format!("error {secret}"))
            .header("secret", text(secret));
        broker.publish(&source.name, "dead", &message).await;
    }
    crate::support::until_eq("stored", 2, || database.count("dead_letter")).await;
    api.post("/dead-letters/redeliver?wait=10", &json!({"filter": {}, "all": true})).await.assert(200);
    let metrics = String::from_utf8(admin.get("/metrics").await.bytes).unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    let log = std::fs::read_to_string(log.path()).unwrap();
    assert!(log.contains("Event handled") && metrics.contains("dead_letter_ingested_total"));
    let ours = log.lines().filter(|line| line.contains("\"target\":\"dead_letter"));
    for line in ours.chain(metrics.lines()) {
        assert!(!line.contains(secret), "{line}");
    }
}

/// Somebody who does not wait for an answer does not make others wait for it: the database gives it up as well.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_nobody_waits_for_is_given_up() {
    // A locked table keeps it going for as long as a statement waits for a lock. A slow machine may miss that by itself.
    const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
    let world = World::start().await;
    let mut spent = Vec::new();
    while spent.len() < 10 {
        let mut holder = world.database.pool.begin().await.unwrap();
        sqlx::query("LOCK TABLE dead_letter").execute(&mut *holder).await.unwrap();
        let begun = Instant::now();
        let asking = tokio::spawn({
            let api = world.api().clone();
            async move { api.try_send(api.request(Method::GET, "/dead-letters?contains=x")).await }
        });
        let waiting = || async {
            let query = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%position(%'";
            sqlx::query_scalar::<_, i64>(query).fetch_one(&world.database.pool).await.unwrap()
        };
        until("the search waits", || async { (waiting().await > 0).then_some(()) }).await;
        asking.abort();
        until("it is given up", || async { (waiting().await == 0).then_some(()) }).await;
        spent.push(begun.elapsed());
        drop(holder);
        if spent.iter().any(|spent| *spent < LOCK_TIMEOUT) {
            world.api().get("/dead-letters?contains=x").await.assert(200);
            return;
        }
    }
    panic!("it went on until the lock's timeout: {spent:?}");
}

/// While nobody has to sign in, a page of another site cannot have its own name lead to the API (DNS rebinding, A3).
#[tokio::test(flavor = "multi_thread")]
async fn other_names_are_refused() {
    let world = World::start().await;
    world.publish(DeadMessage::plain().id("wanted")).await;
    world.until_stored(1).await;
    let letter = world.only("messageId=wanted").await["id"].as_str().unwrap().to_owned();
    let api = world.api();
    let body = format!("/dead-letters/{letter}/body");
    let remove = format!("/dead-letters?id={letter}");
    let ask = async |method: Method, path: &str, name: &'static str, value: &'static str| {
        api.send(api.request(method, path).header(name, value)).await
    };
    for (name, value) in [
        ("host", "rebound.evil.example:18080"),
        ("origin", "http://rebound.evil.example:18080"),
        ("origin", "null"),
    ] {
        for path in [body.as_str(), "/dead-letters", "/swagger/", "/openapi.json", "/nowhere"] {
            let answer = ask(Method::GET, path, name, value).await.assert(403);
            assert_eq!(answer.json["type"], "foreign-name", "{path}");
        }
        ask(Method::DELETE, &remove, name, value).await.assert(403);
    }
    for value in ["localhost:18080", "127.0.0.1", "[::1]:18080"] {
        ask(Method::GET, &body, "host", value).await.assert(200);
    }
    assert_eq!(world.only("messageId=wanted").await["status"], "dead");

    let open = World::start_with(&[("DEAD_LETTER_UNAUTHENTICATED", "yes")]).await;
    let api = open.api();
    for (name, value) in [("host", "dead-letter.example"), ("origin", "https://backstage.example")] {
        api.send(api.request(Method::GET, "/dead-letters").header(name, value)).await.assert(200);
    }
}
