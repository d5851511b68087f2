//! The command line: server commands, and the client commands of the crate `dead-letter-client`.

mod audit;
mod check_config;
mod completions;
mod doctor;
mod expire;
mod migrate;
mod openapi;
mod recount;
#[cfg(test)]
mod reference;
mod seed;
mod serve;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dead_letter_client::ClientCommand;

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
    /// Consume dead letters and serve the API
    Serve(Box<ServeConfig>),
    /// Migrate the database schema and exit
    Migrate(migrate::MigrateConfig),
    /// Say what would lose messages: in the settings, the database, and each queue of the brokers; nothing is changed
    Doctor(Box<doctor::DoctorConfig>),
    /// Check the settings of `serve` and the files that they name; nobody is contacted
    CheckConfig(check_config::CheckConfig),
    /// Drop expired dead letters and exit; `serve` does this by itself with `DEAD_LETTER_RETENTION`
    Expire(expire::ExpireConfig),
    /// Compare every counter with the stored rows and exit; `--repair` corrects wrong ones
    Recount(recount::RecountConfig),
    /// Check the audit
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Fill a database with realistic dead letters
    Seed(seed::SeedConfig),
    /// Print the OpenAPI document
    Openapi,
    /// Make tokens for scripts
    #[command(subcommand)]
    Token(token::TokenCommand),
    #[command(flatten)]
    Client(ClientCommand),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArgs),
}

/// Runs a command.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(config) => serve::run(*config).await?,
        Command::Migrate(config) => migrate::run(config).await?,
        Command::Doctor(config) => return doctor::run(*config).await,
        Command::CheckConfig(config) => return check_config::run(&config),
        Command::Expire(config) => expire::run(config).await?,
        Command::Recount(config) => recount::run(config).await?,
        Command::Audit(command) => audit::run(command).await?,
        Command::Seed(config) => seed::run(config).await?,
        Command::Openapi => openapi::run()?,
        Command::Token(command) => token::run(&command)?,
        Command::Client(command) => return Ok(dead_letter_client::run(command).await),
        Command::Completions(args) => completions::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
