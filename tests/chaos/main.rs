//! Breaks everything, and counts: whatever dies, every confirmed message is stored exactly once, or still queued (rules R1, R2,
//! R3, R6, R10).
//!
//! `make test` runs each fault a few times, `make chaos` (`CHAOS=full`) as often as docs/reliability.md says. `CHAOS_SEED` repeats
//! a run.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod amplifiers;
mod cluster;
mod cuts;
mod database;
mod delivery_limit;
mod frames;
mod haproxy;
mod house;
mod kills;
mod ledger;
mod load;
mod memory;
mod models;
mod nodes;
mod outage;
mod pgbouncer;
mod poison;
mod postgres;
mod proxy;
mod redelivery;
mod refusals;
mod resend;
mod scenarios;
mod schedules;
mod sources;
mod stand;
mod startup;
mod stops;
#[path = "../it/support/mod.rs"]
#[expect(dead_code, reason = "shared with the other tests")]
mod support;
mod table;
mod traffic;
mod upgrade;
