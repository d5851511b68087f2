//! Output to stdout: JSON for scripts, text for people. Remarks go to stderr.

use std::fmt::Arguments;
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

/// Writes to stderr. That nobody reads it any more, as in `dead-letter find x 2>&1 | head`, is no failure: [`eprint!`] would panic.
pub fn write_remark(text: Arguments) {
    let _ = std::io::stderr().write_fmt(text);
}

/// [`write_remark`] of what is formatted as by [`eprint!`].
#[macro_export]
macro_rules! remark {
    ($($text:tt)*) => { $crate::write_remark(::std::format_args!($($text)*)) };
}

/// [`write_remark`] of what is formatted as by [`eprintln!`].
#[macro_export]
macro_rules! remark_line {
    ($($text:tt)*) => { $crate::write_remark(::std::format_args!("{}\n", ::std::format_args!($($text)*))) };
}
