//! Configured headers, for consumers of unknown libraries: a setting maps failure fields to headers.

use super::reader::{self, Reader};
use super::{Convention, Origin, Recognised};

/// The convention's name.
pub(super) const NAME: &str = "own";

/// The fields, as the setting names them.
const TELLS: [&str; 8] =
    ["queue", "exchange", "routingKey", "errorType", "errorMessage", "errorStack", "failedAt", "attempts"];

/// Such as `queue=x-failed-queue,errorMessage=x-error,failedAt=x-failed-at`.
///
/// A message with one of the headers is recognised. All of them are removed when it is redelivered. `failedAt` is RFC 3339 or
/// milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomHeaders(Vec<(&'static str, String)>);

impl CustomHeaders {
    /// Takes the setting, or says what is wrong with it.
    pub fn new(setting: &str) -> Result<Self, String> {
        let mut headers: Vec<(&'static str, String)> = Vec::new();
        for pair in setting.split(',') {
            let (tells, header) = pair.split_once('=').unwrap_or((pair, ""));
            let (tells, header) = (tells.trim(), header.trim());
            let Some(tells) = TELLS.into_iter().find(|known| *known == tells) else {
                return Err(format!("`{tells}` is not known: take some of {}", TELLS.join(", ")));
            };
            if header.is_empty() {
                return Err(format!("a header's name is needed, such as {tells}=x-failed-{tells}"));
            }
            if headers.iter().any(|(known, _)| *known == tells) {
                return Err(format!("`{tells}` stands there twice"));
            }
            headers.push((tells, header.to_owned()));
        }
        Ok(Self(headers))
    }

    fn header(&self, tells: &str) -> Option<&str> {
        self.0.iter().find_map(|(known, header)| (*known == tells).then_some(header.as_str()))
    }
}

impl Convention for CustomHeaders {
    fn name(&self) -> &'static str {
        NAME
    }

    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()> {
        self.0.iter().any(|(_, header)| reader.has(header)).then_some(())?;
        read.came_from(Origin {
            queue: self.header("queue").and_then(|header| reader.filled(header)),
            exchange: self.header("exchange").and_then(|header| reader.name(header)),
            routing_key: self.header("routingKey").and_then(|header| reader.name(header)),
        });
        read.failure.error_type = self.header("errorType").and_then(|header| reader.filled(header));
        read.failure.error_message = self.header("errorMessage").and_then(|header| reader.error_text(header));
        read.failure.error_stack = self.header("errorStack").and_then(|header| reader.stack(header));
        let time = self.header("failedAt").and_then(|header| {
            match reader.message.properties.header(header)?.as_i64() {
                Some(milliseconds) => reader::unix_milliseconds(milliseconds),
                None => reader.parsed(header, |text| {
                    reader::rfc3339(text).or_else(|| reader::unix_milliseconds(text.trim().parse().ok()?))
                }),
            }
        });
        read.failed_at(time);
        let attempts = self.header("attempts").and_then(|header| reader.number(header));
        read.deaths = read.deaths.max(attempts.unwrap_or(0));
        Some(())
    }

    fn is_failure_header(&self, name: &[u8]) -> bool {
        self.0.iter().any(|(_, header)| header.as_bytes() == name)
    }
}
