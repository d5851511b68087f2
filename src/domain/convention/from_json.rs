//! Properties and headers that a library kept as JSON. Widths are lost, and so is what was a table or an array (such as
//! `x-death`): these are passed over, whatever they hold.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::domain::message::{Table, Value};

/// Longest name of a header, and longest short string.
const MAX_SHORT: usize = 255;
/// Largest number of headers that are read.
const MAX_HEADERS: usize = 2_000;

/// A value, as far as it is a single one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Scalar {
    Bool(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    /// Null, an array, an object.
    #[default]
    Other,
}

impl Scalar {
    /// Its text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its number.
    pub fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// As a property that is a short string.
    pub fn short(&self) -> Option<Vec<u8>> {
        self.text().and_then(short)
    }

    /// As a property that is an octet.
    pub fn octet(&self) -> Option<u8> {
        self.whole().and_then(|number| u8::try_from(number).ok())
    }
}

/// Headers, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Headers(pub Vec<(String, Scalar)>);

impl Headers {
    /// The text of that name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find_map(|(other, value)| (other == name).then(|| value.text())?)
    }

    /// As headers of a message, with what this makes of a text.
    pub fn table(self, text: impl Fn(String) -> Value) -> Table {
        let header = |(name, value): (String, Scalar)| {
            let value = match value {
                Scalar::Bool(yes) => Value::Bool(yes),
                Scalar::Whole(number) => Value::I64(number),
                Scalar::Float(number) => Value::F64(number),
                Scalar::Text(value) => text(value),
                Scalar::Other => return None,
            };
            (name.len() <= MAX_SHORT).then(|| (name.into_bytes(), value))
        };
        Table(self.0.into_iter().filter_map(header).collect())
    }
}

/// A property that is a short string.
pub(super) fn short(text: &str) -> Option<Vec<u8>> {
    (text.len() <= MAX_SHORT).then(|| text.as_bytes().to_vec())
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "no 64 bits with a sign hold it, and doubles are what JSON has"
    )]
    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Float(number as f64), Scalar::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Scalar, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Scalar, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("headers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some(header) = members.next_entry()? {
            if headers.len() == MAX_HEADERS {
                return Err(A::Error::custom("too many headers"));
            }
            headers.push(header);
        }
        Ok(Headers(headers))
    }
}
