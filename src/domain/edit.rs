//! Edits of a message before it is redelivered.

use serde::{Deserialize, Serialize};

use super::bounded::Unread;
use super::message::{Message, Properties, Table, storable_text};
use super::patch::{self, PatchError, PatchOperation};

/// Longest name of a content-encoding that a refusal shows.
const MAX_ENCODING: usize = 40;

/// Another body or a patch, and other headers. The properties stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// The new body.
    pub body: Option<EditedBody>,
    /// What is done with a JSON body, operation by operation; all of them, or the message is not sent.
    pub patch: Vec<PatchOperation>,
    /// Headers in place of those of the same names.
    #[serde(with = "as_typed_json")]
    pub set_headers: Table,
    /// Headers that are taken off.
    pub remove_headers: Vec<String>,
}

/// The new body, as requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EditedBody {
    /// UTF-8.
    Text(String),
    /// Any bytes.
    #[serde(rename = "base64", with = "as_base64")]
    Bytes(Vec<u8>),
}

impl Edit {
    /// Whether it could change any message.
    pub fn changes_anything(&self) -> bool {
        self.body.is_some()
            || self.patch.iter().any(PatchOperation::changes)
            || !self.set_headers.0.is_empty()
            || !self.remove_headers.is_empty()
    }

    /// Changes the message, or says why it cannot be changed; it is then not to be sent.
    pub fn apply(&self, message: &mut Message) -> Result<(), PatchError> {
        if !self.patch.is_empty() {
            message.body = patch::apply(&self.patch, &message.body)
                .map_err(|error| named_by_encoding(error, &message.properties))?;
        }
        if let Some(body) = &self.body {
            message.body = body.bytes().to_vec();
        }
        let headers = message.properties.headers.get_or_insert_default();
        headers.0.retain(|(name, _)| !self.remove_headers.iter().any(|removed| removed.as_bytes() == name));
        for (name, value) in &self.set_headers.0 {
            headers.0.retain(|(other, _)| other != name);
            headers.0.push((name.clone(), value.clone()));
        }
        Ok(())
    }
}

impl EditedBody {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// What is no text may be compressed JSON: then the refusal says that, and not that it is no JSON.
fn named_by_encoding(error: PatchError, properties: &Properties) -> PatchError {
    let encoding = storable_text(properties.content_encoding.as_deref().unwrap_or_default(), MAX_ENCODING);
    let is_told =
        !encoding.is_empty() && !matches!(&*encoding.to_ascii_lowercase(), "identity" | "utf-8" | "utf8");
    match error {
        PatchError::Body(Unread::NotUtf8 | Unread::NotJson { .. }) if is_told => {
            PatchError::Encoded(encoding)
        }
        error => error,
    }
}

/// Bytes in the record of an operation.
mod as_base64 {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Headers in the record of an operation: their typed view.
mod as_typed_json {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::{Map, Value};

    use crate::domain::message::Table;
    use crate::domain::{json, typed};

    pub fn serialize<S: Serializer>(headers: &Table, serializer: S) -> Result<S::Ok, S::Error> {
        json::typed(headers).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Table, D::Error> {
        let headers: Map<String, Value> = Map::deserialize(deserializer)?;
        typed::read_table(&headers).ok_or_else(|| D::Error::custom("headers without their types"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::message::{Properties, Value};

    fn message(body: &str) -> Message {
        let header = |name: &[u8], n| (name.to_vec(), Value::U8(n));
        let headers = Table(vec![header(b"a", 1), header(b"b", 2), header(b"a", 3), header(b"c", 4)]);
        let properties = Properties { headers: Some(headers), priority: Some(3), ..Properties::default() };
        Message { exchange: String::new(), routing_key: String::new(), properties, body: body.into() }
    }

    fn edit() -> Edit {
        Edit {
            patch: serde_json::from_str(r#"[{"op": "add", "path": "/n", "value": 1.50e16}]"#).unwrap(),
            set_headers: Table(vec![(b"a".to_vec(), Value::F32(0.1)), (b"d".to_vec(), Value::text("\0"))]),
            remove_headers: vec!["b".into(), "not there".into()],
            ..Edit::default()
        }
    }

    #[test]
    fn body_and_headers_are_changed_and_the_rest_stays() {
        let mut edited = message("{\"m\": \"x\"}");
        edit().apply(&mut edited).unwrap();
        assert_eq!(edited.body, br#"{"m": "x","n":1.50e16}"#);
        let expected = [("c", Value::U8(4)), ("a", Value::F32(0.1)), ("d", Value::text("\0"))];
        let expected = expected.map(|(name, value)| (name.as_bytes().to_vec(), value));
        assert_eq!(edited.properties.headers.unwrap().0, expected);
        assert_eq!(edited.properties.priority, Some(3));
    }

    #[test]
    fn another_body_need_not_be_json_nor_need_the_old_one() {
        let bytes = Edit { body: Some(EditedBody::Bytes(vec![0, 255])), ..Edit::default() };
        let mut edited = message("<a/>");
        bytes.apply(&mut edited).unwrap();
        assert_eq!((&edited.body[..], edited.properties), (&[0, 255][..], message("").properties));
    }

    #[test]
    fn a_patch_that_does_not_apply_leaves_the_message_alone() {
        let mut edited = message("<a/>");
        assert!(edit().apply(&mut edited).is_err());
        assert_eq!(edited, message("<a/>"));
    }

    #[test]
    fn a_body_that_is_encoded_is_refused_by_the_name_of_its_encoding() {
        let mut gzipped = message("");
        gzipped.body = b"\x1f\x8b\x08".to_vec();
        gzipped.properties.content_encoding = Some(b"gzip".to_vec());
        let why = edit().apply(&mut gzipped).unwrap_err().to_string();
        assert!(why.contains("its content-encoding is gzip"), "{why}");
        gzipped.properties.content_encoding = Some(b"UTF-8".to_vec());
        assert!(edit().apply(&mut gzipped).unwrap_err().to_string().contains("not UTF-8 text"));
        // What says so and is JSON all the same can be patched.
        let mut named = message("{}");
        named.properties.content_encoding = Some(b"gzip".to_vec());
        edit().apply(&mut named).unwrap();
        assert_eq!(named.body, br#"{"n":1.50e16}"#);
    }

    #[test]
    fn the_record_is_exact() {
        let kept: Edit = serde_json::from_str(&serde_json::to_string(&edit()).unwrap()).unwrap();
        assert_eq!(kept, edit());
        let bytes = Edit { body: Some(EditedBody::Bytes(vec![0, 255])), ..Edit::default() };
        let record = serde_json::to_value(&bytes).unwrap();
        assert_eq!(record["body"], json!({"base64": "AP8="}));
        assert_eq!(serde_json::from_value::<Edit>(record).unwrap(), bytes);
        let old: Edit = serde_json::from_str("{}").unwrap();
        assert!(!old.changes_anything());
    }

    #[test]
    fn tests_alone_change_nothing() {
        let patch = serde_json::from_value(json!([{"op": "test", "path": "", "value": 1}])).unwrap();
        assert!(!Edit { patch, ..Edit::default() }.changes_anything());
        assert!(edit().changes_anything());
        assert!(Edit { remove_headers: vec!["a".into()], ..Edit::default() }.changes_anything());
    }
}
