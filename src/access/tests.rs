//! Tokens, good and forged, against issuers that answer over a real socket and misbehave.

mod decisions;
mod issuer;

use std::time::Duration;

use ring::hmac;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::tls::Tls;
use issuer::{AUDIENCE, Behaviour, Issuer, encoded, now, signed_with, with};

fn oidc(issuer: &Issuer) -> Verifiers {
    let settings = OidcSettings {
        issuer: issuer.url.clone(),
        audience: AUDIENCE.into(),
        groups_claim: "groups".into(),
        tls: Tls::default(),
    };
    Verifiers { oidc: Some(Oidc::new(settings).unwrap()), ..Verifiers::default() }
}

fn backstage(issuer: &Issuer, permissions: BackstagePermissions) -> Verifiers {
    let backstage = Backstage::new(&issuer.url.parse().unwrap(), permissions, &Tls::default()).unwrap();
    Verifiers { backstage: Some(backstage), ..Verifiers::default() }
}

#[tokio::test]
async fn good_tokens_name_their_principal() {
    let issuer = Issuer::start(Behaviour::Good).await;
    let verifiers = oidc(&issuer);
    let principal = verifiers.principal(&issuer.sign(&issuer.header(), &issuer.claims())).await.unwrap();
    assert_eq!(principal.id, format!("{}|42", issuer.url));
    assert_eq!(principal.name, "jane");
    for typ in [json!("at+jwt"), json!("application/at+jwt"), Value::Null] {
        let token = issuer.sign(&with(&issuer.header(), "typ", typ), &issuer.claims());
        assert!(verifiers.principal(&token).await.is_ok(), "{token}");
    }
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let issuer = Issuer::start(Behaviour::Good).await;
    let stranger = Issuer::start(Behaviour::Good).await;
    let verifiers = oidc(&issuer);
    let (header, claims) = (issuer.header(), issuer.claims());
    let other_header = |name: &str, value: Value| issuer.sign(&with(&header, name, value), &claims);
    let other_claim = |name: &str, value: Value| issuer.sign(&header, &with(&claims, name, value));
    let good = issuer.sign(&header, &claims);
    let [head, body, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let public = hmac::Key::new(hmac::HMAC_SHA256, issuer.public_key());
    let by_public_key = signed_with(&with(&header, "alg", json!("HS256")), &claims, |unsigned| {
        hmac::sign(&public, unsigned).as_ref().to_vec()
    });
    let admin = encoded(with(&claims, "sub", json!("root")).to_string());
    let hour = 3_600;
    let forged = [
        ("nonsense", "nonsense".to_owned(), Refused::Malformed),
        ("two parts", format!("{head}.{body}"), Refused::Malformed),
        ("encrypted", format!("{good}.a.b"), Refused::Malformed),
        ("no signature", format!("{head}.{body}."), Refused::Signature),
        ("another's signature", stranger.sign(&header, &claims), Refused::Signature),
        ("other claims", format!("{head}.{admin}.{signature}"), Refused::Signature),
        ("a changed signature", format!("{head}.{body}.{}", changed(signature)), Refused::Signature),
        ("alg none", other_header("alg", json!("none")), Refused::Algorithm),
        ("alg in lower case", other_header("alg", json!("es256")), Refused::Algorithm),
        ("a shared secret", by_public_key, Refused::Algorithm),
        ("another curve", other_header("alg", json!("ES384")), Refused::Algorithm),
        ("another family", other_header("alg", json!("RS256")), Refused::Algorithm),
        ("crit", other_header("crit", json!(["exp"])), Refused::Extensions),
        ("no key id", other_header("kid", Value::Null), Refused::UnknownKey),
        ("an unknown key", other_header("kid", json!("made-up")), Refused::UnknownKey),
        ("a key id that is a path", other_header("kid", json!("../../etc/passwd")), Refused::UnknownKey),
        (
            "signed by a key in its header",
            stranger.sign(&with(&header, "jwk", stranger.published()), &claims),
            Refused::Signature,
        ),
        ("a logout token", other_header("typ", json!("logout+jwt")), Refused::Kind),
        ("of a Backstage user", other_header("typ", json!("vnd.backstage.user")), Refused::Kind),
        ("expired", other_claim("exp", json!(now() - hour)), Refused::Expired),
        ("no exp", other_claim("exp", Value::Null), Refused::Claims),
        ("exp is a text", other_claim("exp", json!("9999999999")), Refused::Claims),
        (
            "exp in a hundred years",
            other_claim("exp", json!(now() + 100 * 365 * 24 * hour)),
            Refused::TooLong,
        ),
        ("nbf in an hour", other_claim("nbf", json!(now() + hour)), Refused::Early),
        ("iat in an hour", other_claim("iat", json!(now() + hour)), Refused::Early),
        ("another issuer", other_claim("iss", json!("https://elsewhere")), Refused::Issuer),
        ("issuer with a slash", other_claim("iss", json!(format!("{}/", issuer.url))), Refused::Issuer),
        ("a list of issuers", other_claim("iss", json!([issuer.url])), Refused::Claims),
        ("another audience", other_claim("aud", json!("catalog")), Refused::Audience),
        ("no audience", other_claim("aud", Value::Null), Refused::Audience),
        ("no subject", other_claim("sub", Value::Null), Refused::Claims),
        ("an empty subject", other_claim("sub", json!("")), Refused::Subject),
        ("a subject of two lines", other_claim("sub", json!("jane\nroot")), Refused::Subject),
        ("a long subject", other_claim("sub", json!("a".repeat(300))), Refused::Subject),
    ];
    for (what, token, refused) in forged {
        assert_eq!(verifiers.principal(&token).await, Err(refused), "{what}");
    }
    assert!(verifiers.principal(&good).await.is_ok());
}

/// The first bit of a signature is another.
fn changed(signature: &str) -> String {
    let first = if signature.starts_with('A') { 'Q' } else { 'A' };
    format!("{first}{}", &signature[1..])
}

#[tokio::test]
async fn tokens_of_backstage() {
    let issuer = Issuer::start(Behaviour::Good).await;
    let verifiers = backstage(&issuer, BackstagePermissions::Ignore);
    let typed = |typ: &str| with(&issuer.header(), "typ", json!(typ));
    let user = json!({
        "sub": "user:default/jane", "iss": format!("{}/api/auth", issuer.url), "aud": "backstage", "iat": now(), "exp": now() + 60,
    });
    let limited = json!({"sub": "user:default/jane", "iat": now(), "exp": now() + 60});
    let on_behalf = issuer.sign(&typed("vnd.backstage.limited-user"), &limited);
    let plugin = json!({"sub": "dead-letter", "aud": "dead-letter", "iat": now(), "exp": now() + 60, "obo": on_behalf});
    for token in [
        issuer.sign(&typed("vnd.backstage.user"), &user),
        issuer.sign(&typed("vnd.backstage.plugin"), &plugin),
    ] {
        let principal = verifiers.principal(&token).await.unwrap();
        assert_eq!(
            (principal.id.as_str(), principal.groups),
            ("user:default/jane", vec!["payments".to_owned()])
        );
        assert!(principal.expires.is_some());
    }
    // Where the token says what the user belongs to, Backstage is not asked.
    let told = with(&user, "ent", json!(["user:default/jane", "group:default/loans", "group:other/x"]));
    let asked = issuer.asked();
    let principal = verifiers.principal(&issuer.sign(&typed("vnd.backstage.user"), &told)).await.unwrap();
    assert_eq!((principal.groups, issuer.asked()), (vec!["loans".to_owned(), "other/x".to_owned()], asked));
    issuer.now(Behaviour::Down);
    let unknown = with(&user, "sub", json!("user:default/joe"));
    let unknown = verifiers.principal(&issuer.sign(&typed("vnd.backstage.user"), &unknown)).await;
    assert_eq!(unknown, Err(Refused::NoGroups));
    let expired =
        issuer.sign(&typed("vnd.backstage.limited-user"), &with(&limited, "exp", json!(now() - 3600)));
    let whole = issuer.sign(&typed("vnd.backstage.user"), &user);
    for (what, typ, claims, refused) in [
        ("a limited token alone", "vnd.backstage.limited-user", limited.clone(), Refused::Kind),
        ("of another kind", "vnd.backstage.other", user.clone(), Refused::Kind),
        (
            "for another plugin",
            "vnd.backstage.plugin",
            with(&plugin, "aud", json!("catalog")),
            Refused::Audience,
        ),
        (
            "of another plugin",
            "vnd.backstage.plugin",
            with(&plugin, "sub", json!("catalog")),
            Refused::Plugin,
        ),
        ("of a plugin by itself", "vnd.backstage.plugin", with(&plugin, "obo", Value::Null), Refused::Plugin),
        (
            "on behalf of an expired user",
            "vnd.backstage.plugin",
            with(&plugin, "obo", json!(expired)),
            Refused::Expired,
        ),
        (
            "on behalf by a whole token",
            "vnd.backstage.plugin",
            with(&plugin, "obo", json!(whole)),
            Refused::Kind,
        ),
        ("of another issuer", "vnd.backstage.user", with(&user, "iss", json!(issuer.url)), Refused::Issuer),
        (
            "for another audience",
            "vnd.backstage.user",
            with(&user, "aud", json!("catalog")),
            Refused::Audience,
        ),
    ] {
        assert_eq!(verifiers.principal(&issuer.sign(&typed(typ), &claims)).await, Err(refused), "{what}");
    }
    let foreign = oidc(&issuer).principal(&whole).await;
    assert_eq!(foreign, Err(Refused::Kind), "verifiers are not tried one after the other");
}

/// No issuer that answers badly makes a token good, and none makes a token wait for longer than its answer may take.
#[tokio::test]
async fn issuers_that_answer_badly_open_nothing() {
    for behaviour in [
        Behaviour::Down,
        Behaviour::Slow,
        Behaviour::Huge,
        Behaviour::Redirecting,
        Behaviour::NotJson,
        Behaviour::OtherIssuer,
        Behaviour::NoKeys,
    ] {
        let issuer = Issuer::start(behaviour).await;
        let verifiers = oidc(&issuer);
        let token = issuer.sign(&issuer.header(), &issuer.claims());
        let begun = Instant::now();
        assert_eq!(verifiers.principal(&token).await, Err(Refused::NoKeys), "{behaviour:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{behaviour:?}");
        // Another is refused at once: the issuer was asked a moment ago.
        let asked = issuer.asked();
        assert_eq!(verifiers.principal(&token).await, Err(Refused::NoKeys), "{behaviour:?}");
        assert_eq!(issuer.asked(), asked, "{behaviour:?}");
    }
}

#[tokio::test]
async fn made_up_keys_do_not_keep_good_tokens_waiting() {
    let issuer = Issuer::start(Behaviour::Good).await;
    let verifiers = oidc(&issuer);
    let good = issuer.sign(&issuer.header(), &issuer.claims());
    assert!(verifiers.principal(&good).await.is_ok());
    issuer.now(Behaviour::Slow);
    verifiers.oidc.as_ref().unwrap().forget_when_asked().await;
    let made_up = issuer.sign(&with(&issuer.header(), "kid", json!("made-up")), &issuer.claims());
    let waiting = tokio::spawn({
        let verifiers = verifiers.clone();
        async move { verifiers.principal(&made_up).await }
    });
    let asked = issuer.asked();
    while issuer.asked() == asked {
        tokio::task::yield_now().await;
    }
    assert!(verifiers.principal(&good).await.is_ok());
    assert!(!waiting.is_finished(), "the made-up key still waits for the issuer");
    assert_eq!(waiting.await.unwrap(), Err(Refused::UnknownKey));
}

#[tokio::test]
async fn rotated_keys_are_found() {
    let mut issuer = Issuer::start(Behaviour::Good).await;
    let verifiers = oidc(&issuer);
    let old = issuer.sign(&issuer.header(), &issuer.claims());
    assert!(verifiers.principal(&old).await.is_ok());
    issuer.rotate("second");
    let new = issuer.sign(&issuer.header(), &issuer.claims());
    verifiers.oidc.as_ref().unwrap().forget_when_asked().await;
    assert!(verifiers.principal(&new).await.is_ok());
    assert_eq!(verifiers.principal(&old).await, Err(Refused::UnknownKey), "a key that was withdrawn");
}
