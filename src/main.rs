//! Parses the command line, runs it, and turns failure into an exit code.

use std::process::ExitCode;

use clap::Parser;
use dead_letter::cli::{Cli, run};

/// Messages are taken apart on one thread and freed on another, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // One TLS provider for everything in the process, before anything needs it; it is the first, so this cannot fail.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dead-letter: {error:#}");
            ExitCode::FAILURE
        }
    }
}
