//! What is printed for scripts and people.

use std::io::{ErrorKind, Write};

use super::ending::Failure;
use super::zone::Zone;

/// For whom a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// For scripts: the API's JSON, with its times in UTC.
    Json,
    /// For people, who read times in this zone.
    Text(Zone),
}

impl Output {
    pub(super) fn is_json(self) -> bool {
        self == Self::Json
    }
}

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
