//! The service beside a plain consumer that gets the same messages: what it stored is compared with what the broker delivers.

use std::collections::HashMap;

use lapin::options::QueueBindOptions;
use lapin::types::FieldTable;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::raw::{RawClient, RawMessage};
use crate::support::{Broker, Database, Service, TestQueue, World, id, until};

/// The queue in the origin of the harmless.
const NEIGHBOUR: &str = "neighbour_service";
/// How often each content was found: properties and body, as a hash.
type Contents = HashMap<Vec<u8>, i64>;

pub struct Trial {
    pub world: World,
    /// Bound to the same exchange.
    twin: TestQueue,
    publisher: RawClient,
    pub published: usize,
    /// What the twin has delivered.
    delivered: Contents,
    drained: usize,
}

/// What became of redeliveries.
#[derive(Debug, Default)]
pub struct Redelivered {
    pub sent: usize,
    pub refused: usize,
    /// Refused for a reason that says nothing, or not settled at all.
    pub unclear: usize,
}

impl Trial {
    pub async fn start(settings: &[(&str, &str)]) -> Self {
        // On a machine with much else to do, a lost connection would bring messages again, with a header more.
        Self::start_with_query("?heartbeat=300", settings).await
    }

    /// With this at the end of the service's URL of the broker.
    pub async fn start_with_query(query: &str, settings: &[(&str, &str)]) -> Self {
        let (broker, database) = (Broker::shared().await, Database::shared().await);
        let source = broker.declare_source(&[]).await;
        let amqp_url = format!("{}{query}", broker.url);
        let service = Service::start(&database.url, &amqp_url, &source.name, settings);
        service.until_ready().await;
        let world = World { service, source, database, broker };
        let twin = world.broker.declare_queue(&format!("twin-{}", id()), &[]).await;
        bind(&world, &twin.name, &world.source.name).await;
        let publisher = RawClient::connect(&world.broker.url).await.unwrap();
        Self { world, twin, publisher, published: 0, delivered: Contents::new(), drained: 0 }
    }

    /// Publishes them, or says why the broker takes none of what it has not confirmed.
    pub async fn publish(&mut self, messages: &[RawMessage]) -> Result<(), String> {
        let exchange = self.world.source.name.clone().into_bytes();
        let publishing = self.publisher.publish(&exchange, messages).await;
        match publishing {
            Ok(()) => {
                self.published += messages.len();
                Ok(())
            }
            Err(why) => {
                self.publisher = RawClient::connect(&self.world.broker.url).await.unwrap();
                Err(why.to_string())
            }
        }
    }

    /// Harmless ones.
    pub fn neighbours(count: usize) -> Vec<RawMessage> {
        use dead_letter::domain::message::{Properties, Table, Value as Field};
        use dead_letter::domain::wire;
        let headers = Table(vec![(b"dead-letter-origin-queue".to_vec(), Field::text(NEIGHBOUR))]);
        let properties =
            wire::encode(&Properties { headers: Some(headers), ..Properties::default() }).unwrap();
        let message =
            |_| RawMessage { key: b"dead".to_vec(), properties: properties.clone(), body: id().into_bytes() };
        (0..count).map(message).collect()
    }

    /// Waits until all that was published is stored and acknowledged.
    pub async fn until_stored(&self) {
        self.world.until_stored(i64::try_from(self.published).unwrap()).await;
        self.world.until_source_empty().await;
    }

    /// What is stored and was not delivered like that to the twin, or the other way round.
    pub async fn differences(&mut self) -> usize {
        let count = self.published - self.drained;
        for delivery in self.world.broker.raw().await.drain(&self.twin.name, count).await.unwrap() {
            *self.delivered.entry(content(&delivery.properties, &delivery.body)).or_default() += 1;
        }
        self.drained = self.published;
        let stored: Vec<(Vec<u8>, i64)> = sqlx::query_as(
            "SELECT sha256(int4send(octet_length(properties)) || properties || body) AS content, count(*) \
             FROM dead_letter GROUP BY content",
        )
        .fetch_all(&self.world.database.pool)
        .await
        .unwrap();
        let stored: Contents = stored.into_iter().collect();
        let missing = self.delivered.iter().filter(|(content, count)| stored.get(*content) != Some(count));
        missing.count() + stored.keys().filter(|content| !self.delivered.contains_key(*content)).count()
    }

    /// The ids of those that are not harmless, with a hash of the body.
    pub async fn poison(&self) -> Vec<(String, Vec<u8>)> {
        sqlx::query_as(
            "SELECT id::text, sha256(body) FROM dead_letter WHERE origin_queue IS DISTINCT FROM $1 ORDER BY id",
        )
        .bind(NEIGHBOUR)
        .fetch_all(&self.world.database.pool)
        .await
        .unwrap()
    }

    /// Opens each; says of which that fails.
    pub async fn unopened(&self, poison: &[(String, Vec<u8>)]) -> Vec<String> {
        let api = self.world.api();
        let mut unopened = Vec::new();
        for (id, hash) in poison {
            let whole = api.get(&format!("/dead-letters/{id}")).await;
            let body = api.get(&format!("/dead-letters/{id}/body")).await;
            let opened = whole.status == 200
                // Not read as JSON: the reader's own limit of depth is less than what headers may have.
                && whole.bytes.starts_with(format!("{{\"id\":\"{id}\"").as_bytes())
                && body.status == 200
                && Sha256::digest(&body.bytes)[..] == hash[..];
            if !opened {
                unopened.push(format!("{id}: {} {}", whole.status, body.status));
            }
        }
        unopened
    }

    /// Redelivers, and waits for the end.
    pub async fn redeliver(&self, ids: &[String], to: Value) -> Redelivered {
        let api = self.world.api();
        let mut found = Redelivered::default();
        for ids in ids.chunks(10_000) {
            let answer = api.post("/dead-letters/redeliver", &json!({"ids": ids, "to": to})).await;
            let operation = answer.assert(202).json["id"].as_str().unwrap().to_owned();
            until("the operation ends", || async {
                let state = api.get(&format!("/operations/{operation}")).await.json;
                (state["state"] == "completed").then_some(())
            })
            .await;
            let items: Vec<(Option<String>, Option<String>)> = sqlx::query_as(
                "SELECT outcome::text, detail FROM operation_item WHERE operation_id = $1::uuid",
            )
            .bind(&operation)
            .fetch_all(&self.world.database.pool)
            .await
            .unwrap();
            for (outcome, detail) in items {
                match (outcome.as_deref(), detail) {
                    (Some("sent"), _) => found.sent += 1,
                    (Some("refused"), Some(detail)) if !detail.is_empty() => found.refused += 1,
                    _ => found.unclear += 1,
                }
            }
        }
        found
    }

    /// A queue behind a fanout exchange of its own.
    pub async fn sink(&self) -> TestQueue {
        self.world.broker.declare_source(&[]).await
    }

    /// Whether a plain message still gets through.
    pub async fn goes_on(&mut self) -> bool {
        self.publish(&Self::neighbours(1)).await.is_ok() && {
            self.until_stored().await;
            self.world.service.is_ready().await
        }
    }
}

fn content(properties: &[u8], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(properties.len()).unwrap().to_be_bytes();
    Sha256::new_with_prefix(length).chain_update(properties).chain_update(body).finalize().to_vec()
}

async fn bind(world: &World, queue: &str, exchange: &str) {
    let options = QueueBindOptions::default();
    let (queue, exchange) = (queue.into(), exchange.into());
    world
        .broker
        .channel
        .queue_bind(queue, exchange, "".into(), options, FieldTable::default())
        .await
        .unwrap();
}
