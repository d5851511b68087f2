//! Settings of the console.

use clap::Args;

/// How people sign in to the console with the OIDC issuer.
#[derive(Args, Clone, Debug)]
pub struct ConsoleConfig {
    /// Name of this installation, which the console shows, such as `Production`
    #[arg(long, env = "DEAD_LETTER_CONSOLE_TITLE")]
    pub console_title: Option<String>,
    /// Client id of the console at the OIDC issuer
    #[arg(long, env = "DEAD_LETTER_CONSOLE_CLIENT_ID", default_value = "dead-letter-console")]
    pub console_client_id: String,
    /// Scopes that the console asks the OIDC issuer for, separated by spaces
    #[arg(long, env = "DEAD_LETTER_CONSOLE_SCOPE", default_value = "openid profile offline_access")]
    pub console_scope: String,
    /// Resource that the console asks the OIDC issuer for (RFC 8707), for issuers that need it
    #[arg(long, env = "DEAD_LETTER_CONSOLE_RESOURCE")]
    pub console_resource: Option<String>,
    /// Audience that the console asks the OIDC issuer for, for issuers that need it, as Auth0 does
    #[arg(long, env = "DEAD_LETTER_CONSOLE_AUDIENCE")]
    pub console_audience: Option<String>,
}
