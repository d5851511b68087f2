//! What a message looks like when it is put back.

use std::borrow::Cow;

use uuid::Uuid;

use super::convention::{Care, Conventions, Origin};
use super::message::{Message, Properties, Value, storable_text};

/// Header that every message that we put back bears: the same for each try to redeliver one dead letter in one operation.
pub const REDELIVERY_ID: &str = "dead-letter-redelivery-id";
/// Header that counts how often the message was redelivered by us, as text.
pub const REDELIVERY_COUNT: &str = "dead-letter-redelivery-count";

/// Header that says how often the message had died before, beyond what it will tell itself when it dies again, as text.
pub const DEATHS: &str = "dead-letter-deaths";
/// Headers of a message that went straight to a queue: which queue, and what the message was published with at first.
const ROUTING: [&str; 3] = ["dead-letter-queue", "dead-letter-exchange", "dead-letter-routing-key"];

/// Header that every copy that we publish bears instead: its death is nobody's return.
pub const COPY_ID: &str = "dead-letter-copy-id";
const OURS: [&str; 7] =
    [REDELIVERY_ID, REDELIVERY_COUNT, DEATHS, ROUTING[0], ROUTING[1], ROUTING[2], COPY_ID];

/// What a message that we redelivered bears of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redelivered {
    /// Which redelivery it was.
    pub id: String,
    /// How often we have redelivered it.
    pub count: i32,
    /// How often it had died before, beyond what it tells itself.
    pub deaths: i32,
}

impl Redelivered {
    /// Reads these headers. They are claims, as all headers are: a forged one makes its own count wrong.
    pub fn read(header: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let id = header(REDELIVERY_ID)?;
        let number = |name| Some(header(name)?.parse::<i32>().unwrap_or(0).max(0));
        let count = number(REDELIVERY_COUNT).unwrap_or(0).max(1);
        // The release before did not tell deaths: there was one for each redelivery, at least.
        let deaths = number(DEATHS).unwrap_or(count);
        Some(Self { id, count, deaths })
    }
}

/// Has a message that goes straight to its queue say what it was published with at first: the broker will know only how it went
/// this time.
pub fn remember_routing(message: &mut Message, origin: &Origin) {
    let parts = (&origin.queue, &origin.exchange, &origin.routing_key);
    if let (Some(queue), Some(exchange), Some(routing_key)) = parts
        && !(exchange.is_empty() && routing_key == queue)
    {
        let headers = message.properties.headers.get_or_insert_default();
        for (name, text) in ROUTING.iter().zip([queue, exchange, routing_key]) {
            headers.set(name, Value::text(text.as_str()));
        }
    }
}

/// What a message that died in this queue was published with at first: exchange and routing key, if it says so. A claim.
pub fn remembered_routing(properties: &Properties, queue: Option<&str>) -> Option<(String, String)> {
    let text = |name: &str| properties.header(name).and_then(Value::as_text);
    let [of, exchange, routing_key] = ROUTING.map(text);
    let name = |text: Cow<'_, str>| storable_text(text.as_bytes(), 255);
    (queue.is_some() && of.as_deref() == queue).then(|| Some((name(exchange?), name(routing_key?))))?
}

/// As what a message goes out, and under which id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is put back.
    Redelivery(Uuid),
    /// It is a copy, and the dead letter stays dead.
    Copy(Uuid),
}

/// Delivery mode of a persistent message.
const PERSISTENT: u8 = 2;

/// The message to publish: the one that came, but for what tells of the failure, and what would make the broker refuse or
/// misroute it.
///
/// Its convention makes it what it was before it failed ([`Conventions::restore`]). Taken off besides: the headers that the
/// broker wrote (`x-death`, `x-first-death-*`, `x-last-death-*`, `x-delivery-count`, `x-acquired-count`, and
/// `x-stream-offset`), our own of an earlier redelivery, `CC` and `BCC` where the message goes to one queue (they would be taken for queue names), `user-id` (the
/// broker refuses another user's), and `expiration`: in a queue that nobody consumes for a while the message would vanish unseen, and
/// the broker takes it off for the same reason where it dead-letters a message itself. The delivery mode becomes persistent.
/// Everything else stays.
///
/// Put on are the redelivery's id and count, and the deaths so far, so that the next one does not count as the first: of a message
/// that is read with care, those that its headers tell.
pub fn message(
    conventions: &Conventions,
    mut message: Message,
    care: Care,
    mark: Mark,
    to_one_queue: bool,
) -> Message {
    let deaths = conventions.restore(&mut message, care).deaths;
    let properties = &mut message.properties;
    let count = properties
        .header_text(REDELIVERY_COUNT)
        .and_then(|count| count.parse::<u64>().ok())
        .unwrap_or(0)
        .saturating_add(1);
    let mut headers = properties.headers.take().unwrap_or_default();
    headers.0.retain(|(name, _)| !is_ours(name) && !is_taken_off(name, to_one_queue));
    properties.headers = Some(headers);
    // A library that goes on counting where it was would have these deaths counted twice.
    let tells_itself = match mark {
        Mark::Copy(_) => 0,
        Mark::Redelivery(_) => conventions.read("", &message, care).deaths - 1,
    };
    let properties = &mut message.properties;
    let headers = properties.headers.get_or_insert_default();
    match mark {
        Mark::Redelivery(id) => {
            headers.set(DEATHS, Value::text((deaths - tells_itself).max(0).to_string()));
            headers.set(REDELIVERY_ID, Value::text(id));
            headers.set(REDELIVERY_COUNT, Value::text(count.to_string()));
        }
        Mark::Copy(id) => headers.set(COPY_ID, Value::text(id)),
    }
    properties.delivery_mode = Some(PERSISTENT);
    properties.user_id = None;
    properties.expiration = None;
    message
}

/// Whether people may change the header: it is not written by us or by the broker, and does not say where the message goes.
pub fn may_be_edited(name: &str) -> bool {
    !is_ours(name.as_bytes()) && !is_taken_off(name.as_bytes(), true)
}

fn is_ours(name: &[u8]) -> bool {
    OURS.iter().any(|ours| ours.as_bytes() == name)
}

fn is_taken_off(name: &[u8], to_one_queue: bool) -> bool {
    const WRITTEN_BY_THE_BROKER: [&[u8]; 4] =
        [b"x-death", b"x-delivery-count", b"x-acquired-count", b"x-stream-offset"];
    WRITTEN_BY_THE_BROKER.contains(&name)
        || name.starts_with(b"x-first-death-")
        || name.starts_with(b"x-last-death-")
        || (to_one_queue && (name == b"CC" || name == b"BCC"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::convention::NATIVE_HEADERS;
    use crate::domain::message::Table;

    fn properties(properties: &Properties, redelivery: Uuid, to_one_queue: bool) -> Properties {
        let failed = Message {
            exchange: String::new(),
            routing_key: String::new(),
            properties: properties.clone(),
            body: vec![],
        };
        let mark = Mark::Redelivery(redelivery);
        message(&Conventions::default(), failed, Care::Full, mark, to_one_queue).properties
    }

    fn names(properties: &Properties) -> Vec<String> {
        let headers = properties.headers.as_ref().expect("headers");
        headers.0.iter().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect()
    }

    fn original() -> Properties {
        let header = |name: &str| (name.as_bytes().to_vec(), Value::text("v"));
        Properties {
            headers: Some(Table(
                ["x-death", "x-first-death-queue", "x-last-death-reason", "x-delivery-count", "x-mine", "CC"]
                    .into_iter()
                    .chain(NATIVE_HEADERS)
                    .map(header)
                    .collect(),
            )),
            user_id: Some(b"guest".to_vec()),
            expiration: Some(b"60000".to_vec()),
            delivery_mode: Some(1),
            ..Properties::default()
        }
    }

    #[test]
    fn the_failure_is_taken_off_and_the_rest_stays() {
        let sent = properties(&original(), Uuid::nil(), true);
        assert_eq!(names(&sent), ["x-mine", DEATHS, REDELIVERY_ID, REDELIVERY_COUNT]);
        assert_eq!((sent.user_id, sent.expiration, sent.delivery_mode), (None, None, Some(2)));
        assert!(names(&properties(&original(), Uuid::nil(), false)).contains(&"CC".to_owned()));
    }

    #[test]
    fn a_copy_bears_a_mark_of_its_own_and_none_of_an_earlier_redelivery() {
        let once = properties(&original(), Uuid::nil(), true);
        let failed =
            Message { exchange: String::new(), routing_key: String::new(), properties: once, body: vec![] };
        let mark = Mark::Copy(Uuid::nil());
        let copy = message(&Conventions::default(), failed, Care::Full, mark, true).properties;
        assert_eq!(names(&copy), ["x-mine", COPY_ID]);
        assert_eq!(
            names(&properties(&copy, Uuid::nil(), true)),
            ["x-mine", DEATHS, REDELIVERY_ID, REDELIVERY_COUNT]
        );
    }

    #[test]
    fn what_we_or_the_broker_write_may_not_be_edited() {
        for name in
            OURS.into_iter().chain(["x-death", "x-first-death-queue", "x-delivery-count", "CC", "BCC"])
        {
            assert!(!may_be_edited(name), "{name}");
        }
        assert!(may_be_edited("x-mine") && may_be_edited("dead-letter-error-type"));
    }

    #[test]
    fn redeliveries_are_counted_in_text() {
        let once = properties(&original(), Uuid::nil(), true);
        let twice = properties(&once, Uuid::nil(), true);
        assert_eq!(once.header(REDELIVERY_COUNT), Some(&Value::text("1")));
        assert_eq!(twice.header(REDELIVERY_COUNT), Some(&Value::text("2")));
    }

    #[test]
    fn deaths_are_counted_on_and_once() {
        let header = |name: &str, value| (name.as_bytes().to_vec(), value);
        let death = |count| {
            let death =
                Table(vec![header("reason", Value::text("rejected")), header("count", Value::I64(count))]);
            header("x-death", Value::Array(vec![Value::Table(death)]))
        };
        // A task of Celery keeps its own count of retries, and dies three times for each try.
        for (task, first, second) in [
            (vec![], "3", "4"),
            (vec![("task", "t"), ("id", "i"), ("root_id", "r"), ("retries", "2")], "1", "2"),
        ] {
            let mut failed = Properties { headers: Some(Table(vec![death(3)])), ..Properties::default() };
            let headers = failed.headers.get_or_insert_default();
            headers.0.extend(task.into_iter().map(|(name, text)| header(name, Value::text(text))));
            let mut sent = properties(&failed, Uuid::nil(), true);
            assert_eq!(sent.header_text(DEATHS).as_deref(), Some(first));
            sent.headers.get_or_insert_default().0.push(death(1));
            let again = properties(&sent, Uuid::nil(), true);
            assert_eq!(again.header_text(DEATHS).as_deref(), Some(second));
        }
    }

    #[test]
    fn what_may_be_deadly_is_put_back_without_reading_more_than_its_envelope() {
        let header = |name: &str, value| (name.as_bytes().to_vec(), value);
        let death = Table(vec![header("reason", Value::text("rejected")), header("count", Value::I64(3))]);
        let headers = vec![
            header("x-death", Value::Array(vec![Value::Table(death)])),
            header("X-Message-Stamp-A\\ErrorDetailsStamp", Value::text("[{}]")),
            header("mine", Value::Void),
        ];
        let sent = |kind: &str, body: &str, care| {
            let properties = Properties {
                kind: Some(kind.into()),
                headers: Some(Table(headers.clone())),
                ..Properties::default()
            };
            let failed = Message::at_rest(properties, body.into());
            message(&Conventions::default(), failed, care, Mark::Redelivery(Uuid::nil()), true)
        };
        // Dramatiq counts its retries in the body.
        let body = r#"{"queue_name":"q","actor_name":"a","message_id":"m","options":{"retries":1}}"#;
        let failed = sent("", body, Care::Headers);
        assert_eq!(
            (&*failed.body, failed.properties.header_text(DEATHS)),
            (body.as_bytes(), Some("3".into()))
        );
        assert_eq!(names(&failed.properties)[0], "mine", "what tells of the failure is taken off");
        assert_eq!(sent("", body, Care::Full).properties.header_text(DEATHS), Some("2".into()));
        // An envelope is opened, as it is not what its consumer knows.
        let envelope = r#"{"Message":"m","BasicProperties":{"Type":"t"}}"#;
        let inner = sent("EasyNetQ.SystemMessages.Error", envelope, Care::Headers);
        assert_eq!((&*inner.body, inner.properties.kind.as_deref()), (&b"m"[..], Some(&b"t"[..])));
    }

    #[test]
    fn the_first_routing_is_told_of_its_own_queue_only() {
        let [queue, exchange, routing_key] = ["q", "x", "k"].map(|text| Some(text.to_owned()));
        let mut message = Message::at_rest(Properties::default(), vec![]);
        remember_routing(&mut message, &Origin { queue, exchange, routing_key });
        let found = remembered_routing(&message.properties, Some("q"));
        assert_eq!(found, Some(("x".to_owned(), "k".to_owned())));
        assert_eq!(remembered_routing(&message.properties, Some("other")), None);
        assert_eq!(remembered_routing(&message.properties, None), None);
    }

    #[test]
    fn a_message_that_came_to_its_queue_by_the_default_exchange_needs_no_reminder() {
        let remembered = |exchange: &str, routing_key: &str| {
            let [queue, exchange, routing_key] =
                ["q", exchange, routing_key].map(|text| Some(text.to_owned()));
            let mut message = Message::at_rest(Properties::default(), vec![]);
            remember_routing(&mut message, &Origin { queue, exchange, routing_key });
            remembered_routing(&message.properties, Some("q"))
        };
        assert_eq!(remembered("", "q"), None);
        assert_eq!(remembered("", "k"), Some((String::new(), "k".to_owned())));
        assert_eq!(remembered("x", "q"), Some(("x".to_owned(), "q".to_owned())));
    }
}
