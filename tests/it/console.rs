//! The console: its files come from inside the program, without sign-in and without data. A build without Node.js does not have them.

use reqwest::Method;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::support::api::Answer;
use crate::support::{DeadMessage, World};

/// Addresses that people share.
const PAGES: [&str; 4] =
    ["/", "/console/squads", "/console/service?service=webshop", "/console/no/such/page"];

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// The names of the assets that the page loads; `None` if the console was not built.
async fn assets(world: &World) -> Option<Vec<String>> {
    let page = world.api().get("/").await;
    if page.status == 404 {
        assert!(text(&page).contains("scripts/backstage.sh console"), "{}", text(&page));
        return None;
    }
    let page = text(&page);
    let names = page.split('"').filter(|part| part.starts_with("/console/assets/"));
    Some(names.map(str::to_owned).collect())
}

/// Every address of a page is answered with the page, which nothing but its own scripts may run in.
#[tokio::test(flavor = "multi_thread")]
async fn deep_links_lead_to_the_page() {
    let world = World::start().await;
    if assets(&world).await.is_none() {
        return;
    }
    let mut policies = Vec::new();
    for path in PAGES {
        let page = world.api().get(path).await.assert(200);
        assert!(text(&page).contains("<div id=\"root\">"), "{path}");
        assert!(!text(&page).contains("{{NONCE}}"), "{path}");
        assert_eq!(header(&page, "cache-control"), "no-cache", "{path}");
        assert_eq!(header(&page, "x-content-type-options"), "nosniff", "{path}");
        let policy = header(&page, "content-security-policy").to_owned();
        for directive in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"] {
            assert!(policy.contains(directive), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        policies.push(policy);
    }
    policies.dedup();
    assert_eq!(policies.len(), PAGES.len(), "each page has a nonce of its own");
    let head = world.api().send(world.api().request(Method::HEAD, "/")).await.assert(200);
    assert_eq!(head.bytes, b"");
}

/// An asset never changes, and comes compressed to those who take that.
#[tokio::test(flavor = "multi_thread")]
async fn assets_are_cached() {
    let world = World::start().await;
    let Some(assets) = assets(&world).await else { return };
    assert!(assets.len() >= 2, "{assets:?}");
    let api = world.api();
    for name in &assets {
        let plain = api.get(name).await.assert(200);
        assert!(header(&plain, "cache-control").contains("immutable"), "{name}");
        assert_eq!(header(&plain, "x-content-type-options"), "nosniff", "{name}");
        assert_eq!(header(&plain, "content-encoding"), "", "{name}");
        let request = api.request(Method::GET, name).header("accept-encoding", "gzip");
        let compressed = api.send(request).await.assert(200);
        assert_eq!(header(&compressed, "content-encoding"), "gzip", "{name}");
        assert!(compressed.bytes.len() < plain.bytes.len(), "{name}");
    }
    api.get("/console/favicon.svg").await.assert(200);
}

/// What is no page and no asset is answered as before.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_keeps_its_meaning() {
    let world = World::start().await;
    let api = world.api();
    for path in [
        "/nowhere",
        "/dead-letters/nothing/of/it",
        "/console/assets/nothing.js",
        "/console/assets/..%2f..%2findex.html",
        "/console/assets/%2e%2e%2f.gitignore",
        "/console/assets/index.html",
    ] {
        assert_eq!(api.get(path).await.assert(404).json["type"], "not-found", "{path}");
    }
    for path in ["/", "/console/squads", "/console/settings.json"] {
        let answer = api.send(api.request(Method::POST, path)).await.assert(405);
        assert_eq!(answer.json["type"], "no-method", "{path}");
    }
    assert!(api.get("/operations").await.assert(200).json["operations"].is_array());
}

/// Where callers sign in, the console is told how, and its files hold no data.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_needs_no_sign_in() {
    let (policy, tokens) = (NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap());
    std::fs::write(policy.path(), "grants:\n  - {to: [everyone], on: everything, may: [everything]}\n")
        .unwrap();
    std::fs::write(tokens.path(), "tokens: []\n").unwrap();
    let world = World::start_with(&[
        ("DEAD_LETTER_OIDC_ISSUER", "https://id.example.com/realms/bank"),
        ("DEAD_LETTER_TOKENS_FILE", tokens.path().to_str().unwrap()),
        ("DEAD_LETTER_POLICY_FILE", policy.path().to_str().unwrap()),
        ("DEAD_LETTER_CONSOLE_TITLE", "Production"),
    ])
    .await;
    world.publish(DeadMessage::new("secret-id", "q_secretservice")).await;
    let settings = world.api().get("/console/settings.json").await.assert(200);
    assert_eq!(
        settings.json,
        json!({
            "title": "Production",
            "signInRequired": true,
            "tokens": true,
            "oidc": {
                "issuer": "https://id.example.com/realms/bank",
                "clientId": "dead-letter-console",
                "scope": "openid profile offline_access",
                "resource": null,
                "audience": null,
            },
        })
    );
    world.api().get("/dead-letters").await.assert(401);
    let Some(assets) = assets(&world).await else { return };
    let page = world.api().get("/console/squads").await.assert(200);
    assert!(header(&page, "content-security-policy").contains("connect-src 'self' https://id.example.com;"));
    for path in ["/", "/console/squads"].into_iter().chain(assets.iter().map(String::as_str)) {
        let answer = world.api().get(path).await.assert(200);
        assert!(!text(&answer).contains("secretservice"), "{path}");
    }
}

/// Without sign-in, pages of other sites get nothing, not even the console.
#[tokio::test(flavor = "multi_thread")]
async fn other_names_are_refused() {
    let world = World::start().await;
    for path in ["/", "/console/settings.json"] {
        let request = world.api().request(Method::GET, path).header("host", "rebound.evil.example");
        assert_eq!(world.api().send(request).await.assert(403).json["type"], "foreign-name", "{path}");
    }
}
