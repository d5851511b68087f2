//! The traffic that dead-letter is measured and demonstrated with.
//!
//! Two programs stand on this library. `loadtest` makes dead letters at a given rate, and measures how long each takes
//! until it can be found through the HTTP API, and whether all of them are there in the end. `demo` is a small system
//! of two services that fail in a few recognisable ways, and can be mended while one looks on.
//!
//! Modules look down this list only:
//!
//! - [`demo`]: the small failing system;
//! - [`run`]: whole scenarios, with what they are held against, and their [`report`];
//! - [`measure`], [`produce`], [`consume`]: the other commands of `loadtest`;
//! - [`publish`]: paced, pipelined, confirmed publishing;
//! - [`letters`]: what a dead letter looks like, made from a seed;
//! - [`progress`], [`pace`], [`figures`], [`amqp`], [`clock`], [`logs`]: durations and rates, latencies, connections, the
//!   time, log output.

pub mod amqp;
pub mod clock;
pub mod consume;
pub mod demo;
pub mod figures;
pub mod letters;
pub mod logs;
pub mod measure;
pub mod pace;
pub mod produce;
pub mod progress;
pub mod publish;
pub mod report;
pub mod run;
