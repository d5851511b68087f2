//! What a browser may do with the page of the console.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::Rng;
use reqwest::Url;

use super::settings::ConsoleSettings;

/// Where the page has the nonce: `html.cspNonce` in vite.config.mjs.
pub const NONCE_PLACE: &str = "{{NONCE}}";
pub const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// A value that nobody can guess, new for each page.
pub fn nonce() -> String {
    STANDARD.encode(rand::rng().random::<[u8; 16]>())
}

/// Sets the headers of the page. Its scripts come from this service, and it talks to nobody but the service and the issuer. The address may
/// hold the code of a sign-in, so no other site is told of it.
pub fn protect(headers: &mut HeaderMap, settings: &ConsoleSettings, nonce: &str) {
    let policy = content_security_policy(settings, nonce);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
}

/// The nonce is for a style that React Aria adds to the page.
fn content_security_policy(settings: &ConsoleSettings, nonce: &str) -> String {
    let issuer = settings.oidc.as_ref().and_then(|oidc| Url::parse(&oidc.issuer).ok());
    let issuer = issuer.map(|url| format!(" {}", url.origin().ascii_serialization())).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; connect-src 'self'{issuer}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::super::ConsoleOidc;
    use super::*;

    fn settings(issuer: &str) -> ConsoleSettings {
        let oidc = ConsoleOidc {
            issuer: issuer.into(),
            client_id: "dead-letter-console".into(),
            scope: "openid".into(),
            resource: None,
            audience: None,
        };
        ConsoleSettings { title: None, sign_in_required: true, tokens: false, oidc: Some(oidc) }
    }

    #[test]
    fn the_page_talks_to_the_service_and_the_issuer() {
        let policy = content_security_policy(&settings("https://id.example.com/realms/bank"), "n");
        assert!(policy.contains("connect-src 'self' https://id.example.com;"), "{policy}");
        let policy = content_security_policy(&settings("http://127.0.0.1:8082"), "n");
        assert!(policy.contains("connect-src 'self' http://127.0.0.1:8082;"), "{policy}");
        let open = ConsoleSettings { oidc: None, ..settings("") };
        let policy = content_security_policy(&open, "n");
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }

    #[test]
    fn each_page_has_a_nonce_of_its_own() {
        assert_ne!(nonce(), nonce());
    }
}
