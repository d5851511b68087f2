//! The command-line client of dead-letter's HTTP API, for people at a terminal and for scripts.
//!
//! The binary `dead-letter` offers [`ClientCommand`] together with its server commands. This crate does not depend on the
//! service: it knows the HTTP API only. [`run`] needs a tokio runtime and a default TLS provider for rustls.
//!
//! `commands` has one file per command or family of commands. The other modules are what commands share: the server and the token
//! (`connection`, `profile`, `sign_in`, `token`, `api`), what is selected (`filter`, `selection`, `options`), an operation and its
//! progress (`operation`, `progress`, `retry`), and output (`output`, `table`, `text`, `zone`, `indent`).

#![deny(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nobody reads the output any more: see `output`"
)]

mod api;
mod clock;
mod commands;
mod confirm;
mod connection;
mod ending;
mod filter;
mod indent;
mod operation;
mod options;
mod output;
mod profile;
mod progress;
mod retry;
mod selection;
mod short_id;
mod sign_in;
mod table;
mod text;
mod token;
mod when;
mod zone;

pub use commands::{ClientCommand, run};
pub use output::write_remark;
