//! What is printed for scripts and people.

use std::io::{ErrorKind, Write};

use super::ending::Failure;

/// Prints to stdout as it stands. Once nobody reads it, there is no point in going on.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::Failed(format!("the output cannot be written: {error}")),
    })
}

/// Prints to stdout, and ends the line.
pub(super) fn print_line(text: &str) -> Result<(), Failure> {
    print(&format!("{}\n", text.trim_end()))
}
