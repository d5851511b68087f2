//! Why properties cannot be read or written.

use thiserror::Error;

use super::{MAX_DEPTH, MAX_VALUES};

/// Why properties can't be written or read. The offset counts the bytes before the fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum WireError {
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
