//! Deployments, and the gate that judges them.

pub mod create;
pub mod gate;
pub mod list;
pub mod view;

use super::error::FieldError;

/// Longest name, version or commit.
const LONGEST: usize = 200;

/// Refuses what cannot be a version, or another name that a pipeline gives.
pub fn check_name(field: &str, text: &str) -> Result<(), FieldError> {
    if !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(FieldError::new(field, format!("must be 1 to {LONGEST} bytes, without control characters")))
}

/// The same for each that is given.
fn check_names<'t>(
    names: impl IntoIterator<Item = (&'t str, Option<&'t String>)>,
) -> impl Iterator<Item = FieldError> {
    let given = names.into_iter().filter_map(|(field, text)| Some((field, text?)));
    given.filter_map(|(field, text)| check_name(field, text).err())
}
