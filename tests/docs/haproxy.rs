//! The settings of `HAProxy` that a page shows are those that tests use.

use crate::repository::Page;

#[test]
fn the_page_shows_the_settings_that_tests_use() {
    let (page, settings) = (Page::read("docs/high-availability.md"), Page::read("docs/haproxy.cfg"));
    let shown = format!("```\n{}```\n", settings.text);
    assert!(page.text.contains(&shown), "{}: copy docs/haproxy.cfg to this page", page.at(1));
}
