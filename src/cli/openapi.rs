//! `dead-letter openapi`: prints the OpenAPI document; needs no database.

use anyhow::Context;

pub(super) fn run() -> anyhow::Result<()> {
    let document = crate::http::document().to_pretty_json().context("could not write the document")?;
    println!("{document}");
    Ok(())
}
