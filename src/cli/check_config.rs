//! `dead-letter check-config`: checks the settings of `dead-letter serve`, and contacts nobody.
//!
//! The parser of the command line stops at the first value that it cannot read. So it is asked again without that value, until it reads
//! all others.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Command, Error, FromArgMatches};

use crate::config::ServeConfig;
use crate::doctor::wrong_settings;

#[derive(Args, Debug)]
pub(super) struct CheckConfig {
    /// Settings as flags of `dead-letter serve`, in place of environment variables
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "FLAGS")]
    flags: Vec<OsString>,
}

pub(super) fn run(CheckConfig { flags }: &CheckConfig) -> anyhow::Result<ExitCode> {
    let (config, mut wrong) = read(flags)?;
    if let Some(config) = config {
        wrong.extend(
            wrong_settings(&config).into_iter().map(|wrong| format!("{}: {}", wrong.setting, wrong.why)),
        );
    }
    for wrong in &wrong {
        println!("{wrong}");
    }
    if wrong.is_empty() {
        println!("the settings are right");
        return Ok(ExitCode::SUCCESS);
    }
    dead_letter_client::remark_line!("dead-letter: {} settings are wrong", wrong.len());
    Ok(ExitCode::FAILURE)
}

/// The settings, without the environment variables that cannot be read. What is wrong with those, without their values (rule R14).
fn read(flags: &[OsString]) -> anyhow::Result<(Option<ServeConfig>, Vec<String>)> {
    let mut command = ServeConfig::augment_args(Command::new("dead-letter")).no_binary_name(true);
    let mut wrong = Vec::new();
    loop {
        let error = match command.clone().try_get_matches_from(flags) {
            Ok(matches) => return Ok((Some(ServeConfig::from_arg_matches(&matches)?), wrong)),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => error.exit(),
            Err(error) => error,
        };
        // Only arguments that are built can say their names.
        let mut built = command.clone();
        built.build();
        let found =
            built.get_arguments().find(|argument| names(&error).any(|name| name == argument.to_string()));
        let Some(argument) = found else {
            wrong.push(why(&error));
            return Ok((None, wrong));
        };
        let variable = argument.get_env();
        let setting =
            variable.map_or_else(|| argument.to_string(), |name| name.to_string_lossy().into_owned());
        wrong.push(format!("{setting}: {}", why(&error)));
        if variable.and_then(std::env::var_os).is_none() {
            // The flag is wrong.
            return Ok((None, wrong));
        }
        command = command.mut_arg(argument.get_id(), |argument| argument.env(Resettable::Reset));
    }
}

/// The arguments that an error is about.
fn names(error: &Error) -> impl Iterator<Item = &str> {
    let names = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => std::slice::from_ref(name),
        Some(ContextValue::Strings(names)) => names,
        _ => &[],
    };
    names.iter().map(String::as_str)
}

fn why(error: &Error) -> String {
    let texts = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    };
    let about = names(error).collect::<Vec<_>>().join(", ");
    match error.kind() {
        ErrorKind::ValueValidation => match std::error::Error::source(error) {
            Some(source) => source.to_string(),
            None => format!("{about} cannot be read"),
        },
        ErrorKind::InvalidValue => {
            format!("is none of {}", texts(ContextKind::ValidValue).join(", "))
        }
        ErrorKind::ArgumentConflict => {
            format!("cannot be set beside {}", texts(ContextKind::PriorArg).join(", "))
        }
        ErrorKind::MissingRequiredArgument => format!("{about} is missing"),
        ErrorKind::UnknownArgument => format!("there is no flag {about}"),
        _ => error.kind().to_string(),
    }
}
