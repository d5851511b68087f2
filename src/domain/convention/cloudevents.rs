//! `CloudEvents`, which Dapr publishes too: nothing of the failure, but id and type. Binary mode has them in headers
//! `cloudEvents_*` or `cloudEvents:*`; structured mode in the body.

use serde::Deserialize;

use super::reader::{self, Reader};
use super::{Convention, Recognised};
use crate::domain::bounded::{self, Budget};

const BINARY: [[&str; 3]; 2] = [
    ["cloudEvents_specversion", "cloudEvents_id", "cloudEvents_type"],
    ["cloudEvents:specversion", "cloudEvents:id", "cloudEvents:type"],
];
const STRUCTURED: &[u8] = b"application/cloudevents";

pub(super) struct CloudEvents;

#[derive(Deserialize)]
struct Event {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Convention for CloudEvents {
    fn name(&self) -> &'static str {
        "cloudevents"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        for [version, id, kind] in BINARY {
            if reader.has(version) {
                let (id, kind) = (reader.filled(id), reader.filled(kind));
                name_it(reader, read, id, kind);
                return Some(());
            }
        }
        let content_type = reader.message.properties.content_type.as_deref()?;
        let is_structured =
            content_type.get(..STRUCTURED.len()).is_some_and(|start| start.eq_ignore_ascii_case(STRUCTURED));
        is_structured.then_some(())?;
        match bounded::read::<Event>(&reader.message.body, Budget::MESSAGE) {
            Ok(event) => {
                let [id, kind] = [event.id, event.kind].map(|text| text.as_deref().map(reader::name));
                name_it(reader, read, id, kind);
            }
            Err(why) if why.is_beyond_budget() => {
                return reader.unreadable(&format!("the event of cloudevents, as {why}"));
            }
            Err(_) => {
                reader.unreadable::<()>("the event in the body");
            }
        }
        Some(())
    }

    fn reads_plain_headers(&self) -> bool {
        false
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }
}

/// The event's id and type stand in for properties that are not there.
fn name_it(reader: &Reader<'_>, read: &mut Recognised, id: Option<String>, kind: Option<String>) {
    let properties = &reader.message.properties;
    read.message_id = id.filter(|_| properties.message_id.is_none());
    read.message_type = kind.filter(|_| properties.kind.is_none());
}
