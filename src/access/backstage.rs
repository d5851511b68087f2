//! Tokens of Backstage: of users, as its proxy passes them on (`credentials: forward`), and of plugins that call on behalf of a user.
//!
//! The facts are from `@backstage/plugin-auth-backend` and `@backstage/backend-defaults`:
//!
//! | token | `typ` | claims | keys |
//! |---|---|---|---|
//! | of a user | `vnd.backstage.user` | `iss`, `sub` = `user:default/jane`, `aud` = `backstage` | `/api/auth/.well-known/jwks.json` |
//! | of a plugin | `vnd.backstage.plugin` | `sub` = calling plugin, `aud` = called plugin, `obo` = limited token of the user | `/api/<plugin>/.backstage/auth/v1/jwks.json` |
//! | limited | `vnd.backstage.limited-user` | `sub` | as of a user |
//!
//! The groups of a user stand in the claim `ent` of its token. Limited tokens have none, and Backstage can leave it out of the others
//! (`auth.omitIdentityTokenOwnershipClaim`); then `/api/auth/v1/userinfo` tells them.

use std::sync::Arc;

use clap::ValueEnum;
use reqwest::Url;
use serde::Deserialize;

use super::claims::{Expected, Header, Verified, is_text, verify};
use super::decisions::{Asked, Decisions};
use super::keys::{KeySet, Published};
use super::user_info::UserInfo;
use super::{ANSWERS, Principal, Refused, Token, Undecided};
use crate::endpoint::Endpoint;
use crate::ownership::short_group;
use crate::tls::Tls;

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
    user_info: UserInfo,
    /// What it allows, if that counts.
    decisions: Option<Asked>,
}

/// Whether Backstage's permission policy counts for its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BackstagePermissions {
    /// Only the policy file counts
    Ignore,
    /// Users need the permission in Backstage and in the policy file
    Require,
}

/// Whether Backstage issues tokens of this kind.
pub(super) fn issues(header: &Header) -> bool {
    header.typ.as_deref().is_some_and(|typ| typ.starts_with("vnd.backstage."))
}

/// A user, and what Backstage says the user belongs to.
#[derive(Deserialize)]
struct Belongs {
    ent: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct OnBehalfOf {
    obo: Option<String>,
}

impl Backstage {
    /// At this address, which must be as its `backend.baseUrl` says.
    pub fn new(base: &Url, permissions: BackstagePermissions, tls: &Tls) -> anyhow::Result<Self> {
        let (base, endpoint) = (base.as_str().trim_end_matches('/'), Endpoint::new(tls, ANSWERS)?);
        let at = |path: &str| Ok::<Url, anyhow::Error>(format!("{base}/api/{path}").parse()?);
        let decisions = match permissions {
            BackstagePermissions::Ignore => None,
            BackstagePermissions::Require => {
                Some(Asked::new(at(&format!("{OUR_PLUGIN}/decisions"))?, &endpoint))
            }
        };
        let keys = |path: &str| KeySet::new(Published::At(at(path)?), endpoint.clone());
        Ok(Self {
            issuer: format!("{base}/api/auth"),
            users: keys("auth/.well-known/jwks.json")?,
            plugin: keys(&format!("{OUR_PLUGIN}/.backstage/auth/v1/jwks.json"))?,
            user_info: UserInfo::new(at("auth/v1/userinfo")?, endpoint.clone()),
            decisions,
        })
    }

    /// What its permission policy allows to a user of its own. `None`: it does not count.
    pub(super) async fn decisions(&self, user: &Principal) -> Result<Option<Arc<Decisions>>, Undecided> {
        let (Some(decisions), Some(token)) = (&self.decisions, &user.backstage) else { return Ok(None) };
        decisions.of(user, token.secret()).await.map(Some)
    }

    pub(super) async fn principal(&self, token: &str, header: &Header) -> Result<Principal, Refused> {
        let principal = match header.typ.as_deref() {
            Some(USER) => self.user(token, header).await,
            Some(PLUGIN) => self.on_behalf_of(token, header).await,
            _ => Err(Refused::Kind),
        }?;
        Ok(Principal { backstage: self.decisions.as_ref().map(|_| Token::new(token)), ..principal })
    }

    async fn user(&self, token: &str, header: &Header) -> Result<Principal, Refused> {
        let key = self.users.key(header.key_id()?).await?;
        let expected = Expected { issuer: Some(&self.issuer), audience: Some(AUDIENCE) };
        self.known(token, verify(token, header, &key, expected)?).await
    }

    async fn on_behalf_of(&self, token: &str, header: &Header) -> Result<Principal, Refused> {
        let key = self.plugin.key(header.key_id()?).await?;
        let expected = Expected { issuer: None, audience: Some(OUR_PLUGIN) };
        let Verified { subject: plugin, claims: OnBehalfOf { obo }, .. } =
            verify(token, header, &key, expected)?;
        let user_token = obo.filter(|_| plugin == OUR_PLUGIN).ok_or(Refused::Plugin)?;
        let header = Header::of(&user_token)?;
        if header.typ.as_deref() != Some(LIMITED_USER) {
            return Err(Refused::Kind);
        }
        let key = self.users.key(header.key_id()?).await?;
        self.known(&user_token, verify(&user_token, &header, &key, Expected::default())?).await
    }

    async fn known(&self, token: &str, verified: Verified<Belongs>) -> Result<Principal, Refused> {
        let Verified { subject, expires, claims: Belongs { ent } } = verified;
        let belongs_to = match ent {
            Some(belongs_to) => belongs_to,
            None => self.user_info.belongs_to(&subject, token).await.ok_or(Refused::NoGroups)?,
        };
        // The user is among these, too.
        let groups = belongs_to.iter().filter(|name| name.starts_with("group:") && is_text(name));
        Ok(Principal {
            groups: groups.map(|name| short_group(name)).collect(),
            id: subject.clone(),
            name: subject,
            expires,
            backstage: None,
        })
    }
}
