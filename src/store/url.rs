//! `DATABASE_URL`, checked before the service waits for a database that it cannot lead to.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tracing::warn;

use super::StoreError;
use crate::tls::{ClientFiles, Tls};

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

/// Reads the URL, for connections that are verified unless the server is on this machine or plain text was allowed (R18).
pub(super) fn secured(url: &str, tls: &Tls) -> Result<PgConnectOptions, StoreError> {
    let mut options = read(url)?;
    let is_local = options.get_socket().is_some() || options.get_host().starts_with('/');
    let names_mode = url.split_once('?').is_some_and(|(_, query)| {
        query.split('&').any(|pair| pair.starts_with("sslmode=") || pair.starts_with("ssl-mode="))
    });
    if !is_local && !tls.allows_plaintext(options.get_host()) {
        if names_mode && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull) {
            return Err(StoreError::Unusable(
                "DATABASE_URL is not valid: only sslmode=verify-full verifies the server. Leave sslmode out, or allow others with \
                 DEAD_LETTER_PLAINTEXT=database"
                    .into(),
            ));
        }
        options = options.ssl_mode(PgSslMode::VerifyFull);
    }
    if let Some(file) = &tls.ca_file {
        options = options.ssl_root_cert(file);
    }
    if let Some(ClientFiles { certificate, key }) = &tls.client {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    Ok(options)
}

/// Reads the URL. What it says of itself never holds anything of it but names: there is a password in it (rule R14).
fn read(url: &str) -> Result<PgConnectOptions, StoreError> {
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
    use crate::tls::Plaintext;

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
    fn servers_on_other_machines_are_verified() {
        let mode =
            |url: &str, tls: &Tls| secured(url, tls).map(|options| format!("{:?}", options.get_ssl_mode()));
        let strict = Tls::default();
        let loose = Tls { plaintext: Plaintext::Allowed, ..Tls::default() };
        for url in ["postgres://db.example/d", "postgres://10.0.0.1/d?sslmode=verify-full"] {
            assert_eq!(mode(url, &strict).unwrap(), "VerifyFull", "{url}");
        }
        for (url, expected) in [
            ("postgres://localhost/d", "Prefer"),
            ("postgres://127.0.0.1/d?sslmode=disable", "Disable"),
            ("postgres:///d?host=/var/run/postgresql", "Prefer"),
        ] {
            assert_eq!(mode(url, &strict).unwrap(), expected, "{url}");
        }
        for wrong in ["disable", "allow", "prefer", "require", "verify-ca"] {
            for name in ["sslmode", "ssl-mode"] {
                let url = format!("postgres://u:secret@db.example/d?{name}={wrong}");
                let error = mode(&url, &strict).unwrap_err().to_string();
                assert!(
                    error.contains("DEAD_LETTER_PLAINTEXT=database") && !error.contains("secret"),
                    "{error}"
                );
                assert!(mode(&url, &loose).is_ok());
            }
        }
        assert_eq!(mode("postgres://db.example/d", &loose).unwrap(), "Prefer");
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
