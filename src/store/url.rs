//! `DATABASE_URL`, checked before the service waits for a database that it cannot lead to.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use tracing::warn;

use super::StoreError;

/// The parameters that mean something to the client library.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Reads the URL. What it says of itself never holds anything of it but names: there is a password in it (rule R14).
pub(super) fn read(url: &str) -> Result<PgConnectOptions, StoreError> {
    let wrong = |why: &str| StoreError::Unusable(format!("DATABASE_URL is not valid: {why}"));
    let rest = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "postgres" | "postgresql"));
    let Some((scheme, rest)) = rest else {
        return Err(wrong("it does not begin with postgres:// or postgresql://"));
    };
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = address.split('/').next().unwrap_or_default();
    let hosts = authority.rsplit('@').next().unwrap_or_default();
    let is_many = |(name, value): (&str, &str)| {
        matches!(name, "host" | "hostaddr" | "port") && (value.contains(',') || value.contains("%2C"))
    };
    let pairs = || query.split('&').filter(|pair| !pair.is_empty());
    if hosts.contains(',') || pairs().filter_map(|pair| pair.split_once('=')).any(is_many) {
        return Err(wrong(
            "it names several hosts. Name one, or a name or a proxy that leads to the server that takes writes",
        ));
    }
    let is_known = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        PARAMETERS.contains(&name) || name.starts_with("options[")
    };
    for ignored in pairs().filter(|pair| !is_known(pair)) {
        warn!(parameter = ignored.split('=').next(), "DATABASE_URL has a parameter that is ignored");
    }
    let known: Vec<_> = pairs().filter(is_known).collect();
    let url = format!("{scheme}://{address}?{}", known.join("&"));
    PgConnectOptions::from_str(&url).map_err(|error| match error {
        sqlx::Error::Configuration(why) => wrong(&why.to_string()),
        other => wrong(&other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        let several = "several hosts";
        let wrong = [
            ("", "postgres://"),
            ("mysql://u:secret@h/d", "postgres://"),
            ("postgres://u:secret@a,b/d?target_session_attrs=read-write", several),
            ("postgres://u:secret@a:1,b:2/d", several),
            ("postgresql://u:secret@/d?host=a,b", several),
            ("postgresql://u:secret@/d?host=a%2Cb&port=1", several),
            ("postgres://u:secret@h:port/d", "port"),
            ("postgres://u:secret@h/d?sslmode=perhaps", "perhaps"),
        ];
        for (url, part) in wrong {
            let error = read(url).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("DATABASE_URL"), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn one_host_is_read_and_what_the_library_does_not_know_is_left_out() {
        let url =
            "postgres://u:a,b%40c@h:5/d?connect_timeout=3&application_name=x&target_session_attrs=read-write";
        let options = read(url).unwrap();
        assert_eq!((options.get_host(), options.get_port(), options.get_database()), ("h", 5, Some("d")));
        assert_eq!(options.get_application_name(), Some("x"));
        assert!(read("postgres://").is_ok(), "all of it by default");
    }
}
