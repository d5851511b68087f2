//! What Backstage allows its users, told over a real socket.

use serde_json::{Value, json};

use super::issuer::{Behaviour, Issuer, now, with};
use super::{
    Access, Anonymous, Arc, BackstagePermissions, Duration, Instant, Permission, Principal, Undecided,
    backstage,
};
use crate::access::{Grants, Policy, Verifiers};
use crate::ownership::Owners;

const JANE: &str = "user:default/jane";

fn access(verifiers: Verifiers) -> Access {
    let path = std::env::temp_dir().join(format!("dead-letter-decisions-{}.yaml", crate::clock::new_id()));
    let grants = "grants:\n  - {to: [everyone], on: {services: [web*]}, may: [read, redeliver, triage]}\n";
    std::fs::write(&path, grants).unwrap();
    let policy = Policy::open(&path).unwrap();
    Access { verifiers, anonymous: Anonymous::Refused, policy: Some(policy) }
}

/// Tokens of a user: its own, and one that the backend plugin sends on its behalf.
fn tokens(issuer: &Issuer, user: &str) -> [String; 2] {
    let typed = |typ: &str| with(&issuer.header(), "typ", json!(typ));
    let (iat, exp) = (now(), now() + 60);
    let own = json!({"sub": user, "iss": format!("{}/api/auth", issuer.url), "aud": "backstage", "iat": iat, "exp": exp});
    let limited =
        issuer.sign(&typed("vnd.backstage.limited-user"), &json!({"sub": user, "iat": iat, "exp": exp}));
    let plugin = json!({"sub": "dead-letter", "aud": "dead-letter", "iat": iat, "exp": exp, "obo": limited});
    [issuer.sign(&typed("vnd.backstage.user"), &own), issuer.sign(&typed("vnd.backstage.plugin"), &plugin)]
}

async fn principals(access: &Access, issuer: &Issuer, user: &str) -> [Principal; 2] {
    let [own, on_behalf] = tokens(issuer, user);
    let principal = async |token: &str| access.verifiers.principal(token).await.unwrap();
    [principal(&own).await, principal(&on_behalf).await]
}

fn allows(user: &str, permissions: &[(&str, bool, &[&str])]) -> Value {
    let decision = |(permission, everything, services): &(&str, bool, &[&str])| json!({"permission": permission, "everything": everything, "services": services});
    json!({"user": user, "permissions": permissions.iter().map(decision).collect::<Vec<_>>()})
}

fn covered(grants: &Grants, user: &Principal, permission: Permission) -> Vec<String> {
    let owners = Arc::new(Owners::default());
    let services = ["webshop", "webmail", "billing"].map(str::to_owned);
    grants.scope(Some(user), permission, &owners).of_services(services)
}

#[tokio::test]
async fn what_both_allow_is_allowed() {
    let issuer = Issuer::start(Behaviour::Good).await;
    issuer.decides(allows(
        JANE,
        &[
            ("read", true, &[]),
            ("redeliver", false, &["webshop", "billing"]),
            ("delete", true, &[]),
            ("triage", false, &[]),
        ],
    ));
    let access = access(backstage(&issuer, BackstagePermissions::Require));
    for jane in principals(&access, &issuer, JANE).await {
        let grants = access.grants(Some(&jane)).await.unwrap();
        let covered = |permission| covered(&grants, &jane, permission);
        assert_eq!(covered(Permission::Read), ["webshop", "webmail"], "as the policy file says");
        assert_eq!(
            covered(Permission::Redeliver),
            ["webshop"],
            "not billing, which the policy file does not grant"
        );
        assert!(covered(Permission::Delete).is_empty(), "Backstage alone allows nothing");
        assert!(covered(Permission::Triage).is_empty(), "the policy file alone allows nothing");
        assert!(!format!("{jane:?}").contains("eyJ"), "the token is not shown: {jane:?}");
    }
}

/// Callers who are not Backstage's users have what the policy file grants.
#[tokio::test]
async fn only_users_of_backstage_are_asked_about() {
    let issuer = Issuer::start(Behaviour::Good).await;
    let ignoring = access(backstage(&issuer, BackstagePermissions::Ignore));
    for jane in principals(&ignoring, &issuer, JANE).await {
        let asked = issuer.asked();
        let grants = ignoring.grants(Some(&jane)).await.unwrap();
        assert_eq!((covered(&grants, &jane, Permission::Triage).len(), issuer.asked()), (2, asked));
    }
    let requiring = access(backstage(&issuer, BackstagePermissions::Require));
    let token = Principal {
        id: "token:load-test".into(),
        name: String::new(),
        groups: Vec::new(),
        expires: None,
        backstage: None,
    };
    let grants = requiring.grants(Some(&token)).await.unwrap();
    assert_eq!(covered(&grants, &token, Permission::Triage).len(), 2);
    assert!(requiring.grants(None).await.is_ok());
}

/// Requests at the same time wait for one answer, which is used for a minute; one of another user is another one.
#[tokio::test]
async fn a_user_is_asked_about_once() {
    let issuer = Issuer::start(Behaviour::Good).await;
    issuer.decides(allows(JANE, &[("read", true, &[])]));
    let access = Arc::new(access(backstage(&issuer, BackstagePermissions::Require)));
    let [jane, on_behalf] = principals(&access, &issuer, JANE).await;
    let [joe, _] = principals(&access, &issuer, "user:default/joe").await;
    let asked = issuer.asked();
    let requests = [jane.clone(), on_behalf, jane.clone(), jane].map(|jane| {
        let access = Arc::clone(&access);
        tokio::spawn(async move { access.grants(Some(&jane)).await.is_ok() })
    });
    for request in requests {
        assert!(request.await.unwrap());
    }
    assert_eq!(issuer.asked(), asked + 1);
    assert_eq!(
        access.grants(Some(&joe)).await.err(),
        Some(Undecided),
        "an answer about jane is none about joe"
    );
}

/// Whatever is not an answer allows nothing, and is asked for again.
#[tokio::test]
async fn nothing_is_allowed_without_an_answer() {
    let issuer = Issuer::start(Behaviour::Good).await;
    let access = access(backstage(&issuer, BackstagePermissions::Require));
    let [jane, _] = principals(&access, &issuer, JANE).await;
    for odd in [Value::Null, json!({"user": JANE}), json!({"permissions": []}), json!([])] {
        issuer.decides(odd.clone());
        assert_eq!(access.grants(Some(&jane)).await.err(), Some(Undecided), "{odd}");
    }
    issuer.decides(allows(JANE, &[("read", true, &[])]));
    for behaviour in [Behaviour::Down, Behaviour::Redirecting, Behaviour::NotJson] {
        issuer.now(behaviour);
        let begun = Instant::now();
        assert_eq!(access.grants(Some(&jane)).await.err(), Some(Undecided), "{behaviour:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{behaviour:?}");
    }
    issuer.now(Behaviour::Good);
    let grants = access.grants(Some(&jane)).await.unwrap();
    assert_eq!(covered(&grants, &jane, Permission::Read).len(), 2);
}
