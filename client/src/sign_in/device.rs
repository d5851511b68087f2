//! The device authorization grant: RFC 8628.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::issuer::{Issuer, OAuthError, Tokens, endpoint};
use crate::ending::Failure;
use crate::text::line;
use crate::token::Token;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What is added to the interval when the issuer asks to slow down: RFC 8628, section 3.5.
const SLOWER: Duration = Duration::from_secs(5);
/// The longest interval after requests without an answer.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);
/// Asked for by default, as far as the issuer has them. An issuer that does not tell is asked for the first one.
const SCOPES: [&str; 3] = ["openid", "profile", "offline_access"];

/// What is asked for, besides the defaults.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Scopes, separated by spaces.
    pub(crate) scope: Option<String>,
    pub(crate) audience: Option<String>,
}

/// The issuer's answer: RFC 8628, section 3.2.
#[derive(Debug, Deserialize)]
pub(crate) struct DeviceAuthorization {
    device_code: Token,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    /// Seconds.
    expires_in: u32,
    /// Seconds between two requests.
    #[serde(default = "default_interval")]
    interval: u32,
}

fn default_interval() -> u32 {
    5
}

/// What an answer of the token endpoint means.
#[derive(Debug)]
enum Step {
    Done(Tokens),
    Wait,
    Failed(Failure),
}

impl DeviceAuthorization {
    /// Asks for a code.
    pub(crate) async fn request(issuer: &Issuer, wishes: &Wishes) -> Result<Self, Failure> {
        let default = || {
            let known = SCOPES.into_iter().filter(|scope| *scope == SCOPES[0] || issuer.has_scope(scope));
            known.collect::<Vec<_>>().join(" ")
        };
        let scope = wishes.scope.clone().unwrap_or_else(default);
        let mut pairs = vec![("scope", &*scope)];
        pairs.extend(wishes.audience.as_deref().map(|audience| ("audience", audience)));
        let code: Self = issuer.authorize_device(&pairs).await?;
        endpoint(&code.verification_uri)?;
        code.verification_uri_complete.as_deref().map(endpoint).transpose()?;
        Ok(code)
    }

    /// What to do, in words: RFC 8628, section 3.3.
    pub(crate) fn instructions(&self) -> String {
        let complete = self.verification_uri_complete.as_deref().map_or_else(String::new, |complete| {
            format!("\nThe code is already in this address:\n\n    {}\n", line(complete))
        });
        format!(
            "Open this address in a browser, on any device:\n\n    {}\n\nEnter the code:\n\n    {}\n{complete}\nThe code is valid for \
             {} minutes.",
            line(&self.verification_uri),
            line(&self.user_code),
            self.expires_in.div_ceil(60)
        )
    }

    /// Asks at the issuer's interval until somebody has answered in the browser: RFC 8628, sections 3.4 and 3.5.
    pub(crate) async fn wait(&self, issuer: &Issuer) -> Result<Tokens, Failure> {
        let mut interval = Duration::from_secs(self.interval.max(1).into());
        let end = Instant::now() + Duration::from_secs(self.expires_in.into());
        while Instant::now() < end {
            tokio::time::sleep(interval.min(end.saturating_duration_since(Instant::now()))).await;
            let pairs = [("grant_type", GRANT), ("device_code", self.device_code.secret())];
            match step(issuer.tokens(&pairs).await, &mut interval) {
                Step::Done(tokens) => return Ok(tokens),
                Step::Wait => {}
                Step::Failed(failure) => return Err(failure),
            }
        }
        Err(expired())
    }
}

fn expired() -> Failure {
    Failure::Failed("The code has expired. Run the command again for a new one.".into())
}

fn step(answer: Result<Result<Tokens, OAuthError>, Failure>, interval: &mut Duration) -> Step {
    let error = match answer {
        Ok(Ok(tokens)) => return Step::Done(tokens),
        Ok(Err(error)) => error,
        Err(failure) if failure.is_transient() => {
            *interval = (*interval * 2).min(LONGEST_INTERVAL.max(*interval));
            return Step::Wait;
        }
        Err(failure) => return Step::Failed(failure),
    };
    match &*error.error {
        "authorization_pending" => Step::Wait,
        "slow_down" => {
            *interval += SLOWER;
            Step::Wait
        }
        "expired_token" => Step::Failed(expired()),
        "access_denied" => Step::Failed(Failure::Failed("The sign-in was refused in the browser.".into())),
        _ => Step::Failed(Failure::Failed(format!("The issuer refused: {}", error.text()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the answer with this error means.
    fn refused(code: &str, interval: &mut Duration) -> Step {
        let error = serde_json::from_value(serde_json::json!({ "error": code })).unwrap();
        step(Ok(Err(error)), interval)
    }

    #[test]
    fn the_issuer_sets_the_pace() {
        let mut interval = Duration::from_secs(5);
        assert!(matches!(refused("authorization_pending", &mut interval), Step::Wait));
        assert_eq!(interval.as_secs(), 5);
        for seconds in [10, 15] {
            assert!(matches!(refused("slow_down", &mut interval), Step::Wait));
            assert_eq!(interval.as_secs(), seconds);
        }
        for seconds in [30, 60, 60] {
            let away = Failure::NoAnswer { message: String::new(), connected: false };
            assert!(matches!(step(Err(away), &mut interval), Step::Wait));
            assert_eq!(interval.as_secs(), seconds);
        }
    }

    #[test]
    fn a_refusal_ends_it() {
        let mut interval = Duration::from_secs(5);
        for (code, words) in [
            ("expired_token", "has expired"),
            ("access_denied", "was refused in the browser"),
            ("invalid_client", "invalid_client"),
        ] {
            let Step::Failed(Failure::Failed(message)) = refused(code, &mut interval) else {
                panic!("{code}")
            };
            assert!(message.contains(words), "{message}");
        }
        assert!(matches!(step(Err(Failure::Failed(String::new())), &mut interval), Step::Failed(_)));
    }

    #[test]
    fn without_an_interval_it_is_five_seconds() {
        let code: DeviceAuthorization = serde_json::from_value(serde_json::json!({
            "device_code": "s3cret", "user_code": "AB\u{1b}-CD", "verification_uri": "https://id.example/device", "expires_in": 600,
        }))
        .unwrap();
        assert_eq!(code.interval, 5);
        let words = code.instructions();
        assert!(words.contains("https://id.example/device") && words.contains("AB\u{fffd}-CD"), "{words}");
        assert!(words.contains("10 minutes") && !format!("{words}{code:?}").contains("s3cret"), "{words}");
    }
}
