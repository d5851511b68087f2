//! What the console has to know before anybody has signed in.

use serde::Serialize;

/// What the console is told before anybody has signed in.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleSettings {
    /// Name of this installation.
    pub title: Option<String>,
    /// Whether callers without a token are refused.
    pub sign_in_required: bool,
    /// Whether static tokens are accepted.
    pub tokens: bool,
    /// The issuer to sign in with.
    pub oidc: Option<ConsoleOidc>,
}

/// How to sign in with the OIDC issuer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsoleOidc {
    /// The issuer.
    pub issuer: String,
    /// The public client.
    pub client_id: String,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// RFC 8707.
    pub resource: Option<String>,
    /// The parameter of issuers such as Auth0.
    pub audience: Option<String>,
}
