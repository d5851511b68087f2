//! A bad release is stopped within a minute, and a good one passes, under real traffic.

use std::time::Duration;

use futures_util::future::join_all;
use lapin::options::{BasicConsumeOptions, BasicQosOptions, BasicRejectOptions};
use lapin::types::FieldTable;
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep};

use super::tell;
use crate::support::{DeadMessage, TestQueue, World, id, until, until_eq};

/// Releases of each kind.
const RELEASES: usize = 20;
/// Seconds for which each is observed.
const WINDOW: u64 = 20;
/// A bad one is stopped within this time of its first failure.
const STOPPED_WITHIN: Duration = Duration::from_mins(1);
/// Dead letters of the usual error in the busiest five minutes of the week before.
const USUAL: usize = 10;

/// A service, and the queue whose messages its consumer cannot handle.
struct Failing<'w> {
    world: &'w World,
    service: String,
    queue: TestQueue,
}

impl<'w> Failing<'w> {
    /// A consumer that rejects whatever comes.
    async fn start(world: &'w World, service: &str) -> Self {
        use futures_util::StreamExt;
        let name = format!("work-{}_{service}", id());
        let queue = world.broker.declare_work_queue(&name, &world.source.name).await;
        let channel = world.broker.connection.create_channel().await.unwrap();
        channel.basic_qos(10, BasicQosOptions::default()).await.unwrap();
        let consuming = channel.basic_consume(
            name.as_str().into(),
            id().as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let mut consumer = consuming.await.unwrap();
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                let _ = delivery.acker.reject(BasicRejectOptions { requeue: false }).await;
            }
        });
        Self { world, service: service.to_owned(), queue }
    }

    /// So many messages fail for this reason.
    async fn fails(&self, error: &str, times: usize) {
        for _ in 0..times {
            let message = DeadMessage::plain().id(&id()).error(error, "it failed");
            self.world.broker.publish("", &self.queue.name, &message).await;
        }
    }

    async fn get(&self, path: &str) -> Value {
        self.world.api().get(path).await.assert(200).json
    }

    /// The id of the group of this error, once it has so many dead letters.
    async fn group(&self, error: &str, arrived: usize) -> String {
        let path = format!("/dead-letters/error-groups?service={}", self.service);
        until("the group", || async {
            let groups = self.get(&path).await["groups"].as_array().unwrap().clone();
            let found = groups.iter().find(|one| one["errorType"] == error && one["arrived"] == arrived);
            found.map(|one| one["id"].as_str().unwrap().to_owned())
        })
        .await
    }

    async fn resolve(&self, error: &str) {
        let path = format!("/dead-letters/error-groups/{}", self.group(error, 1).await);
        let request = self.world.api().request(reqwest::Method::PATCH, &path);
        self.world.api().send(request.json(&json!({"action": "resolve"}))).await.assert(200);
    }

    /// A week in which one error is usual, one was resolved, and one was resolved and goes on.
    async fn lives(&self) {
        self.fails("Usual", USUAL).await;
        for error in ["Fixed", "Back"] {
            self.fails(error, 1).await;
            self.resolve(error).await;
        }
        self.fails("Back", 1).await;
        self.group("Back", 2).await;
        self.group("Usual", USUAL).await;
    }

    async fn deploys(&self, version: &str) {
        let (status, _) = tell(self.world, json!({"service": self.service, "version": version})).await;
        assert_eq!(status, 201);
    }

    async fn gate(&self, version: &str) -> Value {
        self.get(&format!("/gate?service={}&version={version}&windowSeconds={WINDOW}", self.service)).await
    }

    /// The verdict, once there is one.
    async fn verdict(&self, version: &str) -> Value {
        loop {
            let gate = self.gate(version).await;
            if gate["verdict"] != "wait" {
                return gate;
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// The usual errors go on, at their usual rate, until this is over.
    async fn as_usual<T>(&self, until: impl Future<Output = T>) -> T {
        let usual = async {
            let mut second = interval(Duration::from_secs(2));
            for number in 0..USUAL {
                second.tick().await;
                self.fails(if number % 4 == 0 { "Back" } else { "Usual" }, 1).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = usual => unreachable!("it goes on"),
            value = until => value,
        }
    }
}

/// How a release is bad.
#[derive(Clone, Copy, Debug)]
enum Bad {
    New,
    Regressed,
    Escalating,
}

impl Bad {
    fn of(number: usize) -> Self {
        [Self::New, Self::Regressed, Self::Escalating][number % 3]
    }

    async fn happens_to(self, service: &Failing<'_>) -> &'static str {
        match self {
            // A canary with little traffic.
            Self::New => {
                service.fails("New", 1).await;
                "newErrorGroup"
            }
            Self::Regressed => {
                service.fails("Fixed", 1).await;
                "regressedErrorGroup"
            }
            Self::Escalating => {
                service.fails("Usual", 3 * USUAL).await;
                "escalatingErrorGroup"
            }
        }
    }
}

async fn good_release(service: &Failing<'_>) {
    service.deploys("good").await;
    let begun = Instant::now();
    let gate = service.as_usual(service.verdict("good")).await;
    assert_eq!((&gate["verdict"], &gate["reasons"]), (&json!("pass"), &json!([])), "{gate}");
    assert!(begun.elapsed() >= Duration::from_secs(WINDOW - 1), "{gate}");
}

/// How long the bad release went on after it failed for the first time.
async fn bad_release(service: &Failing<'_>, bad: Bad) -> Duration {
    service.deploys("bad").await;
    let stopped = async {
        until_eq("it is observed", json!("observing"), || async {
            service.gate("bad").await["reasons"][0]["code"].clone()
        })
        .await;
        let begun = Instant::now();
        let code = bad.happens_to(service).await;
        let gate = service.verdict("bad").await;
        let stopped = begun.elapsed();
        let codes: Vec<_> = gate["reasons"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!((&gate["verdict"], codes), (&json!("fail"), vec![&json!(code)]), "{bad:?}: {gate}");
        assert!(gate["reasons"][0]["errorGroup"].is_string(), "{gate}");
        stopped
    };
    service.as_usual(stopped).await
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_bad_releases_are_stopped_and_twenty_good_ones_pass() {
    let world = World::start().await;
    let mut services = Vec::new();
    for number in 0..2 * RELEASES {
        services.push(Failing::start(&world, &format!("service{number}")).await);
    }
    join_all(services.iter().map(Failing::lives)).await;
    // All of this was some hours and days ago.
    for statement in [
        "UPDATE error_group_change SET start = start - interval '187 minutes'",
        "UPDATE error_group_interval SET start = start - interval '187 minutes'",
        "UPDATE error_group SET first_seen = first_seen - interval '3 days'",
    ] {
        sqlx::query(statement).execute(&world.database.pool).await.unwrap();
    }
    let (good, bad) = services.split_at(RELEASES);
    let good = join_all(good.iter().map(good_release));
    let bad = join_all(bad.iter().enumerate().map(|(number, one)| bad_release(one, Bad::of(number))));
    let (_, times) = tokio::join!(good, bad);
    let slowest = times.iter().max().unwrap();
    assert!(*slowest < STOPPED_WITHIN, "{times:?}");
    println!("the slowest bad release was stopped after {slowest:?}");
}

/// The status tells plain scripts: 503 to retry, 409 to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_gate_can_answer_by_its_status() {
    let world = World::start().await;
    let path = "/gate?service=webshop&version=1.43&windowSeconds=1&asStatus=true";
    let waits = world.api().get_once(path).await.assert(503);
    assert_eq!((&waits.json["type"], waits.retry_after()), (&json!("gate-waits"), Some(1)));
    tell(&world, json!({"service": "webshop", "version": "1.43"})).await;
    until("it passes", || async { (world.api().get_once(path).await.status == 200).then_some(()) }).await;
    world.publish(DeadMessage::new(&id(), "work_webshop").error("New", "it failed")).await;
    world.until_stored(1).await;
    let fails = world.api().get(path).await.assert(409).json;
    let detail = fails["detail"].as_str().unwrap();
    assert_eq!(
        (&fails["type"], detail.contains("New error: New, 1 dead letter.")),
        (&json!("gate-failed"), true)
    );
}
