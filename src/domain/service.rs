//! From the name of the queue that a message died in to the service whose queue it is.

use regex::Regex;

/// The service of a dead letter whose origin is not known.
pub const UNKNOWN: &str = "unknown";

/// What follows the last underscore, as in `dev-k8s-bankaccount_term-deposit`; else the whole name.
pub const DEFAULT_RULE: &str = "^(?:.*_)?(?P<service>[^_]+)$";

/// A regular expression with the named group `service`.
#[derive(Clone, Debug)]
pub struct ServiceRule(Regex);

impl ServiceRule {
    /// Takes the expression, or says what is wrong with it.
    pub fn new(expression: &str) -> Result<Self, String> {
        let regex = Regex::new(expression).map_err(|error| error.to_string())?;
        if regex.capture_names().flatten().any(|name| name == "service") {
            Ok(Self(regex))
        } else {
            Err("it needs a named group `service`, such as (?P<service>[^_]+)".into())
        }
    }

    /// The service that owns the queue; the queue's own name where the rule does not match.
    pub fn service<'q>(&self, queue: Option<&'q str>) -> &'q str {
        match queue {
            None | Some("") => UNKNOWN,
            Some(queue) => self
                .0
                .captures(queue)
                .and_then(|captures| captures.name("service"))
                .map_or(queue, |found| found.as_str()),
        }
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
    }

    #[test]
    fn a_rule_needs_its_group() {
        assert!(ServiceRule::new("(.*)").is_err());
        assert!(ServiceRule::new("(").is_err());
    }
}
