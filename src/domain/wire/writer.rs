//! Writing properties.

use super::size::size;
use super::{
    APP_ID, CLUSTER_ID, CONTENT_ENCODING, CONTENT_TYPE, CORRELATION_ID, DELIVERY_MODE, EXPIRATION, HEADERS,
    KIND, MAX_DEPTH, MESSAGE_ID, PRIORITY, REPLY_TO, TIMESTAMP, USER_ID, WireError,
};
use crate::domain::message::{Properties, Table, Value};

/// Encodes properties.
pub fn encode(properties: &Properties) -> Result<Vec<u8>, WireError> {
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
    ) -> Result<(), WireError> {
        if let Some(bytes) = bytes {
            self.flags |= flag;
            self.short(name, bytes)?;
        }
        Ok(())
    }

    fn short(&mut self, what: &'static str, bytes: &[u8]) -> Result<(), WireError> {
        let length = u8::try_from(bytes.len()).map_err(|_| WireError::TooLong {
            what,
            offset: self.out.len(),
            length: bytes.len(),
            max: u8::MAX.into(),
        })?;
        self.out.push(length);
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn long(&mut self, tag: u8, what: &'static str, bytes: &[u8]) -> Result<(), WireError> {
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

    fn table(&mut self, what: &'static str, table: &Table, depth: usize) -> Result<(), WireError> {
        let start = self.begin(depth)?;
        for (name, value) in &table.0 {
            self.short("header name", name)?;
            self.value(value, depth)?;
        }
        self.end(what, start)
    }

    fn array(&mut self, values: &[Value], depth: usize) -> Result<(), WireError> {
        let start = self.begin(depth)?;
        for value in values {
            self.value(value, depth)?;
        }
        self.end("array", start)
    }

    /// Leaves room for a length, and says where.
    fn begin(&mut self, depth: usize) -> Result<usize, WireError> {
        let start = self.out.len();
        if depth > MAX_DEPTH {
            return Err(WireError::TooDeep { offset: start });
        }
        self.out.extend_from_slice(&[0; 4]);
        Ok(start)
    }

    /// Writes the length of what stands after it now.
    fn end(&mut self, what: &'static str, start: usize) -> Result<(), WireError> {
        let length = long_length(what, start, self.out.len() - start - 4)?;
        self.out[start..start + 4].copy_from_slice(&length);
        Ok(())
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), WireError> {
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

fn long_length(what: &'static str, offset: usize, length: usize) -> Result<[u8; 4], WireError> {
    match u32::try_from(length) {
        Ok(length) => Ok(length.to_be_bytes()),
        Err(_) => Err(WireError::TooLong { what, offset, length, max: u32::MAX as usize }),
    }
}
