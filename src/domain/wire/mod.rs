//! The wire form: properties as the bytes of an AMQP 0-9-1 content header, in `RabbitMQ`'s dialect, and back.
//!
//! Properties are stored in this form (rule R4). It keeps every type and every byte, duplicate names included.
//!
//! Some types have two tags. Both are read, as the broker does: `U` as `s`, `L` as `l`, and every octet but 0 as true. Written
//! are `s`, `l` and 1.

mod error;
mod reader;
mod size;
#[cfg(test)]
pub(crate) mod strategies;
#[cfg(test)]
mod tests;
mod writer;

pub use error::WireError;
pub use reader::{decode, decode_table};
pub use writer::encode;

/// How deep arrays and tables may be nested. The headers are the first level. Reading, writing and dropping recurse, and a stack
/// is finite.
pub const MAX_DEPTH: usize = 512;
/// How many values are read. A value takes up to fifty times its bytes in memory. The largest headers that fit into a frame of
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
/// An unused bit, and the bit for further flags, which messages never have.
const NO_PROPERTY: u16 = 0b11;
