//! Deployments, and the gate that judges them.

pub mod create;
pub mod gate;
pub mod list;
pub mod view;

/// Longest name, version or commit.
const LONGEST: usize = 200;

/// Whether it can be a version, or another name that a pipeline gives.
pub fn is_version(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}
