//! The filter as clients write it, in a query or in JSON.

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::auth::Caller;
use super::error::ApiError;
use super::query::groups;
use super::words::StatusFilter;
use crate::access::{Permission, Scope};
use crate::domain::filter::Filter;
use crate::ownership::{UNOWNED, same_squad};

pub use check::parse_time;

/// A filter. All conditions must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(as = Filter)]
pub struct FilterInput {
    /// Squad that owns the service, with or without `squad-`. `unowned`: services without a squad.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub squad: Option<String>,
    /// Service whose queue the message died in. `unknown`: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub service: Option<String>,
    /// Broker that the message died on, by its configured name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub broker: Option<String>,
    /// Virtual host that the message died in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub vhost: Option<String>,
    /// Queue that the message died in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub queue: Option<String>,
    /// Exchange that the message was published to. Empty: the default exchange.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// Routing key that the message was published with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<String>,
    /// The `message-id` property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub message_id: Option<String>,
    /// The `correlation-id` property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub correlation_id: Option<String>,
    /// The `type` property.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub message_type: Option<String>,
    /// Text in the type or message of the error, ignoring case. Of a message longer than 4 KiB, the first and last 2 KiB are searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub error: Option<String>,
    /// Error group: `errorGroup` of a dead letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = Uuid)]
    #[schema(format = Uuid)]
    pub error_group: Option<String>,
    /// The broker's reason, such as `rejected`, `expired`, `maxlen` or `delivery_limit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub reason: Option<String>,
    /// The failure convention, such as `native` or `spring`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub convention: Option<String>,
    /// Status of the dead letter. Default: `dead`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<StatusFilter>)]
    #[schema(value_type = Option<StatusFilter>)]
    pub status: Option<String>,
    /// Arrived at or after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub from: Option<String>,
    /// Arrived before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub to: Option<String>,
    /// Died at or after this time, according to the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub died_from: Option<String>,
    /// Died before this time, according to the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = DateTime)]
    #[schema(format = DateTime)]
    pub died_to: Option<String>,
    /// Text in the body, however JSON escapes it, or bytes as `hex:00ff`. Bodies compressed by gzip, deflate or zstd are searched
    /// too, up to 8 MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub contains: Option<String>,
    /// Died at least this often, across redeliveries.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    #[param(value_type = Option<i32>, minimum = 1)]
    #[schema(value_type = Option<i32>, minimum = 1)]
    pub min_attempt: Option<String>,
    /// `true`: died again after a redelivery by dead-letter. `false`: did not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "text")]
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>)]
    pub returned: Option<String>,
    /// Died again after this operation redelivered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = Uuid)]
    #[schema(format = Uuid)]
    pub returned_from: Option<String>,
    /// The id of a dead letter (or its first or last 8 or more digits), message, correlation, redelivery or operation. If it is no
    /// known id: text in the error, the body or a header value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub find: Option<String>,
    /// The `app-id` property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub app_id: Option<String>,
    /// The `user-id` property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub user_id: Option<String>,
    /// The `content-type` property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(min_length = 1)]
    pub content_type: Option<String>,
    /// Values of headers by name: texts, numbers, `true`, `false`, `null` or times. In a query, each is a parameter:
    /// `header.tenant=acme`. In JSON: `"headers": {"tenant": "acme"}`.
    #[serde(
        default,
        alias = "header.*",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "texts"
    )]
    #[param(rename = "header.*", value_type = Option<String>)]
    pub headers: BTreeMap<String, String>,
    /// Values in the JSON body by path: numbers or texts. In a query, each is a parameter: `body.order.id=4711`,
    /// `body.items.0.sku=a`. In JSON: `"bodyPaths": {"order.id": "4711"}`.
    #[serde(
        default,
        alias = "body.*",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "texts"
    )]
    #[param(rename = "body.*", value_type = Option<String>)]
    pub body_paths: BTreeMap<String, String>,
}

groups!(FilterInput);

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
    /// What it means now, where the caller has these permissions. A squad stands for the services that it owns at this moment; services
    /// outside of the caller's scope do not exist.
    pub async fn resolve(
        &self,
        api: &Api,
        caller: &Caller,
        permissions: &[Permission],
    ) -> Result<Filter, ApiError> {
        let filter = self.check()?;
        let of_payload = [Permission::ReadPayload];
        let of_payload = if filter.reads_payload() { &of_payload[..] } else { &[] };
        let scope = caller.may(&[permissions, of_payload].concat())?;
        Ok(Filter { services: self.services(api, &scope).await?, ..filter })
    }

    /// Whether nothing but the status is asked for, so that everything of the caller's scope is selected.
    pub fn is_empty(&self) -> bool {
        Self { status: None, ..self.clone() } == Self::default()
    }

    async fn services(&self, api: &Api, scope: &Scope) -> Result<Option<Vec<String>>, ApiError> {
        let owners = scope.owners();
        Ok(match (&self.squad, &self.service) {
            (None, None) if scope.is_everything() => None,
            (None, None) => Some(scope.of_services(api.store.services().await?)),
            (None, Some(service)) => Some(scope.of_services([service.clone()])),
            (Some(squad), Some(service)) => {
                // Whose a foreign service is, is not told either.
                let owner = if scope.covers(service) { owners.squad(service) } else { UNOWNED };
                if !same_squad(owner, squad) {
                    let message = format!("contradicts `service`: {service} belongs to {owner}");
                    return Err(ApiError::field("squad", message));
                }
                Some(scope.of_services([service.clone()]))
            }
            (Some(squad), None) => {
                Some(scope.of_services(owners.of_squad(squad, api.store.services().await?)))
            }
        })
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
