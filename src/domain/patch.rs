//! JSON Patch (RFC 6902) over the body of a message: the text is changed at the places that the patch names, and nowhere else
//! (docs/adr/0020).

use thiserror::Error;

use super::bounded::Unread;
use document::Document;

mod document;
mod operation;
mod same;

pub use operation::PatchOperation;

/// Largest body that is patched, and largest that a patch may make of one.
pub const MAX_BYTES: usize = 8 << 20;
/// Longest patch in operations: each may read the whole document.
pub const MAX_OPERATIONS: usize = 100;

/// Why a patch does not apply. Says nothing of what the message holds (rule R14).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    /// The body cannot be patched.
    #[error("the body cannot be patched: {0}")]
    Body(#[from] Unread),
    /// The body is encoded.
    #[error("the body cannot be patched: its content-encoding is {0}, and only JSON text can be patched")]
    Encoded(String),
    /// One operation does not apply.
    #[error("operation {place} of the patch ({name}) does not apply: {why}")]
    Operation {
        /// Its place, from 1.
        place: usize,
        /// What it does.
        name: &'static str,
        /// Why it does not.
        why: &'static str,
    },
}

/// The body after the patch. Every byte that the patch does not touch is as it was, the byte order mark included.
pub fn apply(patch: &[PatchOperation], body: &[u8]) -> Result<Vec<u8>, PatchError> {
    let mut document = Document::read(body)?;
    for (operation, place) in patch.iter().zip(1..) {
        document.apply(operation).map_err(|why| PatchError::Operation {
            place,
            name: operation.name(),
            why,
        })?;
    }
    Ok(document.into_bytes())
}

/// The most memory that [`apply`] takes for a body of so many bytes, near enough: the text as it is and as it becomes, and a
/// value that is moved or copied.
pub fn memory(patch: &[PatchOperation], body: usize) -> usize {
    // What is too large is refused at once.
    if patch.is_empty() || body > MAX_BYTES {
        return 0;
    }
    3 * patch.iter().fold(body, |text, operation| operation.longest(text).min(MAX_BYTES))
}

#[cfg(test)]
mod tests;
