//! The values of a JSON body by their paths, read without making a tree of it (rule R16).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::Value;
use crate::domain::bounded;

/// Elements of an array that are read.
const MAX_ELEMENTS: usize = 20;
/// Values of a body that are read.
const MAX_VALUES: usize = 1_000;
/// Longest path that is read.
const MAX_PATH: usize = 200;

/// The values of a body.
#[derive(Debug, PartialEq)]
pub(super) enum Body {
    Json(Vec<(String, Value)>),
    /// It is no JSON.
    Other,
    /// It has more values than are read.
    Unread,
}

/// Reads a body. Elements of arrays have `*` for their place.
pub(super) fn read(body: &[u8]) -> Body {
    let mut walk = Walk { path: String::new(), found: Vec::new(), is_full: false };
    let mut reader = serde_json::Deserializer::from_slice(bounded::without_mark(body));
    let read = Here(&mut walk).deserialize(&mut reader).and_then(|()| reader.end());
    match read {
        _ if walk.is_full => Body::Unread,
        Ok(()) => Body::Json(walk.found),
        Err(_) => Body::Other,
    }
}

struct Walk {
    path: String,
    found: Vec<(String, Value)>,
    is_full: bool,
}

impl Walk {
    fn add<E: Error>(&mut self, value: Value) -> Result<(), E> {
        if self.found.len() == MAX_VALUES {
            self.is_full = true;
            return Err(E::custom("too many values"));
        }
        if !self.path.is_empty() {
            self.found.push((self.path.clone(), value));
        }
        Ok(())
    }

    fn add_number<E: Error>(&mut self, number: impl Into<Number>) -> Result<(), E> {
        let number = number.into();
        let value = number.as_f64().unwrap_or(f64::NAN);
        self.add(Value::of_number(value, number.to_string()))
    }

    /// Goes one step further, and back.
    fn step<T>(&mut self, name: &str, further: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let done = further(self);
        self.path.truncate(length);
        done
    }
}

struct Here<'w>(&'w mut Walk);

impl<'de> DeserializeSeed<'de> for Here<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Here<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.add(Value::PRESENT)?;
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            if self.0.path.len() + name.len() > MAX_PATH {
                map.next_value::<IgnoredAny>()?;
            } else {
                self.0.step(&name, |walk| map.next_value_seed(Here(walk)))?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        self.0.add(Value::PRESENT)?;
        for _ in 0..MAX_ELEMENTS {
            if self.0.step("*", |walk| elements.next_element_seed(Here(walk)))?.is_none() {
                return Ok(());
            }
        }
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.0.add(Value::of_text(if value { "true" } else { "false" }))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.0.add_number(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.0.add_number(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        Number::from_f64(value).map_or(Ok(()), |number| self.0.add_number(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.0.add(Value::of_text(value))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.add(Value::of_text("null"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_their_paths() {
        let Body::Json(found) = read(br#"{"a": {"b": [1, {"c": "x"}], "d": null}, "e": 2.5, "f": true}"#)
        else {
            panic!("it is JSON")
        };
        let shown: Vec<_> = found
            .iter()
            .map(|(path, value)| format!("{path}={}", value.text.as_deref().unwrap_or("…")))
            .collect();
        assert_eq!(shown, ["a=…", "a.b=…", "a.b.*=1", "a.b.*=…", "a.b.*.c=x", "a.d=null", "e=2.5", "f=true"]);
        assert_eq!(found[2].1.number, Some(1.0));
        let long = format!("\"{}\"", "x".repeat(200));
        let Body::Json(found) = read(format!("\u{feff}{{\"a\": {long}}}").as_bytes()) else { panic!() };
        assert_eq!(found, [("a".to_owned(), Value::PRESENT)]);
    }

    #[test]
    fn what_is_no_json_or_too_large_is_told() {
        for other in [&b""[..], b"{\"a\": 1", b"<a/>", b"\xff\x00", b"{} {}", &b"[".repeat(1000)] {
            assert_eq!(read(other), Body::Other, "{other:?}");
        }
        let wide: Vec<_> = (0..=MAX_VALUES).map(|number| format!("\"a{number}\": 1")).collect();
        assert_eq!(read(format!("{{{}}}", wide.join(",")).as_bytes()), Body::Unread);
        let Body::Json(found) = read(format!("[{}1]", "1,".repeat(100_000)).as_bytes()) else { panic!() };
        assert_eq!(found.len(), MAX_ELEMENTS, "of an array the first elements are read");
    }
}
