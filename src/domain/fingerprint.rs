//! Fingerprints: dead letters of one service that failed for the same reason at the same place share one, whatever ids and
//! numbers their error texts hold. Both the text and the place count, so that a new error never hides under a known one.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::convention::Failure;
use super::error_text::{self, ErrorText};
use super::place::Place;
use super::{identity, top_frame};

/// The version of the rule. It is part of the hash: groups of two versions never mix.
pub const VERSION: i16 = 2;

/// What groups a dead letter with others, and tells it from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The error group.
    pub group: Uuid,
    /// What it shares with the groups of other services and places that fail for the same reason at the same line.
    pub bug: Uuid,
    /// What the error messages of the group share: [`ErrorText::template`].
    pub template: String,
    /// The signature of what is this message's own: [`ErrorText::trigrams`].
    pub trigrams: i64,
}

impl Fingerprint {
    /// The same failure in another place is another group: a fix in one place does not fix the other.
    pub fn away(self, place: Option<&Place>) -> Self {
        let Some(place) = place else { return self };
        let mut hash = Sha256::new_with_prefix("dead-letter fingerprint away");
        hash.update(self.group);
        for name in [&place.broker, &place.vhost] {
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
        }
        Self { group: identity::uuid_of(&hash.finalize()), ..self }
    }
}

/// The fingerprint of a failure.
pub fn of(service: &str, failure: &Failure) -> Fingerprint {
    let ErrorText { template, trigrams } =
        error_text::of(failure.error_message.as_deref().unwrap_or_default());
    let failed = [
        failure.reason.as_deref().unwrap_or_default(),
        failure.error_type.as_deref().unwrap_or_default(),
        &template,
        &top_frame::of(failure.error_stack.as_deref().unwrap_or_default()),
    ];
    let group = Sha256::new_with_prefix(format!("dead-letter fingerprint {VERSION}"));
    let bug = Sha256::new_with_prefix("dead-letter bug 1");
    Fingerprint {
        group: hashed(group, [service].into_iter().chain(failed)),
        bug: hashed(bug, failed),
        template,
        trigrams,
    }
}

fn hashed<'f>(mut hash: Sha256, fields: impl IntoIterator<Item = &'f str>) -> Uuid {
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    identity::uuid_of(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_reason_type_words_and_place_count_and_numbers_do_not() {
        let failure = |text: &str, line: &str| Failure {
            reason: Some("rejected".into()),
            error_type: Some("Timeout".into()),
            error_message: Some(text.into()),
            error_stack: Some(format!("Timeout: {text}\n    at {line}\n")),
        };
        let known = failure("after 3 s", "place (/srv/1/order.js:7:1)");
        let group = |failure: &Failure| of("a", failure).group;
        assert_eq!(group(&known), group(&failure("after 90 s", "place (/srv/2/order.js:8:2)")));
        assert_eq!(of("b", &known).bug, of("a", &known).bug);
        assert_ne!(of("a", &failure("before 3 s", "place (/srv/1/order.js:7:1)")).bug, of("a", &known).bug);
        assert_ne!(of("a", &failure("after 3 s", "place (/srv/1/invoice.js:7:1)")).bug, of("a", &known).bug);
        let others = [
            of("b", &known).group,
            group(&failure("before 3 s", "place (/srv/1/order.js:7:1)")),
            group(&failure("after 3 s", "cancel (/srv/1/order.js:7:1)")),
            group(&failure("after 3 s", "place (/srv/1/invoice.js:7:1)")),
            group(&Failure { reason: None, ..known.clone() }),
            group(&Failure { error_type: None, ..known.clone() }),
            group(&Failure { error_stack: None, ..known.clone() }),
        ];
        assert!(others.iter().all(|other| *other != group(&known)));
    }

    #[test]
    fn each_place_but_home_has_its_own_groups() {
        let group = |place: Option<Place>| of("a", &Failure::default()).away(place.as_ref()).group;
        let home = group(None);
        assert_eq!(home, of("a", &Failure::default()).group);
        let places = [("a", "b"), ("ab", ""), ("b", "a")].map(|(broker, vhost)| Place::new(broker, vhost));
        let groups: std::collections::BTreeSet<_> =
            places.into_iter().map(Some).map(group).chain([home]).collect();
        assert_eq!(groups.len(), 4);
    }

    #[test]
    fn groups_are_stored_and_stay() {
        let failure = Failure { error_message: Some("order 4711".into()), ..Failure::default() };
        let Fingerprint { group, template, trigrams, .. } = of("shop", &failure);
        assert_eq!(group.to_string(), "b8eb89a8-0ba2-8f15-8af9-595ee8ffeebc");
        assert_eq!(template, "order \u{1}");
        assert_eq!(trigrams, error_text::of("order 4711").trigrams);
        assert_eq!(of("shop", &Failure::default()).trigrams, 0);
    }
}
