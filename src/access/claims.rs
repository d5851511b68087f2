//! JSON web tokens: header, signature, and the claims that every issuer's tokens have.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Refused;
use super::keys::Key;
use crate::clock;

/// None with a shared secret: a public key could be used as that secret.
pub(super) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];
/// Bytes of a token.
const LONGEST_TOKEN: usize = 16 << 10;
/// Bytes of a key id, a subject, or a name.
const LONGEST_TEXT: usize = 256;
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 60;
/// How long a token may still be valid, in seconds: a leaked one is not good for ever.
const LONGEST_LIFE: i64 = 24 * 60 * 60;

/// The protected header of a token, unverified.
#[derive(Debug)]
pub(super) struct Header {
    pub alg: Algorithm,
    pub typ: Option<String>,
    kid: Option<String>,
}

/// The same as it is written.
#[derive(Deserialize)]
struct WrittenHeader {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

impl Header {
    pub fn of(token: &str) -> Result<Self, Refused> {
        let header = token.split_once('.').filter(|_| token.len() <= LONGEST_TOKEN);
        let (header, rest) = header.ok_or(Refused::Malformed)?;
        if rest.split('.').count() != 2 {
            return Err(Refused::Malformed);
        }
        let header = BASE64_URL_SAFE_NO_PAD.decode(header).map_err(|_| Refused::Malformed)?;
        let written = serde_json::from_slice(&header).map_err(|_| Refused::Malformed)?;
        let WrittenHeader { alg, typ, kid, crit } = written;
        let alg = alg.parse().ok().filter(|alg| ALGORITHMS.contains(alg)).ok_or(Refused::Algorithm)?;
        if crit.is_some() { Err(Refused::Extensions) } else { Ok(Self { alg, typ, kid }) }
    }

    /// The id of the key that signed.
    pub fn key_id(&self) -> Result<&str, Refused> {
        self.kid.as_deref().filter(|id| is_text(id)).ok_or(Refused::UnknownKey)
    }
}

/// Times and subject; `iss` and `aud` where the kind of token has them.
#[derive(Debug, Deserialize)]
struct Registered {
    sub: String,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    iss: Option<String>,
    aud: Option<OneOrMany>,
}

/// One text or a list of texts.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn contains(&self, text: &str) -> bool {
        match self {
            Self::One(one) => one == text,
            Self::Many(many) => many.iter().any(|one| one == text),
        }
    }
}

/// What the claims of a token must say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected<'e> {
    pub issuer: Option<&'e str>,
    pub audience: Option<&'e str>,
}

/// What a verified token says.
#[derive(Debug)]
pub(super) struct Verified<C> {
    pub subject: String,
    pub expires: Option<DateTime<Utc>>,
    pub claims: C,
}

/// Verifies signature and claims, and reads the claims as `C` too.
pub(super) fn verify<C: DeserializeOwned>(
    token: &str,
    header: &Header,
    key: &Key,
    expected: Expected<'_>,
) -> Result<Verified<C>, Refused> {
    if !key.signs_by(header.alg) {
        return Err(Refused::Algorithm);
    }
    // jsonwebtoken checks the signature; the claims are checked here, each with its own reason.
    let mut signature_only = Validation::new(header.alg);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    let claims = decode::<serde_json::Value>(token, &key.decoding, &signature_only);
    let claims = claims.map_err(|error| match error.kind() {
        ErrorKind::InvalidSignature => Refused::Signature,
        ErrorKind::InvalidAlgorithm => Refused::Algorithm,
        _ => Refused::Malformed,
    })?;
    let registered = Registered::deserialize(&claims.claims).map_err(|_| Refused::Claims)?;
    registered.check(expected, clock::now().timestamp())?;
    let own = C::deserialize(&claims.claims).map_err(|_| Refused::Claims)?;
    Ok(Verified {
        expires: DateTime::from_timestamp(registered.exp, 0),
        subject: registered.sub,
        claims: own,
    })
}

impl Registered {
    fn check(&self, expected: Expected<'_>, now: i64) -> Result<(), Refused> {
        let is_early = |at: Option<i64>| at.is_some_and(|at| at > now + LEEWAY);
        let claims = [
            (self.exp <= now - LEEWAY, Refused::Expired),
            (self.exp > now + LONGEST_LIFE + LEEWAY, Refused::TooLong),
            (is_early(self.nbf) || is_early(self.iat), Refused::Early),
            (expected.issuer.is_some_and(|issuer| self.iss.as_deref() != Some(issuer)), Refused::Issuer),
            (
                expected.audience.is_some_and(|ours| self.aud.as_ref().is_none_or(|aud| !aud.contains(ours))),
                Refused::Audience,
            ),
            (!is_text(&self.sub), Refused::Subject),
        ];
        claims.into_iter().find_map(|(wrong, refused)| wrong.then_some(Err(refused))).unwrap_or(Ok(()))
    }
}

/// Whether it can stand in a log line and in the record.
pub(super) fn is_text(text: &str) -> bool {
    (1..=LONGEST_TEXT).contains(&text.len()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const OURS: Expected<'_> = Expected { issuer: Some("https://issuer"), audience: Some("dead-letter") };

    fn good() -> Registered {
        Registered {
            sub: "jane".into(),
            exp: NOW + 300,
            nbf: None,
            iat: Some(NOW),
            iss: Some("https://issuer".into()),
            aud: Some(OneOrMany::Many(vec!["other".into(), "dead-letter".into()])),
        }
    }

    #[test]
    fn each_claim_is_checked() {
        assert_eq!(good().check(OURS, NOW), Ok(()));
        assert_eq!(Registered { iss: None, aud: None, ..good() }.check(Expected::default(), NOW), Ok(()));
        let wrong = [
            (Registered { exp: NOW - LEEWAY, ..good() }, Refused::Expired),
            (Registered { exp: NOW + LONGEST_LIFE + LEEWAY + 1, ..good() }, Refused::TooLong),
            (Registered { nbf: Some(NOW + LEEWAY + 1), ..good() }, Refused::Early),
            (Registered { iat: Some(NOW + LEEWAY + 1), ..good() }, Refused::Early),
            (Registered { iss: Some("https://issuer/".into()), ..good() }, Refused::Issuer),
            (Registered { iss: None, ..good() }, Refused::Issuer),
            (Registered { aud: Some(OneOrMany::One("dead-letter-2".into())), ..good() }, Refused::Audience),
            (Registered { aud: None, ..good() }, Refused::Audience),
            (Registered { sub: String::new(), ..good() }, Refused::Subject),
            (Registered { sub: "a".repeat(LONGEST_TEXT + 1), ..good() }, Refused::Subject),
            (Registered { sub: "jane\nroot".into(), ..good() }, Refused::Subject),
        ];
        for (claims, refused) in wrong {
            assert_eq!(claims.check(OURS, NOW), Err(refused), "{claims:?}");
        }
        for within in [
            Registered { exp: NOW - LEEWAY + 1, ..good() },
            Registered { exp: NOW + LONGEST_LIFE + LEEWAY, ..good() },
            Registered { nbf: Some(NOW + LEEWAY), iat: Some(NOW + LEEWAY), ..good() },
            Registered { sub: "a".repeat(LONGEST_TEXT), ..good() },
        ] {
            assert_eq!(within.check(OURS, NOW), Ok(()), "{within:?}");
        }
    }

    #[test]
    fn a_header_names_an_accepted_algorithm_and_demands_nothing() {
        let token = |header: &str| format!("{}.e30.c2ln", BASE64_URL_SAFE_NO_PAD.encode(header));
        assert!(Header::of(&token(r#"{"alg":"ES256","kid":"1","typ":"JWT"}"#)).is_ok());
        let wrong = [
            (r#"{"alg":"none","kid":"1"}"#, Refused::Algorithm),
            (r#"{"alg":"HS256","kid":"1"}"#, Refused::Algorithm),
            (r#"{"alg":"es256","kid":"1"}"#, Refused::Algorithm),
            (r#"{"alg":"ES256","kid":"1","crit":["b64"]}"#, Refused::Extensions),
            (r#"{"alg":"ES256","kid":"1","crit":[]}"#, Refused::Extensions),
            (r#"{"kid":"1"}"#, Refused::Malformed),
            (r#"{"alg":["ES256"]}"#, Refused::Malformed),
            (r#"{"alg":"ES256","alg":"RS256"}"#, Refused::Malformed),
            ("ES256", Refused::Malformed),
        ];
        for (header, refused) in wrong {
            assert_eq!(Header::of(&token(header)).unwrap_err(), refused, "{header}");
        }
        let long = format!("{}{}", token(r#"{"alg":"ES256"}"#), "A".repeat(LONGEST_TOKEN));
        for wrong in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", &long] {
            assert_eq!(Header::of(wrong).unwrap_err(), Refused::Malformed, "{wrong}");
        }
        let header = Header::of(&token(r#"{"alg":"ES256"}"#)).unwrap();
        assert_eq!(header.key_id(), Err(Refused::UnknownKey));
    }
}
