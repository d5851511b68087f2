//! A message as clients see it: its body, its properties and its headers, as far as they are shown.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::coding::Coding;
use crate::domain::json;
use crate::domain::message::{Properties, Table};

/// So much of a body is shown, and of a stack trace.
pub const MAX_SHOWN: usize = 64 << 10;
/// Tables and arrays within others: two levels of JSON each where types are shown, of which some clients read 64.
const MAX_DEPTH: usize = 24;
/// So many values of the headers are shown,
const MAX_VALUES: usize = 10_000;
/// and so much of their names and strings.
const MAX_HEADER_BYTES: usize = 256 << 10;

/// A body: as text where it is UTF-8, else as base64.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    /// `text` or `base64`.
    #[schema(example = "text")]
    encoding: &'static str,
    /// The body in that encoding, decoded where it is compressed; or its first 64 KiB.
    #[schema(example = "{\"orderId\":4711}")]
    content: String,
    /// Whether `content` is not all of it.
    #[schema(example = false)]
    truncated: bool,
    /// `gzip`, `deflate` or `zstd`, as the `content-encoding` property says, where `content` is what the body is once decoded;
    /// `/dead-letters/{id}/body` has it as it came.
    #[schema(required, example = "gzip")]
    decoded_from: Option<&'static str>,
    /// `content-type` property.
    #[schema(required, example = "application/json")]
    content_type: Option<String>,
}

/// Headers as plain JSON.
#[derive(Clone, Debug)]
pub struct PlainHeaders(Arc<Table>);

/// Headers with their types.
#[derive(Clone, Debug)]
pub struct TypedHeaders(Arc<Table>);

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

/// The properties of a message, but for the headers. What is not UTF-8 is shown with replacement characters.
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
    /// Seconds since 1970, as text: it may be any 64-bit number.
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
        let decoded_from = coding.filter(|_| decoded.is_some()).map(Coding::as_str);
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
        let (encoding, content) = whole_characters
            .map_or_else(|| ("base64", STANDARD.encode(head)), |content| ("text", content.to_owned()));
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

    fn shown(body: &[u8], size: usize) -> (&'static str, usize, bool) {
        let view = MessageBody::new(body, size, &Properties::default());
        (view.encoding, view.content.len(), view.truncated)
    }

    #[test]
    fn of_a_large_body_the_head_is_shown_in_whole_characters() {
        assert_eq!(shown("é".as_bytes(), 2), ("text", 2, false));
        assert_eq!(shown(&[0xc3], 1), ("base64", 4, false));
        let large = format!("a{}", "é".repeat(MAX_SHOWN));
        assert_eq!(shown(large.as_bytes(), large.len()), ("text", MAX_SHOWN - 1, true));
        assert_eq!(shown(&large.as_bytes()[..MAX_SHOWN], large.len()), ("text", MAX_SHOWN - 1, true));
        assert_eq!(shown(&vec![0xff; 2 * MAX_SHOWN], 2 * MAX_SHOWN).0, "base64");
    }
}
