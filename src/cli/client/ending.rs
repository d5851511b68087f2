//! How a command ends: its exit code, and what is said when it fails.

use std::process::ExitCode;

use super::text::line;

/// Below the help of every command of the client.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed: no answer from the server, or it failed, or it lets nobody in without a token
  2    wrong usage, or refused to go on
  3    there is no such thing
  4    the operation failed or had problems: messages were refused, were skipped, or died again
  5    the operation was cancelled or paused before its end
  130  Ctrl-C; an operation goes on at the server

The server and the token can also stand in a profile, in ~/.config/dead-letter/config.toml:
  [profiles.default]
  server = \"https://dead-letter.example.com\"
  token = \"...\"";

/// How a command ended, as its exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Done = 0,
    Failed = 1,
    Refused = 2,
    NotFound = 3,
    Partial = 4,
    Stopped = 5,
    Interrupted = 130,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

/// Why a command does not go on.
#[derive(Debug)]
pub(super) enum Failure {
    /// The API says no: its status, and what it says.
    Api { status: u16, lines: Vec<String> },
    /// No answer came. The request may have arrived all the same, unless there was no connection.
    NoAnswer { message: String, connected: bool },
    /// There is no such thing.
    NotFound(String),
    /// It was asked for in a wrong way, or not agreed to.
    Refused(String),
    /// Anything else.
    Failed(String),
    /// Nobody reads what is printed, such as in `dead-letter ls | head`.
    Unread,
}

impl Failure {
    /// Whether the same request may be answered a little later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::Api { status: 502..=504, .. })
    }

    /// Whether the server does not know this route: it is older than this client.
    pub(super) fn is_unknown_route(&self) -> bool {
        matches!(self, Self::Api { status: 404 | 405, .. })
    }

    /// Says why, on stderr, a line for each thing that is wrong.
    pub(super) fn say(&self) {
        match self {
            Self::Api { lines, .. } => lines.iter().for_each(|said| eprintln!("dead-letter: {}", line(said))),
            Self::NoAnswer { message, .. }
            | Self::NotFound(message)
            | Self::Refused(message)
            | Self::Failed(message) => {
                eprintln!("dead-letter: {message}");
            }
            Self::Unread => {}
        }
    }

    /// The exit code's meaning.
    pub(super) fn ending(&self) -> Ending {
        match self {
            Self::Api { status: 404, .. } | Self::NotFound(_) => Ending::NotFound,
            Self::Api { status: 400 | 409..=422, .. } | Self::Refused(_) => Ending::Refused,
            Self::Api { .. } | Self::NoAnswer { .. } | Self::Failed(_) => Ending::Failed,
            Self::Unread => Ending::Done,
        }
    }
}
