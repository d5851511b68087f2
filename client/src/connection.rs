//! Server and token: from flags, the environment, or a profile.

use std::convert::Infallible;
use std::fmt;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use crate::ending::Failure;
use crate::output::Output;
use crate::zone::Zone;

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
const DEFAULT_PROFILE: &str = "default";

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Server URL; by default that of the profile, otherwise `http://127.0.0.1:8080`
    #[arg(long, env = "DEAD_LETTER_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Access token. Prefer the environment variable or a profile: process lists show flags
    #[arg(long, env = "DEAD_LETTER_TOKEN", hide_env_values = true)]
    token: Option<Token>,
    /// Profile in ~/.config/dead-letter/config.toml; by default `default`, if it exists. Flags and environment variables take
    /// precedence. The token of a profile is sent to the server of that profile only
    #[arg(long, env = "DEAD_LETTER_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
    /// Show times in UTC instead of the local time zone; JSON is always in UTC
    #[arg(long)]
    utc: bool,
}

/// A secret. Parsing accepts any text, because clap would print a text that it rejects. [`Token::header`] validates it.
#[derive(Clone)]
pub(crate) struct Token(String);

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl Token {
    fn header(&self) -> Result<HeaderValue, Failure> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| Failure::Refused("The token may contain visible ASCII characters only.".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) server: Url,
    pub(crate) authorization: Option<HeaderValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    profiles: std::collections::BTreeMap<String, Profile>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    server: Option<String>,
    token: Option<String>,
}

impl ConnectionArgs {
    pub(crate) fn output(&self) -> Output {
        match (self.json, self.utc) {
            (true, _) => Output::Json,
            (false, true) => Output::Text(Zone::Utc),
            (false, false) => Output::Text(Zone::Local),
        }
    }

    /// Flags and environment take precedence over the profile.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        let profile = self.profile()?;
        let parse = |text: &str| {
            Url::parse(text).map_err(|error| Failure::Refused(format!("Invalid server URL: {error}")))
        };
        let profile_server = profile.server.as_deref().map(parse).transpose()?;
        let given = self.server.as_deref().map(parse).transpose()?;
        let server = match given.or_else(|| profile_server.clone()) {
            Some(server) => server,
            None => parse(DEFAULT_SERVER)?,
        };
        if !matches!(server.scheme(), "http" | "https") {
            return Err(Failure::Refused("The server URL must start with http:// or https://.".into()));
        }
        // The token of a profile must not be sent to another server. A profile without server means the default one.
        let own_server = profile_server.map_or_else(|| parse(DEFAULT_SERVER), Ok)?;
        let profile_token = profile.token.filter(|_| own_server == server);
        let token = self.token.clone().or(profile_token.map(Token));
        if token.is_some() && server.scheme() == "http" && !is_loopback(&server) {
            return Err(Failure::Refused(format!(
                "{server} is not encrypted: a token is sent to https:// only."
            )));
        }
        Ok(Connection { server, authorization: token.as_ref().map(Token::header).transpose()? })
    }

    fn profile(&self) -> Result<Profile, Failure> {
        let name = self.profile.as_deref();
        let path = config_file();
        let config = path.as_deref().map(read).transpose()?.unwrap_or_default();
        match (config.profiles.get(name.unwrap_or(DEFAULT_PROFILE)), name) {
            (Some(profile), _) => Ok(profile.clone()),
            (None, None) => Ok(Profile::default()),
            (None, Some(name)) => {
                let path = path.unwrap_or_default();
                Err(Failure::Refused(format!("No profile {name} in {}.", path.display())))
            }
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A token in a file that others can read is not a secret.
fn check_mode(path: &Path, config: &Config) -> Result<(), Failure> {
    let has_token = config.profiles.values().any(|profile| profile.token.is_some());
    let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if has_token && mode & 0o077 != 0 {
        return Err(Failure::Refused(format!(
            "{} contains a token, and others can read it. Run: chmod 600 {}",
            path.display(),
            path.display()
        )));
    }
    Ok(())
}

fn config_file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("dead-letter/config.toml"))
}

fn read(path: &Path) -> Result<Config, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(Failure::Refused(format!("Cannot read {}: {error}", path.display()))),
    };
    // The parser's message quotes the file, which contains tokens.
    let config: Config = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        Failure::Refused(format!(
            "{}, line {number}: invalid profile. Expected [profiles.NAME] with server = \"URL\" and token = \"TOKEN\".",
            path.display()
        ))
    })?;
    check_mode(path, &config)?;
    Ok(config)
}
