//! A dead letter: one death of one message.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::convention::{Decoding, Failure, Origin, ToldBy};
use super::fingerprint::{self, Fingerprint};
use super::place::{Place, Source};

/// Where a dead letter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing was done with it yet.
    Dead,
    /// Put back: the broker confirmed it.
    Redelivered,
    /// Deleted; can be restored until it is purged.
    Deleted,
}

impl Status {
    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Redelivered => "redelivered",
            Self::Deleted => "deleted",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Dead, Self::Redelivered, Self::Deleted].into_iter().find(|status| status.as_str() == name)
    }
}

/// What is derived from a message: searchable, shown, and never more than a help. The bytes are the truth (rule R4).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Derived {
    /// The service whose queue it died in; [`super::service::UNKNOWN`] where that is not known.
    pub service: String,
    /// Where it died.
    pub origin: Origin,
    /// Who vouches for the origin.
    pub origin_told_by: ToldBy,
    /// The broker's reason.
    pub reason: Option<String>,
    /// The message's own id.
    pub message_id: Option<String>,
    /// Its correlation id.
    pub correlation_id: Option<String>,
    /// Its `type` property.
    pub message_type: Option<String>,
    /// The failure convention that recognised it.
    pub convention: Option<String>,
    /// The type of the error.
    pub error_type: Option<String>,
    /// The error's text; of a long one both ends.
    pub error_message: Option<String>,
    /// When it first died, as it tells itself.
    pub died_at: Option<DateTime<Utc>>,
    /// How often it died, over all our redeliveries.
    pub deaths: i32,
    /// How often we had redelivered it before.
    pub redeliveries: i32,
    /// The redelivery that it is a return of.
    pub redelivery_id: Option<Uuid>,
}

/// A dead letter that arrived and is not stored yet.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDeadLetter {
    /// UUID version 7 of its arrival.
    pub id: Uuid,
    /// What tells it apart from every other death, where that can be told (rule R3).
    pub identity: Option<Uuid>,
    /// What told it apart in the release before, where that may have stored it.
    pub former_identity: Option<Uuid>,
    /// The latest time that the message tells of itself; no copy of it can have been stored before.
    pub latest_death: Option<DateTime<Utc>>,
    /// The dead-letter queue that it came from.
    pub source: Source,
    /// What was read out of it.
    pub derived: Derived,
    /// Which other failures it is like.
    pub fingerprint: Fingerprint,
    /// Why what was read out of it is not all there.
    pub warning: Option<String>,
    /// Its properties and headers in AMQP's wire encoding.
    pub properties: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
}

impl NewDeadLetter {
    /// Bytes that it takes in memory, near enough to bound a batch by.
    pub fn size(&self) -> usize {
        self.body.len() + self.properties.len() + size_of::<Self>()
    }

    /// When it died: what it tells, but no later than it arrived. Where it does not tell, when it arrived.
    pub fn died(&self) -> DateTime<Utc> {
        let arrived = received_at(self.id);
        self.latest_death.map_or(arrived, |died| died.min(arrived))
    }

    /// The same message without anything derived from it: what is kept when the database refuses the row (rule R5).
    pub fn blanked(&self, warning: String) -> Self {
        let service = super::service::UNKNOWN;
        Self {
            derived: Derived { service: service.into(), ..Derived::default() },
            fingerprint: fingerprint::of(service, &Failure::default()).away(self.source.away()),
            warning: Some(warning),
            ..self.clone()
        }
    }
}

/// The moment in which an id was made: that of the arrival, in the first 48 bits.
pub fn received_at(id: Uuid) -> DateTime<Utc> {
    let milliseconds = id.as_u128() >> 80;
    i64::try_from(milliseconds).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}

/// The UTC day of the arrival: the partition that the row lies in, and the day that its counter is kept under.
pub fn received_on(id: Uuid) -> NaiveDate {
    received_at(id).date_naive()
}

/// The smallest id that an arrival at this moment can have.
pub fn floor_id(time: DateTime<Utc>) -> Uuid {
    let milliseconds = u64::try_from(time.timestamp_millis()).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u128(u128::from(milliseconds) << 80)
}

/// A stored dead letter as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Its id, which also says when it arrived.
    pub id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// The dead-letter queue that it came from.
    pub source: String,
    /// Where that is and where it died; `None` where no service has said yet where its dead letters died.
    pub place: Option<Place>,
    /// What was read out of it.
    pub derived: Derived,
    /// The error group that it is in.
    pub error_group: Option<Uuid>,
    /// Why what was read out of it is not all there.
    pub warning: Option<String>,
    /// Length of the body in bytes.
    pub body_size: i64,
}

/// The bytes of a stored dead letter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    /// Properties and headers in AMQP's wire encoding.
    pub properties: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
    /// How much of it is decoded.
    pub decoding: Decoding,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_arrived() {
        let time = DateTime::from_timestamp_millis(1_795_392_000_123).expect("a time");
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_795_392_000, 123_000_000));
        assert_eq!(received_at(id), time);
        assert!(floor_id(time) < id && id < floor_id(time + chrono::TimeDelta::milliseconds(1)));
    }
}
