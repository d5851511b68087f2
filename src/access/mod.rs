//! Who is calling, and what they may do: a token becomes a [`Principal`], and the [`Policy`] says on which services it has a
//! [`Permission`], its [`Scope`] (R17).
//!
//! The form of a token decides which verifier reads it ([`Verifiers::principal`]). Verifiers are never tried one after the other,
//! so that a token refused by one cannot be accepted by another.

mod backstage;
mod claims;
mod decisions;
mod grants;
mod keys;
mod named;
mod oidc;
mod permission;
mod policy;
mod scope;
mod second_person;
mod signatures;
mod static_tokens;
#[cfg(test)]
mod tests;
mod user_info;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

pub use backstage::{Backstage, BackstagePermissions};
pub use grants::{Grants, Undecided};
pub use oidc::{Oidc, OidcSettings};
pub use permission::Permission;
pub use policy::{Policy, PolicyFile};
pub use scope::Scope;
pub use static_tokens::{StaticTokens, new_token};

use claims::Header;

use crate::endpoint::Limits;

/// Limits of what issuers answer.
const ANSWERS: Limits = Limits { timeout: Duration::from_secs(3), bytes: 256 << 10 };

/// A caller whose token was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Stable: `issuer|subject` of OIDC, `user:default/jane` of Backstage, `token:load-test`. This identifies the principal.
    pub id: String,
    /// As people know the principal. It may change and is not unique.
    pub name: String,
    /// The groups that it is in, in short: `payments` for Backstage's `group:default/payments`.
    pub groups: Vec<String>,
    /// When its token expires.
    pub expires: Option<DateTime<Utc>>,
    /// The token of a user of Backstage, with which Backstage is asked what it allows.
    pub backstage: Option<Token>,
}

/// A token that was verified. It is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

impl Token {
    fn new(token: &str) -> Self {
        Self(token.into())
    }

    fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Why a token was refused.
///
/// It is told to whoever sent the token, so it contains neither the token nor an address of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Neither a static token nor a JSON web token.
    Malformed,
    /// A kind of token that nothing here verifies.
    Kind,
    /// The algorithm is not one of the accepted ones, or not that of the key.
    Algorithm,
    /// The header demands extensions (`crit`), which are not supported.
    Extensions,
    /// The issuer has not published this key.
    UnknownKey,
    /// The issuer's keys cannot be fetched, and those fetched before are too old.
    NoKeys,
    /// The signature is not that of the key.
    Signature,
    /// A claim is missing or has the wrong type.
    Claims,
    /// `exp` is in the past.
    Expired,
    /// `nbf` or `iat` is in the future.
    Early,
    /// `exp` is more than a day ahead.
    TooLong,
    /// `iss` is another issuer.
    Issuer,
    /// `aud` does not contain our audience.
    Audience,
    /// `sub` is empty, too long, or contains control characters.
    Subject,
    /// No static token has this digest.
    UnknownToken,
    /// Backstage does not say which groups the user is in.
    NoGroups,
    /// A plugin token without a user (`obo`), or of a plugin that may not call.
    Plugin,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "The token is malformed.",
            Self::Kind => "Tokens of this kind are not accepted here.",
            Self::Algorithm => "The token's signing algorithm is not accepted.",
            Self::Extensions => "The token demands extensions that are not supported.",
            Self::UnknownKey => "The token's signing key is not known.",
            Self::NoKeys => "The token cannot be verified, because the issuer's signing keys are not available. Retry in 2 seconds.",
            Self::Signature => "The token's signature is not valid.",
            Self::Claims => "The token lacks a claim, or a claim has the wrong type.",
            Self::Expired => "The token has expired. Sign in again.",
            Self::Early => "The token is not valid yet.",
            Self::TooLong => "The token is valid for too long. At most a day is accepted.",
            Self::Issuer => "The token is from another issuer.",
            Self::Audience => "The token is for another audience.",
            Self::Subject => "The token's subject is not valid.",
            Self::UnknownToken => "The token is not known, or has expired.",
            Self::NoGroups => "The groups of the user cannot be read from Backstage. Retry later.",
            Self::Plugin => "The plugin token names no user, or its plugin may not call this service.",
        })
    }
}

/// Who may call, and what they may do.
#[derive(Clone, Debug)]
pub struct Access {
    /// What verifies tokens.
    pub verifiers: Verifiers,
    /// Callers without a token, where tokens can be verified.
    pub anonymous: Anonymous,
    /// What is granted. Without a policy everybody may do everything.
    pub policy: Option<PolicyFile>,
}

impl Access {
    /// Whether callers without a token are refused.
    pub fn is_token_required(&self) -> bool {
        !self.verifiers.is_empty() && self.anonymous == Anonymous::Refused
    }
}

/// What happens to callers without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anonymous {
    /// They may do what the policy grants to `anonymous`.
    Allowed,
    /// They are refused.
    Refused,
}

/// Everything that verifies tokens; several at once.
#[derive(Clone, Debug, Default)]
pub struct Verifiers {
    /// Bearer tokens of an OIDC provider.
    pub oidc: Option<Oidc>,
    /// Tokens of Backstage's users and plugins.
    pub backstage: Option<Backstage>,
    /// Tokens for scripts.
    pub tokens: Option<StaticTokens>,
}

impl Verifiers {
    /// Whether nobody can sign in.
    pub fn is_empty(&self) -> bool {
        self.oidc.is_none() && self.backstage.is_none() && self.tokens.is_none()
    }

    /// Whose token this is.
    pub async fn principal(&self, token: &str) -> Result<Principal, Refused> {
        if static_tokens::has_form(token) {
            return self.tokens.as_ref().ok_or(Refused::Kind)?.principal(token);
        }
        let header = Header::of(token)?;
        if backstage::issues(&header) {
            return self.backstage.as_ref().ok_or(Refused::Kind)?.principal(token, &header).await;
        }
        self.oidc.as_ref().ok_or(Refused::Kind)?.principal(token, &header).await
    }
}
