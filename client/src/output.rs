//! Output to stdout: JSON for scripts, text for people.

use std::io::{ErrorKind, Write};

use crate::ending::Failure;
use crate::zone::Zone;

/// The output format of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// The API's JSON, with times in UTC.
    Json,
    /// Text, with times in this zone.
    Text(Zone),
}

impl Output {
    pub(crate) fn is_json(self) -> bool {
        self == Self::Json
    }
}

/// Prints a text as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::BrokenPipe,
        _ => Failure::Failed(format!("Cannot write the output: {error}")),
    })
}

/// Prints a text and ends the line.
pub(crate) fn print_line(text: &str) -> Result<(), Failure> {
    print(&format!("{}\n", text.trim_end()))
}
