//! Parses the command line, runs it, and turns failure into an exit code.

use std::process::ExitCode;

use clap::Parser;
use dead_letter::cli::{Cli, run};

/// Messages are parsed on one thread and freed on another, which this allocator handles well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // The one TLS provider of the process, installed before anything needs it. This fails only if there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            dead_letter_client::remark_line!("dead-letter: {error:#}");
            ExitCode::FAILURE
        }
    }
}
