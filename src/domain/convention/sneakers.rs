//! Sneakers and Kicks (Ruby), handler `Maxretry`: the body in the topic exchange `<queue>-error`, all properties lost, and the
//! failures in the header `retry_info`, as JSON, the newest first.

use serde::Deserialize;
use serde_json::Value as Json;

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised, from_json};
use crate::domain::message::{Message, Properties};
use crate::domain::redelivery::REDELIVERY_ID;

const HEADER: &str = "retry_info";

pub(super) struct Sneakers;

/// One failure.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    error: Option<String>,
    error_class: Option<String>,
    error_message: Option<String>,
    backtrace: Vec<String>,
    num_attempts: Option<i64>,
    failed_at: Option<String>,
    properties: serde_json::Map<String, Json>,
}

/// One or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Infos {
    Several(Vec<Info>),
    One(Box<Info>),
}

fn newest(text: &str) -> Option<Info> {
    match serde_json::from_str(text).ok()? {
        Infos::Several(infos) => infos.into_iter().next(),
        Infos::One(info) => Some(*info),
    }
}

impl Convention for Sneakers {
    fn name(&self) -> &'static str {
        "sneakers"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        reader.has(HEADER).then_some(())?;
        let queue = reader.source.strip_suffix("-error").map(str::to_owned);
        let routing_key = Some(reader::name(&reader.message.routing_key));
        read.came_from(Origin { queue, exchange: None, routing_key });
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
        let text = |name: &str| info.properties.get(name).and_then(Json::as_str).map(reader::name);
        read.message_id = text("message_id");
        read.correlation_id = text("correlation_id");
        read.message_type = text("type");
        read.redelivery_id = info
            .properties
            .get("headers")
            .and_then(|headers| headers.get(REDELIVERY_ID)?.as_str())
            .map(reader::name);
        Some(())
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }

    fn restore(&self, message: &mut Message) {
        let Some(info) = message.properties.header_text(HEADER).and_then(|text| newest(&text)) else {
            return;
        };
        let text = |name: &str| info.properties.get(name)?.as_str().and_then(from_json::short);
        let small =
            |name: &str| info.properties.get(name)?.as_u64().and_then(|number| u8::try_from(number).ok());
        let headers = info.properties.get("headers").and_then(Json::as_object);
        message.properties = Properties {
            content_type: text("content_type"),
            content_encoding: text("content_encoding"),
            headers: headers.map(|headers| from_json::headers(headers, str::to_owned)),
            delivery_mode: small("delivery_mode"),
            priority: small("priority"),
            correlation_id: text("correlation_id"),
            reply_to: text("reply_to"),
            expiration: text("expiration"),
            message_id: text("message_id"),
            timestamp: message.properties.timestamp,
            kind: text("type"),
            user_id: text("user_id"),
            app_id: text("app_id"),
            cluster_id: text("cluster_id"),
        };
    }
}
