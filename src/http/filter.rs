//! The filter as clients write it, in a query or in JSON.

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::error::ApiError;
use crate::domain::filter::Filter;
use crate::ownership::same_squad;

/// Every condition must hold; an absent one holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FilterInput {
    /// Squad that owns the service, with or without `squad-`; `unowned` for services that nobody owns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub squad: Option<String>,
    /// Service whose queue it died in; `unknown` where that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub service: Option<String>,
    /// Broker that it died on, by the name that the configuration gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub broker: Option<String>,
    /// Virtual host that it died in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub vhost: Option<String>,
    /// Queue that it died in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub queue: Option<String>,
    /// Exchange that it had been published to; empty for the default exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// Routing key that it had been published with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<String>,
    /// Message id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub message_id: Option<String>,
    /// Correlation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub correlation_id: Option<String>,
    /// Type of the message.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub message_type: Option<String>,
    /// Text within the error's type or message, whatever its case. Of a message longer than 4 KiB, its first and its last 2 KiB are
    /// searched; `find` searches the headers, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub error: Option<String>,
    /// Error group, as a dead letter's `errorGroup` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = Uuid)]
    #[schema(format = Uuid)]
    pub error_group: Option<String>,
    /// The broker's reason: `rejected`, `expired`, `maxlen` or `delivery_limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub reason: Option<String>,
    /// The failure convention, such as `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub convention: Option<String>,
    /// `dead` (the default), `redelivered`, `deleted` or `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(inline, value_type = Option<StatusName>)]
    #[schema(inline, value_type = Option<StatusName>)]
    pub status: Option<String>,
    /// Arrived at or after this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub from: Option<String>,
    /// Arrived before this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub to: Option<String>,
    /// Died at or after this time, as the message tells, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub died_from: Option<String>,
    /// Died before this time, as the message tells, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub died_to: Option<String>,
    /// Text within the body, or bytes as `hex:00ff`. A text is found whichever way JSON escapes it, and in bodies compressed by gzip,
    /// deflate or zstd, whose first 8 MiB are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub contains: Option<String>,
    /// Died at least so often.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    #[param(value_type = Option<i32>, minimum = 1)]
    #[schema(value_type = Option<i32>, minimum = 1)]
    pub min_attempt: Option<String>,
    /// `true`: died again after a redelivery from here; `false`: did not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>)]
    pub returned: Option<String>,
    /// Whatever is at hand: the id of a dead letter, whole or its first or last 8 digits or more, of a message, a correlation, a
    /// redelivery or an operation. Where it is none that is known: a text within the error, the body, or a header's value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub find: Option<String>,
    /// `header.tenant=acme`: the header `tenant` is the text `acme`. Also numbers, `true`, `false`, `null`, and times; a name may have
    /// dots. In JSON: `"headers": {"tenant": "acme"}`.
    #[serde(
        default,
        alias = "header.*",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "texts"
    )]
    #[param(rename = "header.*", value_type = Option<String>)]
    pub headers: BTreeMap<String, String>,
    /// `body.order.id=4711`: the JSON body has the number 4711, or the text, at this path; `body.items.0.sku` is of the first of
    /// an array. In JSON: `"bodyPaths": {"order.id": "4711"}`.
    #[serde(
        default,
        alias = "body.*",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "texts"
    )]
    #[param(rename = "body.*", value_type = Option<String>)]
    pub body_paths: BTreeMap<String, String>,
}

/// The statuses, for the document.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
enum StatusName {
    /// Nothing was done with it yet.
    Dead,
    /// Put back.
    Redelivered,
    /// Deleted.
    Deleted,
    /// All of them.
    Any,
}

/// JSON has numbers and booleans, and a query has text.
#[derive(Deserialize)]
#[serde(untagged)]
enum AsText {
    Bool(bool),
    Number(Number),
    Text(String),
}

impl From<AsText> for String {
    fn from(value: AsText) -> Self {
        match value {
            AsText::Bool(yes) => yes.to_string(),
            AsText::Number(number) => number.to_string(),
            AsText::Text(text) => text,
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<AsText>::deserialize(deserializer)?.map(String::from))
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let texts = BTreeMap::<String, AsText>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(|(name, value)| (name, value.into())).collect())
}

impl FilterInput {
    /// What it means now. A squad stands for the services that it owns at this moment.
    pub async fn resolve(&self, api: &Api) -> Result<Filter, ApiError> {
        let mut filter = self.check()?;
        let owners = api.ownership.now();
        filter.services = match (&self.squad, &self.service) {
            (None, None) => None,
            (None, Some(service)) => Some(vec![service.clone()]),
            (Some(squad), Some(service)) if same_squad(owners.squad(service), squad) => {
                Some(vec![service.clone()])
            }
            (Some(_), Some(service)) => {
                let message =
                    format!("contradicts `service`: {service} belongs to {}", owners.squad(service));
                return Err(ApiError::field("squad", message));
            }
            (Some(squad), None) => Some(owners.of_squad(squad, api.store.services().await?)),
        };
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::query::Query;

    #[test]
    fn headers_and_paths_are_texts_in_a_query_and_whatever_json_has() {
        let mut query = Query::parse("header.x.y=1&body.order.id=4711&header.tenant=a%20b").unwrap();
        let asked: FilterInput = query.take().unwrap();
        query.finish().unwrap();
        let json = r#"{"headers": {"x.y": 1, "tenant": "a b"}, "bodyPaths": {"order.id": 4711}}"#;
        assert_eq!(asked, serde_json::from_str(json).unwrap());
        assert_eq!(asked.check().unwrap().headers["x.y"], "1");
        assert!(Query::parse("header.a=1&header.a=2").unwrap().take::<FilterInput>().is_err());
        for wrong in ["header.=1", "body.=1", "body.a..b=1", &format!("header.{}=1", "a".repeat(256))] {
            let input: FilterInput = Query::parse(wrong).unwrap().take().unwrap();
            assert!(input.check().is_err(), "{wrong}");
        }
    }
}
