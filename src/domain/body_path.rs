//! Values within JSON bodies, by their path: `order.id`, `items.0.sku`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::exact;

/// Longest path.
const MAX_LENGTH: usize = 512;
/// Most steps of a path.
const MAX_STEPS: usize = 64;
/// Any place in an array.
const ANY: &str = "*";
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Where in a JSON body: names of members and places in arrays, with dots between them. `*` is any place in an array. A name with dots in
/// it is found too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BodyPath(String);

impl BodyPath {
    /// The path that is written so, or what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.split('.').any(str::is_empty) {
            return Err("must be names with single dots between them, such as body.order.id");
        }
        if text.len() > MAX_LENGTH || text.split('.').count() > MAX_STEPS {
            return Err("must be 512 bytes and 64 steps at most");
        }
        if text.contains('\0') {
            return Err("must not hold the character NUL");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name that each body with this path holds, as far as one is known to be: the last step, where it is no place in an
    /// array.
    pub fn last_name(&self) -> Option<&str> {
        self.0.rsplit('.').find(|step| *step != ANY && step.parse::<u64>().is_err())
    }

    /// Whether this JSON has the value there: a text, or a number, `true`, `false` or `null`. What comes after it is not read;
    /// what is no JSON has no value.
    pub fn finds(&self, body: &[u8], value: &str) -> bool {
        let mut found = false;
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let at = At { rest: &self.0, value, found: &mut found };
        // The error that ends the reading where it is found is as good as any other.
        let _ = at.deserialize(&mut serde_json::Deserializer::from_slice(body));
        found
    }
}

/// What is still to be walked, from where the reading is.
struct At<'s> {
    rest: &'s str,
    value: &'s str,
    found: &'s mut bool,
}

impl At<'_> {
    fn further<'s, 'r: 's>(&'s mut self, rest: &'r str) -> At<'s> {
        At { rest, value: self.value, found: &mut *self.found }
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if !self.rest.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
        *self.found |= is_value(raw.get(), self.value);
        if *self.found { Err(D::Error::custom("found")) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let rest = self.rest;
        while let Some(after) = map.next_key_seed(Name(rest))? {
            match after {
                Some(after) => map.next_value_seed(self.further(after))?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        let (step, after) = self.rest.split_once('.').unwrap_or((self.rest, ""));
        let place = step.parse::<usize>().ok();
        let mut at = 0;
        loop {
            let more = if step == ANY || place == Some(at) {
                elements.next_element_seed(self.further(after))?.is_some()
            } else {
                elements.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a member's name; gives what is left of the path after it, if it is on the path.
struct Name<'s>(&'s str);

impl<'s> Name<'s> {
    fn after(&self, name: &[u8]) -> Option<&'s str> {
        let after = self.0.as_bytes().strip_prefix(name)?;
        match after {
            [] => Some(""),
            [b'.', ..] => self.0.get(name.len() + 1..),
            _ => None,
        }
    }
}

impl<'de, 's> DeserializeSeed<'de> for Name<'s> {
    type Value = Option<&'s str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Not as text: half of a surrogate pair in a name would end the reading.
        deserializer.deserialize_bytes(self)
    }
}

impl<'s> Visitor<'_> for Name<'s> {
    type Value = Option<&'s str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.after(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.after(name.as_bytes()))
    }
}

/// Whether this JSON is the value: a text of these characters, or a number that is equal, or the same word.
fn is_value(json: &str, value: &str) -> bool {
    match json.as_bytes() {
        [b'"', ..] => serde_json::from_str::<String>(json).is_ok_and(|text| text == value),
        [b'{' | b'[', ..] => false,
        _ => json == value || exact::are_equal_numbers(json, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(path: &str, value: &str, body: &str) -> bool {
        BodyPath::parse(path).unwrap().finds(body.as_bytes(), value)
    }

    #[test]
    fn a_value_is_found_at_its_path_only() {
        let body = r#"{"id":1,"order":{"id":4711,"no":"4711","x.y":{"z":true}},"items":[{"sku":"a"},{"sku":null}],"order":{"id":5}}"#;
        for (path, value) in [
            ("order.id", "4711"),
            ("order.id", "4711.0"),
            ("order.id", "5"),
            ("order.no", "4711"),
            ("order.x.y.z", "true"),
            ("items.0.sku", "a"),
            ("items.1.sku", "null"),
            ("items.*.sku", "a"),
            ("items.*.sku", "null"),
        ] {
            assert!(finds(path, value, body), "{path}={value}");
        }
        for (path, value) in [
            ("id", "4711"),
            ("order", "4711"),
            ("order.id", "471"),
            ("order.id", "04711"),
            ("order.no", "4711.0"),
            ("items.2.sku", "a"),
            ("items.*.sku", "b"),
            ("*.id", "4711"),
            ("items.sku", "a"),
            ("items.0", "a"),
            ("order.x", "true"),
            ("orde", "1"),
        ] {
            assert!(!finds(path, value, body), "{path}={value}");
        }
    }

    #[test]
    fn bodies_may_be_anything() {
        assert!(finds("a", "ü", "\u{feff}{\"a\":\"\\u00fc\"}"));
        assert!(finds("a", "1", r#"{"\ud800":0,"a":1"#), "what comes after it is not read");
        assert!(finds("0.a", "1", r#"[{"a":1}]"#) && finds("a", "1e2", r#"{"a":100}"#));
        let wide = format!("{{\"x\":{}{},\"a\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(finds("a", "1", &wide), "what is not on the path may be as deep as it likes");
        for body in ["", "1", "\"a\"", "<a>1</a>", "{\"a\"", "\u{0}", "[[[[[[", r#"{"b":nope,"a":1}"#] {
            assert!(!finds("a", "1", body), "{body}");
        }
        assert!(!BodyPath::parse("a").unwrap().finds(b"{\"a\":\"\xff\"}", "\u{fffd}"));
    }

    #[test]
    fn paths_that_are_none_are_refused() {
        for path in ["", ".", "a.", ".a", "a..b", "a\0", &"a.".repeat(65), &"a".repeat(513)] {
            assert!(BodyPath::parse(path).is_err(), "{path}");
        }
        assert_eq!(BodyPath::parse("items.0").unwrap().last_name(), Some("items"));
        assert_eq!(BodyPath::parse("items.*").unwrap().last_name(), Some("items"));
        assert_eq!(BodyPath::parse("0").unwrap().last_name(), None);
    }
}
