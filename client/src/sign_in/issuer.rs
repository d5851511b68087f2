//! Requests to an OIDC issuer: verified, bounded, and never elsewhere.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::api::{innermost, without_secrets};
use crate::connection::is_private;
use crate::ending::Failure;
use crate::text::line;
use crate::token::Token;

/// Until an issuer has answered.
const ANSWER: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LARGEST_ANSWER: usize = 256 << 10;

/// What the discovery document says of an issuer: `OpenID` Connect Discovery 1.0, section 3, and RFC 8414, section 2.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    token_endpoint: String,
    device_authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
}

/// The error of an OAuth endpoint: RFC 6749, section 5.2.
#[derive(Debug, Deserialize)]
pub(super) struct OAuthError {
    pub(super) error: String,
    error_description: Option<String>,
}

/// The answer of the token endpoint: RFC 6749, section 5.1.
#[derive(Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(super) access_token: Token,
    pub(super) refresh_token: Option<Token>,
    /// Seconds.
    pub(super) expires_in: Option<u32>,
    pub(super) token_type: String,
}

/// An issuer that was found, and the client that asks it.
#[derive(Debug)]
pub(crate) struct Issuer {
    http: reqwest::Client,
    document: Document,
    client_id: String,
}

impl Tokens {
    /// When the access token expires, if the issuer tells.
    pub(super) fn end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.expires_in.map(|seconds| now + TimeDelta::seconds(seconds.into()))
    }
}

impl OAuthError {
    /// What people read: the description if there is one, in one line.
    pub(super) fn text(&self) -> String {
        line(self.error_description.as_deref().unwrap_or(&self.error))
    }
}

impl Issuer {
    /// Reads the discovery document. An error if the issuer is not one to trust with tokens: plain text to another machine, or
    /// a document of another issuer.
    pub(crate) async fn discover(issuer: &str, client_id: &str) -> Result<Self, Failure> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("dead-letter/", env!("CARGO_PKG_VERSION")))
            .timeout(ANSWER)
            // A redirect would be to an address that nobody configured.
            .redirect(Policy::none())
            .build()
            .map_err(|error| Failure::Failed(format!("Cannot create an HTTP client: {error}")))?;
        let url = endpoint(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
        let answer: Result<Document, _> = send(&url, http.get(url.clone())).await?;
        let document = answer.map_err(|error| refused(&url, &error))?;
        if document.issuer != issuer {
            return Err(Failure::Refused(format!(
                "{issuer} says that its name is {}. Give the issuer exactly so.",
                line(&document.issuer)
            )));
        }
        Ok(Self { http, document, client_id: client_id.to_owned() })
    }

    pub(super) fn name(&self) -> &str {
        &self.document.issuer
    }

    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Whether the issuer says that it has this scope.
    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.document.scopes_supported.iter().any(|supported| supported == scope)
    }

    /// Asks for a device code: RFC 8628, section 3.1.
    pub(super) async fn authorize_device<T: DeserializeOwned>(
        &self,
        pairs: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let Some(text) = &self.document.device_authorization_endpoint else {
            let issuer = line(&self.document.issuer);
            return Err(Failure::Failed(format!(
                "{issuer} does not offer sign-in by device code (device_authorization_endpoint)."
            )));
        };
        let url = endpoint(text)?;
        self.post(&url, pairs).await?.map_err(|error| refused(&url, &error))
    }

    /// Asks for tokens: RFC 6749, section 3.2. The inner error is the issuer's.
    pub(super) async fn tokens(&self, pairs: &[(&str, &str)]) -> Result<Result<Tokens, OAuthError>, Failure> {
        let url = endpoint(&self.document.token_endpoint)?;
        let answer: Result<Tokens, _> = self.post(&url, pairs).await?;
        match answer {
            Ok(tokens) if !tokens.token_type.eq_ignore_ascii_case("bearer") => Err(Failure::Failed(format!(
                "{} answered with a token that is not a bearer token.",
                name(&url)
            ))),
            answer => Ok(answer),
        }
    }

    /// Renews tokens: RFC 6749, section 6.
    pub(super) async fn refresh(&self, token: &Token) -> Result<Result<Tokens, OAuthError>, Failure> {
        self.tokens(&[("grant_type", "refresh_token"), ("refresh_token", token.secret())]).await
    }

    /// Withdraws a refresh token: RFC 7009, section 2.1. `false` if the issuer cannot.
    pub(super) async fn revoke(&self, token: &Token) -> Result<bool, Failure> {
        let Some(text) = &self.document.revocation_endpoint else { return Ok(false) };
        let url = endpoint(text)?;
        let pairs = [("token", token.secret()), ("token_type_hint", "refresh_token")];
        let (status, body) = exchange(&url, self.form(&url, &pairs)?).await?;
        // The body of a success is empty, or of no interest.
        if status.is_success() { Ok(true) } else { Err(unexpected(&url, status, &body)) }
    }

    async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        pairs: &[(&str, &str)],
    ) -> Result<Result<T, OAuthError>, Failure> {
        send(url, self.form(url, pairs)?).await
    }

    /// A form of a public client: it names itself, and has no secret.
    fn form(&self, url: &Url, pairs: &[(&str, &str)]) -> Result<RequestBuilder, Failure> {
        let pairs = [&[("client_id", &*self.client_id)], pairs].concat();
        let body = serde_html_form::to_string(pairs)
            .map_err(|error| Failure::Failed(format!("Cannot encode a form: {error}")))?;
        let request = self.http.post(url.clone());
        Ok(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body))
    }
}

/// Refuses addresses whose answers anybody on the way could have written.
pub(super) fn endpoint(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text)
        .map_err(|error| Failure::Refused(format!("{} is not the URL of an issuer: {error}", line(text))))?;
    if is_private(&url) {
        return Ok(url);
    }
    Err(Failure::Refused(format!("{} is not encrypted: an issuer must have https:// addresses.", name(&url))))
}

fn name(url: &Url) -> String {
    line(&without_secrets(url.clone()))
}

/// What an endpoint answered: what was asked for, or an OAuth error.
async fn send<T: DeserializeOwned>(
    url: &Url,
    request: RequestBuilder,
) -> Result<Result<T, OAuthError>, Failure> {
    let (status, body) = exchange(url, request).await?;
    if status == StatusCode::OK {
        // The parser's message may quote a token.
        let answer = serde_json::from_slice(&body);
        return answer
            .map(Ok)
            .map_err(|_| Failure::Failed(format!("{} did not answer as expected.", name(url))));
    }
    match serde_json::from_slice(&body) {
        Ok(error) if status.is_client_error() => Ok(Err(error)),
        _ => Err(unexpected(url, status, &body)),
    }
}

/// Status and body of an answer. An error if it is too large.
async fn exchange(url: &Url, request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), Failure> {
    let no_answer = |error: reqwest::Error| Failure::NoAnswer {
        message: format!("No answer from {}: {}", name(url), innermost(error)),
        connected: false,
    };
    let mut response = request.send().await.map_err(no_answer)?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(no_answer)? {
        if body.len() + part.len() > LARGEST_ANSWER {
            return Err(Failure::Failed(format!("{} answered more than {LARGEST_ANSWER} bytes.", name(url))));
        }
        body.extend_from_slice(&part);
    }
    Ok((response.status(), body))
}

fn refused(url: &Url, error: &OAuthError) -> Failure {
    Failure::Failed(format!("{} refused: {}.", name(url), error.text().trim_end_matches('.')))
}

fn unexpected(url: &Url, status: StatusCode, body: &[u8]) -> Failure {
    if let Ok(error) = serde_json::from_slice(body) {
        return refused(url, &error);
    }
    let message = format!("{} answered {status}.", name(url));
    if status.is_server_error() {
        // It may be away for a moment.
        Failure::NoAnswer { message, connected: false }
    } else {
        Failure::Failed(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_encrypted_or_on_this_machine() {
        for url in
            ["https://id.example/token", "http://localhost:8082/token", "http://127.9.9.9", "http://[::1]:80"]
        {
            assert!(endpoint(url).is_ok(), "{url}");
        }
        for url in [
            "http://id.example",
            "http://10.0.0.1",
            "http://localhost.id.example",
            "ftp://localhost",
            "file:///etc/passwd",
            "token",
        ] {
            assert!(matches!(endpoint(url), Err(Failure::Refused(_))), "{url}");
        }
    }

    #[test]
    fn what_an_issuer_says_does_not_steer_the_terminal() {
        let error: OAuthError =
            serde_json::from_str(r#"{"error": "x", "error_description": "no \u001b[31m\nway"}"#).unwrap();
        assert_eq!(error.text(), "no \u{fffd}[31m way");
    }
}
