//! The faults that are planted, and what is sound.

use lapin::ExchangeKind;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::stand::{DECLARED, SAFE, SOURCES, Stand};
use crate::support::text;

/// A check, and the name of the thing that it finds.
type Fault = (&'static str, String);
type Arguments = Vec<(&'static str, AMQPValue)>;

fn with(exchange: &str, more: &[(&'static str, AMQPValue)]) -> Arguments {
    [&[("x-dead-letter-exchange", text(exchange))], more].concat()
}

/// Dead-letters to this exchange, at least once.
fn safe(exchange: &str, more: &[(&'static str, AMQPValue)]) -> Arguments {
    let safe = SAFE.map(|(name, value)| (name, text(value)));
    [&with(exchange, &safe)[..], more].concat()
}

fn number(number: i32) -> AMQPValue {
    AMQPValue::LongInt(number)
}

/// Collects the faults under the name of a thing.
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, thing: &str, checks: &[&'static str]) {
        self.0.extend(checks.iter().map(|check| (*check, thing.to_owned())));
    }
}

/// What a careful team has: nothing of it is a fault.
pub async fn sound(stand: &Stand) {
    stand.source("parked", &[]).await;
    stand.exchange("dlx", ExchangeKind::Fanout).await;
    stand.bind("dlx", "parked", "").await;
    stand.exchange("shop", ExchangeKind::Topic).await;
    stand.queue("quorum", "orders", &safe("dlx", &[("x-delivery-limit", number(5))])).await;
    stand.bind("shop", "orders", "order.*").await;
    // To the default exchange, by policy.
    stand.queue("quorum", "mails", &[]).await;
    let definition = r#"{"dead-letter-exchange":"","dead-letter-routing-key":"parked","dead-letter-strategy":"at-least-once",
        "overflow":"reject-publish","max-length":1000000,"delivery-limit":10}"#;
    stand.policy("mails", definition);
    // Waits a minute before another attempt.
    let back = [("x-dead-letter-routing-key", text("orders")), ("x-message-ttl", number(60_000))];
    stand.queue("quorum", "orders-retry", &safe("", &back)).await;
    // Another team parks its own.
    stand.exchange("parking", ExchangeKind::Direct).await;
    stand.source("billing-parked", &[]).await;
    stand.bind("parking", "billing-parked", "billing").await;
    stand.queue("quorum", "billing", &safe("parking", &[])).await;
    // Not for messages that may be lost: a stream, and a queue for replies.
    stand.queue("stream", "events", &[]).await;
    let reply = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    stand.broker.channel.queue_declare("".into(), reply, FieldTable::default()).await.unwrap();
}

/// Plants every fault.
pub async fn plant(stand: &Stand) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    sound(stand).await;
    undead(stand, &mut faults).await;
    once(stand, &mut faults).await;
    lost(stand, &mut faults).await;
    fleeting(stand, &mut faults).await;
    faults.0.extend(bad_sources(stand).await);
    vhosts(stand, &mut faults).await;
    ours(stand, &mut faults).await;
    faults.0
}

/// Queues that do not dead-letter.
async fn undead(stand: &Stand, faults: &mut Faults) {
    const NONE: &str = "no_dead_letter_exchange";
    stand.queue("quorum", "w-none", &[]).await;
    faults.add("w-none", &[NONE]);
    stand.queue("classic", "w-classic-none", &[]).await;
    faults.add("w-classic-none", &[NONE]);
    stand.queue("quorum", "w-limit", &[("x-delivery-limit", number(5))]).await;
    faults.add("w-limit", &[NONE, "delivery_limit_drops"]);
    for (name, definition, check) in [
        ("w-limit-policy", r#"{"delivery-limit":5}"#, "delivery_limit_drops"),
        ("w-ttl", r#"{"message-ttl":86400000}"#, "ttl_drops"),
        ("w-length-none", r#"{"max-length":1000}"#, "drop_head"),
    ] {
        stand.queue("quorum", name, &[]).await;
        stand.policy(name, definition);
        faults.add(name, &[NONE, check]);
    }
    stand.queue("quorum", "w-ttl-operator", &[]).await;
    stand.operator_policy("w-ttl-operator", r#"{"message-ttl":86400000}"#);
    faults.add("w-ttl-operator", &[NONE, "ttl_drops"]);
    stand.queue("quorum", "it's $odd.*", &[("x-max-length-bytes", number(1000))]).await;
    faults.add("it's $odd.*", &[NONE, "drop_head"]);
}

/// Queues that dead-letter at most once.
async fn once(stand: &Stand, faults: &mut Faults) {
    stand.queue("quorum", "w-once", &with("dlx", &[])).await;
    faults.add("w-once", &["at_most_once"]);
    stand.queue("quorum", "w-once-policy", &[]).await;
    stand.policy("w-once-policy", r#"{"dead-letter-exchange":"dlx"}"#);
    faults.add("w-once-policy", &["at_most_once"]);
    let strategy = ("x-dead-letter-strategy", text("at-least-once"));
    stand.queue("quorum", "w-overflow", &with("dlx", std::slice::from_ref(&strategy))).await;
    faults.add("w-overflow", &["overflow_forbids_at_least_once"]);
    let drop_head = ("x-overflow", text("drop-head"));
    stand.queue("quorum", "w-drop-head", &with("dlx", &[strategy, drop_head])).await;
    faults.add("w-drop-head", &["overflow_forbids_at_least_once"]);
    stand.queue("quorum", "w-length", &with("dlx", &[])).await;
    stand.policy("w-length", r#"{"max-length":1000}"#);
    faults.add("w-length", &["at_most_once", "drop_head"]);
    stand.queue("classic", "w-classic", &with("dlx", &[("x-max-priority", number(5))])).await;
    stand.bind("shop", "w-classic", "order.*").await;
    faults.add("w-classic", &["classic_at_most_once"]);
}

/// Queues whose dead letters reach no queue.
async fn lost(stand: &Stand, faults: &mut Faults) {
    stand.queue("quorum", "w-missing", &safe("absent", &[])).await;
    faults.add("w-missing", &["dead_letter_exchange_missing"]);
    stand.queue("quorum", "w-missing-policy", &[]).await;
    let policy = r#"{"dead-letter-exchange":"gone","dead-letter-strategy":"at-least-once","overflow":"reject-publish"}"#;
    stand.policy("w-missing-policy", policy);
    faults.add("w-missing-policy", &["dead_letter_exchange_missing"]);
    stand.exchange("lonely", ExchangeKind::Fanout).await;
    stand.queue("quorum", "w-unbound", &safe("lonely", &[])).await;
    faults.add("w-unbound", &["unroutable"]);
    stand.exchange("work", ExchangeKind::Direct).await;
    stand.exchange("keyed", ExchangeKind::Topic).await;
    stand.bind("keyed", "parked", "other.*").await;
    stand.queue("quorum", "w-other-key", &safe("keyed", &[])).await;
    stand.bind("work", "w-other-key", "order.placed").await;
    faults.add("w-other-key", &["unroutable"]);
    stand.exchange("all", ExchangeKind::Fanout).await;
    stand.exchange("some", ExchangeKind::Topic).await;
    stand.bind("some", "parked", "order.*").await;
    stand.queue("quorum", "w-some-keys", &safe("some", &[])).await;
    stand.bind("all", "w-some-keys", "").await;
    faults.add("w-some-keys", &["possibly_unroutable"]);
    stand.exchange("direct", ExchangeKind::Direct).await;
    let nowhere = ("x-dead-letter-routing-key", text("nowhere"));
    stand.queue("quorum", "w-routing-key", &safe("direct", &[nowhere])).await;
    faults.add("w-routing-key", &["routing_key_leads_nowhere"]);
    let absent = ("x-dead-letter-routing-key", text("no-such-queue"));
    stand.queue("quorum", "w-default-exchange", &safe("", &[absent])).await;
    faults.add("w-default-exchange", &["routing_key_leads_nowhere"]);
    stand.source("parked-elsewhere", &[("x-message-ttl", number(1000))]).await;
    stand.exchange("elsewhere", ExchangeKind::Fanout).await;
    stand.bind("elsewhere", "parked-elsewhere", "").await;
    stand.queue("quorum", "w-parks-elsewhere", &safe("elsewhere", &[])).await;
    faults.add("parked-elsewhere", &["source_ttl"]);
}

/// Whether the broker takes queues that are not durable.
fn has_transient(stand: &Stand) -> bool {
    stand.broker.version() < (4, 3)
}

/// Queues that go.
async fn fleeting(stand: &Stand, faults: &mut Faults) {
    let transient = QueueDeclareOptions::default();
    if has_transient(stand) {
        stand.queue_as(transient, "classic", "w-transient", &with("dlx", &[])).await;
        faults.add("w-transient", &["not_durable", "classic_at_most_once"]);
    }
    let auto_delete = QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::durable() };
    stand.queue_as(auto_delete, "classic", "w-auto-delete", &with("dlx", &[])).await;
    faults.add("w-auto-delete", &["auto_delete", "classic_at_most_once"]);
    let exclusive = QueueDeclareOptions { exclusive: true, ..transient };
    stand.queue_as(exclusive, "classic", "w-exclusive", &[]).await;
    faults.add("w-exclusive", &["exclusive"]);
    stand.queue("quorum", "w-expires", &safe("dlx", &[("x-expires", number(86_400_000))])).await;
    faults.add("w-expires", &["expires"]);
    stand.queue("quorum", "w-expires-operator", &safe("dlx", &[])).await;
    stand.operator_policy("w-expires-operator", r#"{"expires":86400000}"#);
    faults.add("w-expires-operator", &["expires"]);
}

/// Sources that lose dead letters.
pub async fn bad_sources(stand: &Stand) -> Vec<Fault> {
    let mut faults = Faults(Vec::new());
    let mut sources = SOURCES.to_vec();
    faults.add("s-missing", &["source_missing"]);
    stand.queue("classic", "s-classic", &[]).await;
    faults.add("s-classic", &["source_not_quorum"]);
    stand.queue("stream", "s-stream", &[]).await;
    faults.add("s-stream", &["source_is_stream"]);
    stand.source("s-ttl", &[("x-message-ttl", number(1000))]).await;
    faults.add("s-ttl", &["source_ttl"]);
    for (name, definition, check) in [
        ("s-ttl-policy", r#"{"message-ttl":1000}"#, "source_ttl"),
        ("s-length-policy", r#"{"max-length":1000}"#, "source_length"),
    ] {
        stand.source(name, &[]).await;
        stand.policy(name, definition);
        faults.add(name, &[check]);
    }
    for (name, definition, check) in [
        ("s-bytes-operator", r#"{"max-length-bytes":1000}"#, "source_length"),
        ("s-limit-operator", r#"{"delivery-limit":7}"#, "source_delivery_limit"),
    ] {
        stand.source(name, &[]).await;
        stand.operator_policy(name, definition);
        faults.add(name, &[check]);
    }
    stand.source("s-expires", &[("x-expires", number(86_400_000))]).await;
    faults.add("s-expires", &["expires"]);
    stand.source("s-limit", &[("x-delivery-limit", number(5))]).await;
    faults.add("s-limit", &["source_delivery_limit"]);
    // RabbitMQ 4 has a limit by default, and RabbitMQ 3 reads a negative one as 0.
    let none = if stand.broker.major() >= 4 { vec![] } else { vec![("x-delivery-limit", number(-1))] };
    stand.queue("quorum", "s-limit-default", &none).await;
    faults.add("s-limit-default", &["source_delivery_limit"]);
    if has_transient(stand) {
        stand.queue_as(QueueDeclareOptions::default(), "classic", "s-transient", &[]).await;
        faults.add("s-transient", &["not_durable", "source_not_quorum"]);
    } else {
        sources.retain(|source| *source != "s-transient");
    }
    let auto_delete = QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::durable() };
    stand.queue_as(auto_delete, "classic", "s-auto-delete", &[]).await;
    faults.add("s-auto-delete", &["auto_delete", "source_not_quorum"]);
    stand.write_brokers(&sources, &[]);
    faults.0
}

/// Virtual hosts in which what dead-letter declares is not as it should be, and one that it does not consume.
async fn vhosts(stand: &Stand, faults: &mut Faults) {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    for (name, kind, has_queue) in [
        ("typed", Some(ExchangeKind::Direct), true),
        ("unbound", Some(ExchangeKind::Topic), true),
        ("fresh", None, false),
        ("no-exchange", None, true),
    ] {
        let broker = stand.vhost(name).await;
        if let Some(kind) = kind {
            let none = FieldTable::default();
            broker.channel.exchange_declare("dead-letter".into(), kind, durable, none).await.unwrap();
        }
        if has_queue {
            let unlimited = (broker.major() >= 4).then_some(("x-delivery-limit", number(-1)));
            std::mem::forget(
                broker.declare_queue("dead-letter", &unlimited.into_iter().collect::<Vec<_>>()).await,
            );
        }
    }
    faults.add(
        "dead-letter",
        &["source_exchange_type", "source_unbound", "source_missing", "source_exchange_missing"],
    );
    let other = stand.vhost("other").await;
    std::mem::forget(other.declare_queue("o-none", &[]).await);
    faults.add("o-none", &["no_dead_letter_exchange"]);
    let sources: Vec<_> =
        SOURCES.into_iter().filter(|source| has_transient(stand) || *source != "s-transient").collect();
    stand.write_brokers(&sources, &DECLARED);
}

/// The database, and our own settings.
async fn ours(stand: &Stand, faults: &mut Faults) {
    let role: String =
        stand.database.url.split(['/', ':']).find(|part| part.starts_with("serving_")).unwrap().into();
    let revoke = format!("REVOKE UPDATE ON operation FROM {role}");
    sqlx::raw_sql(&revoke).execute(&stand.database.pool).await.unwrap();
    faults.add("DATABASE_URL", &["grants"]);
    sqlx::raw_sql("ALTER SYSTEM SET fsync = off").execute(&stand.database.pool).await.unwrap();
    sqlx::raw_sql("SELECT pg_reload_conf()").execute(&stand.database.pool).await.unwrap();
    faults.add("DATABASE_URL", &["database_durability"]);
    stand.write_ownership("services: 7\n");
    faults.add("DEAD_LETTER_OWNERSHIP_FILE", &["configuration"]);
}
