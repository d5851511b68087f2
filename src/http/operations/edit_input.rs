//! What is changed in redelivered messages, as clients write it and as the record shows it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use crate::domain::edit::{Edit, EditedBody};
use crate::domain::message::Table;
use crate::domain::patch::{MAX_OPERATIONS, PatchOperation};
use crate::domain::{exact, json, redelivery, typed};
use crate::http::error::{FieldError, shortened};

/// So many headers can be set, and so many taken off.
const MAX_HEADERS: usize = 100;
/// So much of a name is in an answer.
const MAX_SHOWN: usize = 60;

/// Changes to redelivered messages. Properties stay, and the dead letters themselves do not change.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = Edit, example = json!({
    "patch": [{"op": "replace", "path": "/currency", "value": "EUR"}],
    "headers": {"set": {"x-retry": true, "x-attempt": {"t": "I", "v": 1}}, "remove": ["x-trace"]}
}))]
pub struct EditInput {
    /// Replaces the body. Only for a single dead letter in `ids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<BodyInput>,
    /// JSON Patch (RFC 6902) for JSON bodies. A message that it does not apply to is refused. Not together with `body`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<JsonPatchOperation>, max_items = 100)]
    patch: Vec<Box<RawValue>>,
    /// Changes to the headers.
    headers: HeadersInput,
}

/// A body, as text or as base64.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EditedBody)]
pub enum BodyInput {
    /// UTF-8 text.
    Text(String),
    /// Any bytes, as base64 with padding.
    Base64(String),
}

/// Headers to set and to remove.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = EditedHeaders)]
struct HeadersInput {
    /// Values by name, at most 100: a text, a 64-bit integer, a float, true or false; or a `TypedValue`, as in `typedHeaders`.
    #[schema(value_type = BTreeMap<String, serde_json::Value>)]
    set: BTreeMap<String, Box<RawValue>>,
    /// Names of headers to remove, at most 100.
    #[schema(max_items = 100)]
    remove: Vec<String>,
}

/// An operation of JSON Patch (RFC 6902). The members depend on `op`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: an operation is read as it was written")]
pub struct JsonPatchOperation {
    #[schema(inline)]
    op: JsonPatchOp,
    /// JSON Pointer to the value.
    #[schema(example = "/currency")]
    path: String,
    /// Of `move` and `copy`: JSON Pointer to the value that is moved or copied.
    from: Option<String>,
    /// Of `add`, `replace` and `test`: any JSON value.
    value: Option<serde_json::Value>,
}

/// What the operation does.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum JsonPatchOp {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

impl EditInput {
    /// Whether it replaces the body.
    pub fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// The edit, or what is wrong with it.
    pub fn read(&self) -> Result<Edit, Vec<FieldError>> {
        // Before any of them is looked at.
        let mut errors = self.too_many();
        if !errors.is_empty() {
            return Err(errors);
        }
        let edit = Edit {
            body: self.read_body(&mut errors),
            patch: self.read_patch(&mut errors),
            set_headers: self.headers.read_set(&mut errors),
            remove_headers: self.headers.remove.clone(),
        };
        self.headers.check_names(&mut errors);
        if errors.is_empty() && !edit.changes_anything() {
            errors.push(FieldError::new(
                "edit",
                "changes nothing: give `body`, `patch` or `headers`, or leave it out",
            ));
        }
        if errors.is_empty() { Ok(edit) } else { Err(errors) }
    }

    fn read_body(&self, errors: &mut Vec<FieldError>) -> Option<EditedBody> {
        if self.body.is_some() && !self.patch.is_empty() {
            errors.push(FieldError::new("edit.patch", "contradicts `body`: give one of the two"));
        }
        match self.body.as_ref()? {
            BodyInput::Text(text) => Some(EditedBody::Text(text.clone())),
            BodyInput::Base64(text) => {
                let bytes = STANDARD.decode(text).map(EditedBody::Bytes).ok();
                if bytes.is_none() {
                    errors.push(FieldError::new("edit.body.base64", "must be base64, with its padding"));
                }
                bytes
            }
        }
    }

    fn too_many(&self) -> Vec<FieldError> {
        let HeadersInput { set, remove } = &self.headers;
        [
            ("edit.patch", self.patch.len(), MAX_OPERATIONS, "operations"),
            ("edit.headers.set", set.len(), MAX_HEADERS, "headers"),
            ("edit.headers.remove", remove.len(), MAX_HEADERS, "headers"),
        ]
        .into_iter()
        .filter(|(_, count, most, _)| count > most)
        .map(|(field, _, most, what)| FieldError::new(field, format!("must have {most} {what} at most")))
        .collect()
    }

    fn read_patch(&self, errors: &mut Vec<FieldError>) -> Vec<PatchOperation> {
        let mut operations = Vec::new();
        for (place, operation) in self.patch.iter().enumerate() {
            match serde_json::from_str(operation.get()) {
                Ok(operation) => operations.push(operation),
                Err(error) => {
                    let message = format!("must be an operation of RFC 6902: {error}");
                    errors.push(FieldError::new(format!("edit.patch[{place}]"), message));
                }
            }
        }
        operations
    }
}

impl HeadersInput {
    fn read_set(&self, errors: &mut Vec<FieldError>) -> Table {
        let mut set = Table::default();
        for (name, value) in &self.set {
            if !exact::keeps_numbers(value.get().as_bytes()) {
                let message =
                    "has a number with more digits than can be kept: shorten it, or give it as text";
                errors.push(FieldError::new(format!("edit.headers.set.{name}"), message));
                continue;
            }
            let value: Option<Json> = serde_json::from_str(value.get()).ok();
            match value.as_ref().and_then(typed::read) {
                Some(value) => set.0.push((name.clone().into_bytes(), value)),
                None => errors.push(FieldError::new(
                    format!("edit.headers.set.{name}"),
                    "must be text, a whole number of 64 bits, a float, true or false, or be given with its type as in \
                     `typedHeaders`, such as {\"t\": \"I\", \"v\": 1}",
                )),
            }
        }
        set
    }

    fn check_names(&self, errors: &mut Vec<FieldError>) {
        let set = self.set.keys().map(|name| ("edit.headers.set", name));
        for (field, name) in set.chain(self.remove.iter().map(|name| ("edit.headers.remove", name))) {
            let shown = shortened(name.clone(), MAX_SHOWN);
            let mut wrong =
                |message: &str| errors.push(FieldError::new(field, format!("{shown:?} {message}")));
            if !typed::is_name(name) {
                wrong("is no name of a header: it must have 1 to 255 bytes");
            } else if !redelivery::may_be_edited(name) {
                wrong(
                    "cannot be edited: dead-letter or the broker writes it, or it says where the message goes, which is `to`",
                );
            }
        }
        for name in self.remove.iter().filter(|name| self.set.contains_key(*name)) {
            let name = shortened(name.clone(), MAX_SHOWN);
            let message = format!("{name:?} is set, too: that replaces it, so leave it out here");
            errors.push(FieldError::new("edit.headers.remove", message));
        }
    }
}

impl From<Edit> for EditInput {
    fn from(edit: Edit) -> Self {
        Self {
            body: edit.body.map(|body| match body {
                EditedBody::Text(text) => BodyInput::Text(text),
                EditedBody::Bytes(bytes) => BodyInput::Base64(STANDARD.encode(bytes)),
            }),
            patch: edit.patch.iter().filter_map(|operation| to_raw_value(operation).ok()).collect(),
            headers: HeadersInput { set: typed_headers(&edit.set_headers), remove: edit.remove_headers },
        }
    }
}

fn typed_headers(headers: &Table) -> BTreeMap<String, Box<RawValue>> {
    let view = to_raw_value(&json::typed(headers)).ok();
    view.and_then(|view| serde_json::from_str(view.get()).ok()).unwrap_or_default()
}
