//! How a command ends: its exit code, and the reason that is printed if it fails.

use std::process::ExitCode;
use std::time::Duration;

use crate::text::line;

/// Below the help of every client command.
pub(crate) const AFTER_HELP: &str = "\
Exit codes:
  0    done
  1    failed: the server did not answer, returned an error, or denied access
  2    invalid request, or not confirmed
  3    not found; `ls`: nothing is stored of this service
  4    the operation failed or ended with problems: messages were refused, skipped, or died again; `gate`: the rollout must stop
  5    the operation was cancelled, or is paused; `gate`: not decided yet
  130  interrupted with Ctrl-C; a started operation continues on the server

Server and token can also be set in a profile, in ~/.config/dead-letter/config.toml:
  [profiles.default]
  server = \"https://dead-letter.example.com\"
  token = \"...\"

Instead of a token, `dead-letter login` signs in with an OIDC issuer.";

/// How a command ended, with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
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

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The API answered with an error.
    Api {
        status: u16,
        lines: Vec<String>,
        /// When the request may be repeated without harm, if there were too many.
        retry_after: Option<Duration>,
    },
    /// There was no answer. The request may still have arrived, unless the connection failed.
    NoAnswer {
        message: String,
        connected: bool,
    },
    NotFound(String),
    /// The command line is invalid, or the confirmation was declined.
    Refused(String),
    /// Anything else.
    Failed(String),
    /// The reader of stdout has closed it, as in `dead-letter ls | head`.
    BrokenPipe,
}

impl Failure {
    /// Whether a retry of the same request may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::NoAnswer { .. } | Self::Api { status: 502..=504, .. })
    }

    /// Whether the server does not have this route, because it is older than this client.
    pub(crate) fn is_unknown_route(&self) -> bool {
        matches!(self, Self::Api { status: 404 | 405, .. })
    }

    /// Prints the reason to stderr, one line per problem.
    pub(crate) fn print(&self) {
        match self {
            Self::Api { lines, .. } => {
                for text in lines {
                    crate::remark_line!("dead-letter: {}", line(text));
                }
            }
            Self::NoAnswer { message, .. }
            | Self::NotFound(message)
            | Self::Refused(message)
            | Self::Failed(message) => {
                crate::remark_line!("dead-letter: {message}");
            }
            Self::BrokenPipe => {}
        }
    }

    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Api { status: 404, .. } | Self::NotFound(_) => Ending::NotFound,
            Self::Api { status: 400 | 409..=422, .. } | Self::Refused(_) => Ending::Refused,
            Self::Api { .. } | Self::NoAnswer { .. } | Self::Failed(_) => Ending::Failed,
            Self::BrokenPipe => Ending::Done,
        }
    }
}
