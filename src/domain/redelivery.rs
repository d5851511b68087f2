//! The message that a redelivery publishes.

use uuid::Uuid;

use super::convention::{Conventions, Decoding, Origin};
use super::headers::{self, COPY_ID, DEATHS, FIRST_ROUTING, REDELIVERY_COUNT, REDELIVERY_ID};
use super::message::{Message, Value};

/// Adds the exchange and routing key with which the message was first published. A message that is sent straight to its queue
/// loses them otherwise: the broker only knows the latest ones.
pub fn keep_first_routing(message: &mut Message, origin: &Origin) {
    let parts = (&origin.queue, &origin.exchange, &origin.routing_key);
    if let (Some(queue), Some(exchange), Some(routing_key)) = parts
        && !(exchange.is_empty() && routing_key == queue)
    {
        let headers = message.properties.headers.get_or_insert_default();
        for (name, text) in FIRST_ROUTING.iter().zip([queue, exchange, routing_key]) {
            headers.set(name, Value::text(text.as_str()));
        }
    }
}

/// Whether a message is redelivered or copied, and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The dead letter becomes redelivered.
    Redelivery(Uuid),
    /// The dead letter stays dead.
    Copy(Uuid),
}

/// Where a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Straight to one queue.
    Queue,
    /// To an exchange, which routes it.
    Exchange,
}

/// Delivery mode of a persistent message.
const PERSISTENT: u8 = 2;

/// Builds the message to publish: the stored one without the traces of its failure, and without what would make the broker refuse
/// or misroute it.
///
/// [`Conventions::restore`] undoes what the library did to the message. Also removed are
/// - the broker's headers (`x-death`, `x-first-death-*`, `x-last-death-*`, `x-delivery-count`, `x-acquired-count`,
///   `x-stream-offset`), and those of an earlier redelivery;
/// - `CC` and `BCC` if the message goes to one queue, where they would be read as queue names;
/// - `user-id`, because the broker refuses another user's;
/// - `expiration`: the message would vanish unseen from a queue without consumers. The broker removes it for the same reason when
///   it dead-letters a message.
///
/// The delivery mode becomes persistent. Everything else stays.
///
/// Added are the redelivery's id and count, and the deaths so far, so that the next death does not count as the first. Of an
/// undecoded message only the deaths in its headers are known.
pub fn message(
    conventions: &Conventions,
    mut message: Message,
    decoding: Decoding,
    mark: Mark,
    to: Destination,
) -> Message {
    let deaths = conventions.restore(&mut message, decoding).deaths;
    let properties = &mut message.properties;
    let count = properties
        .header_text(REDELIVERY_COUNT)
        .and_then(|count| count.parse::<u64>().ok())
        .unwrap_or(0)
        .saturating_add(1);
    let mut headers = properties.headers.take().unwrap_or_default();
    headers.0.retain(|(name, _)| !headers::is_ours(name) && !is_taken_off(name, to));
    properties.headers = Some(headers);
    // A library that goes on counting where it was would have these deaths counted twice.
    let tells_itself = match mark {
        Mark::Copy(_) => 0,
        Mark::Redelivery(_) => conventions.read("", &message, decoding).deaths - 1,
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

/// Whether users may edit the header: neither dead-letter nor the broker writes it, and it does not route the message.
pub fn may_be_edited(name: &str) -> bool {
    !headers::is_ours(name.as_bytes()) && !is_taken_off(name.as_bytes(), Destination::Queue)
}

fn is_taken_off(name: &[u8], to: Destination) -> bool {
    headers::is_the_brokers(name) || (to == Destination::Queue && (name == b"CC" || name == b"BCC"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::convention::NATIVE_HEADERS;
    use crate::domain::message::{Properties, Table};
    use crate::domain::redelivered::first_routing;

    fn properties(properties: &Properties, redelivery: Uuid, to: Destination) -> Properties {
        let failed = Message {
            exchange: String::new(),
            routing_key: String::new(),
            properties: properties.clone(),
            body: vec![],
        };
        let mark = Mark::Redelivery(redelivery);
        message(&Conventions::default(), failed, Decoding::Full, mark, to).properties
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
        let sent = properties(&original(), Uuid::nil(), Destination::Queue);
        assert_eq!(names(&sent), ["x-mine", DEATHS, REDELIVERY_ID, REDELIVERY_COUNT]);
        assert_eq!((sent.user_id, sent.expiration, sent.delivery_mode), (None, None, Some(2)));
        assert!(
            names(&properties(&original(), Uuid::nil(), Destination::Exchange)).contains(&"CC".to_owned())
        );
    }

    #[test]
    fn a_copy_bears_a_mark_of_its_own_and_none_of_an_earlier_redelivery() {
        let once = properties(&original(), Uuid::nil(), Destination::Queue);
        let failed =
            Message { exchange: String::new(), routing_key: String::new(), properties: once, body: vec![] };
        let mark = Mark::Copy(Uuid::nil());
        let copy =
            message(&Conventions::default(), failed, Decoding::Full, mark, Destination::Queue).properties;
        assert_eq!(names(&copy), ["x-mine", COPY_ID]);
        assert_eq!(
            names(&properties(&copy, Uuid::nil(), Destination::Queue)),
            ["x-mine", DEATHS, REDELIVERY_ID, REDELIVERY_COUNT]
        );
    }

    #[test]
    fn what_we_or_the_broker_write_may_not_be_edited() {
        for name in headers::OURS.into_iter().chain([
            "x-death",
            "x-first-death-queue",
            "x-delivery-count",
            "CC",
            "BCC",
        ]) {
            assert!(!may_be_edited(name), "{name}");
        }
        assert!(may_be_edited("x-mine") && may_be_edited("dead-letter-error-type"));
    }

    #[test]
    fn redeliveries_are_counted_in_text() {
        let once = properties(&original(), Uuid::nil(), Destination::Queue);
        let twice = properties(&once, Uuid::nil(), Destination::Queue);
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
            let mut sent = properties(&failed, Uuid::nil(), Destination::Queue);
            assert_eq!(sent.header_text(DEATHS).as_deref(), Some(first));
            sent.headers.get_or_insert_default().0.push(death(1));
            let again = properties(&sent, Uuid::nil(), Destination::Queue);
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
        let sent = |kind: &str, body: &str, decoding| {
            let properties = Properties {
                kind: Some(kind.into()),
                headers: Some(Table(headers.clone())),
                ..Properties::default()
            };
            let failed = Message::at_rest(properties, body.into());
            message(
                &Conventions::default(),
                failed,
                decoding,
                Mark::Redelivery(Uuid::nil()),
                Destination::Queue,
            )
        };
        // Dramatiq counts its retries in the body.
        let body = r#"{"queue_name":"q","actor_name":"a","message_id":"m","options":{"retries":1}}"#;
        let failed = sent("", body, Decoding::HeadersOnly);
        assert_eq!(
            (&*failed.body, failed.properties.header_text(DEATHS)),
            (body.as_bytes(), Some("3".into()))
        );
        assert_eq!(names(&failed.properties)[0], "mine", "what tells of the failure is taken off");
        assert_eq!(sent("", body, Decoding::Full).properties.header_text(DEATHS), Some("2".into()));
        // An envelope is opened, as it is not what its consumer knows.
        let envelope = r#"{"Message":"m","BasicProperties":{"Type":"t"}}"#;
        let inner = sent("EasyNetQ.SystemMessages.Error", envelope, Decoding::HeadersOnly);
        assert_eq!((&*inner.body, inner.properties.kind.as_deref()), (&b"m"[..], Some(&b"t"[..])));
    }

    #[test]
    fn the_first_routing_is_told_of_its_own_queue_only() {
        let [queue, exchange, routing_key] = ["q", "x", "k"].map(|text| Some(text.to_owned()));
        let mut message = Message::at_rest(Properties::default(), vec![]);
        keep_first_routing(&mut message, &Origin { queue, exchange, routing_key });
        let found = first_routing(&message.properties, Some("q"));
        assert_eq!(found, Some(("x".to_owned(), "k".to_owned())));
        assert_eq!(first_routing(&message.properties, Some("other")), None);
        assert_eq!(first_routing(&message.properties, None), None);
    }

    #[test]
    fn a_message_that_came_to_its_queue_by_the_default_exchange_needs_no_reminder() {
        let remembered = |exchange: &str, routing_key: &str| {
            let [queue, exchange, routing_key] =
                ["q", exchange, routing_key].map(|text| Some(text.to_owned()));
            let mut message = Message::at_rest(Properties::default(), vec![]);
            keep_first_routing(&mut message, &Origin { queue, exchange, routing_key });
            first_routing(&message.properties, Some("q"))
        };
        assert_eq!(remembered("", "q"), None);
        assert_eq!(remembered("", "k"), Some((String::new(), "k".to_owned())));
        assert_eq!(remembered("x", "q"), Some(("x".to_owned(), "q".to_owned())));
    }
}
