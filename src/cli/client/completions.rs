//! `dead-letter completions`: for bash, zsh, fish and others.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::ending::{Ending, Failure};
use super::output::print;
use crate::cli::Cli;

#[derive(Args, Debug)]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell, such as in `source <(dead-letter completions bash)`
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dead-letter", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Ending::Done)
}
