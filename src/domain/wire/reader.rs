//! Reading properties.

use super::{
    APP_ID, CLUSTER_ID, CONTENT_ENCODING, CONTENT_TYPE, CORRELATION_ID, DELIVERY_MODE, EXPIRATION, HEADERS,
    KIND, MAX_DEPTH, MAX_VALUES, MESSAGE_ID, NO_PROPERTY, PRIORITY, REPLY_TO, TIMESTAMP, USER_ID, WireError,
};
use crate::domain::message::{Properties, Table, Value};

/// Decodes properties.
pub fn decode(bytes: &[u8]) -> Result<Properties, WireError> {
    let mut reader = Reader { input: bytes, at: 0, values: 0 };
    let flags = u16::from_be_bytes(reader.fixed("property flags")?);
    if flags & NO_PROPERTY != 0 {
        return Err(WireError::UnknownFlags { flags });
    }
    let has = |flag| flags & flag != 0;
    // The order of the fields is the order of the wire.
    let properties = Properties {
        content_type: reader.short_property(has(CONTENT_TYPE), "content-type")?,
        content_encoding: reader.short_property(has(CONTENT_ENCODING), "content-encoding")?,
        headers: if has(HEADERS) { Some(reader.table("headers", 1)?) } else { None },
        delivery_mode: if has(DELIVERY_MODE) { Some(reader.octet("delivery-mode")?) } else { None },
        priority: if has(PRIORITY) { Some(reader.octet("priority")?) } else { None },
        correlation_id: reader.short_property(has(CORRELATION_ID), "correlation-id")?,
        reply_to: reader.short_property(has(REPLY_TO), "reply-to")?,
        expiration: reader.short_property(has(EXPIRATION), "expiration")?,
        message_id: reader.short_property(has(MESSAGE_ID), "message-id")?,
        timestamp: if has(TIMESTAMP) { Some(u64::from_be_bytes(reader.fixed("timestamp")?)) } else { None },
        kind: reader.short_property(has(KIND), "type")?,
        user_id: reader.short_property(has(USER_ID), "user-id")?,
        app_id: reader.short_property(has(APP_ID), "app-id")?,
        cluster_id: reader.short_property(has(CLUSTER_ID), "cluster-id")?,
    };
    match reader.left() {
        0 => Ok(properties),
        left => Err(WireError::Trailing { offset: reader.at, left }),
    }
}

/// Decodes a table with its length.
pub fn decode_table(bytes: &[u8]) -> Result<Table, WireError> {
    Reader { input: bytes, at: 0, values: 0 }.table("table", 1)
}

struct Reader<'a> {
    /// The input up to the end of the array or table that is being read.
    input: &'a [u8],
    at: usize,
    /// Number of values so far.
    values: usize,
}

impl<'a> Reader<'a> {
    fn left(&self) -> usize {
        self.input.len() - self.at
    }

    fn truncated(&self, what: &'static str, needed: usize) -> WireError {
        WireError::Truncated { what, offset: self.at, needed, left: self.left() }
    }

    fn take(&mut self, what: &'static str, length: usize) -> Result<&'a [u8], WireError> {
        let (taken, _) =
            self.input[self.at..].split_at_checked(length).ok_or_else(|| self.truncated(what, length))?;
        self.at += length;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let (taken, _) = self.input[self.at..].split_first_chunk().ok_or_else(|| self.truncated(what, N))?;
        self.at += N;
        Ok(*taken)
    }

    fn octet(&mut self, what: &'static str) -> Result<u8, WireError> {
        self.fixed(what).map(|[octet]| octet)
    }

    fn short(&mut self, what: &'static str) -> Result<Vec<u8>, WireError> {
        let length = self.octet(what)?;
        self.take(what, length.into()).map(<[u8]>::to_vec)
    }

    fn short_property(&mut self, there: bool, name: &'static str) -> Result<Option<Vec<u8>>, WireError> {
        if there { self.short(name).map(Some) } else { Ok(None) }
    }

    fn long(&mut self, what: &'static str) -> Result<Vec<u8>, WireError> {
        let length = u32::from_be_bytes(self.fixed(what)?);
        self.take(what, length as usize).map(<[u8]>::to_vec)
    }

    fn table(&mut self, what: &'static str, depth: usize) -> Result<Table, WireError> {
        let outer = self.enter(what, depth)?;
        let mut entries = Vec::new();
        while self.left() > 0 {
            let name = self.short("header name")?;
            entries.push((name, self.value(depth)?));
        }
        self.input = outer;
        Ok(Table(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, WireError> {
        let outer = self.enter("array", depth)?;
        let mut values = Vec::new();
        while self.left() > 0 {
            values.push(self.value(depth)?);
        }
        self.input = outer;
        Ok(values)
    }

    /// Reads a length, and limits the input to it. Returns the input before.
    fn enter(&mut self, what: &'static str, depth: usize) -> Result<&'a [u8], WireError> {
        if depth > MAX_DEPTH {
            return Err(WireError::TooDeep { offset: self.at });
        }
        let length = u32::from_be_bytes(self.fixed(what)?) as usize;
        let outer = self.input;
        if length > self.left() {
            return Err(self.truncated(what, length));
        }
        self.input = &outer[..self.at + length];
        Ok(outer)
    }

    fn value(&mut self, depth: usize) -> Result<Value, WireError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(WireError::TooMany);
        }
        match self.octet("type tag")? {
            b'A' => self.array(depth + 1).map(Value::Array),
            b'F' => self.table("table", depth + 1).map(Value::Table),
            tag => self.scalar(tag),
        }
    }

    /// A value that holds no other. Apart from [`Self::value`], which recurses, to keep that one's frame small.
    fn scalar(&mut self, tag: u8) -> Result<Value, WireError> {
        Ok(match tag {
            b't' => Value::Bool(self.octet("boolean")? != 0),
            b'b' => Value::I8(i8::from_be_bytes(self.fixed("8 bit integer")?)),
            b'B' => Value::U8(self.octet("8 bit integer")?),
            b's' | b'U' => Value::I16(i16::from_be_bytes(self.fixed("16 bit integer")?)),
            b'u' => Value::U16(u16::from_be_bytes(self.fixed("16 bit integer")?)),
            b'I' => Value::I32(i32::from_be_bytes(self.fixed("32 bit integer")?)),
            b'i' => Value::U32(u32::from_be_bytes(self.fixed("32 bit integer")?)),
            b'l' | b'L' => Value::I64(i64::from_be_bytes(self.fixed("64 bit integer")?)),
            b'f' => Value::F32(f32::from_bits(u32::from_be_bytes(self.fixed("float")?))),
            b'd' => Value::F64(f64::from_bits(u64::from_be_bytes(self.fixed("double")?))),
            b'D' => Value::Decimal {
                scale: self.octet("decimal")?,
                value: u32::from_be_bytes(self.fixed("decimal")?),
            },
            b'S' => Value::LongString(self.long("string")?),
            b'x' => Value::Bytes(self.long("byte array")?),
            b'T' => Value::Timestamp(u64::from_be_bytes(self.fixed("timestamp")?)),
            b'V' => Value::Void,
            tag => return Err(WireError::UnknownTag { tag, offset: self.at - 1 }),
        })
    }
}
