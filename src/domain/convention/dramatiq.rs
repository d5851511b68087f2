//! Dramatiq: it rejects, so that the message dies into `<queue>.XQ`, where it is dropped after seven days. What it was, and the
//! traceback of its last failure, stand in the body.

use serde::Deserialize;

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};
use crate::domain::bounded::{self, Budget};

/// The members of each message: one of them is the first, whatever the order.
const MEMBERS: [&[u8]; 7] =
    [b"queue_name", b"actor_name", b"args", b"kwargs", b"options", b"message_id", b"message_timestamp"];

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
        may_be(&reader.message.body).then_some(())?;
        let body: Body = bounded::read(&reader.message.body, Budget::MESSAGE).ok()?;
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

    fn reads_plain_headers(&self) -> bool {
        false
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }
}

/// Tells by the first member, without reading any further.
fn may_be(body: &[u8]) -> bool {
    let text = bounded::without_mark(body).trim_ascii_start();
    let Some(rest) = text.strip_prefix(b"{") else { return false };
    let Some(name) = rest.trim_ascii_start().strip_prefix(b"\"") else { return false };
    MEMBERS.iter().any(|member| name.strip_prefix(*member).is_some_and(|rest| rest.starts_with(b"\"")))
}
