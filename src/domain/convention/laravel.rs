//! Laravel's queue on `RabbitMQ`: it rejects, and counts attempts in the table header `laravel`, by which it gives up.

use serde::Deserialize;

use super::reader::{self, Reader};
use super::{Convention, Recognised};
use crate::domain::bounded::{self, Budget};
use crate::domain::message::{Message, Value};

const HEADER: &str = "laravel";
const ATTEMPTS: &[u8] = b"attempts";

pub(super) struct Laravel;

/// What a job says of itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    display_name: Option<String>,
}

impl Convention for Laravel {
    fn name(&self) -> &'static str {
        "laravel"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        reader.has(HEADER).then_some(())?;
        let attempts = reader.table(HEADER).and_then(|table| table.get("attempts")?.as_i64());
        read.deaths = read.deaths.max(attempts.unwrap_or(0));
        let job: Option<Job> = bounded::read(&reader.message.body, Budget::MESSAGE).ok();
        read.message_type = job.and_then(|job| job.display_name).map(|text| reader::name(&text));
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
        for counts in message.properties.headers.iter_mut().flat_map(|headers| headers.tables_mut(HEADER)) {
            for (_, count) in counts.0.iter_mut().filter(|(name, _)| name == ATTEMPTS) {
                *count = Value::I32(0);
            }
        }
    }
}
