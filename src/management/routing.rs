//! Where the broker would route a message, from its exchanges and bindings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::answers::{Binding, Exchange, Policy};
use super::facts::{Facts, Target};

/// What is known of the routing key of messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Exactly this one.
    Exact(String),
    /// Any that matches this pattern of a topic exchange.
    Pattern(String),
    /// Any.
    Any,
}

/// Whether messages reach a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Routed {
    /// All of them do.
    Always,
    /// Some keys may not lead to one.
    Sometimes,
    /// None does.
    Never,
}

/// The exchanges, bindings and queues of one virtual host.
#[derive(Debug, Default)]
pub(crate) struct Routing<'b> {
    exchanges: HashMap<&'b str, &'b Exchange>,
    bindings: HashMap<&'b str, Vec<&'b Binding>>,
    /// Without those of the default exchange.
    by_queue: HashMap<&'b str, Vec<&'b Binding>>,
    /// By the policy's name.
    alternates: HashMap<&'b str, &'b str>,
    queues: BTreeSet<&'b str>,
}

impl<'b> Routing<'b> {
    pub fn new(
        vhost: &str,
        exchanges: &'b [Exchange],
        bindings: &'b [Binding],
        policies: &'b [Policy],
        queues: impl IntoIterator<Item = &'b str>,
    ) -> Self {
        let exchanges = exchanges.iter().filter(|exchange| exchange.vhost == vhost);
        let alternate = |policy: &'b Policy| {
            Some((policy.name.as_str(), policy.definition.get("alternate-exchange")?.as_str()?))
        };
        let mut routing = Self {
            exchanges: exchanges.map(|exchange| (exchange.name.as_str(), exchange)).collect(),
            bindings: HashMap::new(),
            by_queue: HashMap::new(),
            alternates: policies
                .iter()
                .filter(|policy| policy.vhost == vhost)
                .filter_map(alternate)
                .collect(),
            queues: queues.into_iter().collect(),
        };
        for binding in bindings.iter().filter(|binding| binding.vhost == vhost) {
            routing.bindings.entry(&binding.source).or_default().push(binding);
            if binding.destination_type == "queue" && !binding.source.is_empty() {
                routing.by_queue.entry(&binding.destination).or_default().push(binding);
            }
        }
        routing
    }

    pub fn exchange(&self, name: &str) -> Option<&'b Exchange> {
        self.exchanges.get(name).copied()
    }

    /// The bindings to a queue, without those of the default exchange.
    pub fn bindings_to(&self, queue: &str) -> &[&'b Binding] {
        self.by_queue.get(queue).map_or(&[], Vec::as_slice)
    }

    /// The bindings of an exchange.
    pub fn bindings_from(&self, exchange: &str) -> &[&'b Binding] {
        self.bindings.get(exchange).map_or(&[], Vec::as_slice)
    }

    /// The keys of messages that come to a queue, as its bindings tell. A queue without bindings is published to by its name.
    fn keys_of(&self, queue: &str) -> BTreeSet<Key> {
        let keys = self.bindings_to(queue).iter().map(|binding| {
            let key = || binding.routing_key.clone();
            match self.exchanges.get(binding.source.as_str()).map(|exchange| exchange.kind.as_str()) {
                Some("direct") => Key::Exact(key()),
                Some("topic") if !is_pattern(&binding.routing_key) => Key::Exact(key()),
                Some("topic") if binding.routing_key != "#" => Key::Pattern(key()),
                _ => Key::Any,
            }
        });
        let keys: BTreeSet<_> = keys.collect();
        if keys.is_empty() { [Key::Exact(queue.to_owned())].into() } else { keys }
    }

    /// The keys with which the messages of a queue are dead-lettered.
    pub fn dead_keys(&self, facts: &Facts<'_>, target: &Target<'_>) -> BTreeSet<Key> {
        match target.key {
            Some(key) => [Key::Exact(key.to_owned())].into(),
            None => self.keys_of(&facts.queue.name),
        }
    }

    /// Those of them that may lead to no queue, and whether they certainly do not.
    pub fn lost_keys(&self, facts: &Facts<'_>, target: &Target<'_>) -> BTreeMap<Key, Routed> {
        let routed = |key: Key| {
            let routed = self.routes(target.exchange, &key);
            (key, routed)
        };
        let keys = self.dead_keys(facts, target).into_iter().map(routed);
        keys.filter(|(_, routed)| *routed != Routed::Always).collect()
    }

    /// The queues that the dead letters of a queue reach, certainly or possibly.
    pub fn dead_reach(&self, facts: &Facts<'_>, target: &Target<'_>) -> BTreeSet<&'b str> {
        let keys = self.dead_keys(facts, target);
        keys.iter().flat_map(|key| self.reached(target.exchange, key)).collect()
    }

    /// Whether messages with this key that are published to the exchange reach a queue.
    fn routes(&self, exchange: &str, key: &Key) -> Routed {
        self.follow(exchange, key, &mut BTreeSet::new())
    }

    /// The queues that messages with this key reach, certainly or possibly.
    fn reached(&self, exchange: &str, key: &Key) -> BTreeSet<&'b str> {
        let (mut queues, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![exchange]);
        while let Some(exchange) = open.pop() {
            if let (true, Key::Exact(key)) = (exchange.is_empty(), key) {
                queues.extend(self.queues.get(key.as_str()));
            }
            let Some(found) = self.exchanges.get(exchange).filter(|_| seen.insert(exchange)) else {
                continue;
            };
            let bindings = self.bindings_from(exchange).iter();
            for binding in bindings.filter(|binding| matches(found, binding, key) != Routed::Never) {
                match binding.destination_type.as_str() {
                    "queue" => drop(queues.insert(binding.destination.as_str())),
                    _ => open.push(&binding.destination),
                }
            }
            open.extend(self.alternate(found));
        }
        queues
    }

    fn follow(&self, exchange: &str, key: &Key, seen: &mut BTreeSet<String>) -> Routed {
        if exchange.is_empty() {
            return match key {
                Key::Exact(key) if self.queues.contains(key.as_str()) => Routed::Always,
                Key::Exact(_) => Routed::Never,
                Key::Pattern(_) | Key::Any => Routed::Sometimes,
            };
        }
        let Some(found) = self.exchanges.get(exchange) else { return Routed::Never };
        if !seen.insert(exchange.to_owned()) {
            return Routed::Never;
        }
        let by_bindings = self.bindings_from(exchange).iter().map(|binding| {
            let onward = match binding.destination_type.as_str() {
                "queue" => Routed::Always,
                _ => self.follow(&binding.destination, key, seen),
            };
            matches(found, binding, key).and(onward)
        });
        let mut best = by_bindings.fold(Routed::Never, Routed::or);
        if best != Routed::Always
            && let Some(alternate) = self.alternate(found)
        {
            best = best.or(self.follow(alternate, key, seen));
        }
        best
    }

    fn alternate(&self, exchange: &'b Exchange) -> Option<&'b str> {
        let argument = exchange.arguments.get("alternate-exchange").and_then(Value::as_str);
        argument.or_else(|| self.alternates.get(exchange.policy.as_deref()?).copied())
    }
}

impl Routed {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, Self::Always) => Self::Always,
            _ => Self::Sometimes,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, Self::Never) => Self::Never,
            _ => Self::Sometimes,
        }
    }
}

/// Whether a binding takes messages with this key. Exchanges of plugins are taken to route to each of their bindings.
fn matches(exchange: &Exchange, binding: &Binding, key: &Key) -> Routed {
    let bound = binding.routing_key.as_str();
    match (exchange.kind.as_str(), key) {
        ("direct", Key::Exact(key)) => Routed::always_if(key == bound),
        ("direct", Key::Pattern(pattern)) if !topic_matches(pattern, bound) => Routed::Never,
        ("topic", Key::Exact(key)) => Routed::always_if(topic_matches(bound, key)),
        ("topic", Key::Any) if bound == "#" => Routed::Always,
        ("topic", Key::Pattern(pattern)) if bound == "#" || bound == pattern => Routed::Always,
        ("headers", _) if binding.arguments.keys().any(|name| !name.starts_with("x-")) => Routed::Sometimes,
        ("direct" | "topic", _) => Routed::Sometimes,
        _ => Routed::Always,
    }
}

impl Routed {
    fn always_if(is_so: bool) -> Self {
        if is_so { Self::Always } else { Self::Never }
    }
}

fn is_pattern(key: &str) -> bool {
    key.split('.').any(|word| word == "*" || word == "#")
}

/// As topic exchanges match: `*` stands for one word, `#` for any number.
fn topic_matches(pattern: &str, key: &str) -> bool {
    fn words(pattern: &[&str], key: &[&str]) -> bool {
        match (pattern, key) {
            ([], key) => key.is_empty(),
            (["#", rest @ ..], key) => (0..=key.len()).any(|from| words(rest, &key[from..])),
            (["*", rest @ ..], [_, others @ ..]) => words(rest, others),
            ([word, rest @ ..], [other, others @ ..]) => word == other && words(rest, others),
            (_, []) => false,
        }
    }
    let split = |text| str::split(text, '.').collect::<Vec<_>>();
    // An empty key is one empty word, which `#` takes as well.
    words(&split(pattern), &split(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(name: &str, kind: &str) -> Exchange {
        Exchange { name: name.into(), vhost: "/".into(), kind: kind.into(), ..Exchange::default() }
    }

    fn binding(source: &str, key: &str, destination_type: &str, destination: &str) -> Binding {
        Binding {
            source: source.into(),
            vhost: "/".into(),
            destination: destination.into(),
            destination_type: destination_type.into(),
            routing_key: key.into(),
            ..Binding::default()
        }
    }

    #[test]
    fn topics_match_words() {
        for (pattern, key) in
            [("#", ""), ("#", "a.b"), ("a.*", "a.b"), ("a.#", "a"), ("*.#.c", "a.b.b.c"), ("a.b", "a.b")]
        {
            assert!(topic_matches(pattern, key), "{pattern} {key}");
        }
        for (pattern, key) in [("*", "a.b"), ("a.*", "a"), ("a.b", "a.c"), ("", "a"), ("#.c", "a.b")] {
            assert!(!topic_matches(pattern, key), "{pattern} {key}");
        }
    }

    #[test]
    fn messages_are_followed_through_exchanges() {
        let exact = |key: &str| Key::Exact(key.into());
        let exchanges = [
            exchange("", "direct"),
            exchange("direct", "direct"),
            exchange("topic", "topic"),
            exchange("fanout", "fanout"),
            exchange("lonely", "fanout"),
            exchange("ring", "fanout"),
            Exchange {
                arguments: serde_json::from_str(r#"{"alternate-exchange":"fanout"}"#).unwrap(),
                ..exchange("backed", "direct")
            },
        ];
        let bindings = [
            binding("direct", "a", "queue", "q"),
            binding("topic", "a.*", "exchange", "fanout"),
            binding("fanout", "", "queue", "q"),
            binding("ring", "", "exchange", "ring"),
        ];
        let routing = Routing::new("/", &exchanges, &bindings, &[], ["q"]);
        for (exchange, key, routed) in [
            ("", exact("q"), Routed::Always),
            ("", exact("r"), Routed::Never),
            ("", Key::Any, Routed::Sometimes),
            ("direct", exact("a"), Routed::Always),
            ("direct", exact("b"), Routed::Never),
            ("direct", Key::Any, Routed::Sometimes),
            ("direct", Key::Pattern("b.*".into()), Routed::Never),
            ("topic", exact("a.b"), Routed::Always),
            ("topic", Key::Pattern("a.*".into()), Routed::Always),
            ("topic", Key::Pattern("b.*".into()), Routed::Sometimes),
            ("fanout", Key::Any, Routed::Always),
            ("lonely", Key::Any, Routed::Never),
            ("ring", Key::Any, Routed::Never),
            ("backed", exact("x"), Routed::Always),
            ("absent", Key::Any, Routed::Never),
        ] {
            assert_eq!(routing.routes(exchange, &key), routed, "{exchange} {key:?}");
        }
        assert_eq!(routing.keys_of("q"), [exact("a"), Key::Any].into());
        assert_eq!(routing.keys_of("r"), [exact("r")].into());
        assert_eq!(routing.reached("topic", &exact("a.b")), ["q"].into());
    }
}
