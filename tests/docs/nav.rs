//! The navigation of the site lists every page.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::repository::{Page, expect_none, pages};

/// The pages below an entry: `title: page`, or `title: [entry…]`.
fn listed(entry: &Value, found: &mut Vec<String>) {
    match entry {
        Value::String(page) => found.push(page.clone()),
        Value::Array(entries) => entries.iter().for_each(|entry| listed(entry, found)),
        Value::Object(entries) => entries.values().for_each(|entry| listed(entry, found)),
        _ => {}
    }
}

#[test]
fn the_navigation_lists_every_page_once() {
    let settings = Page::read("mkdocs.yml");
    let settings: Value = serde_saphyr::from_str(&settings.text).unwrap();
    let mut listing = Vec::new();
    listed(&settings["nav"], &mut listing);
    let set: BTreeSet<_> = listing.iter().cloned().collect();
    let exist: BTreeSet<_> = pages()
        .iter()
        .filter_map(|page| Some(page.path.strip_prefix("docs").ok()?.display().to_string()))
        .collect();
    let mut faults = Vec::new();
    faults.extend(exist.difference(&set).map(|page| format!("docs/{page}:1: not in the nav of mkdocs.yml")));
    let yaml = Page::read("mkdocs.yml");
    for page in set.difference(&exist) {
        let number = yaml.text.lines().position(|line| line.ends_with(page)).map_or(1, |index| index + 1);
        faults.push(format!("{}: docs/{page} does not exist", yaml.at(number)));
    }
    if listing.len() > set.len() {
        faults.push("mkdocs.yml: a page is listed twice".to_owned());
    }
    expect_none(&faults);
}

#[test]
fn the_overview_of_decisions_links_to_each() {
    let overview = Page::read("docs/adr/README.md");
    let names = pages().into_iter().filter_map(|page| {
        let name = page.path.strip_prefix("docs/adr").ok()?.display().to_string();
        name.starts_with(|c: char| c.is_ascii_digit()).then_some(name)
    });
    let missing = names.filter(|name| !overview.text.contains(&format!("]({name})")));
    expect_none(&missing.map(|name| format!("{}: no link to {name}", overview.at(1))).collect::<Vec<_>>());
}

/// `TechDocs` has plugins of its own, and no others.
#[test]
fn the_site_needs_techdocs_only() {
    let settings: Value = serde_saphyr::from_str(&Page::read("mkdocs.yml").text).unwrap();
    assert_eq!(settings["plugins"], serde_json::json!(["techdocs-core"]));
}
