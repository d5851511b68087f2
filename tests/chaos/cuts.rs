//! Cuts that fall exactly between two frames, or within one, on the road in.

use std::time::Duration;

use rand::Rng;

use crate::proxy::{Deed, Side, Trap, Way, channel_close};
use crate::stand::{Stand, repeat};
use crate::support::until;

/// Messages for each point: some batches that are copied, and a small one that is not.
const MESSAGES: usize = 330;
const TRIES: usize = 20;
const BATCH_ROWS: &str = "100";

/// Where, and what.
struct Point {
    name: &'static str,
    at: At,
    trap: Trap,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Broker,
    Database,
}

/// Of a batch that is copied, from its beginning to its end.
fn database() -> Vec<Point> {
    use Deed::{CutAfter, CutBefore, CutWithin, FreezeAfter, FreezeBefore, HalfOpen};
    use Way::{ToClient, ToServer};
    let point = |name, way, unit, after, deed| Point {
        name,
        at: At::Database,
        trap: Trap { way, name: unit, after, skip: 0, deed },
    };
    let copied = Some("CopyDone");
    vec![
        point("database: before BEGIN", ToServer, "BEGIN", None, CutBefore),
        point("database: before COPY", ToServer, "COPY", None, CutBefore),
        point("database: COPY sent, not answered", ToServer, "COPY", None, CutAfter),
        point("database: in the middle of the rows", ToServer, "CopyData", None, CutWithin),
        point("database: rows sent, not their end", ToServer, "CopyDone", None, CutBefore),
        point("database: rows taken, answer lost", ToClient, "done COPY", copied, CutBefore),
        point("database: before COMMIT", ToServer, "COMMIT", copied, CutBefore),
        point("database: in the middle of COMMIT", ToServer, "COMMIT", copied, CutWithin),
        point("database: COMMIT sent", ToServer, "COMMIT", copied, CutAfter),
        point("database: committed, answer lost", ToClient, "done COMMIT", copied, CutBefore),
        point("database: committed and answered", ToClient, "done COMMIT", copied, CutAfter),
        point("database: small batch stored, answer lost", ToClient, "done INSERT", None, CutBefore),
        point("database: nothing comes through in the rows", ToServer, "CopyData", None, FreezeBefore),
        point("database: nothing comes through before COMMIT", ToServer, "COMMIT", copied, FreezeBefore),
        point("database: nothing comes through after COMMIT", ToServer, "COMMIT", copied, FreezeAfter),
        point(
            "database: gone at COMMIT, and we are not told",
            ToServer,
            "COMMIT",
            copied,
            HalfOpen(Side::Server),
        ),
        point("database: not told that we are gone", ToServer, "COMMIT", copied, HalfOpen(Side::Client)),
    ]
}

/// From a delivery to its acknowledgement.
fn broker() -> Vec<Point> {
    use Deed::{CutAfter, CutBefore, CutWithin, FreezeAfter, FreezeBefore, HalfOpen, Inject};
    use Way::{ToClient, ToServer};
    let point = |name, way, unit, deed| Point {
        name,
        at: At::Broker,
        trap: Trap { way, name: unit, after: None, skip: 0, deed },
    };
    vec![
        point("broker: before a delivery", ToClient, "basic.deliver", CutBefore),
        point("broker: before the properties", ToClient, "content header", CutBefore),
        point("broker: in the middle of the properties", ToClient, "content header", CutWithin),
        point("broker: before the body", ToClient, "content body", CutBefore),
        point("broker: in the middle of the body", ToClient, "content body", CutWithin),
        point("broker: after the body", ToClient, "content body", CutAfter),
        point("broker: before an ack", ToServer, "basic.ack", CutBefore),
        point("broker: in the middle of an ack", ToServer, "basic.ack", CutWithin),
        point("broker: after an ack", ToServer, "basic.ack", CutAfter),
        point("broker: acks do not arrive", ToServer, "basic.ack", FreezeBefore),
        point("broker: nothing comes through after an ack", ToServer, "basic.ack", FreezeAfter),
        point("broker: gone, and we are not told", ToClient, "basic.deliver", HalfOpen(Side::Server)),
        point("broker: not told that we are gone", ToClient, "basic.deliver", HalfOpen(Side::Client)),
        point("broker: closes the channel, 406", ToClient, "basic.deliver", Inject(channel_close)),
    ]
}

/// R1, R2, R3: wherever the connection to the broker or the database is cut.
#[tokio::test(flavor = "multi_thread")]
async fn no_cut_point_loses_anything() {
    strike_each(1).await;
}

/// The same, as often as `make chaos` does.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes most of an hour: make chaos"]
async fn no_cut_point_loses_anything_in_twenty_rounds() {
    strike_each(20).await;
}

async fn strike_each(rounds: usize) {
    let settings = [("DEAD_LETTER_BATCH_ROWS", BATCH_ROWS), ("DEAD_LETTER_DATABASE_ANSWER_TIMEOUT", "5s")];
    let mut stand = Stand::start(&settings).await;
    let mut slowest = Duration::ZERO;
    let points = || database().into_iter().chain(broker());
    for round in 1..=rounds {
        for mut point in points() {
            point.trap.skip = stand.random.random_range(0..2);
            let took = strike(&mut stand, &point).await;
            slowest = slowest.max(took);
            println!("round {round}: {}: all stored after {:.1} s", point.name, took.as_secs_f64());
        }
    }
    let verdict = stand.verdict().await;
    println!(
        "{} cuts at {} points: {verdict}; slowest {slowest:.1?}",
        rounds * points().count(),
        points().count()
    );
    assert!(verdict.is_clean(), "{verdict}; {}", repeat());
}

async fn strike(stand: &mut Stand, point: &Point) -> Duration {
    let proxy = if point.at == At::Broker { &stand.amqp } else { &stand.postgres };
    let before = proxy.sprung();
    proxy.set(point.trap.clone());
    // How many batches there are, and which are copied, depends on how fast they are.
    for _ in 0..TRIES {
        stand.publish(MESSAGES).await;
        let proxy = if point.at == At::Broker { &stand.amqp } else { &stand.postgres };
        if proxy.sprung() > before {
            break;
        }
    }
    let proxy = if point.at == At::Broker { &stand.amqp } else { &stand.postgres };
    until(point.name, || async { (proxy.sprung() > before).then_some(()) }).await;
    let took = stand.until_quiet(point.name).await;
    proxy.heal();
    took
}
