//! Tests that the documentation agrees with the command line, and that its links and test names are right.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Arg, CommandFactory};
use regex::Regex;

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
    let is_named = |name: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == name);
    let missing: Vec<_> =
        cli.get_subcommands().map(clap::Command::get_name).filter(|name| !is_named(name)).collect();
    assert!(missing.is_empty(), "docs/cli.md does not name {missing:?}");
}

/// The Markdown pages of the project.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["", "docs", "docs/adr", "fuzz", "loadtest", "backstage", "backstage/plugins/dead-letter"];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).into_iter().flatten());
    files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings =
        text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|heading| {
            let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
        })
        .collect()
}

#[test]
fn links_lead_to_pages_and_headings() {
    let link = Regex::new(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)").unwrap();
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&text) {
            let target = match &found[1] {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let has_heading = found.get(2).is_none_or(|anchor| {
                let target = std::fs::read_to_string(&target).unwrap_or_default();
                anchors(&target).iter().any(|heading| heading == anchor.as_str())
            });
            if !target.exists() || !has_heading {
                broken.push(format!("{}: {}", page.display(), &found[0]));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_rules_tests_exist() {
    let (_, text) = page("architecture.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    let mut folders = vec![root.join("src"), root.join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    // Names with a module. A name that ends in `*` or `…` stands for several tests and is not checked.
    let test = Regex::new(r"`(?:chaos: )?(?:[a-z_0-9]+::)+([a-z_0-9]+)`").unwrap();
    let rules = text.lines().filter(|line| line.starts_with("| R"));
    let names =
        rules.flat_map(|line| test.captures_iter(line).map(|found| found[1].to_owned()).collect::<Vec<_>>());
    let missing: Vec<_> = names.filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "docs/architecture.md names tests that do not exist: {missing:?}");
}
