//! Failure conventions: how the libraries of the field tell, in headers or envelope, where and why a message failed.
//!
//! One convention is one file that implements [`Convention`]. The first that recognises a message wins; the native one,
//! which is last, recognises every message. What each library writes is known from its source or from running it; the
//! tests bear messages as it makes them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::message::{Message, Properties, Table};
use super::redelivered::{Redelivered, first_routing};
use super::xdeath::{self, Deaths};
use reader::Reader;

mod brighter;
mod cap;
mod celery;
mod claims;
mod cloudevents;
mod custom;
mod dramatiq;
mod easynetq;
mod from_json;
mod laravel;
mod masstransit;
mod native;
mod nservicebus;
mod outcome;
mod rascal;
mod reader;
mod rebus;
mod sneakers;
mod spring;
mod symfony;
#[cfg(test)]
mod tests;
mod watermill;
mod wolverine;

pub use claims::{Claims, Provenance};
pub use custom::CustomHeaders;
pub use native::HEADERS as NATIVE_HEADERS;

/// Where a message died: the queue, and what it had been published with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The queue that it died in.
    pub queue: Option<String>,
    /// The exchange that it had been published to; empty for the default exchange.
    pub exchange: Option<String>,
    /// The routing key that it had been published with.
    pub routing_key: Option<String>,
}

/// How much of a message is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decoding {
    /// All of it.
    #[default]
    Full,
    /// Neither the body nor headers that are long or contain documents: the message was in flight when a process crashed, and may
    /// be the cause.
    HeadersOnly,
}

impl Decoding {
    /// For a stored message, from its convention: a message that was stored undecoded stays undecoded.
    pub fn of(convention: Option<&str>) -> Self {
        if convention == Some(UNDECODED) { Self::HeadersOnly } else { Self::Full }
    }
}

/// The convention of a message that was decoded with [`Decoding::HeadersOnly`].
pub const UNDECODED: &str = "undecoded";

/// Longest headers that [`Decoding::HeadersOnly`] decodes: bytes of names and texts.
const MAX_PLAIN_HEADERS: usize = 64 << 10;

/// Who vouches for the origin of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToldBy {
    /// The broker, by `x-death` or by the source queue.
    #[default]
    Broker,
    /// Only the message itself: a claim.
    Message,
}

/// Why a message died.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The broker's reason: `rejected`, `expired`, `maxlen`, `delivery_limit`.
    pub reason: Option<String>,
    /// The type of the error, such as an exception's class.
    pub error_type: Option<String>,
    /// The error's text.
    pub error_message: Option<String>,
    /// The error's stack trace.
    pub error_stack: Option<String>,
}

/// What a convention reads from a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// The convention's name, as in the filter `convention`.
    pub convention: &'static str,
    /// Where it died.
    pub origin: Origin,
    /// Why it died.
    pub failure: Failure,
    /// When it (first) died, as the message itself tells.
    pub died_at: Option<DateTime<Utc>>,
    /// The latest time that the message tells of itself: it cannot have arrived here before.
    pub latest_death: Option<DateTime<Utc>>,
    /// How often it died.
    pub deaths: i64,
    /// The message id, if the library does not use the property.
    pub message_id: Option<String>,
    /// The correlation id, if the library does not use the property.
    pub correlation_id: Option<String>,
    /// The message type, if the library does not use the property `type`.
    pub message_type: Option<String>,
    /// The redelivery before this death.
    pub redelivered: Option<Redelivered>,
    /// Who vouches for the origin.
    pub origin_told_by: ToldBy,
    /// Whether the settings refuse the claimed origin.
    pub origin_refused: bool,
    /// What could not be read, or is not accepted.
    pub warning: Option<String>,
    /// Whether a consumer failed it where the broker says that it died.
    pub(super) is_failure: bool,
    /// Where it died as the message tells.
    pub(super) claim: Origin,
    /// The queue that the source is the dead-letter queue of, by its name.
    pub(super) beside: Option<String>,
}

impl Recognised {
    /// The facts from the broker's history.
    fn by_the_broker(deaths: Deaths) -> Self {
        Self {
            origin: Origin {
                queue: deaths.queue,
                exchange: deaths.exchange,
                routing_key: deaths.routing_key,
            },
            failure: Failure { reason: deaths.reason, ..Failure::default() },
            died_at: deaths.seconds.and_then(xdeath::time),
            latest_death: deaths.latest_seconds.and_then(xdeath::time),
            // It is in a dead-letter queue, so it died at least once.
            deaths: deaths.count.max(1),
            is_failure: deaths.is_failure,
            ..Self::default()
        }
    }

    /// Restores what it was before its redelivery.
    fn came_back(&mut self, properties: &Properties) {
        let header = |name: &str| properties.header_text(name).map(|text| reader::name(&text));
        let redelivered = self.redelivered.take().or_else(|| Redelivered::read(header));
        let Some(redelivered) = redelivered else { return };
        self.deaths = self.deaths.saturating_add(redelivered.deaths.into());
        self.redelivered = Some(redelivered);
        let went_straight = self.origin.exchange.as_deref() == Some("");
        if let Some((exchange, routing_key)) =
            first_routing(properties, self.origin.queue.as_deref()).filter(|_| went_straight)
        {
            self.origin.exchange = Some(exchange);
            self.origin.routing_key = Some(routing_key);
        }
    }

    /// The time from the library, which is more exact than the broker's.
    fn failed_at(&mut self, time: Option<DateTime<Utc>>) {
        self.died_at = time.or(self.died_at);
        self.latest_death = time.max(self.latest_death);
    }

    /// The origin from the library. The routing key of a message that was published to the default exchange is the name of its
    /// queue.
    fn came_from(&mut self, origin: Origin) {
        let queue_by_key = || origin.routing_key.clone().filter(|_| origin.exchange.as_deref() == Some(""));
        self.claim = Origin { queue: origin.queue.clone().or_else(queue_by_key), ..origin };
    }

    /// The source is the dead-letter queue of this one, by its name.
    fn lies_beside(&mut self, queue: Option<String>) {
        self.beside = queue;
    }
}

/// One library's way to mark a failed message.
pub trait Convention: Sync {
    /// The name by which it is filtered and shown.
    fn name(&self) -> &'static str;

    /// Adds what it reads to the broker's history. `None`, without any change, for a message of another library.
    fn recognise(&self, reader: &mut Reader<'_>, read: &mut Recognised) -> Option<()>;

    /// Whether it only reads plain headers: neither the body nor documents in headers.
    fn reads_plain_headers(&self) -> bool {
        true
    }

    /// For a convention that reads more than plain headers: whether the message is this library's, from plain headers alone.
    fn is_of(&self, _message: &Message) -> bool {
        false
    }

    /// Whether the header only describes the failure, so that a redelivered message must not carry it.
    fn is_failure_header(&self, name: &[u8]) -> bool;

    /// Makes the message what it was before it failed, apart from removing these headers.
    fn restore(&self, _message: &mut Message) {}
}

/// Every convention, in the order in which they are tried.
const CONVENTIONS: [&dyn Convention; 17] = [
    &easynetq::EasyNetQ,
    &masstransit::MassTransit,
    &nservicebus::NServiceBus,
    &spring::Spring,
    &rebus::Rebus,
    &wolverine::Wolverine,
    &watermill::Watermill,
    &rascal::Rascal,
    &sneakers::Sneakers,
    &symfony::Symfony,
    &cap::Cap,
    // These tell nothing of the failure, or of the attempts only.
    &laravel::Laravel,
    &celery::Celery,
    &dramatiq::Dramatiq,
    &brighter::Brighter,
    &cloudevents::CloudEvents,
    // Recognises every message.
    &native::Native,
];

/// Those whose consumers find their handler by what the message itself bears (a type, a task, a job), and never by the routing
/// key, as far as we know these libraries: not tried with each.
const NAME_THEIR_HANDLER: [&dyn Convention; 10] = [
    &easynetq::EasyNetQ,
    &masstransit::MassTransit,
    &nservicebus::NServiceBus,
    &rebus::Rebus,
    &wolverine::Wolverine,
    &symfony::Symfony,
    &cap::Cap,
    &laravel::Laravel,
    &celery::Celery,
    &dramatiq::Dramatiq,
];

/// The conventions that read messages: the configured headers first, then all known ones.
#[derive(Clone, Debug, Default)]
pub struct Conventions {
    own: Option<Arc<CustomHeaders>>,
    claims: Claims,
}

impl Conventions {
    /// With configured headers.
    pub fn new(own: Option<CustomHeaders>, claims: Claims) -> Self {
        Self { own: own.map(Arc::new), claims }
    }

    /// The names of all conventions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once(custom::NAME).chain(CONVENTIONS.iter().map(|convention| convention.name()))
    }

    /// The conventions whose consumers do not depend on the routing key.
    pub fn blind_to_the_routing_key() -> Vec<&'static str> {
        NAME_THEIR_HANDLER.iter().map(|convention| convention.name()).collect()
    }

    /// Which claims of origin are believed.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whether this convention has the stack trace in the body.
    pub fn tell_in_body(convention: &str) -> bool {
        [easynetq::EasyNetQ.name(), dramatiq::Dramatiq.name()].contains(&convention)
    }

    /// Reads a message of this dead-letter queue by the first convention that recognises it.
    pub fn recognise(&self, source: &str, message: &Message) -> Recognised {
        self.recognised(source, message).1
    }

    /// Reads a message with this decoding.
    pub fn read(&self, source: &str, message: &Message, decoding: Decoding) -> Recognised {
        match decoding {
            Decoding::Full => self.recognised(source, message).1,
            Decoding::HeadersOnly => self.recognised_by_headers(source, message).1,
        }
    }

    /// Makes the message what it was before it failed: without the headers of its convention and of ours. Returns what was read
    /// from it. With [`Decoding::HeadersOnly`] at most an envelope around the message is decoded.
    pub fn restore(&self, message: &mut Message, decoding: Decoding) -> Recognised {
        // The source queue only matters for the origin.
        let (convention, read) = match decoding {
            Decoding::Full => self.recognised("", message),
            Decoding::HeadersOnly => {
                let (plain, read) = self.recognised_by_headers("", message);
                let other = CONVENTIONS.into_iter().find(|convention| convention.is_of(message));
                (other.or(plain).unwrap_or(&native::Native), read)
            }
        };
        convention.restore(message);
        if let Some(Table(headers)) = &mut message.properties.headers {
            headers.retain(|(name, _)| {
                !convention.is_failure_header(name)
                    && !native::Native.is_failure_header(name)
                    && !outcome::is_failure_header(name)
            });
        }
        read
    }

    /// Reads a message that may crash the process: the broker's history, and short plain headers.
    fn recognised_by_headers(
        &self,
        source: &str,
        message: &Message,
    ) -> (Option<&dyn Convention>, Recognised) {
        let mut read = Recognised::by_the_broker(xdeath::read(&message.properties));
        let mut reader = Reader::new(message, source);
        let headers = message.properties.headers.as_ref();
        let is_short = headers.is_none_or(|headers| headers.size() <= MAX_PLAIN_HEADERS);
        let mut plain = self.all().filter(|known| is_short && known.reads_plain_headers());
        let convention = plain.find(|known| known.recognise(&mut reader, &mut read).is_some());
        read.convention = UNDECODED;
        read.warning = reader.warning(UNDECODED);
        read.settle_origin(&self.claims);
        read.came_back(&message.properties);
        read.warn(
            "only its headers were read: it was in flight when dead-letter crashed, and might crash it again"
                .into(),
        );
        (convention, read)
    }

    fn all(&self) -> impl Iterator<Item = &dyn Convention> {
        let own = self.own.as_deref().map(|own| own as &dyn Convention);
        own.into_iter().chain(CONVENTIONS)
    }

    fn recognised(&self, source: &str, message: &Message) -> (&dyn Convention, Recognised) {
        let mut read = Recognised::by_the_broker(xdeath::read(&message.properties));
        let mut reader = Reader::new(message, source);
        let convention = self
            .all()
            .find(|convention| convention.recognise(&mut reader, &mut read).is_some())
            .unwrap_or(&native::Native);
        outcome::read(&mut reader, &mut read);
        read.convention = convention.name();
        read.warning = reader.warning(convention.name());
        read.settle_origin(&self.claims);
        read.came_back(&message.properties);
        (convention, read)
    }
}
