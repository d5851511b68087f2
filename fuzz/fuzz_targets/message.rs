//! Messages whose headers have the names that somebody reads something into: history, conventions, identity, fingerprint.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use dead_letter::amqp::Received;
use dead_letter::domain::message::{Message, Properties, Table, Value};
use dead_letter_fuzz::examine;
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 54] = [
    "x-death",
    "x-first-death-queue",
    "x-first-death-reason",
    "x-first-death-exchange",
    "dead-letter-error-type",
    "dead-letter-error-message",
    "dead-letter-error-stack",
    "dead-letter-origin-queue",
    "dead-letter-origin-exchange",
    "dead-letter-origin-routing-key",
    "dead-letter-failed-at",
    "dead-letter-redelivery-id",
    "dead-letter-redelivery-count",
    "queue",
    "reason",
    "count",
    "time",
    "exchange",
    "routing-keys",
    "CC",
    "retry_info",
    "rascal",
    "originalQueue",
    "recovery",
    "error",
    "laravel",
    "attempts",
    "x-exception-stacktrace",
    "x-exception-message",
    "x-original-exchange",
    "x-original-routingKey",
    "retry-count",
    "MT-Reason",
    "MT-Fault-InputAddress",
    "MT-Fault-Timestamp",
    "MT-Fault-RetryCount",
    "NServiceBus.FailedQ",
    "NServiceBus.TimeOfFailure",
    "NServiceBus.ExceptionInfo.StackTrace",
    "rbs2-source-queue",
    "rbs2-error-details",
    "exception-type",
    "failed-at",
    "original-destination",
    "topic_poisoned",
    "reason_poisoned",
    "X-Message-Stamp-A\\SentToFailureTransportStamp",
    "X-Message-Stamp-A\\ErrorDetailsStamp",
    "X-Message-Stamp-A\\RedeliveryStamp",
    "cap-msg-id",
    "cap-exception",
    "HandledCount",
    "MessageType",
    "cloudEvents_specversion",
];
const DEEPEST: usize = 5;

#[derive(Debug)]
struct Any(Message);

impl<'a> Arbitrary<'a> for Any {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let properties = Properties {
            message_id: u.arbitrary::<Option<Vec<u8>>>()?.map(cut),
            correlation_id: u.arbitrary::<Option<Vec<u8>>>()?.map(cut),
            kind: if u.ratio(1, 8)? {
                Some(b"EasyNetQ.SystemMessages.Error".to_vec())
            } else {
                u.arbitrary::<Option<Vec<u8>>>()?.map(cut)
            },
            expiration: u.arbitrary::<Option<Vec<u8>>>()?.map(cut),
            timestamp: u.arbitrary()?,
            headers: Some(table(u, 0)?),
            ..Properties::default()
        };
        Ok(Self(Message {
            exchange: String::new(),
            routing_key: String::new(),
            properties,
            body: u.arbitrary()?,
        }))
    }
}

fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(255);
    bytes
}

fn table(u: &mut Unstructured<'_>, depth: usize) -> Result<Table> {
    let mut entries = Vec::new();
    for _ in 0..u.int_in_range(0..=6)? {
        let name = if u.arbitrary()? { u.choose(&NAMES)?.as_bytes().to_vec() } else { cut(u.arbitrary()?) };
        entries.push((name, value(u, depth + 1)?));
    }
    Ok(Table(entries))
}

fn value(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth < DEEPEST { 13 } else { 9 })? {
        0 => Value::Void,
        1 => Value::Bool(u.arbitrary()?),
        2 => Value::I8(u.arbitrary()?),
        3 => Value::I64(u.arbitrary()?),
        4 => Value::F64(u.arbitrary()?),
        5 => Value::Timestamp(u.arbitrary()?),
        6 => Value::Bytes(u.arbitrary()?),
        7 => Value::text(u.arbitrary::<&str>()?),
        8 | 9 => Value::LongString(u.arbitrary()?),
        10 | 11 => {
            let mut values = Vec::new();
            for _ in 0..u.int_in_range(0..=4)? {
                values.push(value(u, depth + 1)?);
            }
            Value::Array(values)
        }
        _ => Value::Table(table(u, depth)?),
    })
}

fuzz_target!(|any: Any| {
    examine(Received::made(any.0).expect("it can be written"));
});
