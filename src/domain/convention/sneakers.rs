//! Sneakers and Kicks (Ruby), handler `Maxretry`: the body in the topic exchange `<queue>-error`, all properties lost, and the
//! failures in the header `retry_info`, as JSON, the newest first.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::from_json::{Headers, Scalar};
use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};
use crate::domain::bounded::{self, Budget};
use crate::domain::message::{Message, Properties, Value};
use crate::domain::redelivered::Redelivered;

const HEADER: &str = "retry_info";

pub(super) struct Sneakers;

/// One failure.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Info {
    error: Option<String>,
    error_class: Option<String>,
    error_message: Option<String>,
    backtrace: Vec<String>,
    num_attempts: Option<i64>,
    failed_at: Option<String>,
    properties: Lost,
}

/// The properties that are lost.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Lost {
    content_type: Scalar,
    content_encoding: Scalar,
    headers: Option<Headers>,
    delivery_mode: Scalar,
    priority: Scalar,
    correlation_id: Scalar,
    reply_to: Scalar,
    expiration: Scalar,
    message_id: Scalar,
    #[serde(rename = "type")]
    kind: Scalar,
    user_id: Scalar,
    app_id: Scalar,
    cluster_id: Scalar,
}

/// The newest of one or several.
struct Newest(Option<Info>);

impl<'de> Deserialize<'de> for Newest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Newest;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a failure or several")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut infos: A) -> Result<Newest, A::Error> {
                let newest = infos.next_element()?;
                while infos.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Newest(newest))
            }

            fn visit_map<A: MapAccess<'de>>(self, info: A) -> Result<Newest, A::Error> {
                Info::deserialize(MapAccessDeserializer::new(info)).map(|info| Newest(Some(info)))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

fn newest(text: &str) -> Option<Info> {
    bounded::read::<Newest>(text.as_bytes(), Budget::HEADER).ok()?.0
}

impl Convention for Sneakers {
    fn name(&self) -> &'static str {
        "sneakers"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        reader.has(HEADER).then_some(())?;
        read.lies_beside(reader.source.strip_suffix("-error").map(str::to_owned));
        let routing_key = Some(reader::name(&reader.message.routing_key));
        read.came_from(Origin { queue: None, exchange: None, routing_key });
        let Some(info) = reader.parsed(HEADER, newest) else { return Some(()) };
        read.failure.error_type = info.error_class.as_deref().or(info.error.as_deref()).map(reader::name);
        read.failure.error_message = info.error_message.as_deref().map(reader::error_text);
        if !info.backtrace.is_empty() {
            read.failure.error_stack = Some(reader::stack_text(&info.backtrace.join("\n")));
        }
        let time = info
            .failed_at
            .as_deref()
            .and_then(|text| reader::rfc3339(text).or_else(|| reader.unreadable("retry_info.failed_at")));
        read.failed_at(time);
        read.deaths = read.deaths.max(info.num_attempts.unwrap_or(0));
        let lost = &info.properties;
        read.message_id = lost.message_id.text().map(reader::name);
        read.correlation_id = lost.correlation_id.text().map(reader::name);
        read.message_type = lost.kind.text().map(reader::name);
        let headers = lost.headers.as_ref();
        read.redelivered = Redelivered::read(|name| headers?.text(name).map(reader::name));
        Some(())
    }

    fn reads_plain_headers(&self) -> bool {
        false
    }

    fn is_of(&self, message: &Message) -> bool {
        message.properties.header(HEADER).is_some()
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }

    fn restore(&self, message: &mut Message) {
        let Some(info) = message.properties.header_text(HEADER).and_then(|text| newest(&text)) else {
            return;
        };
        let lost = info.properties;
        message.properties = Properties {
            content_type: lost.content_type.short(),
            content_encoding: lost.content_encoding.short(),
            headers: lost.headers.map(|headers| headers.table(Value::text)),
            delivery_mode: lost.delivery_mode.octet(),
            priority: lost.priority.octet(),
            correlation_id: lost.correlation_id.short(),
            reply_to: lost.reply_to.short(),
            expiration: lost.expiration.short(),
            message_id: lost.message_id.short(),
            timestamp: message.properties.timestamp,
            kind: lost.kind.short(),
            user_id: lost.user_id.short(),
            app_id: lost.app_id.short(),
            cluster_id: lost.cluster_id.short(),
        };
    }
}
