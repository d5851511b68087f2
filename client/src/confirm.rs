//! The confirmation before an operation.

use std::io::{BufRead, IsTerminal};

use crate::ending::Failure;

/// Whether there is a terminal to ask on.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks. Any answer but `y` and `yes` is a refusal.
pub(crate) fn ask(question: &str) -> Result<(), Failure> {
    crate::remark!("{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" if read.is_ok() => Ok(()),
        _ => Err(Failure::Refused("Nothing was done.".into())),
    }
}
