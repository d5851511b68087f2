//! Errors of the broker.

use lapin::ErrorKind;
use thiserror::Error;

/// An error of the broker or of the connection to it.
#[derive(Clone, Debug, Error)]
pub enum AmqpError {
    /// The broker closed the channel or the connection, with a reason.
    #[error("the broker refused: {code} {text}")]
    Refused {
        /// AMQP's reply code, such as 404.
        code: u16,
        /// The broker's words.
        text: String,
    },
    /// The broker cannot be reached, or the connection broke.
    #[error("the broker is not available ({0})")]
    Unavailable(String),
    /// The source cannot be consumed without losing messages.
    #[error("{0}")]
    Unsuitable(String),
    /// The URL of a node is invalid.
    #[error("URL {number}: {why}")]
    Url {
        /// Its position, from 1.
        number: usize,
        /// The reason, without any part of the URL.
        why: String,
    },
    /// Certificates or a key cannot be read.
    #[error("{0}")]
    Tls(String),
    /// The broker is short of memory or disk space, and blocks all publishers.
    #[error("the broker blocks publishers ({0})")]
    Blocked(String),
}

impl AmqpError {
    /// Whether the queue or exchange does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    /// Whether the queue or exchange exists with other properties.
    pub(super) fn is_precondition_failed(&self) -> bool {
        matches!(self, Self::Refused { code: 406, .. })
    }
}

impl From<lapin::Error> for AmqpError {
    fn from(error: lapin::Error) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(refusal) => {
                Self::Refused { code: refusal.get_id(), text: refusal.get_message().to_string() }
            }
            ErrorKind::IOError(io) => Self::Unavailable(io.to_string()),
            // The parser's error may quote the message (rule R14).
            ErrorKind::ParsingError(_) => Self::Unavailable("a frame could not be read".into()),
            _ => Self::Unavailable(error.to_string()),
        }
    }
}
