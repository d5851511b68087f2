//! Bearer tokens of an OIDC provider: access tokens or id tokens that are JSON web tokens.

use serde_json::Value;

use super::claims::{Expected, Header, Verified, is_text, verify};
use super::keys::{KeySet, Published};
use super::{ANSWERS, Principal, Refused};
use crate::endpoint::Endpoint;
use crate::ownership::short_group;
use crate::tls::Tls;

/// `typ` of such tokens: RFC 7519 and RFC 9068; some providers leave it out.
const TYPES: [&str; 3] = ["JWT", "at+jwt", "application/at+jwt"];

/// What is configured.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The issuer, exactly as its tokens and its discovery document name it.
    pub issuer: String,
    /// What tokens for this service have in `aud`.
    pub audience: String,
    /// The claim that lists the groups of a user. Dots lead into objects: `realm_access.roles`.
    pub groups_claim: String,
    /// How the issuer is reached.
    pub tls: Tls,
}

/// The provider whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct Oidc {
    settings: OidcSettings,
    keys: KeySet,
}

/// The claims that may have a name for people, the best first.
const NAMES: [&str; 3] = ["preferred_username", "email", "name"];

impl Oidc {
    /// An error if the issuer is not an address to trust. It is asked when the first token comes.
    pub fn new(settings: OidcSettings) -> anyhow::Result<Self> {
        let endpoint = Endpoint::new(&settings.tls, ANSWERS)?;
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
        let OidcSettings { issuer, audience, groups_claim, .. } = &self.settings;
        let expected = Expected { issuer: Some(issuer), audience: Some(audience) };
        let Verified { subject, expires, claims } = verify::<Value>(token, header, &key, expected)?;
        let mut names = NAMES.iter().filter_map(|name| claims[name].as_str());
        let name = names.find(|name| is_text(name)).unwrap_or(&subject).to_owned();
        let groups = groups(&claims, groups_claim);
        Ok(Principal { id: format!("{issuer}|{subject}"), name, groups, expires, backstage: None })
    }
}

/// The groups that a claim lists: an array of names, or a single one.
fn groups(claims: &Value, path: &str) -> Vec<String> {
    // A claim may have dots in its own name, as addresses do.
    let claim = claims.get(path).or_else(|| path.split('.').try_fold(claims, |claim, name| claim.get(name)));
    let names = match claim {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name.as_str()],
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| is_text(name)).map(short_group).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_stand_where_the_provider_puts_them() {
        let claims = json!({
            "groups": ["/payments", "group:default/loans", 7, "a\nb", ""],
            "https://bank/groups": "cards",
            "realm_access": {"roles": ["oncall"]},
        });
        for (path, expected) in [
            ("groups", vec!["payments", "loans"]),
            ("https://bank/groups", vec!["cards"]),
            ("realm_access.roles", vec!["oncall"]),
            ("realm_access", vec![]),
            ("nothing.here", vec![]),
        ] {
            assert_eq!(groups(&claims, path), expected, "{path}");
        }
    }
}
