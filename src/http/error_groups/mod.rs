//! `/dead-letters/error-groups`: which failures are the same bug, and what was done about them.

mod care;
pub mod distinctions;
pub mod list;
pub mod one;
pub mod view;

pub use view::ErrorGroupView;
