//! dead-letter: an AMQP dead-letter manager. It stores dead-lettered messages of `RabbitMQ` in `PostgreSQL`, shows them over HTTP, and
//! redelivers them.
//!
//! A module only imports modules below it in this list: [`cli`], [`doctor`], [`reconcile`], [`upkeep`], [`http`], [`notifications`],
//! [`operations`], [`ingest`], [`access`], [`ownership`], [`store`], [`amqp`], [`management`], [`domain`], and beside them [`telemetry`],
//! [`config`], [`lifecycle`], [`clock`], [`latest`], [`live_file`], `endpoint`, [`tls`] and [`memory_budget`]. Messages come in through
//! [`ingest`], and go out through [`operations`].

// The futures of the routes are nested deeper than the compiler looks by default.
#![recursion_limit = "256"]

pub mod access;
pub mod amqp;
pub mod cli;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod domain;
mod endpoint;
pub mod http;
pub mod ingest;
pub mod latest;
pub mod lifecycle;
pub mod live_file;
pub mod management;
pub mod memory_budget;
pub mod notifications;
pub mod operations;
pub mod ownership;
pub mod reconcile;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod upkeep;
