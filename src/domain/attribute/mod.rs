//! Attributes of dead letters: what they may have in common, or what may set some of them apart. Each is read from the columns of the
//! row, from the properties, or from the body.

mod body;
mod message;
mod sample;

pub use message::{Columns, Letter};
pub(crate) use sample::{Column, Entry, OTHER};
pub use sample::{Facet, Sample, Side, ValueCount};

use super::named::named;

/// Longest value that is told from others. Of a longer one only its presence counts.
const MAX_VALUE: usize = 128;

named! {
    /// What an attribute is.
    #[derive(PartialOrd, Ord)]
    AttributeKind {
        /// The `type` property.
        Type = "type",
        /// Routing key that the message was published with.
        RoutingKey = "routingKey",
        /// Exchange that the message was published to.
        Exchange = "exchange",
        /// Queue that the message died in.
        Queue = "queue",
        /// Error group.
        ErrorGroup = "errorGroup",
        /// Type of the error.
        ErrorType = "errorType",
        /// The `app-id` property.
        AppId = "appId",
        /// The `user-id` property.
        UserId = "userId",
        /// The `content-type` property.
        ContentType = "contentType",
        /// The `content-encoding` property.
        ContentEncoding = "contentEncoding",
        /// The `priority` property.
        Priority = "priority",
        /// The `expiration` property.
        Expiration = "expiration",
        /// The `reply-to` property.
        ReplyTo = "replyTo",
        /// A header, by its name.
        Header = "header",
        /// A value in the JSON body, by its path. `*` stands for any place in an array.
        Body = "body",
        /// What the body is: `json`, `text`, `binary` or `empty`.
        BodyFormat = "bodyFormat",
        /// How often the message died.
        Attempts = "attempts",
        /// Hour of the day of the death (UTC), from 0 to 23.
        HourOfDay = "hourOfDay",
        /// Hour of the death: the time at which it began.
        Hour = "hour",
        /// Time of the death.
        DiedAt = "diedAt",
    }
}

/// The part of a dead letter that an attribute is read from. Whoever reads one has read those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// The columns of the row, which everybody may read who may see it.
    #[default]
    Row,
    /// Properties and headers.
    Properties,
    /// The body.
    Body,
}

impl AttributeKind {
    /// Where it is read from.
    pub fn layer(self) -> Layer {
        match self {
            Self::Type
            | Self::RoutingKey
            | Self::Exchange
            | Self::Queue
            | Self::ErrorGroup
            | Self::ErrorType
            | Self::Attempts
            | Self::HourOfDay
            | Self::Hour
            | Self::DiedAt => Layer::Row,
            Self::AppId
            | Self::UserId
            | Self::ContentType
            | Self::ContentEncoding
            | Self::Priority
            | Self::Expiration
            | Self::ReplyTo
            | Self::Header => Layer::Properties,
            Self::Body | Self::BodyFormat => Layer::Body,
        }
    }
}

/// An attribute: its kind, and the name of a header or the path in a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// Its kind.
    pub kind: AttributeKind,
    /// Empty where the kind has only one.
    pub name: String,
}

impl Attribute {
    /// The name, if the kind has several.
    pub fn into_name(self) -> Option<String> {
        Some(self.name).filter(|name| !name.is_empty())
    }
}

/// A value of an attribute, as it is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// As text. `None`: it is too long, or it holds others.
    pub text: Option<String>,
    /// As a number, if it is one.
    pub number: Option<f64>,
}

impl Value {
    fn of_text(text: &str) -> Self {
        Self { text: (text.len() <= MAX_VALUE).then(|| text.to_owned()), number: None }
    }

    fn of_number(number: f64, text: String) -> Self {
        Self { text: Some(text), number: Some(number) }
    }

    /// There, whatever it is.
    const PRESENT: Self = Self { text: None, number: None };
}
