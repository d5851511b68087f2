//! Pages and comments fit a window.

use crate::repository::{Page, Part, expect_none, files, pages};

const WIDTH: usize = 140;
const LINES_OF_README: usize = 120;

/// Says which of these lines are too wide.
fn check<'p>(file: &'p Page, lines: impl Iterator<Item = (usize, &'p str)>) -> Vec<String> {
    let width = |line: &str| line.chars().count();
    let wide = lines.filter(|(_, line)| width(line) > WIDTH);
    wide.map(|(number, line)| format!("{}: {} characters, at most {WIDTH}", file.at(number), width(line)))
        .collect()
}

#[test]
fn prose_is_not_too_wide() {
    let check = |page: &Page| {
        let prose = page.lines().filter(|(_, _, part)| *part == Part::Prose);
        check(page, prose.map(|(number, line, _)| (number, line)))
    };
    expect_none(&pages().iter().flat_map(check).collect::<Vec<_>>());
}

/// Tables in comments may be wide, as in Markdown.
#[test]
fn comments_are_not_too_wide() {
    let check = |file: &Page| {
        let lines = file.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let is_prose = |line: &str| !line.trim_start_matches(['/', '!', ' ']).starts_with('|');
        check(file, lines.filter(|(_, line)| line.trim_start().starts_with("//") && is_prose(line)))
    };
    expect_none(&files("rs").iter().flat_map(check).collect::<Vec<_>>());
}

#[test]
fn the_readme_is_short() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(lines <= LINES_OF_README, "README.md:{lines}: {lines} lines, at most {LINES_OF_README}");
}
