//! `dead-letter openapi`: prints the document, without a database.

use anyhow::Context;

pub(super) fn run() -> anyhow::Result<()> {
    let document = crate::http::document().to_pretty_json().context("the document cannot be written")?;
    println!("{document}");
    Ok(())
}
