//! Settings of authentication.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use reqwest::Url;

use super::YesNo;
use crate::access::{
    Access, Anonymous, Backstage, BackstagePermissions, Oidc, OidcSettings, Policy, StaticTokens, Verifiers,
};
use crate::tls::Tls;

/// Whose tokens are accepted, and what callers may do. Without any of these nobody has to sign in.
#[derive(Args, Clone, Debug)]
pub struct AccessConfig {
    /// Issuer of OIDC bearer tokens, exactly as in their claim `iss`: `https://id.example.com/realms/bank`
    #[arg(long, env = "DEAD_LETTER_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,
    /// Audience that OIDC tokens must have in their claim `aud`
    #[arg(long, env = "DEAD_LETTER_OIDC_AUDIENCE", default_value = "dead-letter")]
    pub oidc_audience: String,
    /// Claim of OIDC tokens that lists the groups of a user, such as `groups` or `realm_access.roles`
    #[arg(long, env = "DEAD_LETTER_OIDC_GROUPS_CLAIM", default_value = "groups")]
    pub oidc_groups_claim: String,
    /// Backstage's `backend.baseUrl`. Accepts the tokens of Backstage's users, and those that its backend plugin `dead-letter` sends on
    /// behalf of users
    #[arg(long, env = "DEAD_LETTER_BACKSTAGE_URL", hide_env_values = true)]
    pub backstage_url: Option<Url>,
    /// Whether users of Backstage also need the permission in Backstage. `require` needs its backend plugin `dead-letter`
    #[arg(long, env = "DEAD_LETTER_BACKSTAGE_PERMISSIONS", value_enum, default_value = "ignore")]
    pub backstage_permissions: BackstagePermissions,
    /// YAML file with the digests of tokens for scripts (`dead-letter token new`). Changes take effect without a restart
    #[arg(long, env = "DEAD_LETTER_TOKENS_FILE")]
    pub tokens_file: Option<PathBuf>,
    /// YAML file that says who may do what. Needed as soon as callers sign in. Changes take effect without a restart
    #[arg(long, env = "DEAD_LETTER_POLICY_FILE")]
    pub policy_file: Option<PathBuf>,
}

impl AccessConfig {
    /// Whether somebody can sign in.
    pub fn is_configured(&self) -> bool {
        self.oidc_issuer.is_some() || self.backstage_url.is_some() || self.tokens_file.is_some()
    }

    /// Who may call, and what they may do.
    pub fn access(&self, unauthenticated: YesNo, tls: &Tls) -> anyhow::Result<Access> {
        ensure!(
            self.policy_file.is_some() || !self.is_configured() || unauthenticated == YesNo::Yes,
            "callers can sign in, but nobody may do anything yet. Set DEAD_LETTER_POLICY_FILE to a file that says who may do what. This \
             one allows everything to whoever has signed in:\n\n\
             grants:\n  - {{to: [everyone], on: everything, may: [everything]}}\n"
        );
        ensure!(
            self.backstage_url.is_some() || self.backstage_permissions == BackstagePermissions::Ignore,
            "DEAD_LETTER_BACKSTAGE_PERMISSIONS=require needs DEAD_LETTER_BACKSTAGE_URL"
        );
        let anonymous = match unauthenticated {
            YesNo::Yes => Anonymous::Allowed,
            YesNo::No => Anonymous::Refused,
        };
        let verifiers = Verifiers {
            oidc: self.oidc(tls)?,
            backstage: self.backstage(tls)?,
            tokens: self.tokens_file.as_deref().map(StaticTokens::open).transpose()?,
        };
        let policy = self.policy_file.as_deref().map(Policy::open).transpose()?;
        Ok(Access { verifiers, anonymous, policy })
    }

    /// Each part of [`Self::access`] by the name of its setting, to tell every fault and not only the first.
    pub fn checks(&self, tls: &Tls) -> [(&'static str, anyhow::Result<()>); 4] {
        let tokens = || self.tokens_file.as_deref().map(StaticTokens::open).transpose();
        let policy = || self.policy_file.as_deref().map(Policy::open).transpose();
        [
            ("DEAD_LETTER_OIDC_ISSUER", self.oidc(tls).map(drop)),
            ("DEAD_LETTER_BACKSTAGE_URL", self.backstage(tls).map(drop)),
            ("DEAD_LETTER_TOKENS_FILE", tokens().map(drop)),
            ("DEAD_LETTER_POLICY_FILE", policy().map(drop)),
        ]
    }

    fn oidc(&self, tls: &Tls) -> anyhow::Result<Option<Oidc>> {
        let settings = |issuer: &String| OidcSettings {
            issuer: issuer.clone(),
            audience: self.oidc_audience.clone(),
            groups_claim: self.oidc_groups_claim.clone(),
            tls: tls.clone(),
        };
        self.oidc_issuer.as_ref().map(|issuer| Oidc::new(settings(issuer))).transpose()
    }

    fn backstage(&self, tls: &Tls) -> anyhow::Result<Option<Backstage>> {
        let backstage = |url| Backstage::new(url, self.backstage_permissions, tls);
        self.backstage_url.as_ref().map(backstage).transpose()
    }
}
