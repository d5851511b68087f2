//! Settings of authentication.

use std::path::PathBuf;

use clap::Args;
use reqwest::Url;

use super::YesNo;
use crate::access::{
    Anonymous, Authentication, Backstage, Oidc, OidcSettings, Plaintext, StaticTokens, Verifiers,
};

/// Whose tokens are accepted. Without any of these nobody has to sign in.
#[derive(Args, Clone, Debug)]
pub struct AccessConfig {
    /// Issuer of OIDC bearer tokens, exactly as in their claim `iss`: `https://id.example.com/realms/bank`
    #[arg(long, env = "DEAD_LETTER_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,
    /// Audience that OIDC tokens must have in their claim `aud`
    #[arg(long, env = "DEAD_LETTER_OIDC_AUDIENCE", default_value = "dead-letter")]
    pub oidc_audience: String,
    /// Backstage's `backend.baseUrl`. Accepts the tokens of Backstage's users, and those that its backend plugin `dead-letter` sends on
    /// behalf of users
    #[arg(long, env = "DEAD_LETTER_BACKSTAGE_URL", hide_env_values = true)]
    pub backstage_url: Option<Url>,
    /// YAML file with the digests of tokens for scripts (`dead-letter token new`). Changes take effect without a restart
    #[arg(long, env = "DEAD_LETTER_TOKENS_FILE")]
    pub tokens_file: Option<PathBuf>,
    /// `yes` allows plain-text connections to issuers on other machines
    #[arg(long, env = "DEAD_LETTER_PLAINTEXT", value_enum, default_value = "no")]
    pub plaintext: YesNo,
}

impl AccessConfig {
    /// Whether somebody can sign in.
    pub fn is_configured(&self) -> bool {
        self.oidc_issuer.is_some() || self.backstage_url.is_some() || self.tokens_file.is_some()
    }

    /// Who may call.
    pub fn authentication(&self, unauthenticated: YesNo) -> anyhow::Result<Authentication> {
        let plaintext = match self.plaintext {
            YesNo::Yes => Plaintext::Allowed,
            YesNo::No => Plaintext::Loopback,
        };
        let settings = |issuer: &String| OidcSettings {
            issuer: issuer.clone(),
            audience: self.oidc_audience.clone(),
            plaintext,
        };
        let anonymous = match unauthenticated {
            YesNo::Yes => Anonymous::Allowed,
            YesNo::No => Anonymous::Refused,
        };
        let verifiers = Verifiers {
            oidc: self.oidc_issuer.as_ref().map(|issuer| Oidc::new(settings(issuer))).transpose()?,
            backstage: self.backstage_url.as_ref().map(|url| Backstage::new(url, plaintext)).transpose()?,
            tokens: self.tokens_file.as_deref().map(StaticTokens::open).transpose()?,
        };
        Ok(Authentication { verifiers, anonymous })
    }
}
