//! The command line.

mod client;
mod expire;
mod migrate;
mod openapi;
mod recount;
#[cfg(test)]
mod reference;
mod seed;
mod serve;
mod upkeep;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::ServeConfig;

/// Stores, inspects and replays dead-lettered messages of RabbitMQ
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Consume dead letters, and serve the API
    Serve(Box<ServeConfig>),
    /// Bring the database's schema up to date, and end
    Migrate(migrate::MigrateConfig),
    /// Free the dead letters of days that are too long ago, and end; `serve` does so by itself with `DEAD_LETTER_RETENTION`
    Expire(expire::ExpireConfig),
    /// Compare every counter with the rows, and end; with `--repair`, set right those that differ
    Recount(recount::RecountConfig),
    /// Fill a database with realistic dead letters
    Seed(seed::SeedConfig),
    /// Print the OpenAPI document
    Openapi,
    #[command(flatten)]
    Client(client::ClientCommand),
}

/// Runs what the command line asks for.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(config) => serve::run(*config).await?,
        Command::Migrate(config) => migrate::run(config).await?,
        Command::Expire(config) => expire::run(config).await?,
        Command::Recount(config) => recount::run(config).await?,
        Command::Seed(config) => seed::run(config).await?,
        Command::Openapi => openapi::run()?,
        Command::Client(command) => return Ok(client::run(command).await),
    }
    Ok(ExitCode::SUCCESS)
}
