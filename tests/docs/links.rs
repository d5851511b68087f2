//! Links lead somewhere.

use regex::Regex;

use crate::repository::{Page, Part, expect_none, pages, root};

/// How pages of the site link to files that are not part of it.
const REPOSITORY: &str = "https://github.com/dead-letter/dead-letter/";

/// The anchors of a page's headings, as GitHub and `MkDocs` make them.
fn anchors(page: &Page) -> Vec<String> {
    let headings = page.lines().filter(|(_, _, part)| *part == Part::Heading);
    let mut anchors = Vec::new();
    for (_, heading, _) in headings {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        anchors.push(kept.map(|c| if c == ' ' { '-' } else { c }).collect());
    }
    anchors
}

/// Why a link leads nowhere.
fn fault(page: &Page, path: &str, anchor: Option<&str>, all: &[Page]) -> Option<&'static str> {
    let folder = page.path.parent().unwrap();
    let target = if path.is_empty() { page.path.clone() } else { folder.join(path) };
    let Ok(target) = root().join(target).canonicalize() else { return Some("no such file") };
    let Ok(target) = target.strip_prefix(root()) else { return Some("outside the repository") };
    let is_on_site = target.starts_with("docs") && !root().join(target).is_dir();
    if page.is_in("docs") && !is_on_site {
        return Some("not a file of the site: link to a page, or to GitHub");
    }
    let anchor = anchor?;
    let Some(target) = all.iter().find(|page| page.path == target) else {
        return Some("an anchor needs a page");
    };
    if anchors(target).iter().any(|heading| heading == anchor) { None } else { Some("no such heading") }
}

#[test]
fn relative_links_lead_to_files_and_headings() {
    let link = Regex::new(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)").unwrap();
    let all = pages();
    let mut broken = Vec::new();
    for page in &all {
        for (number, line, _) in page.lines().filter(|(_, _, part)| *part != Part::Code) {
            for found in link.captures_iter(line) {
                if let Some(why) = fault(page, &found[1], found.get(2).map(|anchor| anchor.as_str()), &all) {
                    broken.push(format!("{}: {}: {why}", page.at(number), &found[0][1..]));
                }
            }
        }
    }
    expect_none(&broken);
}

#[test]
fn links_to_the_repository_on_github_lead_to_files() {
    let link = Regex::new(&format!("{}(?:tree|blob)/main/([^)#\\s]*)", regex::escape(REPOSITORY))).unwrap();
    let mut broken = Vec::new();
    for page in pages() {
        for (number, line, _) in page.lines() {
            for found in link.captures_iter(line).filter(|found| !root().join(&found[1]).exists()) {
                broken.push(format!("{}: {}: no such file", page.at(number), &found[1]));
            }
        }
    }
    expect_none(&broken);
}
