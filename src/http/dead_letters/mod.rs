//! `/dead-letters`: search, look, count.

pub mod body;
pub mod facets;
pub mod get;
pub mod histogram;
mod message_view;
pub mod search;
pub mod service_overview;
pub mod squad_overview;
pub mod view;

pub use get::{PathId, path_id};
pub use message_view::{MessageBody, TypedHeaders, TypedValue, headers};
