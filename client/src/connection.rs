//! Server and token: from flags, the environment, a profile, or a sign-in.

use std::net::IpAddr;
use std::sync::Arc;

use clap::Args;
use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::ending::Failure;
use crate::output::Output;
use crate::profile::{self, Profile};
use crate::sign_in::{SignIn, login_command};
use crate::token::Token;
use crate::zone::Zone;

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// Which server, and as whom.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct PlaceArgs {
    /// Server URL; by default that of the profile, otherwise `http://127.0.0.1:8080`
    #[arg(long, env = "DEAD_LETTER_SERVER", value_name = "URL", hide_env_values = true)]
    server: Option<String>,
    /// Profile in ~/.config/dead-letter/config.toml; by default `default`, if it exists. Flags and environment variables take
    /// precedence. The token of a profile is sent to the server of that profile only
    #[arg(long, env = "DEAD_LETTER_PROFILE", value_name = "NAME")]
    profile: Option<String>,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Access token; by default that of the profile, or that of `dead-letter login`. Prefer these or the environment variable:
    /// process lists show flags
    #[arg(long, env = "DEAD_LETTER_TOKEN", hide_env_values = true)]
    token: Option<Token>,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
    /// Show times in UTC instead of the local time zone; JSON is always in UTC
    #[arg(long)]
    utc: bool,
}

/// A server, and the profile that it was chosen by.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) server: Url,
    /// The name of the profile.
    pub(crate) name: String,
    pub(crate) profile: Profile,
    /// Whether the server is that of the profile. A profile without server means the default one.
    is_own: bool,
}

/// What is sent with each request.
#[derive(Clone, Debug)]
pub(crate) enum Authorization {
    None,
    Token(HeaderValue),
    SignIn(Arc<SignIn>),
}

#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) server: Url,
    pub(crate) authorization: Authorization,
    /// How to sign in.
    pub(crate) login: String,
}

impl PlaceArgs {
    /// Flags and environment take precedence over the profile.
    pub(crate) fn find(&self) -> Result<Place, Failure> {
        let profile = Profile::find(self.profile.as_deref())?;
        let parse = |text: &str| {
            Url::parse(text).map_err(|error| Failure::Refused(format!("Invalid server URL: {error}")))
        };
        let of_profile = parse(profile.server.as_deref().unwrap_or(DEFAULT_SERVER))?;
        let server = self.server.as_deref().map_or_else(|| Ok(of_profile.clone()), parse)?;
        if !matches!(server.scheme(), "http" | "https") {
            return Err(Failure::Refused("The server URL must start with http:// or https://.".into()));
        }
        let name = self.profile.as_deref().unwrap_or(profile::DEFAULT).to_owned();
        Ok(Place { is_own: of_profile == server, server, name, profile })
    }
}

impl Place {
    /// Refuses to send a token to this server if others could read it on the way.
    pub(crate) fn check_encrypted(&self) -> Result<(), Failure> {
        if is_private(&self.server) {
            return Ok(());
        }
        let message = format!("{} is not encrypted: a token is sent to https:// only.", self.server);
        Err(Failure::Refused(message))
    }

    /// The token of the profile, which must not be sent to another server.
    pub(crate) fn token(&self) -> Option<&Token> {
        self.profile.token.as_ref().filter(|_| self.is_own)
    }
}

impl ConnectionArgs {
    pub(crate) fn output(&self) -> Output {
        match (self.json, self.utc) {
            (true, _) => Output::Json,
            (false, true) => Output::Text(Zone::Utc),
            (false, false) => Output::Text(Zone::Local),
        }
    }

    /// A given token takes precedence over that of the profile, and this one over a sign-in.
    pub(crate) fn connection(&self) -> Result<Connection, Failure> {
        let place = self.place.find()?;
        let authorization = match self.token.as_ref().or_else(|| place.token()) {
            Some(token) => Authorization::Token(token.header()?),
            None => SignIn::of(&place)?
                .map_or(Authorization::None, |sign_in| Authorization::SignIn(sign_in.into())),
        };
        if !matches!(authorization, Authorization::None) {
            place.check_encrypted()?;
        }
        Ok(Connection { login: login_command(&place.name), server: place.server, authorization })
    }
}

/// Whether nobody can read on the way what is sent there: it is encrypted, or stays on this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
