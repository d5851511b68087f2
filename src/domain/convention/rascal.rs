//! Rascal (Node): its recovery strategies keep their notes in the table header `rascal`. They have to go before the message
//! goes back: with `recovery.<queue>.immediateNack` left in, the consumer would reject it unseen.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};
use crate::domain::message::{Message, Value};

const HEADER: &str = "rascal";

pub(super) struct Rascal;

impl Convention for Rascal {
    fn name(&self) -> &'static str {
        "rascal"
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        reader.has(HEADER).then_some(())?;
        let Some(rascal) = reader.table(HEADER) else { return Some(()) };
        let name = |name: &str| rascal.text(name).map(|text| reader::name(&text));
        read.came_from(Origin {
            queue: name("originalQueue").filter(|queue| !queue.is_empty()),
            exchange: name("originalExchange"),
            routing_key: name("originalRoutingKey"),
        });
        if let Some(error) = rascal.get("error").and_then(Value::as_table) {
            read.failure.error_type = error.text("code").map(|text| reader::name(&text));
            read.failure.error_message = error.text("message").map(|text| reader::error_text(&text));
        }
        let notes = rascal.get("recovery").and_then(Value::as_table).map_or(&[][..], |table| &table.0);
        let times = notes.iter().filter_map(|(_, notes)| notes.as_table()?.get("republished")?.as_i64());
        read.deaths = times.fold(read.deaths, |most, times| most.max(times.saturating_add(1)));
        Some(())
    }

    fn is_failure_header(&self, _name: &[u8]) -> bool {
        false
    }

    fn restore(&self, message: &mut Message) {
        for notes in message.properties.headers.iter_mut().flat_map(|headers| headers.tables_mut(HEADER)) {
            notes.0.retain(|(name, _)| name != b"recovery" && name != b"error");
        }
    }
}
