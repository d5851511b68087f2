//! The commands, and how one is run.

mod act;
mod care;
mod deployments;
mod distinctions;
mod facets;
mod find;
mod group;
mod groups;
mod incidents;
mod items;
mod login;
mod ls;
mod operations;
mod overview;
mod plan;
mod preview;
mod shift_log;
mod show;
mod steer;
mod tail;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::api::Api;
use crate::connection::ConnectionArgs;
use crate::ending::{AFTER_HELP, Ending, Failure};
use crate::output::Output;
use crate::short_id::OperationArgs;

/// The commands that call a running server, and those that sign in for it.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// List dead letters
    Ls(Box<With<ls::LsArgs>>),
    /// Find dead letters by any id or text, in all services and with any status
    Find(With<find::FindArgs>),
    /// Show one dead letter in full: body, headers, stack trace, history
    Show(With<show::ShowArgs>),
    /// Print dead letters as they arrive
    Tail(Box<With<tail::TailArgs>>),
    /// List error groups, the largest first: one bug or five?
    Groups(Box<With<groups::GroupsArgs>>),
    /// List incidents: what squads were told, and whether it goes on
    Incidents(With<incidents::IncidentsArgs>),
    /// List the deployments of a service: which version ran since when
    Deployments(With<deployments::DeploymentsArgs>),
    /// Tell a deployment: which version of a service runs from now on; a repetition does no harm
    Deployed(With<deployments::DeployedArgs>),
    /// Judge a deployment: exit code 0 if the rollout may go on, 4 if not, 5 if that is not decided yet
    Gate(With<deployments::GateArgs>),
    /// Break a selection down by type, routing key, error group, header and so on
    Facets(Box<With<facets::FacetsArgs>>),
    /// Count dead letters per squad, or per service of a squad
    Overview(With<overview::OverviewArgs>),
    /// Freeze a selection and preview an operation on it; nothing is changed
    Plan(Box<With<plan::PlanArgs>>),
    /// Show the first messages of a redelivery, before and after; nothing is sent
    Preview(Box<With<preview::PreviewArgs>>),
    /// Redeliver dead letters to the queues where they died
    Redeliver(Box<With<act::RedeliverArgs>>),
    /// Delete dead letters; `restore` undoes this
    Delete(Box<With<act::ActArgs>>),
    /// Restore deleted dead letters
    Restore(Box<With<act::RestoreArgs>>),
    /// Show one error group, with its notes
    Group(With<group::GroupArgs>),
    /// List operations, the newest first
    Operations(With<operations::OperationsArgs>),
    /// Show one operation: its verdict, why messages died again, and who changed it
    Operation(With<OperationArgs>),
    /// List the dead letters of an operation, each with its outcome
    Items(With<items::ItemsArgs>),
    /// Show what happened since a time: new and regressed error groups, triage, operations
    ShiftLog(With<shift_log::ShiftLogArgs>),
    /// Follow an operation until its verdict
    Watch(With<watch::WatchArgs>),
    /// Pause an operation
    Pause(With<OperationArgs>),
    /// Resume a paused operation
    Resume(With<OperationArgs>),
    /// Cancel an operation; dead letters that it has not reached stay as they are
    Cancel(With<OperationArgs>),
    /// Change the rate limit of an operation
    Rate(With<steer::RateArgs>),
    /// Mark an error group as resolved; a new arrival marks it as `regressed`
    Resolve(With<group::ResolveArgs>),
    /// Reopen a resolved or muted error group
    Reopen(With<group::NotedArgs>),
    /// Mute an error group until a time, or for a number of arrivals
    Mute(With<group::MuteArgs>),
    /// Add a note to an error group
    Note(With<group::NoteArgs>),
    /// Say who is on an error group
    Assign(With<care::AssignArgs>),
    /// Say that nobody is on an error group
    Unassign(With<group::NotedArgs>),
    /// Link an error group to a ticket
    Link(With<care::LinkArgs>),
    /// Remove the link of an error group to its ticket
    Unlink(With<group::NotedArgs>),
    /// Merge other error groups of the same service into one; `split` undoes this
    Merge(With<care::GroupsOfArgs>),
    /// Make merged error groups groups of their own again
    Split(With<care::GroupsOfArgs>),
    /// Sign in with an OIDC issuer, in a browser on any device
    Login(login::LoginArgs),
    /// Forget the sign-in of `dead-letter login`, and withdraw it at the issuer
    Logout(login::LogoutArgs),
}

/// The arguments of a command, and those of the connection.
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct With<T: Args> {
    #[command(flatten)]
    args: T,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl<T: Args> With<T> {
    fn open(self) -> Result<(Api, T, Output), Failure> {
        let output = self.connection.output();
        Ok((Api::new(self.connection.connection()?)?, self.args, output))
    }
}

/// Runs a command. Prints the reason to stderr if it fails.
pub async fn run(command: ClientCommand) -> ExitCode {
    let ending = dispatch(command).await.unwrap_or_else(|failure| {
        failure.print();
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
    use care::Regroup;
    use group::Action;
    use steer::Steer;
    match command {
        ClientCommand::Ls(with) => with!(with, ls::run),
        ClientCommand::Find(with) => with!(with, find::run),
        ClientCommand::Show(with) => with!(with, show::run),
        ClientCommand::Tail(with) => with!(with, tail::run),
        ClientCommand::Groups(with) => with!(with, groups::run),
        ClientCommand::Incidents(with) => with!(with, incidents::run),
        ClientCommand::Deployments(with) => with!(with, deployments::run),
        ClientCommand::Deployed(with) => with!(with, deployments::tell),
        ClientCommand::Gate(with) => with!(with, deployments::gate),
        ClientCommand::Facets(with) => with!(with, facets::run),
        ClientCommand::Overview(with) => with!(with, overview::run),
        ClientCommand::Plan(with) => with!(with, plan::run),
        ClientCommand::Preview(with) => with!(with, preview::run),
        ClientCommand::Redeliver(with) => with!(with, act::redeliver),
        ClientCommand::Delete(with) => with!(with, act::delete),
        ClientCommand::Restore(with) => with!(with, act::restore),
        ClientCommand::Group(with) => with!(with, group::one),
        ClientCommand::Operation(with) => with!(with, operations::one),
        ClientCommand::Operations(with) => with!(with, operations::run),
        ClientCommand::Items(with) => with!(with, items::run),
        ClientCommand::ShiftLog(with) => with!(with, shift_log::run),
        ClientCommand::Watch(with) => with!(with, watch::run),
        ClientCommand::Pause(with) => with!(with, steer::run, Steer::Pause),
        ClientCommand::Resume(with) => with!(with, steer::run, Steer::Resume),
        ClientCommand::Cancel(with) => with!(with, steer::run, Steer::Cancel),
        ClientCommand::Rate(with) => with!(with, steer::rate),
        ClientCommand::Resolve(with) => with!(with, group::resolve),
        ClientCommand::Reopen(with) => with!(with, group::noted, Action::Reopen),
        ClientCommand::Mute(with) => with!(with, group::mute),
        ClientCommand::Note(with) => with!(with, group::note),
        ClientCommand::Assign(with) => with!(with, care::assign),
        ClientCommand::Unassign(with) => with!(with, group::noted, Action::Unassign),
        ClientCommand::Link(with) => with!(with, care::link),
        ClientCommand::Unlink(with) => with!(with, group::noted, Action::Unlink),
        ClientCommand::Merge(with) => with!(with, care::regroup, Regroup::Merge),
        ClientCommand::Split(with) => with!(with, care::regroup, Regroup::Split),
        ClientCommand::Login(args) => login::run(args).await,
        ClientCommand::Logout(args) => login::logout(&args).await,
    }
}
