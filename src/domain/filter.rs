//! The filter that lists, counts, plans and acts alike (rule R9).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::body_path::BodyPath;
use super::dead_letter::Status;
use super::needle::Needle;

/// The statuses that a filter selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// Only dead ones; the default.
    #[default]
    Dead,
    /// Only this status.
    Only(Status),
    /// All of them.
    Any,
}

impl StatusFilter {
    /// The selected status. `None` for all.
    pub fn status(self) -> Option<Status> {
        match self {
            Self::Dead => Some(Status::Dead),
            Self::Only(status) => Some(status),
            Self::Any => None,
        }
    }

    /// The counters to add up, as SQL.
    pub fn count_column(self) -> &'static str {
        match self.status() {
            Some(status) => status.as_str(),
            None => "dead + redelivered + deleted",
        }
    }

    /// Whether only dead ones are selected.
    pub fn is_dead(self) -> bool {
        self.status() == Some(Status::Dead)
    }
}

/// Every condition must hold; an absent one holds for all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// The services: a single one, or those of a squad. `None` means all.
    pub services: Option<Vec<String>>,
    /// Broker that it died on.
    pub broker: Option<String>,
    /// Virtual host that it died in.
    pub vhost: Option<String>,
    /// Queue that it died in.
    pub queue: Option<String>,
    /// Exchange that it had been published to.
    pub exchange: Option<String>,
    /// Routing key that it had been published with.
    pub routing_key: Option<String>,
    /// Message id.
    pub message_id: Option<String>,
    /// Correlation id.
    pub correlation_id: Option<String>,
    /// The `type` property.
    pub message_type: Option<String>,
    /// Text within the error's type or message, whatever its case.
    pub error: Option<String>,
    /// Error group.
    pub error_group: Option<Uuid>,
    /// The broker's reason.
    pub reason: Option<String>,
    /// Failure convention.
    pub convention: Option<String>,
    /// Status.
    pub status: StatusFilter,
    /// Arrived at or after.
    pub from: Option<DateTime<Utc>>,
    /// Arrived before.
    pub to: Option<DateTime<Utc>>,
    /// Died at or after, as the message tells.
    pub died_from: Option<DateTime<Utc>>,
    /// Died before, as the message tells.
    pub died_to: Option<DateTime<Utc>>,
    /// Text within the body, even if it is escaped or compressed there.
    pub contains: Option<Needle>,
    /// An id of any kind. If it is unknown: a text within the error, the body, or the value of a header.
    pub find: Option<String>,
    /// The `app-id` property.
    pub app_id: Option<String>,
    /// The `user-id` property.
    pub user_id: Option<String>,
    /// The `content-type` property.
    pub content_type: Option<String>,
    /// Headers and their values.
    pub headers: BTreeMap<String, String>,
    /// Paths in a JSON body, and the values there.
    pub body_paths: BTreeMap<BodyPath, String>,
    /// Minimum number of deaths.
    pub min_attempt: Option<i32>,
    /// Whether it died again after a redelivery.
    pub returned: Option<bool>,
    /// The operation whose redelivery it died again after.
    pub returned_from: Option<Uuid>,
}

impl Filter {
    /// Whether every condition is the same for all rows of an error group, so that the counters have the exact number.
    pub fn is_counted(&self) -> bool {
        *self
            == Self {
                services: self.services.clone(),
                error_group: self.error_group,
                reason: self.reason.clone(),
                broker: self.broker.clone(),
                vhost: self.vhost.clone(),
                status: self.status,
                ..Self::default()
            }
    }

    /// Whether a message or correlation id is given. Few dead letters have the same.
    pub fn names_an_id(&self) -> bool {
        self.message_id.is_some() || self.correlation_id.is_some()
    }

    /// Whether the dead letters of each service are read along their own index.
    pub fn leads_by_service(&self) -> bool {
        self.services.is_some() && self.status.is_dead() && !self.names_an_id()
    }

    /// Whether an index selects the rows almost exactly.
    pub fn is_indexed(&self) -> bool {
        let by_arrival = Self {
            services: self.services.clone(),
            error_group: self.error_group,
            status: self.status,
            from: self.from,
            to: self.to,
            ..Self::default()
        };
        let is_served = match self.status.status() {
            Some(Status::Dead) => true,
            Some(_) => false,
            None => self.services.is_none() && self.error_group.is_none(),
        };
        self.names_an_id() || self.returned_from.is_some() || (*self == by_arrival && is_served)
    }

    /// Whether it tells something of bodies or headers, if only whether they contain a text.
    pub fn reads_payload(&self) -> bool {
        self.contains.is_some()
            || self.find.is_some()
            || self.app_id.is_some()
            || self.user_id.is_some()
            || self.content_type.is_some()
            || !self.headers.is_empty()
            || !self.body_paths.is_empty()
    }
}

/// The order of a search, by arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Last arrived first.
    #[default]
    Newest,
    /// First arrived first.
    Oldest,
}

impl Order {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }

    /// The order of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Newest, Self::Oldest].into_iter().find(|order| order.as_str() == name)
    }

    /// The name in SQL.
    pub fn direction(self) -> &'static str {
        match self {
            Self::Newest => "DESC",
            Self::Oldest => "ASC",
        }
    }

    /// The other way round.
    pub fn reversed(self) -> Self {
        match self {
            Self::Newest => Self::Oldest,
            Self::Oldest => Self::Newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_index_serves_is_known() {
        let services = Some(vec!["webshop".to_owned()]);
        let any = StatusFilter::Any;
        let indexed = [
            Filter::default(),
            Filter { services: services.clone(), from: Some(DateTime::UNIX_EPOCH), ..Filter::default() },
            Filter { status: any, ..Filter::default() },
            Filter { error_group: Some(Uuid::nil()), to: Some(DateTime::UNIX_EPOCH), ..Filter::default() },
            Filter { message_id: Some("m".into()), error: Some("e".into()), ..Filter::default() },
            Filter { returned_from: Some(Uuid::nil()), status: any, ..Filter::default() },
        ];
        let scans = [
            Filter { error: Some("e".into()), ..Filter::default() },
            Filter { services: services.clone(), min_attempt: Some(2), ..Filter::default() },
            Filter { services, status: any, ..Filter::default() },
            Filter { status: StatusFilter::Only(Status::Deleted), ..Filter::default() },
        ];
        assert!(indexed.iter().all(Filter::is_indexed) && !scans.iter().any(Filter::is_indexed));
    }
}
