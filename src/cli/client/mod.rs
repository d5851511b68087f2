//! The client of the HTTP API, for people in a terminal and for scripts: one file for each command or family of them.

mod act;
mod api;
mod completions;
mod confirm;
mod connection;
mod ending;
mod filter;
mod find;
mod group;
mod groups;
mod indent;
mod items;
mod ls;
mod operations;
mod options;
mod output;
mod overview;
mod patience;
mod plan;
mod progress;
mod selection;
mod show;
mod steer;
mod table;
mod tail;
mod text;
mod watch;
mod when;
mod zone;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use api::Api;
use connection::ConnectionArgs;
use ending::{EXIT_CODES, Ending, Failure};
use output::Output;

/// Commands that ask a running server.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ClientCommand {
    /// List dead letters
    Ls(Box<With<ls::LsArgs>>),
    /// Find dead letters by whatever is at hand, in all services and whatever became of them
    Find(With<find::FindArgs>),
    /// Show one dead letter, whole: headers, body, stack trace, history
    Show(With<show::ShowArgs>),
    /// Print dead letters as they come
    Tail(Box<With<tail::TailArgs>>),
    /// Which failures are the same bug: error groups, most dead letters first
    Groups(Box<With<groups::GroupsArgs>>),
    /// How many dead letters each squad has, or each service of a squad
    Overview(With<overview::OverviewArgs>),
    /// Freeze a selection, and show what an operation on it would do
    Plan(Box<With<plan::PlanArgs>>),
    /// Redeliver dead letters: put them back where they died
    Redeliver(Box<With<act::RedeliverArgs>>),
    /// Delete dead letters
    Delete(Box<With<act::ActArgs>>),
    /// Restore deleted dead letters
    Restore(Box<With<act::RestoreArgs>>),
    /// One error group, and what people did with it
    Group(With<group::GroupArgs>),
    /// List operations, the last one first
    Operations(With<operations::OperationsArgs>),
    /// Show one operation: its verdict, why messages died again, and who steered it
    Operation(With<steer::OperationArgs>),
    /// What became of each dead letter of an operation
    Items(With<items::ItemsArgs>),
    /// Follow an operation until its verdict: until what was sent has been watched for returns
    Watch(With<watch::WatchArgs>),
    /// Pause an operation: what is not sent yet waits
    Pause(With<steer::OperationArgs>),
    /// Resume a paused operation
    Resume(With<steer::OperationArgs>),
    /// Cancel an operation: what is not sent yet stays dead
    Cancel(With<steer::OperationArgs>),
    /// Change how many messages a second an operation sends
    Rate(With<steer::RateArgs>),
    /// Mark an error group as resolved; it is `regressed` when it comes back
    Resolve(With<group::NotedArgs>),
    /// Reopen an error group that is resolved or muted
    Reopen(With<group::NotedArgs>),
    /// Mute an error group for a while
    Mute(With<group::MuteArgs>),
    /// Add a note to an error group
    Note(With<group::NoteArgs>),
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
}

/// A command's own arguments, and the server to ask.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub(super) struct With<T: Args> {
    #[command(flatten)]
    args: T,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl<T: Args> With<T> {
    /// The server, what is asked of it, and for whom its answer is printed.
    fn open(self) -> Result<(Api, T, Output), Failure> {
        let output = self.connection.output();
        Ok((Api::new(self.connection.connection()?)?, self.args, output))
    }
}

/// Runs a command of the client, and says why where it fails.
pub(super) async fn run(command: ClientCommand) -> ExitCode {
    let ending = dispatch(command).await.unwrap_or_else(|failure| {
        failure.say();
        failure.ending()
    });
    ending.into()
}

/// Opens the connection of a command and runs it.
macro_rules! with {
    ($with:expr, $run:path $(, $further:expr)*) => {{
        let (api, args, output) = $with.open()?;
        $run(&api, args, output $(, $further)*).await
    }};
}

async fn dispatch(command: ClientCommand) -> Result<Ending, Failure> {
    use group::Action;
    use steer::Steer;
    match command {
        ClientCommand::Ls(with) => with!(with, ls::run),
        ClientCommand::Find(with) => with!(with, find::run),
        ClientCommand::Show(with) => with!(with, show::run),
        ClientCommand::Tail(with) => with!(with, tail::run),
        ClientCommand::Groups(with) => with!(with, groups::run),
        ClientCommand::Overview(with) => with!(with, overview::run),
        ClientCommand::Plan(with) => with!(with, plan::run),
        ClientCommand::Redeliver(with) => with!(with, act::redeliver),
        ClientCommand::Delete(with) => with!(with, act::delete),
        ClientCommand::Restore(with) => with!(with, act::restore),
        ClientCommand::Group(with) => with!(with, group::one),
        ClientCommand::Operation(with) => with!(with, operations::one),
        ClientCommand::Operations(with) => with!(with, operations::run),
        ClientCommand::Items(with) => with!(with, items::run),
        ClientCommand::Watch(with) => with!(with, watch::run),
        ClientCommand::Pause(with) => with!(with, steer::run, Steer::Pause),
        ClientCommand::Resume(with) => with!(with, steer::run, Steer::Resume),
        ClientCommand::Cancel(with) => with!(with, steer::run, Steer::Cancel),
        ClientCommand::Rate(with) => with!(with, steer::rate),
        ClientCommand::Resolve(with) => with!(with, group::noted, Action::Resolve),
        ClientCommand::Reopen(with) => with!(with, group::noted, Action::Reopen),
        ClientCommand::Mute(with) => with!(with, group::mute),
        ClientCommand::Note(with) => with!(with, group::note),
        ClientCommand::Completions(args) => completions::run(&args),
    }
}
