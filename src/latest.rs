//! A value that is replaced as a whole. Readers keep what they have.

use std::sync::{Arc, PoisonError, RwLock};

/// The latest value. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Latest<T>(Arc<RwLock<Arc<T>>>);

impl<T> Latest<T> {
    /// The value as it is now.
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}
