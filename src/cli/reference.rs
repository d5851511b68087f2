//! Tests that the documentation agrees with the command line, and that its links and test names are right.

use std::fmt::Write;
use std::path::Path;

use clap::{Arg, CommandFactory};

use super::Cli;

/// The lines around the table of settings in `docs/configuration.md`.
const MARKS: [&str; 2] = ["<!-- settings: `make docs` writes this table -->\n", "<!-- end of settings -->\n"];

fn page(name: &str) -> (String, String) {
    let path = format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(Path::new(&path)).unwrap();
    (path, text)
}

fn setting(argument: &Arg) -> Option<String> {
    let variable = argument.get_env()?.to_string_lossy().into_owned();
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    let help = argument.get_long_help().or_else(|| argument.get_help())?.to_string();
    let names: Vec<_> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let default = if defaults.is_empty() { "–".to_owned() } else { defaults.join(", ") };
    Some(format!("| `{variable}` | {default} | {help}{names} |\n"))
}

#[test]
fn the_configuration_page_lists_every_setting() {
    let cli = Cli::command();
    let serve = cli.find_subcommand("serve").unwrap();
    let mut table = String::from("| variable | default | meaning |\n|---|---|---|\n");
    for row in serve.get_arguments().filter_map(setting) {
        write!(table, "{row}").unwrap();
    }
    let (path, text) = page("configuration.md");
    let (before, rest) = text.split_once(MARKS[0]).unwrap();
    let (stands, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let [begin, end] = MARKS;
        std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(stands, table, "docs/configuration.md is out of date: run 'make docs' and commit it");
    }
}

#[test]
fn the_command_line_page_names_every_command() {
    let (_, text) = page("cli.md");
    let cli = Cli::command();
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_named = |name: &str| text.split(|c| !is_of_word(c)).any(|word| word == name);
    let missing: Vec<_> =
        cli.get_subcommands().map(clap::Command::get_name).filter(|name| !is_named(name)).collect();
    assert!(missing.is_empty(), "docs/cli.md does not name {missing:?}");
}
