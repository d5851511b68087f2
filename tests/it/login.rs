//! `dead-letter login` with a real OIDC issuer: what each squad then sees and may do, and how a sign-in ends.
//!
//! They need Node: `make login` installs the issuer and runs the tests, which are ignored otherwise.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;

use crate::bank::string;
use crate::cli::{Ran, asked, command, run};
use crate::issuer::{CLIENT, Issuer};
use crate::support::{DeadMessage, TestQueue, World, id, until};

const POLICY: &str = "
grants:
  - {to: [everyone], on: own, may: [read, read-payload, triage, redeliver]}
  - {to: ['group:platform'], on: everything, may: [everything]}
";

/// A service behind an issuer, the dead letters of two squads, and somebody's home.
struct Office {
    world: World,
    issuer: Issuer,
    /// The service of `checkout`.
    shop: String,
    /// Where its dead letters died.
    orders: TestQueue,
    /// The service of `finance`.
    bills: String,
    home: TempDir,
    _files: [NamedTempFile; 2],
}

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

impl Office {
    /// Two dead letters of `checkout`, one of `finance`. There is a profile for each user.
    async fn open() -> Self {
        let issuer = Issuer::start().await;
        let (shop, bills) = (format!("shop{}", &id()[..8]), format!("bills{}", &id()[..8]));
        let policy = file(POLICY);
        let owners = file(&format!(
            "services:\n  - {{service: {shop}, squad: checkout}}\n  - {{service: {bills}, squad: finance}}\n"
        ));
        let world = World::start_with(&[
            ("DEAD_LETTER_OIDC_ISSUER", &issuer.url),
            ("DEAD_LETTER_POLICY_FILE", policy.path().to_str().unwrap()),
            ("DEAD_LETTER_OWNERSHIP_FILE", owners.path().to_str().unwrap()),
            ("DEAD_LETTER_WATCH_RETURNS", "1s"),
        ])
        .await;
        let orders = world.broker.declare_queue(&format!("orders_{shop}"), &[]).await;
        for queue in [&orders.name, &orders.name, &format!("work_{bills}")] {
            world.publish(DeadMessage::new(&id(), queue).error("CardDeclined", "declined")).await;
        }
        world.until_stored(3).await;
        let home = tempfile::tempdir().unwrap();
        let profile = |user| {
            format!(
                "[profiles.{user}]\nserver = \"{}\"\nissuer = \"{}\"\nclient_id = \"{CLIENT}\"\n",
                world.api().url(),
                issuer.url
            )
        };
        std::fs::create_dir(home.path().join("dead-letter")).unwrap();
        let profiles = ["ada", "cleo", "root"].map(profile).concat();
        std::fs::write(home.path().join("dead-letter/config.toml"), profiles).unwrap();
        Self { world, issuer, shop, orders, bills, home, _files: [policy, owners] }
    }

    fn command(&self, user: &str, arguments: &[&str]) -> tokio::process::Command {
        let mut command = command(arguments);
        command.args(["--profile", user]).env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    /// What a command prints contains no token.
    async fn run(&self, user: &str, arguments: &[&str]) -> Ran {
        let ran = run(self.command(user, arguments)).await;
        let is_signed_in = self.tokens(user).exists();
        for name in ["accessToken", "refreshToken"].into_iter().filter(|_| is_signed_in) {
            let secret = string(&self.stored(user)[name]);
            assert!(!format!("{ran:?}").contains(&secret), "{name}: {ran:?}");
        }
        ran
    }

    /// Starts `dead-letter login`, and answers in the browser: as this user, or with a refusal.
    async fn login(&self, profile: &str, user: Option<&str>) -> Ran {
        let mut login = self.command(profile, &["login"]);
        let mut child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        let code = loop {
            let line = lines.next_line().await.unwrap().expect("a code");
            printed.push(line.clone());
            let is_code = |text: &str| text.len() == 9 && text.as_bytes()[4] == b'-';
            if is_code(line.trim()) {
                break line.trim().to_owned();
            }
        };
        assert!(printed.contains(&format!("    {}/device", self.issuer.url)), "the address: {printed:?}");
        let page = self.issuer.answer(&code, user).await;
        assert_eq!(page.contains("You are signed in"), user.is_some(), "{page}");
        while let Some(line) = lines.next_line().await.unwrap() {
            printed.push(line);
        }
        let ended = child.wait_with_output().await.unwrap();
        let err = String::from_utf8(ended.stderr).unwrap();
        Ran { code: ended.status.code().unwrap(), out: printed.join("\n"), err }
    }

    async fn sign_in(&self, user: &str) {
        let ran = self.login(user, Some(user)).await.assert(0);
        assert!(ran.out.ends_with(&format!("You are signed in for {}.", self.world.api().url())), "{ran:?}");
    }

    fn tokens(&self, user: &str) -> PathBuf {
        self.home.path().join(format!("dead-letter/tokens/{user}.json"))
    }

    fn stored(&self, user: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.tokens(user)).unwrap()).unwrap()
    }

    /// As if the access token had expired.
    fn expire(&self, user: &str) {
        let mut stored = self.stored(user);
        stored["expiresAt"] = json!("2026-01-01T00:00:00Z");
        std::fs::write(self.tokens(user), stored.to_string()).unwrap();
    }

    /// The services of the dead letters that a user lists, each as often as it has one.
    async fn services(&self, user: &str) -> Vec<String> {
        let listed = self.run(user, &["ls", "--json"]).await.assert(0).json();
        let messages = listed["messages"].as_array().unwrap();
        let mut services: Vec<_> = messages.iter().map(|letter| string(&letter["service"])).collect();
        services.sort();
        services
    }

    async fn audit(&self, query: &str) -> Vec<Value> {
        let token = string(&self.stored("root")["accessToken"]);
        let request = self.world.api().request(reqwest::Method::GET, &format!("/audit?{query}"));
        let page = self.world.api().send(request.bearer_auth(token)).await.assert(200).json;
        page["entries"].as_array().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the issuer: make login"]
async fn each_squad_sees_and_redelivers_its_own() {
    let office = Office::open().await;
    let Office { world, shop, bills, .. } = &office;
    let stranger = office.run("ada", &["ls"]).await.assert(1).err;
    assert!(
        stranger.contains("Run: dead-letter login --profile ada, or set DEAD_LETTER_TOKEN"),
        "{stranger}"
    );
    tokio::join!(office.sign_in("ada"), office.sign_in("cleo"), office.sign_in("root"));
    assert_eq!(mode(&office.tokens("ada")), 0o600);
    assert_eq!(mode(office.tokens("ada").parent().unwrap()), 0o700);

    assert_eq!(office.services("ada").await, [&**shop, shop]);
    assert_eq!(office.services("cleo").await, [&**bills]);
    assert_eq!(office.services("root").await, [&**bills, shop, shop]);
    let of_checkout = office.run("cleo", &["ls", "--service", shop]).await.assert(3);
    assert!(of_checkout.err.starts_with("0 of 0"), "{of_checkout:?}");
    let letters = office.run("ada", &["ls", "--json"]).await.json();
    let letter = string(&letters["messages"][0]["id"]);
    office.run("ada", &["show", &letter]).await.assert(0);
    office.run("cleo", &["show", &letter]).await.assert(3);

    let refused = office.run("ada", &["delete", &letter, "--yes", "--note", "of no use"]).await.assert(1).err;
    assert!(refused.contains("delete"), "it names the permission: {refused}");
    office.run("ada", &["redeliver", "--service", shop, "--yes", "--note", "fixed in 42"]).await.assert(0);
    world.broker.drain(&office.orders.name, 2).await;
    assert_eq!(office.services("ada").await, [] as [&str; 0]);

    let ada = format!("{}|ada", office.issuer.url);
    let acts = office.audit("action=redeliver").await;
    let actor = &acts[0]["actor"];
    assert_eq!((&actor["id"], &actor["name"]), (&json!(ada), &json!(format!("ada ({ada})"))));
    assert_eq!((acts.len(), &acts[0]["reason"]), (1, &json!("fixed in 42")));
    let refusal = until("the refusal is on record", || async {
        office.audit("action=notAllowed").await.into_iter().next()
    })
    .await;
    assert_eq!(refusal["actor"]["id"], ada, "{refusal}");
    assert_eq!(office.audit("action=unauthenticated").await.len(), 1, "before she signed in");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the issuer: make login"]
async fn a_sign_in_is_renewed_until_it_is_withdrawn() {
    let office = Office::open().await;
    office.sign_in("ada").await;
    let before = office.stored("ada");
    office.expire("ada");
    // A refresh token is good for one use. Whoever comes second finds the renewed sign-in.
    let both = tokio::join!(office.services("ada"), office.services("ada"));
    assert_eq!((both.0.len(), both.1.len()), (2, 2));
    let renewed = office.stored("ada");
    for name in ["accessToken", "refreshToken", "expiresAt"] {
        assert_ne!(before[name], renewed[name], "{name}");
    }
    assert_eq!(mode(&office.tokens("ada")), 0o600);

    // The token goes to its own server only, and another one replaces it.
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let elsewhere = ["ls", "--server", &url];
    let (ran, request) = tokio::join!(office.run("ada", &elsewhere), asked(other));
    ran.assert(0);
    assert!(!request.contains("authorization"), "{request}");
    let given = office.run("ada", &["ls", "--token", "another"]).await.assert(1).err;
    assert!(given.contains("Your token was not accepted."), "{given}");
    std::fs::set_permissions(office.tokens("ada"), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(office.run("ada", &["ls"]).await.assert(2).err.contains("chmod 600"));
    std::fs::set_permissions(office.tokens("ada"), std::fs::Permissions::from_mode(0o600)).unwrap();

    let token = string(&renewed["refreshToken"]);
    assert_eq!(office.issuer.post("/token/revocation", &[("token", &token)]).await.0, 200);
    office.expire("ada");
    let over = office.run("ada", &["ls"]).await.assert(1).err;
    assert_eq!(over, "dead-letter: Your sign-in has expired. Run: dead-letter login --profile ada\n");
    office.sign_in("ada").await;
    assert_eq!(office.services("ada").await.len(), 2);

    let token = string(&office.stored("ada")["refreshToken"]);
    assert_eq!(office.run("ada", &["logout"]).await.assert(0).out, "You are signed out.\n");
    assert!(!office.tokens("ada").exists());
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
    let (status, answer) = office.issuer.post("/token", &form).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")), "it was withdrawn");
    office.run("ada", &["ls"]).await.assert(1);
    assert_eq!(office.run("ada", &["logout"]).await.assert(0).out, "You were not signed in.\n");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the issuer: make login"]
async fn nobody_is_signed_in_by_a_refusal_or_by_an_issuer_that_is_not_to_be_trusted() {
    let office = Office::open().await;
    let refused = office.login("ada", None).await.assert(1).err;
    assert_eq!(refused, "dead-letter: The sign-in was refused in the browser.\n");
    let login = async |flags: &[&str]| office.run("ada", &[&["login"], flags].concat()).await;
    let plain = login(&["--issuer", "http://id.example"]).await.assert(2).err;
    assert!(plain.contains("is not encrypted"), "{plain}");
    let server = login(&["--server", "http://dead-letter.example"]).await.assert(2).err;
    assert!(server.contains("is not encrypted"), "{server}");
    let alias = office.issuer.url.replace("127.0.0.1", "localhost");
    let other = login(&["--issuer", &alias]).await.assert(2).err;
    assert!(other.contains(&format!("its name is {}", office.issuer.url)), "{other}");
    let client = login(&["--client-id", "unknown"]).await.assert(1).err;
    assert!(client.contains("refused"), "{client}");
    let away = login(&["--issuer", &office.world.api().url()]).await.assert(1).err;
    assert!(away.contains("answered 404"), "it is no issuer: {away}");
    assert!(!office.tokens("ada").exists());
}
