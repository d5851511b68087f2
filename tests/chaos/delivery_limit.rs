//! Messages in hand over more crashes than the default delivery limit of `RabbitMQ` 4.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::ledger::Ledger;
use crate::stand::seed;
use crate::support::{Broker, Database, Service, Vhost, until, until_within};
use crate::table::Row;

/// One more than a message may come back by default.
const KILLS: usize = 21;
const MESSAGES: usize = 100;
/// All are in hand, or as many as the service wants to take.
const NO_MORE: Duration = Duration::from_secs(3);
/// The exchange and the queue that the service declares.
const OURS: &str = "dead-letter";

/// R2: the database takes nothing, and the service that has the messages in hand is killed again and again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_outlives_more_crashes_than_the_default_limit() {
    let mut row = Row::new("100 messages in hand, the database locked, the service killed 21 times", KILLS);
    let Some(vhost) = Vhost::create() else { return };
    let (broker, database) = (Broker::on(&vhost.url).await, Database::shared().await);
    // It declares its source itself: how is what is tried.
    let mut service = Service::start(&database.url, &vhost.url, "", &[]);
    service.until_ready().await;
    let (mut ledger, mut random) = (Ledger::default(), StdRng::seed_from_u64(seed()));
    let mut locking = database.pool.begin().await.unwrap();
    // Not the rows' own table: the service looks whether that takes any before it consumes.
    sqlx::query("LOCK TABLE error_group IN EXCLUSIVE MODE").execute(&mut *locking).await.unwrap();
    ledger.publish(&broker, OURS, MESSAGES, &mut random).await;
    let in_hand = format!("dead_letter_in_flight_messages{{source=\"{OURS}\"}}");
    let mut fewest = f64::INFINITY;
    for _ in 0..KILLS {
        let last = Cell::new((0.0, Instant::now()));
        let taken = until("messages are in hand", || async {
            service.admin.try_send(service.admin.request(reqwest::Method::GET, "/metrics")).await?;
            let now = service.metric(&in_hand).await;
            if (now - last.get().0).abs() > 0.5 {
                last.set((now, Instant::now()));
            }
            let no_more_come = now >= 1.0 && last.get().1.elapsed() > NO_MORE;
            (now >= MESSAGES as f64 || no_more_come).then_some(now)
        })
        .await;
        fewest = fewest.min(taken);
        service.restart();
    }
    row.figure("in hand at each kill, at least", fewest);
    locking.rollback().await.unwrap();
    let stored = async || ledger.is_stored(&database.pool).await.then_some(());
    let quiet =
        async || (broker.depth(OURS).await == 0 && service.metric(&in_hand).await == 0.0).then_some(());
    service.until_ready().await;
    until_within(crate::stand::RECOVERY, "the queue is empty and nothing is in hand", quiet).await;
    row.must(stored().await.is_some(), "not all are stored");
    row.ledger(&ledger.classify(&database.pool).await);
    row.finish();
}
