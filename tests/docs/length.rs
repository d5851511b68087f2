//! Pages and comments fit a window.

use crate::repository::{Page, Part, expect_none, files, pages};

const WIDTH: usize = 140;
const LINES_OF_README: usize = 120;

/// Pages that are still wider.
const WIDER: [&str; 4] = ["CHANGELOG.md", "docs/api.md", "docs/architecture.md", "docs/cli.md"];

fn width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn prose_is_not_too_wide() {
    let mut wide = Vec::new();
    for page in pages().iter().filter(|page| !WIDER.iter().any(|known| page.is_in(known))) {
        let prose = page.lines().filter(|(_, _, part)| *part == Part::Prose);
        for (number, line, _) in prose.filter(|(_, line, _)| width(line) > WIDTH) {
            wide.push(format!("{}: {} characters, at most {WIDTH}", page.at(number), width(line)));
        }
    }
    expect_none(&wide);
}

#[test]
fn comments_are_not_too_wide() {
    let mut wide = Vec::new();
    for file in files("rs") {
        for (index, line) in file.text.lines().enumerate() {
            let comment = line.trim_start();
            let is_table = comment.trim_start_matches('/').trim_start().starts_with('|');
            if comment.starts_with("//") && !is_table && width(line) > WIDTH {
                wide.push(format!("{}: {} characters, at most {WIDTH}", file.at(index + 1), width(line)));
            }
        }
    }
    expect_none(&wide);
}

#[test]
fn the_readme_is_short() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(lines <= LINES_OF_README, "README.md:{lines}: {lines} lines, at most {LINES_OF_README}");
}
