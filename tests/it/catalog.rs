//! Squads from a real Backstage's catalog: who may see what follows it, and nobody gains by its absence or its contradictions.
//!
//! They need Node: `scripts/backstage.sh catalog` installs Backstage and runs the tests, which are ignored otherwise.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::access::{Access, new_token};
use crate::backstage::{Backstage, Component, TOKEN};
use crate::cli::{command, run};
use crate::support::{Api, DeadMessage, World, id, until, until_eq};

/// `strays` is for services without an owner.
const POLICY: &str = "
grants:
  - {to: [everyone], on: own, may: [read]}
  - {to: ['group:strays'], on: {squads: [unowned]}, may: [read]}
  - {to: ['group:platform'], on: everything, may: [everything]}
";

/// Groups, each with somebody who has a token.
const GROUPS: [&str; 5] = ["checkout", "finance", "logistics", "strays", "platform"];

/// A service with squads from a catalog, and a dead letter of each of `shop`, `bills`, and `stray`, which nobody claims.
struct Office {
    world: World,
    backstage: Backstage,
    tokens: BTreeMap<&'static str, String>,
    rules: NamedTempFile,
    _access: Access,
}

impl Office {
    /// With these components. Backstage is not started yet.
    async fn open(components: &[Component<'_>]) -> Self {
        let backstage = Backstage::with(components).await;
        let (access, rules) = (Access::new(POLICY), NamedTempFile::new().unwrap());
        let (mut tokens, mut entries) = (BTreeMap::new(), Vec::new());
        for group in GROUPS {
            let (token, entry) = new_token(group);
            tokens.insert(group, token);
            entries.push(format!("{entry}    groups: [{group}]\n"));
        }
        access.know(&entries.iter().map(String::as_str).collect::<Vec<_>>());
        std::fs::write(&rules, "services: []\n").unwrap();
        let own = [
            ("DEAD_LETTER_CATALOG_URL", backstage.url.as_str()),
            ("DEAD_LETTER_CATALOG_TOKEN", TOKEN),
            ("DEAD_LETTER_CATALOG_INTERVAL", "1s"),
            ("DEAD_LETTER_OWNERSHIP_FILE", rules.path().to_str().unwrap()),
        ];
        let world = World::start_with(&[&own[..], &access.settings()].concat()).await;
        for service in ["shop", "bills", "stray"] {
            world.publish(DeadMessage::new(&id(), &format!("work_{service}"))).await;
        }
        world.until_stored(3).await;
        Self { world, backstage, tokens, rules, _access: access }
    }

    fn api(&self) -> &Api {
        self.world.api()
    }

    async fn ask(&self, group: &str, path: &str) -> Value {
        let request = self.api().request(Method::GET, path).bearer_auth(&self.tokens[group]);
        self.api().send(request).await.json
    }

    /// The services that somebody of this group may see, in order of their names.
    async fn seen_by(&self, group: &str) -> Vec<String> {
        let services = self.ask(group, "/dead-letters/service-overview").await;
        let names =
            services.as_array().into_iter().flatten().map(|one| one["service"].as_str().unwrap().to_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Waits until each group sees these services.
    async fn until_seen(&self, what: &str, by_group: [(&str, &[&str]); 4]) {
        let expected =
            by_group.map(|(_, services)| services.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        until_eq(what, expected.to_vec(), || async {
            let mut seen = Vec::new();
            for (group, _) in by_group {
                seen.push(self.seen_by(group).await);
            }
            seen
        })
        .await;
        assert_eq!(self.seen_by("platform").await, ["bills", "shop", "stray"], "{what}");
    }

    async fn conflicts(&self, group: &str) -> Value {
        self.ask(group, "/ownership").await["conflicts"].clone()
    }

    async fn overview(&self, group: &str) -> String {
        let mut command = command(&["overview"]);
        command.env("DEAD_LETTER_SERVER", self.api().url()).env("DEAD_LETTER_TOKEN", &self.tokens[group]);
        run(command).await.assert(0).err
    }
}

const SHOP: Component<'static> = Component("webshop", "shop", "checkout");
const BILLS: Component<'static> = Component("bills", "bills", "group:default/finance");

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node: scripts/backstage.sh catalog"]
async fn scopes_follow_the_catalog_and_two_claims_give_a_service_to_nobody() {
    let mut office = Office::open(&[SHOP, BILLS]).await;
    // Nothing is known of the catalog yet, so not even services without an owner are told apart.
    office
        .until_seen(
            "before the catalog",
            [("checkout", &[]), ("finance", &[]), ("logistics", &[]), ("strays", &[])],
        )
        .await;
    assert_eq!(office.ask("platform", "/ownership").await["catalog"], json!({"asOf": null, "stale": true}));
    office.backstage.start().await;
    let as_registered: [(&str, &[&str]); 4] =
        [("checkout", &["shop"]), ("finance", &["bills"]), ("logistics", &[]), ("strays", &["stray"])];
    office.until_seen("the catalog", as_registered).await;
    assert_eq!(office.ask("checkout", "/ownership").await["catalog"]["stale"], false);

    office.backstage.has(&[Component("webshop", "shop", "logistics"), BILLS]);
    office
        .until_seen(
            "another owner",
            [("checkout", &[]), ("finance", &["bills"]), ("logistics", &["shop"]), ("strays", &["stray"])],
        )
        .await;
    office.backstage.has(&[SHOP, BILLS]);
    office.until_seen("the first owner", as_registered).await;

    // Somebody registers a component that claims another squad's service.
    office.backstage.has(&[SHOP, BILLS, Component("mallorys", "shop", "logistics")]);
    let contested: [(&str, &[&str]); 4] =
        [("checkout", &[]), ("finance", &["bills"]), ("logistics", &[]), ("strays", &["stray"])];
    office.until_seen("a second claim", contested).await;
    let conflict = json!([{
        "service": "shop",
        "claims": [
            {"entity": "component:default/mallorys", "squad": "logistics"},
            {"entity": "component:default/webshop", "squad": "checkout"},
        ],
        "takesOverAt": null,
    }]);
    for concerned in ["checkout", "logistics", "platform"] {
        assert_eq!(office.conflicts(concerned).await, conflict, "{concerned}");
    }
    assert_eq!(office.conflicts("strays").await, json!([]));
    assert_eq!(office.conflicts("finance").await, json!([]));
    let metric = |kind: &str| format!("dead_letter_catalog_conflicts{{kind=\"{kind}\"}}");
    assert!(office.world.service.metric(&metric("contested")).await > 0.0);
    assert!(office.overview("checkout").await.contains("shop belongs to nobody"));
    assert!(!office.overview("finance").await.contains("shop"));

    // The file wins.
    std::fs::write(&office.rules, "services:\n  - {service: 'sh*', squad: finance}\n").unwrap();
    office
        .until_seen(
            "a rule of the file",
            [("checkout", &[]), ("finance", &["bills", "shop"]), ("logistics", &[]), ("strays", &["stray"])],
        )
        .await;
    assert_eq!(office.conflicts("platform").await, json!([]));
    std::fs::write(&office.rules, "services: []\n").unwrap();
    office.until_seen("no rule of the file", contested).await;

    // The first component is gone: whoever claimed its service does not get it by that.
    office.backstage.has(&[BILLS, Component("mallorys", "shop", "logistics")]);
    until("the takeover waits", || async {
        let conflicts = office.conflicts("logistics").await;
        conflicts[0]["takesOverAt"].is_string().then_some(())
    })
    .await;
    office.until_seen("one claim is left", contested).await;
    assert!(office.world.service.metric(&metric("waiting")).await > 0.0);
    office.backstage.has(&[BILLS]);
    let nobodys: [(&str, &[&str]); 4] =
        [("checkout", &[]), ("finance", &["bills"]), ("logistics", &[]), ("strays", &["shop", "stray"])];
    office.until_seen("no claim is left", nobodys).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node: scripts/backstage.sh catalog"]
async fn the_last_snapshot_is_kept_while_backstage_is_away() {
    let mut office = Office::open(&[SHOP, BILLS]).await;
    office.backstage.start().await;
    let seen: [(&str, &[&str]); 4] =
        [("checkout", &["shop"]), ("finance", &["bills"]), ("logistics", &[]), ("strays", &["stray"])];
    office.until_seen("the catalog", seen).await;
    office.backstage.stop();
    let failures = "dead_letter_catalog_failures_total";
    let before = office.world.service.metric(failures).await;
    until("a failure", || async { (office.world.service.metric(failures).await > before).then_some(()) })
        .await;
    let as_of = office.ask("checkout", "/ownership").await["catalog"]["asOf"].clone();
    office.until_seen("Backstage is away", seen).await;

    office.world.service.restart();
    office.world.service.until_ready().await;
    office.until_seen("a start while Backstage is away", seen).await;
    let stale = until("stale squads", || async {
        let catalog = office.ask("checkout", "/ownership").await["catalog"].clone();
        (catalog["stale"] == true).then_some(catalog)
    })
    .await;
    assert_eq!(stale["asOf"], as_of, "the snapshot is the one of before");
    assert!(office.world.service.metric("dead_letter_catalog_age_seconds").await >= 5.0);
    assert!(office.overview("checkout").await.contains("Squads are those of "));
    office.until_seen("stale squads", seen).await;

    office.backstage.has(&[Component("webshop", "shop", "finance"), BILLS]);
    office.backstage.start().await;
    office
        .until_seen(
            "Backstage is back",
            [("checkout", &[]), ("finance", &["bills", "shop"]), ("logistics", &[]), ("strays", &["stray"])],
        )
        .await;
    assert_eq!(office.ask("checkout", "/ownership").await["catalog"]["stale"], false);
}
