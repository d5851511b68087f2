//! From the name of the queue that a message died in to the service whose queue it is.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use regex::Regex;

/// The service of a dead letter whose origin is not known.
pub const UNKNOWN: &str = "unknown";

/// What follows the last underscore, as in `dev-k8s-bankaccount_term-deposit`; else the whole name.
pub const DEFAULT_RULE: &str = "^(?:.*_)?(?P<service>[^_]+)$";

/// Size of the cache in queues: far more than there are, unless messages invent them.
const REMEMBERED: usize = 10_000;

/// A regular expression with the named group `service`. Clones share what they remember.
#[derive(Clone, Debug)]
pub struct ServiceRule {
    regex: Regex,
    /// Where in a queue's name the service stands: to find out takes as long as to hash the whole message.
    found: Arc<Mutex<HashMap<String, Range<usize>>>>,
}

impl ServiceRule {
    /// Takes the expression, or says what is wrong with it.
    pub fn new(expression: &str) -> Result<Self, String> {
        let regex = Regex::new(expression).map_err(|error| error.to_string())?;
        if regex.capture_names().flatten().any(|name| name == "service") {
            Ok(Self { regex, found: Arc::default() })
        } else {
            Err("it needs a named group `service`, such as (?P<service>[^_]+)".into())
        }
    }

    /// The service that owns the queue; the queue's own name where the rule does not match.
    pub fn service<'q>(&self, queue: Option<&'q str>) -> &'q str {
        match queue {
            None | Some("") => UNKNOWN,
            Some(queue) => queue.get(self.place(queue)).unwrap_or(queue),
        }
    }

    fn place(&self, queue: &str) -> Range<usize> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = found.get(queue) {
            return place.clone();
        }
        let captures = self.regex.captures(queue);
        let place = captures.and_then(|captures| Some(captures.name("service")?.range()));
        let place = place.unwrap_or(0..queue.len());
        if found.len() >= REMEMBERED {
            found.clear();
        }
        found.insert(queue.to_owned(), place.clone());
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_stands_after_the_last_underscore() {
        let rule = ServiceRule::new(DEFAULT_RULE).expect("valid");
        assert_eq!(rule.service(Some("dev-k8s-bankaccount_term-deposit")), "term-deposit");
        assert_eq!(rule.service(Some("eventstreams_bank_account")), "account");
        assert_eq!(rule.service(Some("orders")), "orders");
        assert_eq!(rule.service(Some("odd_")), "odd_");
        assert_eq!(rule.service(None), UNKNOWN);
        assert_eq!(rule.service(Some("eventstreams_bank_account")), "account", "once more");
    }

    #[test]
    fn a_rule_needs_its_group() {
        assert!(ServiceRule::new("(.*)").is_err());
        assert!(ServiceRule::new("(").is_err());
    }
}
