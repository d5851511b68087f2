//! Tokens of Backstage: of users, as its proxy passes them on (`credentials: forward`), and of plugins that call on behalf of a user.
//!
//! The facts are from `@backstage/plugin-auth-backend` and `@backstage/backend-defaults`:
//!
//! | token | `typ` | claims | keys |
//! |---|---|---|---|
//! | of a user | `vnd.backstage.user` | `iss`, `sub` = `user:default/jane`, `aud` = `backstage` | `/api/auth/.well-known/jwks.json` |
//! | of a plugin | `vnd.backstage.plugin` | `sub` = calling plugin, `aud` = called plugin, `obo` = limited token of the user | `/api/<plugin>/.backstage/auth/v1/jwks.json` |
//! | limited | `vnd.backstage.limited-user` | `sub` | as of a user |

use reqwest::Url;
use serde::Deserialize;

use super::claims::{Expected, Header, verify};
use super::endpoint::{Endpoint, Plaintext};
use super::keys::{KeySet, Published};
use super::{Principal, Refused};

const USER: &str = "vnd.backstage.user";
const PLUGIN: &str = "vnd.backstage.plugin";
const LIMITED_USER: &str = "vnd.backstage.limited-user";
/// Audience of a user's token.
const AUDIENCE: &str = "backstage";
/// The plugin that we are: audience of a plugin's token, and the only plugin that may call, as its own backend.
const OUR_PLUGIN: &str = "dead-letter";

/// The Backstage whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Backstage {
    issuer: String,
    users: KeySet,
    plugin: KeySet,
}

/// Whether Backstage issues tokens of this kind.
pub(super) fn issues(header: &Header) -> bool {
    header.typ.as_deref().is_some_and(|typ| typ.starts_with("vnd.backstage."))
}

#[derive(Deserialize)]
struct NoMore {}

#[derive(Deserialize)]
struct OnBehalfOf {
    obo: Option<String>,
}

impl Backstage {
    /// At this address, which must be as its `backend.baseUrl` says.
    pub fn new(base: &Url, plaintext: Plaintext) -> anyhow::Result<Self> {
        let (base, endpoint) = (base.as_str().trim_end_matches('/'), Endpoint::new(plaintext)?);
        let keys =
            |path: &str| KeySet::new(Published::At(format!("{base}/api/{path}").parse()?), endpoint.clone());
        Ok(Self {
            issuer: format!("{base}/api/auth"),
            users: keys("auth/.well-known/jwks.json")?,
            plugin: keys(&format!("{OUR_PLUGIN}/.backstage/auth/v1/jwks.json"))?,
        })
    }

    pub(super) async fn principal(&self, token: &str, header: &Header) -> Result<Principal, Refused> {
        let user = match header.typ.as_deref() {
            Some(USER) => self.user(token, header).await?,
            Some(PLUGIN) => self.on_behalf_of(token, header).await?,
            _ => return Err(Refused::Kind),
        };
        Ok(Principal { id: user.clone(), name: user })
    }

    async fn user(&self, token: &str, header: &Header) -> Result<String, Refused> {
        let key = self.users.key(header.key_id()?).await?;
        let expected = Expected { issuer: Some(&self.issuer), audience: Some(AUDIENCE) };
        let (user, NoMore {}) = verify(token, header, &key, expected)?;
        Ok(user)
    }

    async fn on_behalf_of(&self, token: &str, header: &Header) -> Result<String, Refused> {
        let key = self.plugin.key(header.key_id()?).await?;
        let expected = Expected { issuer: None, audience: Some(OUR_PLUGIN) };
        let (plugin, OnBehalfOf { obo }) = verify(token, header, &key, expected)?;
        let user_token = obo.filter(|_| plugin == OUR_PLUGIN).ok_or(Refused::Plugin)?;
        let header = Header::of(&user_token)?;
        if header.typ.as_deref() != Some(LIMITED_USER) {
            return Err(Refused::Kind);
        }
        let key = self.users.key(header.key_id()?).await?;
        let (user, NoMore {}) = verify(&user_token, &header, &key, Expected::default())?;
        Ok(user)
    }
}
