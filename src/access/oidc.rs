//! Bearer tokens of an OIDC provider: access tokens or id tokens that are JSON web tokens.

use serde::Deserialize;

use super::claims::{Expected, Header, is_text, verify};
use super::endpoint::{Endpoint, Plaintext};
use super::keys::{KeySet, Published};
use super::{Principal, Refused};

/// `typ` of such tokens: RFC 7519 and RFC 9068; some providers leave it out.
const TYPES: [&str; 3] = ["JWT", "at+jwt", "application/at+jwt"];

/// What is configured.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The issuer, exactly as its tokens and its discovery document name it.
    pub issuer: String,
    /// What tokens for this service have in `aud`.
    pub audience: String,
    /// Whether plain text to other machines was allowed.
    pub plaintext: Plaintext,
}

/// The provider whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Oidc {
    settings: OidcSettings,
    keys: KeySet,
}

/// The names that a token may have for people.
#[derive(Deserialize)]
struct Names {
    preferred_username: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

impl Oidc {
    /// An error if the issuer is not an address to trust. It is asked when the first token comes.
    pub fn new(settings: OidcSettings) -> anyhow::Result<Self> {
        let endpoint = Endpoint::new(settings.plaintext)?;
        let keys = KeySet::new(Published::ByDiscovery(settings.issuer.clone()), endpoint)?;
        Ok(Self { settings, keys })
    }

    /// As after the pause between two requests for keys.
    #[cfg(test)]
    pub(super) async fn forget_when_asked(&self) {
        self.keys.forget_when_asked().await;
    }

    pub(super) async fn principal(&self, token: &str, header: &Header) -> Result<Principal, Refused> {
        if header.typ.as_deref().is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ)))
        {
            return Err(Refused::Kind);
        }
        let key = self.keys.key(header.key_id()?).await?;
        let OidcSettings { issuer, audience, .. } = &self.settings;
        let expected = Expected { issuer: Some(issuer), audience: Some(audience) };
        let (subject, names): (String, Names) = verify(token, header, &key, expected)?;
        let names = [names.preferred_username, names.email, names.name];
        let name = names.into_iter().flatten().find(|name| is_text(name));
        Ok(Principal { id: format!("{issuer}|{subject}"), name: name.unwrap_or(subject) })
    }
}
