//! `demo`: a small system that fails, for looking at dead-letter with something in it.

use std::process::ExitCode;

use clap::Parser;
use loadtest::{demo, logs};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    // Two TLS back ends in one program would make rustls ask which one; there is one, and this says so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    logs::init();
    let options = demo::Options::parse();
    let stop = CancellationToken::new();
    if let Err(error) = stop_on_signals(stop.clone()) {
        eprintln!("error: cannot listen for signals: {error}");
        return ExitCode::FAILURE;
    }
    match demo::run(options, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", logs::brief(&error));
            ExitCode::FAILURE
        }
    }
}

fn stop_on_signals(stop: CancellationToken) -> std::io::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
