//! Incidents, and the notifications about them.

pub mod list;
pub mod one;
pub mod test;
pub mod view;
