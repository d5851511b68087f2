//! dead-letter: an AMQP dead-letter manager. It stores dead-lettered messages of `RabbitMQ` in `PostgreSQL`, shows them
//! over HTTP, and redelivers them.
//!
//! Modules only look down this list: [`cli`], [`upkeep`], [`http`], [`operations`], [`ingest`], [`ownership`], [`store`],
//! [`amqp`], [`domain`], and beside them [`telemetry`], [`config`], [`lifecycle`], [`clock`] and [`room`]. Two roads lead through
//! it: a message comes in through [`ingest`], and goes out through [`operations`].

// For the futures of requests, which hold all that they await.
#![recursion_limit = "256"]

pub mod amqp;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod http;
pub mod ingest;
pub mod lifecycle;
pub mod operations;
pub mod ownership;
pub mod room;
pub mod store;
pub mod telemetry;
pub mod upkeep;
