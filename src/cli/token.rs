//! `dead-letter token`: tokens for scripts.

use chrono::{SubsecRound, TimeDelta};
use clap::{Args, Subcommand};

use crate::access::new_token;
use crate::clock;
use crate::config::{days, plain_name};

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Print a new token, and the entry for `DEAD_LETTER_TOKENS_FILE`. The token is shown once; the file has its digest only
    New(NewToken),
}

#[derive(Args, Debug)]
pub(super) struct NewToken {
    /// Name of the token. Acts are recorded as `token:NAME`
    #[arg(value_parser = plain_name)]
    name: String,
    /// Days until the token expires, such as `365d`. By default it does not expire
    #[arg(long, value_parser = days)]
    expires: Option<TimeDelta>,
}

pub(super) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::New(NewToken { name, expires }) = command;
    let (token, digest) = new_token()?;
    println!("{token}");
    dead_letter_client::remark_line!(
        "Keep the token secret. Add its digest to DEAD_LETTER_TOKENS_FILE:\n\ntokens:\n  - name: {name}\n    sha256: {digest}"
    );
    if let Some(days) = expires {
        dead_letter_client::remark_line!(
            "    expires: {}",
            (clock::now() + *days).trunc_subsecs(0).to_rfc3339()
        );
    }
    Ok(())
}
