//! `dead-letter doctor`: says what would lose messages, and how to mend it.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::config::ServeConfig;
use crate::doctor::{self, Severity};

/// Exit code if there are warnings, and no errors.
const WARNINGS: u8 = 4;

#[derive(Args, Debug)]
pub(super) struct DoctorConfig {
    #[command(flatten)]
    serve: ServeConfig,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The exit code is 0 if nothing is wrong, 1 if there is an error, and 4 if there are warnings only.
pub(super) async fn run(DoctorConfig { serve, json }: DoctorConfig) -> anyhow::Result<ExitCode> {
    let report = doctor::examine(&serve).await;
    let text = if json { format!("{:#}\n", report.json()) } else { report.text() };
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(error).context("cannot write the report");
        }
        _ => {}
    }
    Ok(match report.worst() {
        None => ExitCode::SUCCESS,
        Some(Severity::Warning) => ExitCode::from(WARNINGS),
        Some(Severity::Error) => ExitCode::FAILURE,
    })
}
