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

/// A group of parameters, such as a filter.
pub trait Group: IntoParams + DeserializeOwned {
    /// What they are, derived once from the document.
    fn parameters() -> &'static [Parameter];
}

/// A parameter of a query.
#[derive(Debug)]
pub struct Parameter {
    name: String,
    occurs: Occurs,
}

/// How a parameter may stand in a query.
#[derive(Clone, Copy, Debug)]
enum Occurs {
    Once,
    Repeatedly,
    /// Its name is how others begin, such as `header.*`.
    AsPrefix,
}

impl Parameter {
    /// Those of a group.
    pub fn of<T: IntoParams>() -> Vec<Self> {
        let parameters = T::into_params(|| Some(ParameterIn::Query)).into_iter();
        parameters
            .map(|parameter| {
                let occurs = match parameter.schema {
                    _ if parameter.name.ends_with('*') => Occurs::AsPrefix,
                    Some(RefOr::T(Schema::Array(_))) => Occurs::Repeatedly,
                    _ => Occurs::Once,
                };
                Self { name: parameter.name, occurs }
            })
            .collect()
    }
}

/// Makes groups of parameters of these types.
macro_rules! groups {
    ($($group:ty),+ $(,)?) => {
        $(
            impl $crate::http::query::Group for $group {
                fn parameters() -> &'static [$crate::http::query::Parameter] {
                    use std::sync::LazyLock;
                    use $crate::http::query::Parameter;
                    static PARAMETERS: LazyLock<Vec<Parameter>> = LazyLock::new(Parameter::of::<$group>);
                    &PARAMETERS
                }
            }
        )+
    };
}
pub(crate) use groups;

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
    pub fn take<T: Group>(&mut self) -> Result<T, ApiError> {
        let (mut fields, mut repeated) = (Map::new(), Vec::new());
        for Parameter { name, occurs } in T::parameters() {
            let value = match occurs {
                Occurs::Once => self.take_once(name, &mut repeated),
                Occurs::Repeatedly => Some(self.take_values(name).into()),
                Occurs::AsPrefix => Some(self.take_prefixed(name.trim_end_matches('*'), &mut repeated)),
            };
            fields.extend(value.map(|value| (name.clone(), value)));
            self.known.insert(name.replace('*', "…"));
        }
        if !repeated.is_empty() {
            return Err(ApiError::invalid(repeated));
        }
        serde_json::from_value(Value::Object(fields))
            .map_err(|error| ApiError::field("query", error.to_string()))
    }

    fn take_once(&mut self, name: &str, repeated: &mut Vec<FieldError>) -> Option<Value> {
        let mut values = self.take_values(name);
        if values.len() > 1 {
            repeated.push(FieldError::new(name, "may be given only once"));
        }
        values.pop()
    }

    fn take_values(&mut self, name: &str) -> Vec<Value> {
        self.pairs.extract_if(.., |(given, _)| given == name).map(|(_, value)| Value::String(value)).collect()
    }

    /// The parameters whose names begin so, by the rest of the name.
    fn take_prefixed(&mut self, prefix: &str, repeated: &mut Vec<FieldError>) -> Value {
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
        Err(ApiError::invalid(errors))
    }
}
