//! What pages name exists: tests, make targets, scripts, settings, metrics.

use regex::Regex;

use crate::repository::{Page, Part, expect_none, files, pages, root};

/// The pages that describe the repository as it is now. Decisions and the changelog keep the names of their time.
fn current_pages() -> Vec<Page> {
    pages().into_iter().filter(|page| !page.is_in("docs/adr") && !page.is_in("CHANGELOG.md")).collect()
}

/// Whether the file is the cited module, such as `store::batch`, or below it. Without a module every file is.
fn is_module(file: &Page, segments: &[&str]) -> bool {
    let path = file.path.with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    segments.is_empty() || parts.windows(segments.len()).any(|window| window == segments)
}

/// Whether the sources have a test of this name. `*` is any, and `…` at the end stands for the rest of the name.
fn has_test(sources: &[Page], module: &str, name: &str) -> bool {
    let segments: Vec<_> = module.split("::").filter(|segment| !segment.is_empty()).collect();
    let definition = match name.strip_suffix('…') {
        _ if name == "*" => r"#\[(?:tokio::)?test\b|proptest!".to_owned(),
        Some(beginning) => format!("fn {beginning}"),
        None => format!(r"fn {name}\("),
    };
    let definition = Regex::new(&definition).unwrap();
    sources.iter().any(|file| is_module(file, &segments) && definition.is_match(&file.text))
}

#[test]
fn cited_tests_exist() {
    let cited = Regex::new(r"`(?:chaos: )?((?:[a-z_0-9]+::)*)([a-z_0-9]+…?|\*)`").unwrap();
    let sources: Vec<_> = files("rs")
        .into_iter()
        .filter(|file| file.is_in("src") || file.is_in("tests") || file.is_in("loadtest"))
        .collect();
    let mut missing = Vec::new();
    for page in current_pages() {
        for (number, line, _) in page.lines().filter(|(_, _, part)| *part != Part::Code) {
            for found in cited.captures_iter(line) {
                // Without a module only in the table of the rules' tests: elsewhere it is something else in code font.
                let is_test =
                    !found[1].is_empty() || found[0].starts_with("`chaos: ") || line.starts_with("| R");
                let is_name = found[2].contains('_') || &found[2] == "*";
                if is_test && is_name && !has_test(&sources, &found[1], &found[2]) {
                    missing.push(format!("{}: there is no test {}", page.at(number), &found[0]));
                }
            }
        }
    }
    expect_none(&missing);
}

/// The commands of a line: those in code font, or the whole line of a block.
fn commands(line: &str, part: Part) -> Vec<&str> {
    if part == Part::Code { vec![line.trim()] } else { line.split('`').skip(1).step_by(2).collect() }
}

#[test]
fn make_targets_and_scripts_exist() {
    let makefile = Page::read("Makefile").text;
    let targets = Regex::new(r"(?m)^([a-z][a-z0-9-]*):").unwrap();
    let targets: Vec<_> = targets.captures_iter(&makefile).map(|found| found[1].to_owned()).collect();
    let call = Regex::new(r"^(?:[A-Z_]+=\S+ )*make((?: [a-z][a-z0-9-]*)+)(?: |$)").unwrap();
    let script = Regex::new(r"\bscripts/[a-z-]+\.sh\b").unwrap();
    let mut missing = Vec::new();
    for page in current_pages() {
        for (number, line, part) in page.lines() {
            let called = commands(line, part).into_iter().filter_map(|command| call.captures(command));
            let called: Vec<_> = called.flat_map(|found| words(&found[1])).collect();
            for target in called.iter().filter(|target| !targets.contains(target)) {
                missing.push(format!("{}: there is no make target {target}", page.at(number)));
            }
            for found in script.find_iter(line).filter(|found| !root().join(found.as_str()).exists()) {
                missing.push(format!("{}: there is no {}", page.at(number), found.as_str()));
            }
        }
    }
    expect_none(&missing);
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn settings_exist() {
    let name = Regex::new(r"\bDEAD_LETTER_[A-Z_]*[A-Z]\b").unwrap();
    let known = Page::read("docs/configuration.md").text;
    let mut missing = Vec::new();
    for page in current_pages().iter().filter(|page| !page.is_in("docs/cli.md")) {
        for (number, line, _) in page.lines() {
            for found in
                name.find_iter(line).filter(|found| !known.contains(&format!("`{}`", found.as_str())))
            {
                missing.push(format!("{}: docs/configuration.md has no {}", page.at(number), found.as_str()));
            }
        }
    }
    expect_none(&missing);
}

#[test]
fn metrics_exist() {
    let name = Regex::new(r"`(dead_letter_[a-z_]+_(?:total|seconds|bytes|messages|rows|depth|consuming|warnings|connections))\b").unwrap();
    let known = Page::read("docs/metrics.md").text;
    let mut missing = Vec::new();
    for page in current_pages() {
        for (number, line, _) in page.lines() {
            for found in name.captures_iter(line).filter(|found| !known.contains(&format!("`{}`", &found[1])))
            {
                missing.push(format!("{}: docs/metrics.md has no {}", page.at(number), &found[1]));
            }
        }
    }
    expect_none(&missing);
}
