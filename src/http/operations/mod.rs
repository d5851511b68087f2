//! `/operations`, and the routes of `/dead-letters` that start one: plan, run, follow, steer.

mod accepted;
pub mod create;
pub mod delete;
mod edit_input;
mod followed;
pub mod get;
pub mod items;
pub mod list;
pub mod plan;
pub mod preview;
pub mod redeliver;
mod redelivery;
pub mod request;
pub mod restore;
pub mod seen;
mod selection;
mod snapshot;
mod start;
pub mod steer;
mod target;
pub mod view;
pub mod watch;

pub use followed::Followed;
pub use start::{MAX_NOTE, is_note};
