//! An AMQP 0-9-1 message as plain types: every field type that `RabbitMQ` knows is told apart, so that what
//! came in can go out again byte for byte (rule R4).

use std::borrow::Cow;

/// A value of a field table, one variant for each type tag of `RabbitMQ`'s dialect of AMQP 0-9-1.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `t`
    Bool(bool),
    /// `b`, signed 8 bit
    I8(i8),
    /// `B`, unsigned 8 bit
    U8(u8),
    /// `s`, signed 16 bit (`RabbitMQ` reads the specification's short string tag as this)
    I16(i16),
    /// `u`, unsigned 16 bit
    U16(u16),
    /// `I`, signed 32 bit
    I32(i32),
    /// `i`, unsigned 32 bit
    U32(u32),
    /// `l`, signed 64 bit
    I64(i64),
    /// `f`
    F32(f32),
    /// `d`
    F64(f64),
    /// `D`: `value` × 10^-`scale`
    Decimal {
        /// Digits after the decimal point.
        scale: u8,
        /// The number without its decimal point.
        value: u32,
    },
    /// `S`: bytes that are usually, but not necessarily, UTF-8
    LongString(Vec<u8>),
    /// `x`
    Bytes(Vec<u8>),
    /// `A`
    Array(Vec<Value>),
    /// `T`: seconds since 1970
    Timestamp(u64),
    /// `F`
    Table(Table),
    /// `V`
    Void,
}

impl Value {
    /// A long string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::LongString(text.into().into_bytes())
    }

    /// What stands here as text, when this is a string of any kind; bytes that are not UTF-8 are replaced.
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::LongString(bytes) | Self::Bytes(bytes) => Some(lossy(bytes)),
            _ => None,
        }
    }

    /// What stands here as a whole number, when it is one of any width.
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::I8(n) => Some(n.into()),
            Self::U8(n) => Some(n.into()),
            Self::I16(n) => Some(n.into()),
            Self::U16(n) => Some(n.into()),
            Self::I32(n) => Some(n.into()),
            Self::U32(n) => Some(n.into()),
            Self::I64(n) => Some(n),
            _ => None,
        }
    }

    /// The table that stands here.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The values of the array that stands here.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
}

/// A field table: names (short strings, at most 255 bytes) and values, in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(pub Vec<(Vec<u8>, Value)>);

impl Table {
    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find_map(|(key, value)| (key == name.as_bytes()).then_some(value))
    }

    /// The first value of that name as text, if it is a string.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).and_then(Value::as_text)
    }

    /// The tables of that name, to be changed.
    pub fn tables_mut(&mut self, name: &str) -> impl Iterator<Item = &mut Table> {
        self.0.iter_mut().filter(move |(key, _)| key == name.as_bytes()).filter_map(
            |(_, value)| match value {
                Value::Table(table) => Some(table),
                _ => None,
            },
        )
    }

    /// Truncates to this many values, and this many bytes of names and strings. Returns whether anything was removed.
    pub fn shorten(&mut self, mut values: usize, mut bytes: usize) -> bool {
        shorten_table(self, &mut values, &mut bytes)
    }

    /// Empties the tables and arrays that are so deep within it. Returns whether anything is gone.
    pub fn limit_depth(&mut self, depth: usize) -> bool {
        limit_all(self.0.iter_mut().map(|(_, value)| value), depth)
    }

    /// Bytes of the names and texts in it, those in tables and arrays included.
    pub fn size(&self) -> usize {
        fn size(value: &Value) -> usize {
            match value {
                Value::LongString(bytes) | Value::Bytes(bytes) => bytes.len(),
                Value::Array(values) => values.iter().map(|value| 8 + size(value)).sum(),
                Value::Table(table) => table.size(),
                _ => 8,
            }
        }
        self.0.iter().map(|(name, value)| name.len() + size(value)).sum()
    }

    /// Puts the value in place of every other of that name.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.retain(|(key, _)| key != name.as_bytes());
        self.0.push((name.as_bytes().to_vec(), value));
    }
}

fn shorten_table(table: &mut Table, values: &mut usize, bytes: &mut usize) -> bool {
    for at in 0..table.0.len() {
        let (name, value) = &mut table.0[at];
        if *values == 0 || name.len() > *bytes {
            table.0.truncate(at);
            return true;
        }
        *bytes -= name.len();
        if shorten_value(value, values, bytes) {
            table.0.truncate(at + 1);
            return true;
        }
    }
    false
}

fn shorten_value(value: &mut Value, values: &mut usize, bytes: &mut usize) -> bool {
    *values -= 1;
    match value {
        Value::LongString(string) | Value::Bytes(string) => {
            let is_long = string.len() > *bytes;
            string.truncate(*bytes);
            *bytes -= string.len();
            is_long
        }
        Value::Table(table) => shorten_table(table, values, bytes),
        Value::Array(list) => {
            for at in 0..list.len() {
                if *values == 0 {
                    list.truncate(at);
                    return true;
                }
                if shorten_value(&mut list[at], values, bytes) {
                    list.truncate(at + 1);
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

/// Each of them: whether anything of any is gone.
fn limit_all<'v>(values: impl Iterator<Item = &'v mut Value>, depth: usize) -> bool {
    values.filter_map(|value| limit_value(value, depth).then_some(())).count() > 0
}

fn limit_value(value: &mut Value, depth: usize) -> bool {
    match value {
        Value::Table(table) if depth <= 1 => !std::mem::take(&mut table.0).is_empty(),
        Value::Array(values) if depth <= 1 => !std::mem::take(values).is_empty(),
        Value::Table(table) => table.limit_depth(depth - 1),
        Value::Array(values) => limit_all(values.iter_mut(), depth - 1),
        _ => false,
    }
}

/// The properties of a message, headers included. Short strings are bytes, as the broker does not check them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Properties {
    /// `content-type`
    pub content_type: Option<Vec<u8>>,
    /// `content-encoding`
    pub content_encoding: Option<Vec<u8>>,
    /// `headers`
    pub headers: Option<Table>,
    /// `delivery-mode`: 1 transient, 2 persistent
    pub delivery_mode: Option<u8>,
    /// `priority`
    pub priority: Option<u8>,
    /// `correlation-id`
    pub correlation_id: Option<Vec<u8>>,
    /// `reply-to`
    pub reply_to: Option<Vec<u8>>,
    /// `expiration`: milliseconds, as text
    pub expiration: Option<Vec<u8>>,
    /// `message-id`
    pub message_id: Option<Vec<u8>>,
    /// `timestamp`: seconds since 1970
    pub timestamp: Option<u64>,
    /// `type`
    pub kind: Option<Vec<u8>>,
    /// `user-id`
    pub user_id: Option<Vec<u8>>,
    /// `app-id`
    pub app_id: Option<Vec<u8>>,
    /// `cluster-id`, obsolete
    pub cluster_id: Option<Vec<u8>>,
}

impl Properties {
    /// The header of that name.
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.headers.as_ref()?.get(name)
    }

    /// The header of that name as text, if it is a string.
    pub fn header_text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.header(name)?.as_text()
    }
}

/// A message as a source delivered it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The exchange that it came through last.
    pub exchange: String,
    /// The routing key that it came with last.
    pub routing_key: String,
    /// Properties and headers.
    pub properties: Properties,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// A message that is stored or to be published, without an exchange and a routing key.
    pub fn at_rest(properties: Properties, body: Vec<u8>) -> Self {
        Self { exchange: String::new(), routing_key: String::new(), properties, body }
    }
}

/// What `String::from_utf8_lossy` gives, which looks at each character even where all is well.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Text that may be stored in a text column: UTF-8 with replacements, no NUL (which `PostgreSQL` refuses), and
/// at most `max` bytes.
pub fn storable_text(bytes: &[u8], max: usize) -> String {
    let end = bytes.len().min(max);
    let mut text = lossy(&bytes[..end]).into_owned();
    if text.contains('\0') {
        text = text.replace('\0', "\u{fffd}");
    }
    // A character cut in two by `max` shows as one replacement; drop it.
    if end < bytes.len() && text.ends_with('\u{fffd}') {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_made_storable() {
        assert_eq!(storable_text(b"a\0b", 10), "a\u{fffd}b");
        assert_eq!(storable_text(b"\xff", 10), "\u{fffd}");
        assert_eq!(storable_text("aé".as_bytes(), 2), "a");
        assert_eq!(storable_text(b"abc", 2), "ab");
    }

    #[test]
    fn a_table_is_shortened_to_so_many_values_and_bytes() {
        let inner =
            Value::Array(vec![Value::text("abc"), Value::Table(Table(vec![(b"x".to_vec(), Value::Void)]))]);
        let whole = Table(vec![(b"a".to_vec(), inner), (b"b".to_vec(), Value::text("def"))]);
        let shortened = |values, bytes| {
            let mut table = whole.clone();
            let is_shorter = table.shorten(values, bytes);
            assert_eq!(is_shorter, table != whole);
            table
        };
        assert_eq!(shortened(5, 9), whole);
        assert_eq!(shortened(4, 9).0.len(), 1);
        assert_eq!(shortened(5, 8).0[1].1, Value::text("de"));
        assert_eq!(shortened(2, 9).0, [(b"a".to_vec(), Value::Array(vec![Value::text("abc")]))]);
        assert_eq!(shortened(5, 2).0, [(b"a".to_vec(), Value::Array(vec![Value::text("a")]))]);
        assert_eq!(shortened(0, 9).0, []);
    }

    #[test]
    fn a_table_is_emptied_below_so_many_levels() {
        let nested = |value| Table(vec![(b"t".to_vec(), value), (b"x".to_vec(), Value::Void)]);
        let empty = || nested(Value::Table(Table::default()));
        let mut table = nested(Value::Array(vec![Value::Table(empty()), Value::text("abc")]));
        let whole = table.clone();
        assert!(!table.limit_depth(3), "nothing is deeper");
        assert_eq!(table, whole);
        assert!(table.limit_depth(2));
        assert_eq!(table, nested(Value::Array(vec![Value::Table(Table::default()), Value::text("abc")])));
        assert!(table.limit_depth(1));
        assert_eq!(table, nested(Value::Array(vec![])));
        assert!(!table.limit_depth(1));
    }

    #[test]
    fn set_replaces_every_twin() {
        let mut table = Table(vec![(b"a".to_vec(), Value::Void), (b"a".to_vec(), Value::I8(1))]);
        table.set("a", Value::Bool(true));
        assert_eq!(table.0, [(b"a".to_vec(), Value::Bool(true))]);
    }
}
