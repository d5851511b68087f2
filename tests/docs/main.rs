//! Checks of the documentation: links, the navigation of the site, names of tests and commands, lengths, the scripts of Shuttle, and the
//! metrics reference. They need no servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deployments;
mod haproxy;
mod length;
mod links;
mod metrics;
mod names;
mod nav;
mod repository;
mod shuttle;
