//! The typed codec: properties as the bytes of an AMQP 0-9-1 content header, in `RabbitMQ`'s dialect, and back. This is
//! the form in which they are stored (rule R4): it keeps every type and every byte, duplicate names included.
//!
//! Two marks for one thing are read alike, as the broker reads them: `U` as `s`, `L` as `l`, every octet but 0 as true.
//! They are written as `s`, `l` and 1.

use thiserror::Error;

use crate::domain::message::{Properties, Table, Value};

/// How deep arrays and tables may be nested, the headers themselves being the first level. Reading, writing and
/// dropping recurse, and a stack is finite.
pub const MAX_DEPTH: usize = 512;
/// How many values are read. A value takes up to fifty times its bytes in memory; the largest headers that fit into a frame of
/// the usual 128 KiB have fewer.
pub const MAX_VALUES: usize = 200_000;

const CONTENT_TYPE: u16 = 1 << 15;
const CONTENT_ENCODING: u16 = 1 << 14;
const HEADERS: u16 = 1 << 13;
const DELIVERY_MODE: u16 = 1 << 12;
const PRIORITY: u16 = 1 << 11;
const CORRELATION_ID: u16 = 1 << 10;
const REPLY_TO: u16 = 1 << 9;
const EXPIRATION: u16 = 1 << 8;
const MESSAGE_ID: u16 = 1 << 7;
const TIMESTAMP: u16 = 1 << 6;
const KIND: u16 = 1 << 5;
const USER_ID: u16 = 1 << 4;
const APP_ID: u16 = 1 << 3;
const CLUSTER_ID: u16 = 1 << 2;
/// One bit without a meaning, and one that says that more flags follow, which a message never has.
const NO_PROPERTY: u16 = 0b11;

/// Why properties can't be written or read. The offset counts the bytes before the fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum CodecError {
    /// The input ends inside of something, or its length says more than there is.
    #[error("{what} at offset {offset} takes {needed} bytes, but {left} are left")]
    Truncated {
        /// What is cut off.
        what: &'static str,
        /// Where it begins.
        offset: usize,
        /// How long it is.
        needed: usize,
        /// How long the rest of the input, or of the array or table that holds it, is.
        left: usize,
    },
    /// A value of a type that does not exist.
    #[error("unknown type tag 0x{tag:02x} at offset {offset}")]
    UnknownTag {
        /// The tag.
        tag: u8,
        /// Where it stands.
        offset: usize,
    },
    /// Property flags that belong to no property, or that continue.
    #[error("property flags 0x{flags:04x} at offset 0 have bits of no property")]
    UnknownFlags {
        /// The flags.
        flags: u16,
    },
    /// Bytes after the last property.
    #[error("{left} bytes too many at offset {offset}")]
    Trailing {
        /// Where they begin.
        offset: usize,
        /// How many there are.
        left: usize,
    },
    /// Arrays and tables are nested deeper than [`MAX_DEPTH`].
    #[error("values are nested deeper than {MAX_DEPTH} at offset {offset}")]
    TooDeep {
        /// Where the first value that is too deep begins.
        offset: usize,
    },
    /// There are more than [`MAX_VALUES`].
    #[error("there are more than {MAX_VALUES} values")]
    TooMany,
    /// More bytes than the length in front of them can count.
    #[error("{what} at offset {offset} is {length} bytes long, but its length cannot exceed {max}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Where its length would stand.
        offset: usize,
        /// How long it is.
        length: usize,
        /// How long it may be.
        max: usize,
    },
}

/// The bytes of the properties.
pub fn encode(properties: &Properties) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer { out: Vec::with_capacity(size(properties)), flags: 0 };
    writer.out.extend([0; 2]);
    writer.short_property(CONTENT_TYPE, "content-type", properties.content_type.as_deref())?;
    writer.short_property(CONTENT_ENCODING, "content-encoding", properties.content_encoding.as_deref())?;
    if let Some(headers) = &properties.headers {
        writer.flags |= HEADERS;
        writer.table("headers", headers, 1)?;
    }
    if let Some(mode) = properties.delivery_mode {
        writer.flags |= DELIVERY_MODE;
        writer.out.push(mode);
    }
    if let Some(priority) = properties.priority {
        writer.flags |= PRIORITY;
        writer.out.push(priority);
    }
    writer.short_property(CORRELATION_ID, "correlation-id", properties.correlation_id.as_deref())?;
    writer.short_property(REPLY_TO, "reply-to", properties.reply_to.as_deref())?;
    writer.short_property(EXPIRATION, "expiration", properties.expiration.as_deref())?;
    writer.short_property(MESSAGE_ID, "message-id", properties.message_id.as_deref())?;
    if let Some(seconds) = properties.timestamp {
        writer.flags |= TIMESTAMP;
        writer.out.extend(seconds.to_be_bytes());
    }
    writer.short_property(KIND, "type", properties.kind.as_deref())?;
    writer.short_property(USER_ID, "user-id", properties.user_id.as_deref())?;
    writer.short_property(APP_ID, "app-id", properties.app_id.as_deref())?;
    writer.short_property(CLUSTER_ID, "cluster-id", properties.cluster_id.as_deref())?;
    let Writer { mut out, flags } = writer;
    out[..2].copy_from_slice(&flags.to_be_bytes());
    Ok(out)
}

/// The properties of the bytes.
pub fn decode(bytes: &[u8]) -> Result<Properties, CodecError> {
    let mut reader = Reader { input: bytes, at: 0, values: 0 };
    let flags = u16::from_be_bytes(reader.fixed("property flags")?);
    if flags & NO_PROPERTY != 0 {
        return Err(CodecError::UnknownFlags { flags });
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
        left => Err(CodecError::Trailing { offset: reader.at, left }),
    }
}

/// The table that these bytes are, its length first.
pub(super) fn decode_table(bytes: &[u8]) -> Result<Table, CodecError> {
    Reader { input: bytes, at: 0, values: 0 }.table("table", 1)
}

struct Writer {
    out: Vec<u8>,
    flags: u16,
}

impl Writer {
    fn short_property(
        &mut self,
        flag: u16,
        name: &'static str,
        bytes: Option<&[u8]>,
    ) -> Result<(), CodecError> {
        if let Some(bytes) = bytes {
            self.flags |= flag;
            self.short(name, bytes)?;
        }
        Ok(())
    }

    fn short(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), CodecError> {
        let length = u8::try_from(bytes.len()).map_err(|_| CodecError::TooLong {
            what,
            offset: self.out.len(),
            length: bytes.len(),
            max: u8::MAX.into(),
        })?;
        self.out.push(length);
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn long(&mut self, tag: u8, what: &'static str, bytes: &[u8]) -> Result<(), CodecError> {
        self.out.push(tag);
        let length = long_length(what, self.out.len(), bytes.len())?;
        self.out.extend_from_slice(&length);
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn fixed<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        self.out.push(tag);
        self.out.extend_from_slice(&bytes);
    }

    fn table(&mut self, what: &'static str, table: &Table, depth: usize) -> Result<(), CodecError> {
        let start = self.begin(depth)?;
        for (name, value) in &table.0 {
            self.short("header name", name)?;
            self.value(value, depth)?;
        }
        self.end(what, start)
    }

    fn array(&mut self, values: &[Value], depth: usize) -> Result<(), CodecError> {
        let start = self.begin(depth)?;
        for value in values {
            self.value(value, depth)?;
        }
        self.end("array", start)
    }

    /// Leaves room for a length, and says where.
    fn begin(&mut self, depth: usize) -> Result<usize, CodecError> {
        let start = self.out.len();
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep { offset: start });
        }
        self.out.extend_from_slice(&[0; 4]);
        Ok(start)
    }

    /// Writes the length of what stands after it now.
    fn end(&mut self, what: &'static str, start: usize) -> Result<(), CodecError> {
        let length = long_length(what, start, self.out.len() - start - 4)?;
        self.out[start..start + 4].copy_from_slice(&length);
        Ok(())
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), CodecError> {
        match value {
            Value::Bool(yes) => self.fixed(b't', [u8::from(*yes)]),
            Value::I8(n) => self.fixed(b'b', n.to_be_bytes()),
            Value::U8(n) => self.fixed(b'B', n.to_be_bytes()),
            Value::I16(n) => self.fixed(b's', n.to_be_bytes()),
            Value::U16(n) => self.fixed(b'u', n.to_be_bytes()),
            Value::I32(n) => self.fixed(b'I', n.to_be_bytes()),
            Value::U32(n) => self.fixed(b'i', n.to_be_bytes()),
            Value::I64(n) => self.fixed(b'l', n.to_be_bytes()),
            Value::F32(n) => self.fixed(b'f', n.to_bits().to_be_bytes()),
            Value::F64(n) => self.fixed(b'd', n.to_bits().to_be_bytes()),
            Value::Decimal { scale, value } => {
                self.fixed(b'D', [*scale]);
                self.out.extend_from_slice(&value.to_be_bytes());
            }
            Value::LongString(bytes) => self.long(b'S', "string", bytes)?,
            Value::Bytes(bytes) => self.long(b'x', "byte array", bytes)?,
            Value::Array(values) => {
                self.out.push(b'A');
                self.array(values, depth + 1)?;
            }
            Value::Timestamp(seconds) => self.fixed(b'T', seconds.to_be_bytes()),
            Value::Table(table) => {
                self.out.push(b'F');
                self.table("table", table, depth + 1)?;
            }
            Value::Void => self.out.push(b'V'),
        }
        Ok(())
    }
}

fn long_length(what: &'static str, offset: usize, length: usize) -> Result<[u8; 4], CodecError> {
    match u32::try_from(length) {
        Ok(length) => Ok(length.to_be_bytes()),
        Err(_) => Err(CodecError::TooLong { what, offset, length, max: u32::MAX as usize }),
    }
}

struct Reader<'a> {
    /// The whole input, or its head that ends with the array or table which is being read.
    input: &'a [u8],
    at: usize,
    /// So many were read.
    values: usize,
}

impl<'a> Reader<'a> {
    fn left(&self) -> usize {
        self.input.len() - self.at
    }

    fn truncated(&self, what: &'static str, needed: usize) -> CodecError {
        CodecError::Truncated { what, offset: self.at, needed, left: self.left() }
    }

    fn take(&mut self, what: &'static str, length: usize) -> Result<&'a [u8], CodecError> {
        let (taken, _) =
            self.input[self.at..].split_at_checked(length).ok_or_else(|| self.truncated(what, length))?;
        self.at += length;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CodecError> {
        let (taken, _) = self.input[self.at..].split_first_chunk().ok_or_else(|| self.truncated(what, N))?;
        self.at += N;
        Ok(*taken)
    }

    fn octet(&mut self, what: &'static str) -> Result<u8, CodecError> {
        self.fixed(what).map(|[octet]| octet)
    }

    fn short(&mut self, what: &'static str) -> Result<Vec<u8>, CodecError> {
        let length = self.octet(what)?;
        self.take(what, length.into()).map(<[u8]>::to_vec)
    }

    fn short_property(&mut self, there: bool, name: &'static str) -> Result<Option<Vec<u8>>, CodecError> {
        if there { self.short(name).map(Some) } else { Ok(None) }
    }

    fn long(&mut self, what: &'static str) -> Result<Vec<u8>, CodecError> {
        let length = u32::from_be_bytes(self.fixed(what)?);
        self.take(what, length as usize).map(<[u8]>::to_vec)
    }

    fn table(&mut self, what: &'static str, depth: usize) -> Result<Table, CodecError> {
        let outer = self.enter(what, depth)?;
        let mut entries = Vec::new();
        while self.left() > 0 {
            let name = self.short("header name")?;
            entries.push((name, self.value(depth)?));
        }
        self.input = outer;
        Ok(Table(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Value>, CodecError> {
        let outer = self.enter("array", depth)?;
        let mut values = Vec::new();
        while self.left() > 0 {
            values.push(self.value(depth)?);
        }
        self.input = outer;
        Ok(values)
    }

    /// Reads a length, and cuts the input where what has it ends. Returns the input as it was.
    fn enter(&mut self, what: &'static str, depth: usize) -> Result<&'a [u8], CodecError> {
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep { offset: self.at });
        }
        let length = u32::from_be_bytes(self.fixed(what)?) as usize;
        let outer = self.input;
        if length > self.left() {
            return Err(self.truncated(what, length));
        }
        self.input = &outer[..self.at + length];
        Ok(outer)
    }

    fn value(&mut self, depth: usize) -> Result<Value, CodecError> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(CodecError::TooMany);
        }
        match self.octet("type tag")? {
            b'A' => self.array(depth + 1).map(Value::Array),
            b'F' => self.table("table", depth + 1).map(Value::Table),
            tag => self.scalar(tag),
        }
    }

    /// A value that holds no other. Apart from [`Self::value`], which recurses, to keep that one's frame small.
    fn scalar(&mut self, tag: u8) -> Result<Value, CodecError> {
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
            tag => return Err(CodecError::UnknownTag { tag, offset: self.at - 1 }),
        })
    }
}

/// How long the properties get, so that they are written without growing or waste: they stay in memory until they are
/// stored.
fn size(properties: &Properties) -> usize {
    let Properties {
        content_type,
        content_encoding,
        headers,
        delivery_mode,
        priority,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        timestamp,
        kind,
        user_id,
        app_id,
        cluster_id,
    } = properties;
    let short = [
        content_type,
        content_encoding,
        correlation_id,
        reply_to,
        expiration,
        message_id,
        kind,
        user_id,
        app_id,
        cluster_id,
    ];
    2 + short.into_iter().flatten().map(|bytes| 1 + bytes.len()).sum::<usize>()
        + headers.as_ref().map_or(0, |headers| table_size(headers, 1))
        + usize::from(delivery_mode.is_some())
        + usize::from(priority.is_some())
        + timestamp.map_or(0, |_| 8)
}

fn table_size(table: &Table, depth: usize) -> usize {
    4 + table.0.iter().map(|(name, value)| 1 + name.len() + value_size(value, depth)).sum::<usize>()
}

fn value_size(value: &Value, depth: usize) -> usize {
    1 + match value {
        // It is too deep to be written at all.
        Value::Array(_) | Value::Table(_) if depth == MAX_DEPTH => 0,
        Value::Void => 0,
        Value::Bool(_) | Value::I8(_) | Value::U8(_) => 1,
        Value::I16(_) | Value::U16(_) => 2,
        Value::I32(_) | Value::U32(_) | Value::F32(_) => 4,
        Value::Decimal { .. } => 5,
        Value::I64(_) | Value::F64(_) | Value::Timestamp(_) => 8,
        Value::LongString(bytes) | Value::Bytes(bytes) => 4 + bytes.len(),
        Value::Array(values) => 4 + values.iter().map(|value| value_size(value, depth + 1)).sum::<usize>(),
        Value::Table(table) => table_size(table, depth + 1),
    }
}

#[cfg(test)]
pub(super) mod strategies;
#[cfg(test)]
mod tests;
