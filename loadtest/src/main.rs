//! `loadtest`: makes the traffic that dead-letter is measured with.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use loadtest::consume::ConsumeArgs;
use loadtest::letters::{LetterArgs, Letters, Mode};
use loadtest::measure::MeasureArgs;
use loadtest::produce::ProduceArgs;
use loadtest::run::RunArgs;
use loadtest::{consume, logs, measure, produce, run};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Makes the traffic that dead-letter is measured with
#[derive(Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish dead letters, and check that the broker confirms every one
    Produce(Box<ProduceArgs>),
    /// Publish dead letters, and measure how long they take until they are found
    Measure(Box<MeasureArgs>),
    /// Run a whole scenario on private servers, and write a report (`make loadtest SCENARIO=…`)
    Run(Box<RunArgs>),
    /// Consume a queue and reject or acknowledge its messages
    Consume(ConsumeArgs),
    /// Print the ownership file for the services and squads that produce makes up
    Ownership(LetterArgs),
}

/// Messages are taken apart on one thread and freed on another, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // Two TLS back ends in one program would make rustls ask which one; there is one, and this says so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    logs::init();
    let cli = Cli::parse();
    let stop = match stop_on_signal() {
        Ok(stop) => stop,
        Err(error) => {
            eprintln!("error: signals cannot be listened for: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match &cli.command {
        Command::Produce(args) => produce::command(args, &stop).await,
        Command::Measure(args) => measure::command(args, &stop).await,
        Command::Run(args) => run::command(args, &stop).await,
        Command::Consume(args) => consume::command(args, &stop).await,
        Command::Ownership(args) => {
            print_ownership(args);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", logs::brief(&error));
            ExitCode::FAILURE
        }
    }
}

/// As dead-letter reads it. The names are plain words, which YAML takes without quotes.
fn print_ownership(args: &LetterArgs) {
    println!("services:");
    for (service, squad) in Letters::new(args, Mode::Dead).owners() {
        println!("  - service: {service}\n    squad: {squad}");
    }
}

/// The first Ctrl-C or SIGTERM asks to end and settle what is in flight, the second one ends at once.
fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let asked = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { return },
                _ = terminate.recv() => {}
            }
            if asked.is_cancelled() {
                std::process::exit(130);
            }
            eprintln!("ending; once more to end at once");
            asked.cancel();
        }
    });
    Ok(stop)
}
