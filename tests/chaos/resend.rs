//! Cuts on the road out: between a publish, its confirm, and the record of it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::proxy::{Deed, Side, Trap, Way, connection_blocked, connection_unblocked, nack_instead};
use crate::stand::{At, RECOVERY, Stand, repeat, side_by_side};
use crate::support::{DeadMessage, TestQueue, id, until, until_eq, until_within};
use crate::table::{Row, is_full, times};

const MESSAGES: usize = 300;
const CHUNK: usize = 50;
/// Long enough for a chunk to be given up.
const BLOCKED: Duration = Duration::from_secs(4);
pub const SETTINGS: [(&str, &str); 3] = [
    ("DEAD_LETTER_CHUNK_ITEMS", "50"),
    ("DEAD_LETTER_CONFIRM_TIMEOUT", "3s"),
    ("DEAD_LETTER_DATABASE_ANSWER_TIMEOUT", "5s"),
];

pub struct Point {
    pub name: &'static str,
    pub at: At,
    pub trap: Trap,
    /// Whether items may end as refused.
    pub may_refuse: bool,
}

fn points() -> Vec<Point> {
    use At::{Broker, Database};
    use Deed::{CutAfter, CutBefore, CutWithin, FreezeBefore, HalfOpen, Inject, Pause};
    use Way::{ToClient, ToServer};
    let point = |name, at, way, unit, after, deed| Point {
        name,
        at,
        trap: Trap { way, name: unit, after, skip: 2, deed },
        may_refuse: false,
    };
    let published = Some("basic.publish");
    let recorded = Some("Execute");
    let mut points = vec![
        point("before a publish", Broker, ToServer, "basic.publish", None, CutBefore),
        point("in the middle of a message", Broker, ToServer, "content body", published, CutWithin),
        point("published, not confirmed", Broker, ToServer, "content body", published, CutAfter),
        point("confirmed, answer lost", Broker, ToClient, "basic.ack", published, CutBefore),
        point("confirmed and answered", Broker, ToClient, "basic.ack", published, CutAfter),
        point("confirms do not arrive", Broker, ToClient, "basic.ack", published, FreezeBefore),
        point(
            "the broker is gone, and we are not told",
            Broker,
            ToClient,
            "basic.ack",
            published,
            HalfOpen(Side::Server),
        ),
        point(
            "blocked while it publishes",
            Broker,
            ToClient,
            "basic.ack",
            published,
            Pause(connection_blocked, BLOCKED, connection_unblocked),
        ),
        point("confirmed, before the record is committed", Database, ToServer, "COMMIT", recorded, CutBefore),
        point("the record's COMMIT sent", Database, ToServer, "COMMIT", recorded, CutAfter),
        point("recorded, answer lost", Database, ToClient, "done COMMIT", recorded, CutBefore),
        point(
            "the database is silent before the record",
            Database,
            ToServer,
            "COMMIT",
            recorded,
            FreezeBefore,
        ),
    ];
    let nack =
        point("a nack instead of a confirm", Broker, ToClient, "basic.ack", published, Inject(nack_instead));
    points.push(Point { may_refuse: true, ..nack });
    points
}

/// R7, R10: wherever the connection to the broker or the database is cut, nothing that was not confirmed counts as sent, no more
/// than a chunk is published again, and under the same redelivery id.
#[tokio::test(flavor = "multi_thread")]
async fn no_cut_point_makes_a_false_success() {
    let rounds = if is_full() { times(20) } else { 1 };
    let mut row = Row::new("a cut at each of 13 points of the road out", rounds * points().len());
    let (_, took) = side_by_side(rounds, &SETTINGS, async |stand, round| {
        let mut took = Vec::new();
        for point in points() {
            let settled_after = strike(stand, &point).await;
            println!("round {round}: {}: all settled after {:.1} s", point.name, settled_after.as_secs_f64());
            took.push(settled_after);
        }
        took
    })
    .await;
    row.within("all settled after", took, 1.0, RECOVERY);
    row.finish();
}

/// Redelivers, with the trap set on the way, and checks what came of it; says how long that took.
pub async fn strike(stand: &mut Stand, point: &Point) -> Duration {
    let service = format!("resend{}", id().replace('-', ""));
    let queue = stand.broker.declare_queue(&format!("work_{service}"), &[]).await;
    let messages = (0..MESSAGES).map(|_| DeadMessage::new(&id(), &queue.name));
    stand.broker.publish_all(&stand.source.name, messages).await;
    until_eq("dead letters of the service", MESSAGES as i64, || async {
        let count = "SELECT count(*) FROM dead_letter WHERE service = $1";
        sqlx::query_scalar(count).bind(&service).fetch_one(&stand.database.pool).await.unwrap()
    })
    .await;

    let proxy = stand.proxy(point.at);
    let before = proxy.sprung();
    proxy.set(point.trap.clone());
    let begun = std::time::Instant::now();
    // The key lets a request be made again whose answer was lost.
    let body = json!({"kind": "redeliver", "filter": {"service": service}, "idempotencyKey": id()});
    let operation = until("the operation is taken", || async {
        let answer = stand.service.api.post("/operations", &body).await;
        (answer.status == 202).then_some(answer.json)
    })
    .await;
    let path = format!("/operations/{}", operation["id"].as_str().unwrap());
    until(point.name, || async { (proxy.sprung() > before).then_some(()) }).await;
    let what = format!("the operation ends after `{}` ({})", point.name, repeat());
    let operation = until_within(Duration::from_secs(90), &what, || async {
        let now = stand.service.api.get(&path).await.json;
        (now["state"] == "completed").then_some(now)
    })
    .await;
    let took = begun.elapsed();
    proxy.heal();
    check(stand, point, &queue, &operation).await;
    took
}

async fn check(stand: &Stand, point: &Point, queue: &TestQueue, operation: &Value) {
    let count = |outcome: &str| operation["outcomes"][outcome].as_u64().unwrap() as usize;
    assert_eq!(count("sent") + count("refused"), MESSAGES, "{}: {operation}", point.name);
    assert!(point.may_refuse || count("refused") == 0, "{}: {operation}", point.name);
    let depth = stand.broker.depth(&queue.name).await as usize;
    assert!((MESSAGES..=MESSAGES + CHUNK).contains(&depth), "{}: {depth} published", point.name);
    let mut ids: HashMap<String, HashSet<String>> = HashMap::new();
    for delivery in stand.broker.drain(&queue.name, depth).await {
        let message = delivery.properties.message_id().as_ref().unwrap().to_string();
        let headers = delivery.properties.headers().as_ref().unwrap().inner().clone();
        ids.entry(message).or_default().insert(format!("{:?}", headers["dead-letter-redelivery-id"]));
    }
    assert_eq!(ids.len(), MESSAGES, "{}: each message is there", point.name);
    assert!(ids.values().all(|ids| ids.len() == 1), "{}: repeated under the same id", point.name);
    stand.database.assert_counters_exact().await;
}
