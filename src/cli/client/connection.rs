//! Which server, and who we are: flags, environment, or a profile.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde::Deserialize;

use super::ending::Failure;
use super::output::Output;
use super::zone::Zone;

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";
const DEFAULT_PROFILE: &str = "default";

/// Where the server is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// URL of the server; `http://127.0.0.1:8080` where nothing else says
    #[arg(long, env = "DEAD_LETTER_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Token to send; better in the environment or in a profile, where no process list shows it
    #[arg(long, env = "DEAD_LETTER_TOKEN", hide_env_values = true)]
    token: Option<Token>,
    /// Profile in ~/.config/dead-letter/config.toml; `default` where there is one. Flags and environment win, and its token
    /// goes to its own server only
    #[arg(long, env = "DEAD_LETTER_PROFILE", value_name = "NAME")]
    profile: Option<String>,
    /// Print the API's JSON
    #[arg(long)]
    json: bool,
    /// Show times in UTC, not in the time zone of this machine; JSON always has UTC
    #[arg(long)]
    utc: bool,
}

/// What is not to be seen by anybody. Any text is one at first: clap would print those that are none.
#[derive(Clone)]
pub(super) struct Token(String);

impl FromStr for Token {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl Token {
    fn header(&self) -> Result<HeaderValue, Failure> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.0))
            .map_err(|_| Failure::Refused("a token has visible ASCII characters only".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

/// The server to ask, and as whom.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) server: Url,
    pub(super) authorization: Option<HeaderValue>,
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
    /// For whom to print.
    pub(super) fn output(&self) -> Output {
        match (self.json, self.utc) {
            (true, _) => Output::Json,
            (false, true) => Output::Text(Zone::Utc),
            (false, false) => Output::Text(Zone::Local),
        }
    }

    /// Flags and environment first, then the profile.
    pub(super) fn connection(&self) -> Result<Connection, Failure> {
        let profile = self.profile()?;
        let parse = |text: &str| {
            Url::parse(text).map_err(|error| Failure::Refused(format!("the server's URL is none: {error}")))
        };
        let of_profile = profile.server.as_deref().map(parse).transpose()?;
        let given = self.server.as_deref().map(parse).transpose()?;
        let server = match given.or_else(|| of_profile.clone()) {
            Some(server) => server,
            None => parse(DEFAULT_SERVER)?,
        };
        if !matches!(server.scheme(), "http" | "https") {
            return Err(Failure::Refused("the server's URL must begin with http:// or https://".into()));
        }
        // A token is for the server that it was noted with, and is not to be shown to another.
        let noted = profile.token.filter(|_| of_profile.is_none_or(|url| url == server));
        let token = self.token.clone().or(noted.map(Token));
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
                Err(Failure::Refused(format!("there is no profile {name} in {}", path.display())))
            }
        }
    }
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
        Err(error) => return Err(Failure::Refused(format!("{} cannot be read: {error}", path.display()))),
    };
    // The parser's own message quotes the file, which has tokens.
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let number = before.matches('\n').count() + 1;
        Failure::Refused(format!(
            "{}, line {number}: is not as it should be: [profiles.NAME], then server = \"URL\" and token = \"TOKEN\"",
            path.display()
        ))
    })
}
