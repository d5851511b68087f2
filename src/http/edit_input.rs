//! What is changed in redelivered messages, as clients write it and as the record shows it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;

use super::error::{FieldError, shortened};
use super::operation_request::OperationRequest;
use super::target::TargetInput;
use crate::domain::edit::{Edit, EditedBody};
use crate::domain::message::Table;
use crate::domain::patch::{MAX_OPERATIONS, PatchOperation};
use crate::domain::{exact, json, redelivery, typed};

/// So many headers can be set, and so many taken off.
const MAX_HEADERS: usize = 100;
/// So much of a name is in an answer.
const MAX_SHOWN: usize = 60;

/// What is changed in the messages. The properties stay; the dead letters are kept as they are.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = Edit, example = json!({
    "patch": [{"op": "replace", "path": "/currency", "value": "EUR"}],
    "headers": {"set": {"x-retry": true, "x-attempt": {"t": "I", "v": 1}}, "remove": ["x-trace"]}
}))]
pub struct EditInput {
    /// Another body; only where `ids` has one id.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<BodyInput>,
    /// JSON Patch (RFC 6902) over JSON bodies; a message that it does not apply to is refused. Not together with `body`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>, max_items = 100)]
    patch: Vec<Box<RawValue>>,
    /// Other headers.
    headers: HeadersInput,
}

/// A body.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EditedBody)]
pub enum BodyInput {
    /// As text.
    Text(String),
    /// As base64, for any bytes.
    Base64(String),
}

/// Headers to set and to take off.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schema(as = EditedHeaders)]
struct HeadersInput {
    /// By name, 100 at most: text, a whole number of 64 bits, a float, true or false; or with its type, as in `typedHeaders`.
    #[schema(value_type = Object)]
    set: BTreeMap<String, Box<RawValue>>,
    /// Names, 100 at most.
    #[schema(max_items = 100)]
    remove: Vec<String>,
}

impl EditInput {
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

impl OperationRequest {
    /// What is wrong with its edit, or with its being a copy.
    pub(super) fn check_edit(&self) -> Vec<FieldError> {
        let mut errors = self.edit.as_ref().and_then(|edit| edit.read().err()).unwrap_or_default();
        let has_body = self.edit.as_ref().is_some_and(|edit| edit.body.is_some());
        if has_body && self.ids.as_ref().is_none_or(|ids| ids.len() != 1) {
            let message =
                "is for one dead letter: give its id as the only one of `ids`, or a `patch` for several";
            errors.push(FieldError::new("edit.body", message));
        }
        if self.copy && !matches!(self.to, Some(TargetInput::Explicit(_))) {
            let message = "needs `to` with the `exchange` and `routingKey` of where the copies go";
            errors.push(FieldError::new("copy", message));
        }
        errors
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
