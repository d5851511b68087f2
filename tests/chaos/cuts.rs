//! Cuts that fall exactly between two frames, or within one, on the road in.

use std::time::Duration;

use futures_util::future::join_all;
use rand::Rng;

use crate::proxy::{Deed, Side, Trap, Way, channel_close};
use crate::stand::{At, RECOVERY, Stand, side_by_side};
use crate::support::until;
use crate::table::{Row, is_full, times};

/// Messages for each point: some batches that are copied, and a small one that is not.
const MESSAGES: usize = 330;
const TRIES: usize = 20;
const BATCH_ROWS: &str = "100";

/// Where, and what.
pub struct Point {
    pub name: &'static str,
    pub at: At,
    pub trap: Trap,
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
        point("database: nothing comes through after the rows", ToServer, "CopyData", copied, FreezeBefore),
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
    let points = || database().into_iter().chain(broker());
    // Each point once with `make test`.
    let rounds = if is_full() { times(20) } else { 1 };
    let mut row = Row::new("a cut at each of 32 points of the road in", rounds * points().count());
    let settings = [("DEAD_LETTER_BATCH_ROWS", BATCH_ROWS), ("DEAD_LETTER_DATABASE_ANSWER_TIMEOUT", "5s")];
    let (stands, took) = side_by_side(rounds, &settings, async |stand, round| {
        let mut took = Vec::new();
        for mut point in points() {
            point.trap.skip = stand.random.random_range(0..2);
            let quiet_after = strike(stand, &point).await;
            println!("round {round}: {}: all stored after {:.1} s", point.name, quiet_after.as_secs_f64());
            took.push(quiet_after);
        }
        took
    })
    .await;
    row.within("all stored after", took, 1.0, RECOVERY);
    row.ledger(&join_all(stands.iter().map(Stand::verdict)).await.into_iter().sum());
    row.finish();
}

/// R1, R2: the connection to the broker is lost while a batch is written. A writer that was stopped in the middle would leave
/// the pool a connection with an open transaction, or with an answer still to come that the next batch takes for its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_outlives_the_connection_that_brought_it() {
    let answers = ["done BEGIN", "done COPY"];
    let mut row = Row::new("the broker lost while a batch is written", times(10) * answers.len());
    // One connection; and what comes meanwhile does not fill a batch, so that the loss is noticed at once.
    let settings = [("DEAD_LETTER_BATCHES_IN_FLIGHT", "1"), ("DEAD_LETTER_BATCH_ROWS", "5000")];
    let mut stand = Stand::start(&settings).await;
    let mut took = Vec::new();
    for answer in answers.into_iter().cycle().take(times(10) * answers.len()) {
        let trap = |way, name, deed| Trap { way, name, after: None, skip: 0, deed };
        // Kept back until it is healed.
        let late = Deed::Pause(|_| Vec::new(), RECOVERY, |_| Vec::new());
        spring(&mut stand, At::Database, trap(Way::ToClient, answer, late)).await;
        let before = stand.proxy(At::Broker).sprung();
        stand.proxy(At::Broker).set(trap(Way::ToServer, "heartbeat", Deed::CutBefore));
        until("the broker is lost", || async { (stand.proxy(At::Broker).sprung() > before).then_some(()) })
            .await;
        until("it says so", || async { (!stand.service.is_ready().await).then_some(()) }).await;
        stand.proxy(At::Database).heal();
        took.push(stand.until_quiet("the broker is lost while a batch is written").await);
    }
    row.within("all stored after", took, 1.0, RECOVERY);
    row.ledger(&stand.verdict().await);
    row.finish();
}

/// R1: an answer comes after it was given up, on a connection that the pool may have given to somebody else. Whose answer it is taken
/// for has a transaction open of which nobody knows: what is stored in it is acknowledged, and is gone with the connection.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_too_late_is_nobodys() {
    let answers = ["done BEGIN", "done COPY", "done COMMIT", "done INSERT", "done SELECT"];
    let mut row = Row::new("answers later than their deadline", times(20) * answers.len());
    let settings = [("DEAD_LETTER_BATCH_ROWS", BATCH_ROWS), ("DEAD_LETTER_DATABASE_ANSWER_TIMEOUT", "1s")];
    let mut stand = Stand::start(&settings).await;
    let mut took = Vec::new();
    for answer in answers.into_iter().cycle().take(times(20) * answers.len()) {
        // While whoever gives the connection back waits to hear that it is well.
        let late = Deed::Pause(|_| Vec::new(), Duration::from_millis(1500), |_| Vec::new());
        let trap = Trap { way: Way::ToClient, name: answer, after: None, skip: 0, deed: late };
        took.push(strike(&mut stand, &Point { name: answer, at: At::Database, trap }).await);
    }
    row.within("all stored after", took, 1.0, RECOVERY);
    row.ledger(&stand.verdict().await);
    row.finish();
}

/// Sets the trap, publishes until it springs, and waits until all is stored; says how long that took.
pub async fn strike(stand: &mut Stand, point: &Point) -> Duration {
    spring(stand, point.at, point.trap.clone()).await;
    let took = stand.until_quiet(point.name).await;
    stand.proxy(point.at).heal();
    took
}

/// Sets the trap, and publishes until it springs.
async fn spring(stand: &mut Stand, at: At, trap: Trap) {
    let (before, name) = (stand.proxy(at).sprung(), trap.name);
    stand.proxy(at).set(trap);
    // How many batches there are, and which are copied, depends on how fast they are.
    for _ in 0..TRIES {
        stand.publish(MESSAGES).await;
        if stand.proxy(at).sprung() > before {
            break;
        }
    }
    until(name, || async { (stand.proxy(at).sprung() > before).then_some(()) }).await;
}
