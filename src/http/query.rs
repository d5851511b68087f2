//! Query strings: every parameter is known, none is there twice that may be there once, and a mistake says what is allowed.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{RefOr, Schema};

use super::error::{ApiError, FieldError};

/// So many parameters are read: 10,000 ids, and what else there is.
const MAX_PARAMETERS: usize = 10_100;
/// So many unknown ones are named.
const MAX_NAMED: usize = 10;

/// The parameters of a request, taken group by group; what is left over in the end is unknown.
#[derive(Debug)]
pub struct Query {
    pairs: Vec<(String, String)>,
    known: BTreeSet<String>,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    /// Reads what follows the question mark.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        if query.split('&').nth(MAX_PARAMETERS).is_some() {
            return Err(ApiError::field("query", format!("has more than {MAX_PARAMETERS} parameters")));
        }
        let pairs = serde_html_form::from_str(query)
            .map_err(|_| ApiError::field("query", "is not a query string"))?;
        Ok(Self { pairs, known: BTreeSet::new() })
    }

    /// The parameters of this group. Its fields are text: what they mean is checked where it is known.
    pub fn take<T: IntoParams + DeserializeOwned>(&mut self) -> Result<T, ApiError> {
        let parameters = T::into_params(|| Some(ParameterIn::Query));
        let (mut fields, mut repeated) = (Map::new(), Vec::new());
        for parameter in parameters {
            if let Some(prefix) = parameter.name.strip_suffix('*') {
                fields.insert(parameter.name.clone(), self.take_named(prefix, &mut repeated));
                self.known.insert(format!("{prefix}…"));
                continue;
            }
            let values =
                self.pairs.extract_if(.., |(name, _)| *name == parameter.name).map(|(_, value)| value);
            let values: Vec<Value> = values.map(Value::String).collect();
            let name = parameter.name.clone();
            if matches!(parameter.schema, Some(RefOr::T(Schema::Array(_)))) {
                fields.insert(name, Value::Array(values));
            } else if values.len() > 1 {
                repeated.push(FieldError::new(name, "may be given only once"));
            } else if let Some(value) = values.into_iter().next() {
                fields.insert(name, value);
            }
            self.known.insert(parameter.name);
        }
        if !repeated.is_empty() {
            return Err(ApiError::Invalid(repeated));
        }
        serde_json::from_value(Value::Object(fields))
            .map_err(|error| ApiError::field("query", error.to_string()))
    }

    /// The parameters whose names begin so, by the rest of the name.
    fn take_named(&mut self, prefix: &str, repeated: &mut Vec<FieldError>) -> Value {
        let mut named = Map::new();
        for (name, value) in self.pairs.extract_if(.., |(name, _)| name.starts_with(prefix)) {
            if named.insert(name[prefix.len()..].to_owned(), Value::String(value)).is_some() {
                repeated.push(FieldError::new(name, "may be given only once"));
            }
        }
        Value::Object(named)
    }

    /// Fails if anything is left over.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        let allowed = self.known.into_iter().collect::<Vec<_>>().join(", ");
        let message = match allowed.as_str() {
            "" => "is not known here: there are no parameters".to_owned(),
            allowed => format!("is not known here: there are {allowed}"),
        };
        let more = self.pairs.len().saturating_sub(MAX_NAMED);
        let named = self.pairs.into_iter().take(MAX_NAMED);
        let mut errors: Vec<_> = named.map(|(name, _)| FieldError::new(name, message.clone())).collect();
        if more > 0 {
            errors.push(FieldError::new("query", format!("has {more} more that are not known here")));
        }
        Err(ApiError::Invalid(errors))
    }
}
