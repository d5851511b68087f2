//! Dramatiq: it rejects, so that the message dies into `<queue>.XQ`, where it is dropped after seven days. What it was, and the
//! traceback of its last failure, stand in the body.

use serde::Deserialize;

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

/// What its encoder begins each message with.
const BEGINNING: &[u8] = b"{\"queue_name\":";

pub(super) struct Dramatiq;

#[derive(Deserialize)]
struct Body {
    queue_name: String,
    actor_name: String,
    message_id: String,
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    traceback: Option<String>,
    retries: Option<i64>,
}

impl Convention for Dramatiq {
    fn name(&self) -> &'static str {
        "dramatiq"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        reader.message.body.starts_with(BEGINNING).then_some(())?;
        let body: Body = serde_json::from_slice(&reader.message.body).ok()?;
        // The broker knows better: a delayed message died in `<queue>.DQ`.
        if read.origin.queue.is_none() {
            read.came_from(Origin { queue: Some(reader::name(&body.queue_name)), ..Origin::default() });
        }
        if let Some(traceback) = body.options.traceback {
            let thrown = traceback.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            let (kind, text) = thrown.split_once(": ").unwrap_or((thrown, ""));
            read.failure.error_type = Some(reader::name(kind));
            read.failure.error_message = Some(reader::error_text(text));
            read.failure.error_stack = Some(reader::stack_text(&traceback));
        }
        read.deaths = read.deaths.max(body.options.retries.unwrap_or(0).saturating_add(1));
        read.message_id = Some(reader::name(&body.message_id));
        read.message_type = Some(reader::name(&body.actor_name));
        Some(())
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }
}
