//! Cursors: where the next or previous page of a search begins. Opaque to clients, versioned, and bound to the search
//! that they came from.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::filter::Order;

const VERSION: u8 = 1;
const LENGTH: usize = 1 + 1 + 16 + 8;

/// The edge of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Whether the page before this edge is meant, and not the one after it.
    pub backwards: bool,
    /// The row at the edge.
    pub id: Uuid,
    /// Of the search that it belongs to.
    pub search: SearchHash,
}

/// What a search was for, so that a cursor of another one is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchHash([u8; 8]);

impl SearchHash {
    /// The hash of a search's filter, as it was written, and its order.
    pub fn new(filter: &str, order: Order) -> Self {
        let hash = Sha256::new_with_prefix(order.as_str()).chain_update([0]).chain_update(filter).finalize();
        let mut head = [0; 8];
        head.copy_from_slice(&hash[..8]);
        Self(head)
    }
}

impl Cursor {
    /// The text that a client gets.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.push(self.backwards.into());
        bytes.extend_from_slice(self.id.as_bytes());
        bytes.extend_from_slice(&self.search.0);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads such a text; `None` where it is not one of ours.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        if bytes[0] != VERSION || bytes[1] > 1 {
            return None;
        }
        let mut search = [0; 8];
        search.copy_from_slice(&bytes[18..]);
        Some(Self {
            backwards: bytes[1] == 1,
            id: Uuid::from_slice(&bytes[2..18]).ok()?,
            search: SearchHash(search),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for backwards in [false, true] {
            let cursor = Cursor {
                backwards,
                id: Uuid::from_u128(7),
                search: SearchHash::new("service=a", Order::Newest),
            };
            assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }
    }

    #[test]
    fn what_is_not_ours_is_none() {
        for text in ["", "abc", "%%%", "AAAA", &"A".repeat(35), &"/".repeat(35)] {
            assert_eq!(Cursor::decode(text), None, "{text}");
        }
        assert_ne!(SearchHash::new("a", Order::Newest), SearchHash::new("a", Order::Oldest));
    }
}
