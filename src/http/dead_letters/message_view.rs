//! A message as clients see it: its body, its properties and its headers, as far as they are shown.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::coding::Coding;
use crate::domain::json;
use crate::domain::message::{Properties, Table};
use crate::http::words::{BodyCompression, BodyEncoding};

/// So much of a body is shown, and of a stack trace.
pub const MAX_SHOWN: usize = 64 << 10;
/// Tables and arrays within others: two levels of JSON each where types are shown, of which some clients read 64.
const MAX_DEPTH: usize = 24;
/// So many values of the headers are shown,
const MAX_VALUES: usize = 10_000;
/// and so much of their names and strings.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// A body: as text if it is UTF-8, else as base64.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    /// Encoding of `content`.
    encoding: BodyEncoding,
    /// The body, decompressed if possible. At most 64 KiB.
    #[schema(example = "{\"orderId\":4711}")]
    content: String,
    /// Whether `content` is only the first part of the body.
    #[schema(example = false)]
    truncated: bool,
    /// The compression, if `content` is the decompressed body. `GET /dead-letters/{id}/body` returns the compressed bytes.
    #[schema(required)]
    decoded_from: Option<BodyCompression>,
    /// The `content-type` property.
    #[schema(required, example = "application/json")]
    content_type: Option<String>,
}

/// Headers as plain JSON.
#[derive(Clone, Debug)]
pub struct PlainHeaders(Arc<Table>);

/// Headers with their types.
#[derive(Clone, Debug)]
pub struct TypedHeaders(Arc<Table>);

/// A value with its AMQP type.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: headers are written as they are gone through")]
pub struct TypedValue {
    /// The type: `t` boolean, `b` `B` `s` `u` `I` `i` `l` integers of 8 to 64 bits, `f` `d` floats, `D` decimal, `S` string, `x`
    /// bytes, `A` array, `T` timestamp, `F` table, `V` void.
    #[schema(example = "I")]
    t: String,
    /// The value. 64-bit integers and timestamps are text. Arrays and tables hold `TypedValue`s.
    v: serde_json::Value,
    /// `base64`, if `v` holds bytes in base64.
    #[schema(example = "base64")]
    encoding: Option<String>,
    /// The bits of a float that is not a number, in hexadecimal.
    bits: Option<String>,
}

impl Serialize for PlainHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::plain(&self.0).serialize(serializer)
    }
}

impl Serialize for TypedHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::typed(&self.0).serialize(serializer)
    }
}

/// Both views of the headers, as far as they are shown, and whether that is all of them.
pub fn headers(headers: Option<Table>) -> (PlainHeaders, TypedHeaders, bool) {
    let mut headers = headers.unwrap_or_default();
    let is_deep = headers.limit_depth(MAX_DEPTH);
    let are_all = !headers.shorten(MAX_VALUES, MAX_HEADER_BYTES) && !is_deep;
    let headers = Arc::new(headers);
    (PlainHeaders(headers.clone()), TypedHeaders(headers), are_all)
}

/// The properties of a message, without the headers. Bytes that are not UTF-8 are shown as replacement characters.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_mode: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// Seconds since 1970, as text: any 64-bit number is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    message_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_id: Option<String>,
}

impl MessageBody {
    /// The head of the bytes, decoded where they are compressed, in the encoding that suits them, of a body that is so long.
    pub fn new(body: &[u8], size: usize, properties: &Properties) -> Self {
        let content_type = text(properties.content_type.as_deref());
        let coding = Coding::of(properties);
        let decoded = coding.and_then(|coding| coding.decode(body, MAX_SHOWN));
        let decoded_from = coding.filter(|_| decoded.is_some()).map(BodyCompression::from);
        let (head, truncated) = match &decoded {
            Some(decoded) => (&*decoded.bytes, !decoded.is_whole || body.len() < size),
            None => (&body[..body.len().min(MAX_SHOWN)], body.len().min(MAX_SHOWN) < size),
        };
        let whole_characters = match std::str::from_utf8(head) {
            Ok(content) => Some(content),
            // The end is within a character.
            Err(error) if truncated && error.error_len().is_none() => {
                std::str::from_utf8(&head[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        };
        let (encoding, content) = whole_characters.map_or_else(
            || (BodyEncoding::Base64, STANDARD.encode(head)),
            |content| (BodyEncoding::Text, content.to_owned()),
        );
        Self { encoding, content, truncated, decoded_from, content_type }
    }
}

impl MessageProperties {
    /// Those of a message.
    pub fn new(properties: &Properties) -> Self {
        Self {
            content_type: text(properties.content_type.as_deref()),
            content_encoding: text(properties.content_encoding.as_deref()),
            delivery_mode: properties.delivery_mode,
            priority: properties.priority,
            correlation_id: text(properties.correlation_id.as_deref()),
            reply_to: text(properties.reply_to.as_deref()),
            expiration: text(properties.expiration.as_deref()),
            message_id: text(properties.message_id.as_deref()),
            timestamp: properties.timestamp.map(|seconds| seconds.to_string()),
            message_type: text(properties.kind.as_deref()),
            user_id: text(properties.user_id.as_deref()),
            app_id: text(properties.app_id.as_deref()),
            cluster_id: text(properties.cluster_id.as_deref()),
        }
    }
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: BodyEncoding = BodyEncoding::Text;
    const BASE64: BodyEncoding = BodyEncoding::Base64;

    fn shown(body: &[u8], size: usize) -> (BodyEncoding, usize, bool) {
        let view = MessageBody::new(body, size, &Properties::default());
        (view.encoding, view.content.len(), view.truncated)
    }

    #[test]
    fn of_a_large_body_the_head_is_shown_in_whole_characters() {
        assert_eq!(shown("é".as_bytes(), 2), (TEXT, 2, false));
        assert_eq!(shown(&[0xc3], 1), (BASE64, 4, false));
        let large = format!("a{}", "é".repeat(MAX_SHOWN));
        assert_eq!(shown(large.as_bytes(), large.len()), (TEXT, MAX_SHOWN - 1, true));
        assert_eq!(shown(&large.as_bytes()[..MAX_SHOWN], large.len()), (TEXT, MAX_SHOWN - 1, true));
        assert_eq!(shown(&vec![0xff; 2 * MAX_SHOWN], 2 * MAX_SHOWN).0, BASE64);
    }
}
