//! What is said when something goes wrong.

use tracing_subscriber::EnvFilter;

/// Sends the libraries' log lines to stderr, if `RUST_LOG` asks for them.
///
/// Otherwise they are silent: these programs tell of every error themselves, and lapin prints a returned message with
/// all that is in it.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// An error with its causes, without those that it repeats already, as lapin's and reqwest's do.
pub fn brief(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    #[test]
    fn nothing_is_said_twice() {
        let error = anyhow!("refused").context("no connection: refused").context("cannot publish");
        assert_eq!(super::brief(&error), "cannot publish: no connection: refused");
    }
}
