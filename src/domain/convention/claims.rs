//! Whom to believe about where a message died (rule R15).
//!
//! The broker knows: from `x-death`, or as the dead-letter queue belongs to one other queue. All that headers and envelopes tell
//! is a claim: whoever may publish to a dead-letter exchange can write it. A claim stands in where the broker knows nothing, or
//! only that the message has waited somewhere; it is marked, and settings say which claims a redelivery follows.

use std::sync::Arc;

use super::{Origin, Recognised, ToldBy};
use crate::domain::pattern;

/// The setting that names conventions.
pub const CONVENTIONS_SETTING: &str = "DEAD_LETTER_ORIGIN_CONVENTIONS";
/// The setting that names queues.
pub const QUEUES_SETTING: &str = "DEAD_LETTER_ORIGIN_QUEUES";

/// Which claims of origin are believed. By default all are: each is marked, and plans warn of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Conventions that may claim; all, if `None`.
    conventions: Option<Arc<[String]>>,
    /// Patterns of queues that may be claimed; all, if `None`.
    queues: Option<Arc<[String]>>,
}

impl Claims {
    /// Those of these conventions, of queues whose names fit one of these patterns with `*` and `?`. Without any, of all.
    pub fn new(conventions: &[String], queues: &[String]) -> Self {
        let given = |texts: &[String]| (!texts.is_empty()).then(|| texts.into());
        Self { conventions: given(conventions), queues: given(queues) }
    }

    /// Whether a claim of this convention that a message died in this queue is believed; else, the setting that is against it.
    pub fn check(&self, convention: &str, queue: &str) -> Result<(), &'static str> {
        let names = |names: &[String]| names.iter().any(|name| name == convention);
        if !self.conventions.as_deref().is_none_or(names) {
            return Err(CONVENTIONS_SETTING);
        }
        let fits = |patterns: &[String]| patterns.iter().any(|pattern| pattern::matches(pattern, queue));
        if self.queues.as_deref().is_none_or(fits) { Ok(()) } else { Err(QUEUES_SETTING) }
    }
}

/// Where a stored message died. If the broker does not vouch for it, also the convention that claims it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Where it died.
    pub origin: Origin,
    /// The convention whose claim that is.
    pub claimed_by: Option<String>,
    /// Whether the dead letter before this return had another exchange or routing key: then the headers that name them are
    /// forged.
    pub has_other_routing: bool,
}

impl Provenance {
    /// Why a redelivery must not follow it, if so.
    pub fn refusal(&self, claims: &Claims) -> Option<String> {
        let convention = self.claimed_by.as_deref()?;
        let queue = self.origin.queue.as_deref().unwrap_or_default();
        let setting = claims.check(convention, queue).err()?;
        let needed = if setting == CONVENTIONS_SETTING { convention } else { queue };
        Some(format!(
            "Only the message itself says where it died ({convention}: {queue}), and {setting} does not allow that: add `{needed}` \
             there, or name a target with `to`"
        ))
    }
}

impl Recognised {
    /// Decides between what the broker knows and what the message claims.
    pub(super) fn settle_origin(&mut self, claims: &Claims) {
        let (mut vouched, claim) = (std::mem::take(&mut self.origin), std::mem::take(&mut self.claim));
        let mut trusted = self.is_failure;
        // Where it only waited before, the queue that this is the dead-letter queue of says more.
        if let (false, Some(queue)) = (trusted, self.beside.take()) {
            vouched.queue = Some(queue);
            trusted = true;
        }
        let differs = claim.queue.is_some() && claim.queue != vouched.queue;
        let refused = claim.queue.as_deref().and_then(|queue| claims.check(self.convention, queue).err());
        let wins = differs && (vouched.queue.is_none() || (!trusted && refused.is_none()));
        if differs && !wins {
            self.warn(format!(
                "the message claims that it died in the queue {}, and the broker says otherwise",
                claim.queue.as_deref().unwrap_or_default()
            ));
        } else if let (true, Some(setting)) = (wins, refused) {
            self.warn(format!(
                "only the message says which queue it died in, and {setting} does not allow that: it is not redelivered there"
            ));
        } else if wins && vouched.queue.is_some() {
            // It waited there, and was then published to us: the broker does not know why.
            self.failure.reason = None;
        }
        self.origin_refused = wins && refused.is_some();
        let claimed = wins || (!self.is_failure && refused.is_none() && adds(&vouched, &claim));
        self.origin_told_by = if claimed { ToldBy::Message } else { ToldBy::Broker };
        self.origin = if claimed {
            Origin {
                queue: if wins { claim.queue } else { vouched.queue },
                exchange: claim.exchange.or(vouched.exchange),
                routing_key: claim.routing_key.or(vouched.routing_key),
            }
        } else {
            vouched
        };
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warning = Some(match self.warning.take() {
            Some(other) => format!("{other}; {warning}"),
            None => warning,
        });
    }
}

/// Whether the claim tells another exchange or routing key.
fn adds(vouched: &Origin, claim: &Origin) -> bool {
    let differ = |claimed: &Option<String>, known: &Option<String>| claimed.is_some() && claimed != known;
    differ(&claim.exchange, &vouched.exchange) || differ(&claim.routing_key, &vouched.routing_key)
}

#[cfg(test)]
mod tests;
