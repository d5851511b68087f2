//! What the doctor says.

use std::fmt;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Messages are lost in everyday work, or dead-letter does not work.
    Error,
    /// Messages are lost if something else fails as well: a node, a client, a limit that is reached.
    Warning,
}

/// Declares the checks with their names, which are part of the output, and how bad their findings are.
macro_rules! checks {
    ($($(#[doc = $text:literal])* $variant:ident $name:literal $severity:ident;)*) => {
        /// What is checked. `docs/doctor.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Check {
            $($(#[doc = $text])* $variant,)*
        }

        impl Check {
            /// Each of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the output.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// How bad its findings are.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)*
                }
            }
        }
    };
}

checks! {
    /// A queue does not dead-letter.
    NoDeadLetterExchange "no_dead_letter_exchange" Error;
    /// A queue has a delivery limit and does not dead-letter.
    DeliveryLimitDrops "delivery_limit_drops" Error;
    /// A queue has a time to live and does not dead-letter.
    TtlDrops "ttl_drops" Error;
    /// A queue drops its oldest messages beyond its length.
    DropHead "drop_head" Error;
    /// The exchange that a queue dead-letters to does not exist.
    DeadLetterExchangeMissing "dead_letter_exchange_missing" Error;
    /// The exchange that a queue dead-letters to leads to no queue with the key of the messages.
    Unroutable "unroutable" Error;
    /// The exchange that a queue dead-letters to leads to a queue with some keys only.
    PossiblyUnroutable "possibly_unroutable" Warning;
    /// The dead-letter routing key of a queue leads to no queue.
    RoutingKeyLeadsNowhere "routing_key_leads_nowhere" Error;
    /// A quorum queue dead-letters at most once.
    AtMostOnce "at_most_once" Warning;
    /// A classic queue dead-letters at most once.
    ClassicAtMostOnce "classic_at_most_once" Warning;
    /// A quorum queue is to dead-letter at least once, and its overflow forbids it.
    OverflowForbidsAtLeastOnce "overflow_forbids_at_least_once" Warning;
    /// A queue is deleted by a restart.
    NotDurable "not_durable" Error;
    /// A queue is deleted with its last consumer.
    AutoDelete "auto_delete" Error;
    /// A queue is deleted with a connection.
    Exclusive "exclusive" Error;
    /// A queue is deleted when it is not used.
    Expires "expires" Error;
    /// A source does not exist.
    SourceMissing "source_missing" Error;
    /// A source is a stream.
    SourceIsStream "source_is_stream" Error;
    /// A source is a classic queue.
    SourceNotQuorum "source_not_quorum" Warning;
    /// Dead letters expire in a source.
    SourceTtl "source_ttl" Error;
    /// A source drops or refuses dead letters beyond a length.
    SourceLength "source_length" Error;
    /// A source drops dead letters that were delivered too often.
    SourceDeliveryLimit "source_delivery_limit" Warning;
    /// The exchange that dead-letter declares does not exist.
    SourceExchangeMissing "source_exchange_missing" Error;
    /// The exchange that dead-letter declares is of a type that does not take every message.
    SourceExchangeType "source_exchange_type" Error;
    /// The exchange that dead-letter declares does not lead to the source.
    SourceUnbound "source_unbound" Error;
    /// The broker cannot be reached.
    BrokerUnreachable "broker_unreachable" Error;
    /// The broker is of a version that is not supported.
    BrokerVersion "broker_version" Warning;
    /// The user may not look at a source.
    BrokerRights "broker_rights" Error;
    /// A setting is wrong.
    Configuration "configuration" Error;
    /// The database cannot be reached, or cannot be used.
    Database "database" Error;
    /// The database is older than PostgreSQL 15.
    DatabaseVersion "database_version" Error;
    /// A setting of the database gives up durability.
    DatabaseDurability "database_durability" Error;
    /// Migrations are missing.
    Schema "schema" Error;
    /// The role lacks privileges.
    Grants "grants" Error;
    /// The catalog cannot be read.
    Catalog "catalog" Warning;
    /// Our clock and that of the database differ.
    Clock "clock" Warning;
}

/// What is wrong with one thing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the check.
    pub check: Check,
    /// What is wrong, by its name.
    pub thing: Thing,
    /// What would happen, in whole sentences.
    pub happens: String,
    /// How to mend it.
    #[serde(flatten)]
    pub mend: Mend,
}

impl Serialize for Check {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A thing that may be wrong. Findings about one thing are shown together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thing {
    /// `queue`, `source`, `broker`, `database` or `setting`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// The broker that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    /// The virtual host that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vhost: Option<String>,
}

impl Thing {
    /// A thing that is in no broker.
    pub fn named(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), broker: None, vhost: None }
    }

    /// A thing in a virtual host of a broker.
    pub fn at(kind: &'static str, name: &str, broker: &str, vhost: &str) -> Self {
        Self { broker: Some(broker.to_owned()), vhost: Some(vhost.to_owned()), ..Self::named(kind, name) }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match (&self.broker, &self.vhost) {
            (Some(broker), Some(vhost)) => write!(f, " (broker {broker}, virtual host {vhost})"),
            _ => Ok(()),
        }
    }
}

/// How to mend something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mend {
    /// What to do, or what to know before the commands are run. May be empty.
    pub advice: String,
    /// Commands for a shell, in their order.
    pub commands: Vec<String>,
}

impl Mend {
    /// Without commands.
    pub fn advice(advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), commands: Vec::new() }
    }
}

impl Finding {
    /// A finding of this check.
    pub fn new(check: Check, thing: &Thing, happens: impl Into<String>, mend: &Mend) -> Self {
        Self {
            severity: check.severity(),
            check,
            thing: thing.clone(),
            happens: happens.into(),
            mend: mend.clone(),
        }
    }
}

/// All that was found, and what could not be seen.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be seen, and why.
    pub unseen: Vec<String>,
    /// What was looked at.
    pub seen: Vec<String>,
}

impl Report {
    /// Adds what another one has.
    pub fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.unseen.extend(other.unseen);
        self.seen.extend(other.seen);
    }
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
