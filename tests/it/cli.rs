//! The binary as a client of the API: what it prints, and its exit codes.

mod acting;
mod care;

use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::{Api, DeadMessage, World, free_address, id, text, until, until_eq};

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn assert(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap()
    }
}

/// A command of the client, without terminal, settings or profiles of whoever runs the tests.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    for name in ["DEAD_LETTER_SERVER", "DEAD_LETTER_TOKEN", "DEAD_LETTER_PROFILE"] {
        command.env_remove(name);
    }
    command.args(arguments).env("XDG_CONFIG_HOME", "/nonexistent").stdin(Stdio::null()).kill_on_drop(true);
    command
}

pub async fn run(mut command: Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
}

async fn client(world: &World, arguments: &[&str]) -> Ran {
    client_of(world.api(), arguments).await
}

/// A command that asks this server.
pub async fn client_of(api: &Api, arguments: &[&str]) -> Ran {
    let mut command = command(arguments);
    command.env("DEAD_LETTER_SERVER", api.url());
    run(command).await
}

/// A redelivery's verdict comes soon.
const SOON: &[(&str, &str)] = &[("DEAD_LETTER_WATCH_RETURNS", "1s")];

/// Two services with three dead letters of two bugs; those of `work` can be put back.
async fn world() -> World {
    let world = World::start_with(SOON).await;
    for number in 0..2 {
        let text = format!("card issuer timed out after {number}00 ms");
        world.publish(DeadMessage::new(&id(), "work_webshop").error("PaymentDeclined", &text)).await;
    }
    let hostile =
        DeadMessage::new(&id(), "work_mailer").error("Bounced", "no \u{1b}[31msuch\nbox").body("{\"to\":1}");
    world.publish(hostile).await;
    world.until_stored(3).await;
    world
}

/// Tables for people, and the API's JSON for scripts: the same dead letters.
/// `dead-letter find x 2>&1 | head` ends before the command does.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_reading_is_no_failure() {
    let (reader, stdout) = std::io::pipe().unwrap();
    let stderr = stdout.try_clone().unwrap();
    drop(reader);
    let address = free_address();
    let mut command = command(&["ls", "--server", &format!("http://{address}")]);
    let mut child = command.stdout(stdout).stderr(stderr).spawn().unwrap();
    drop(command);
    assert_eq!(child.wait().await.unwrap().code(), Some(1), "as where somebody reads that no server answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_is_a_table_or_the_json_of_the_api() {
    let world = world().await;
    let listed = client(&world, &["ls", "--service", "webshop"]).await.assert(0);
    assert_eq!(listed.out.matches("PaymentDeclined: card issuer timed out").count(), 2, "{listed:?}");
    assert!(listed.out.starts_with("ID ") && !listed.out.contains("mailer"), "{listed:?}");
    assert_eq!(listed.err, "2 of 2\n");
    let page = client(&world, &["ls", "--limit", "1", "--order", "oldest", "--json"]).await.assert(0).json();
    let query = "/dead-letters?limit=1&order=oldest";
    assert_eq!(page, world.api().get(query).await.assert(200).json);
    let all = client(&world, &["ls", "--all-pages", "--to", "2999-01-01T00:00:00Z"]).await.assert(0);
    assert_eq!(all.out.lines().count(), 4, "{all:?}");
    assert!(!all.out.contains('\u{1b}'), "what a message says does not steer the terminal: {all:?}");

    let letter = world.only("service=mailer").await;
    let shown = client(&world, &["show", letter["id"].as_str().unwrap()]).await.assert(0).out;
    for part in [
        "mailer (squad unowned)",
        "  {\n    \"to\": 1\n  }\n",
        "dead-letter-error-type",
        "at main",
        "History",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let whole = client(&world, &["show", letter["id"].as_str().unwrap(), "--json"]).await.assert(0).json();
    assert_eq!(whole["id"], letter["id"]);

    let groups = client(&world, &["groups"]).await.assert(0);
    assert!(
        groups.out.contains("card issuer timed out after <number> ms") && groups.out.contains("67 %"),
        "{groups:?}"
    );
    assert_eq!(groups.err, "2 of 2 groups, 3 dead letters\n");
    assert_eq!(client(&world, &["groups", "--json"]).await.assert(0).json()["messages"], 3);
    let squads = client(&world, &["overview"]).await.assert(0).out;
    assert!(squads.contains("unowned") && squads.contains("LAST HOUR"), "{squads}");
    let services = client(&world, &["overview", "--squad", "unowned"]).await.assert(0).out;
    assert!(services.contains("webshop") && services.contains("mailer"), "{services}");
}

/// What came back is marked, and can be asked for.
#[tokio::test(flavor = "multi_thread")]
async fn what_died_again_is_marked_in_the_list() {
    let world = World::start().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_again", id()), &world.source.name).await;
    world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(1).await;
    assert_eq!(client(&world, &["ls", "--returned"]).await.assert(0).err, "0 of 0\n");
    client(&world, &["redeliver", "--service", "again", "--yes"]).await;
    world.broker.reject_next(&queue.name).await;
    world.until_stored(2).await;
    let returned = client(&world, &["ls", "--returned"]).await.assert(0);
    assert!(returned.out.contains("died again") && returned.err == "1 of 1\n", "{returned:?}");
    let first = client(&world, &["ls", "--returned=false", "--status", "any"]).await.assert(0);
    assert!(first.out.contains("redelivered") && first.err == "1 of 1\n", "{first:?}");
    let plan = client(&world, &["plan", "--returned", "--json"]).await.assert(0).json();
    assert_eq!(plan["total"], 1, "{plan}");
    client(&world, &["ls", "--returned=perhaps"]).await.assert(2);
}

/// Whatever is at hand leads to it; what is not found is told apart from what is elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_at_hand_is_found() {
    let world = world().await;
    let (message_id, mark) = (id(), id());
    let long = format!("order failed: {}ORA-00001 {mark}", "at some.place ".repeat(220));
    let letter = DeadMessage::new(&message_id, "work_webshop")
        .properties(|p| p.with_correlation_id("order-77".into()))
        .header("tenant", text("acme & co"))
        .error("DbError", &long)
        .body("{\"order\":{\"id\":4711,\"to\":\"\\u00d8rsted\"}}");
    world.publish(letter).await;
    world.until_stored(4).await;
    let letter = world.only("find=order-77").await["id"].as_str().unwrap().to_owned();
    let end = format!("…{}", &letter[28..]);
    for (at_hand, by) in [
        (&*letter, "by dead letter id"),
        (&end, "by dead letter id"),
        (&letter[..20], "by dead letter id"),
        (&message_id, "by message id"),
        ("order-77", "by correlation id"),
        ("acme & co", "by text"),
        ("ORA-00001", "by text"),
        ("Ørsted", "by text"),
    ] {
        let found = client(&world, &["find", at_hand]).await.assert(0);
        assert!(found.out.contains(&letter) && found.err.starts_with("1 of 1, by "), "{at_hand}: {found:?}");
        assert!(found.err.contains(by), "{at_hand}: {found:?}");
    }
    for at_hand in [&*end, &letter[..20], "order-77", &message_id] {
        assert!(client(&world, &["show", at_hand]).await.assert(0).out.contains(&letter), "{at_hand}");
    }
    client(&world, &["show", "ORA-00001"]).await.assert(3);
    assert_eq!(world.only("error=ORA-00001").await["id"], *letter, "the end of a long error is searched");
    for flags in
        [["--header", "tenant=acme & co"], ["--body", "order.id=4711"], ["--body", "order.to=Ørsted"]]
    {
        let listed = client(&world, &["ls", flags[0], flags[1]]).await.assert(0);
        assert!(listed.out.contains(&letter) && listed.err == "1 of 1\n", "{listed:?}");
        let plan = client(&world, &["plan", flags[0], flags[1], "--json"]).await.assert(0).json();
        assert_eq!(plan["total"], 1, "{plan}");
    }

    let nothing = client(&world, &["find", "nowhere"]).await.assert(0);
    assert!(nothing.err.contains("Nothing found") && nothing.err.contains("Not searched"), "{nothing:?}");
    let typo = client(&world, &["ls", "--service", "webshp"]).await.assert(3);
    let said = "No dead letters of service webshp are stored. Did you mean webshop?";
    assert!(typo.err.contains(said), "{typo:?}");
    client(&world, &["ls", "--service", "webshp", "--json"]).await.assert(3);
    client(&world, &["delete", "--find", "order-77", "--yes"]).await.assert(0);
    let hidden = client(&world, &["ls", "--correlation-id", "order-77"]).await.assert(0);
    assert!(hidden.err.contains("1 matches with --status deleted (or --status any)"), "{hidden:?}");
    assert!(client(&world, &["find", "order-77"]).await.assert(0).out.contains(&letter));
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_end_with_an_exit_code_that_tells_them_apart() {
    let world = world().await;
    let nobody = id();
    for arguments in [&["show", &nobody][..], &["watch", &nobody], &["resolve", &nobody]] {
        let missing = client(&world, arguments).await.assert(3);
        assert!(missing.err.starts_with("dead-letter: No ") && missing.err.contains(&nobody), "{missing:?}");
    }
    let wrong = client(&world, &["ls", "--limit", "0", "--min-attempt", "x"]).await.assert(2);
    assert!(wrong.err.lines().all(|line| line.starts_with("dead-letter: ")), "{wrong:?}");
    let wrong = client(&world, &["groups", "--error-group", "x", "--min-attempt", "x"]).await.assert(2);
    assert_eq!(wrong.err.lines().count(), 2, "a line for each field: {wrong:?}");
    for arguments in [
        &["redeliver", "--yes"][..],
        &["redeliver", "--yes", "--all", "--service", "webshop"],
        &["redeliver", "--yes", "--all", "--to", "2026-01-01T00:00:00Z"],
        &["delete", "--yes", "--plan", &nobody, "--service", "webshop"],
        &["watch", "x"],
        &["ls", "--profile", "unknown"],
        &["ls", "--server", "ftp://127.0.0.1"],
    ] {
        client(&world, arguments).await.assert(2);
    }
    let server = format!("http://{}", free_address());
    let nobody_there = run(command(&["ls", "--server", &server])).await.assert(1);
    assert!(
        nobody_there.err.starts_with(&format!("dead-letter: No answer from {server}: ")),
        "{nobody_there:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn error_groups_are_resolved_muted_and_noted() {
    let world = world().await;
    let group = world.only("service=mailer").await["errorGroup"].as_str().unwrap().to_owned();
    let resolved = client(&world, &["resolve", &group, "--note", "in 42"]).await.assert(0).out;
    assert!(resolved.contains("resolved") && resolved.contains("Bounced"), "{resolved}");
    client(&world, &["mute", &group]).await.assert(2);
    let muted = client(&world, &["mute", &group, "--for", "2h", "--count", "5"]).await.assert(0).out;
    assert!(muted.contains("muted until") && muted.contains("6 arrivals (1 so far)"), "{muted}");
    let reopened = client(&world, &["reopen", &group, "--json"]).await.assert(0).json();
    assert_eq!(reopened["state"], "new");
    client(&world, &["note", &group[28..], "told them"]).await.assert(0);
    let short = client(&world, &["group", &group[..8]]).await.assert(0).out;
    assert!(short.contains("told them") && short.contains(&group), "{short}");
    client(&world, &["group", "Bounced"]).await.assert(2);
    client(&world, &["group", "0123abcd"]).await.assert(3);
    let letter = world.only("service=mailer").await["id"].as_str().unwrap().to_owned();
    let acted = client(&world, &["delete", &letter[..8], "--yes"]).await.assert(2);
    assert!(acted.err.contains(&format!("dead-letter show {}", &letter[..8])), "{acted:?}");
    let details = world.api().get(&format!("/dead-letters/error-groups/{group}")).await.assert(200).json;
    assert_eq!(details["events"][0]["note"], "told them");
}

/// The last ones first, and then what comes, each once.
#[tokio::test(flavor = "multi_thread")]
async fn tail_shows_what_comes() {
    let world = world().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut tail = command(&["tail", "--last", "2", "--server", &world.api().url()])
        .stdout(std::fs::File::create(&path).unwrap())
        .spawn()
        .unwrap();
    let count = || std::fs::read_to_string(&path).unwrap().lines().count();
    until("the last ones", || async { (count() == 2).then_some(()) }).await;
    for _ in 0..3 {
        world.publish(DeadMessage::new(&id(), "work_late").error("Late", "too late")).await;
    }
    until_eq("those that came", 5, || async { count() }).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(count(), 5, "each once");
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("Late: too late").count(), 3);
    tail.kill().await.unwrap();
}

/// Answers one request with an empty page, and gives back what was asked.
pub async fn asked(listener: TcpListener) -> String {
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await.unwrap());
    }
    let body = "{\"messages\":[],\"total\":{\"value\":0,\"relation\":\"eq\"},\"nextCursor\":null}";
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    String::from_utf8(request).unwrap().to_lowercase()
}

/// Server and token come from the profile; the token goes to its own server only, and is never printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_sent_and_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dead-letter/config.toml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let (first, second) =
        (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let (profile_url, other_url) = (url(&first), url(&second));
    let write = |token: &str| {
        std::fs::write(&file, format!("[profiles.night]\nserver = \"{profile_url}\"\ntoken = {token}\n"))
            .unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let run_with = async |arguments: &[&str], token: Option<&str>| {
        let mut command = command(&[&["ls", "--profile", "night"], arguments].concat());
        command.env("XDG_CONFIG_HOME", folder.path());
        command.envs(token.map(|token| ("DEAD_LETTER_TOKEN", token)));
        let ran = run(command).await;
        assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
        ran
    };
    write("\"s3cret\"");
    let (ran, request) = tokio::join!(run_with(&[], None), asked(first));
    ran.assert(0);
    assert!(request.contains("authorization: bearer s3cret\r\n"), "{request}");
    let elsewhere = ["--server", &other_url];
    let (ran, request) = tokio::join!(run_with(&elsewhere, None), asked(second));
    ran.assert(0);
    assert!(!request.contains("authorization"), "it is not for that server: {request}");
    run_with(&[], Some("s3cret")).await.assert(1);
    run_with(&["--help"], Some("s3cret")).await.assert(0);
    run_with(&[], Some("s3cret\u{7}")).await.assert(2);
    let refused = run_with(&["--server", "http://dead-letter.example"], Some("s3cret")).await.assert(2).err;
    assert!(refused.contains("is not encrypted"), "{refused}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = run_with(&[], None).await.assert(2).err;
    assert!(refused.contains("chmod 600"), "{refused}");
    for broken in ["\"s3cret", "53cret", "[\"s3cret\"]"] {
        write(broken);
        assert!(run_with(&[], None).await.assert(2).err.contains("line 3"), "{broken}");
    }
}

/// Times as people say them; notes can be read again; a group is resolved after its messages were redelivered.
#[tokio::test(flavor = "multi_thread")]
async fn groups_are_resolved_in_the_natural_order() {
    let world = world().await;
    let group = world.only("service=mailer").await["errorGroup"].as_str().unwrap().to_owned();
    assert_eq!(client(&world, &["ls", "--from", "1h"]).await.assert(0).err, "3 of 3\n");
    assert_eq!(client(&world, &["ls", "--until", "1h"]).await.assert(0).err, "0 of 0\n");
    client(&world, &["ls", "--from", "2 moons"]).await.assert(2);
    client(&world, &["delete", "--service", "mailer", "--yes"]).await.assert(0);
    let groups = client(&world, &["groups", "--service", "mailer"]).await.assert(0);
    assert!(groups.out.contains(&group) && groups.err == "1 of 1 groups, 0 dead letters\n", "{groups:?}");
    let overview = client(&world, &["overview", "--squad", "unowned"]).await.assert(0).out;
    assert!(overview.contains("mailer") && overview.contains("24 H: DIED"), "{overview}");
    let resolved = client(&world, &["resolve", &group, "--note", "in release 42"]).await.assert(0).out;
    assert!(resolved.contains("resolve: in release 42"), "{resolved}");
    client(&world, &["mute", &group, "--for", "3d"]).await.assert(0);
    let shown = client(&world, &["group", &group]).await.assert(0).out;
    assert!(shown.contains("resolve: in release 42") && shown.contains("muted until"), "{shown}");
}

/// People read times where they are, scripts read UTC. A time that is shown is one that a filter takes.
#[tokio::test(flavor = "multi_thread")]
async fn times_are_those_of_the_time_zone() {
    let world = world().await;
    let letter = world.only("service=mailer").await;
    let received = letter["receivedAt"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let show = async |arguments: &[&str]| {
        let mut command = command(&[&["show", letter["id"].as_str().unwrap()], arguments].concat());
        command.env("DEAD_LETTER_SERVER", world.api().url()).env("TZ", "<+0545>-5:45");
        run(command).await.assert(0)
    };
    let arrived = async |arguments: &[&str]| {
        let shown = show(arguments).await.out;
        let line = shown.lines().find_map(|line| line.strip_prefix("arrived")).unwrap().trim().to_owned();
        line.split(' ').next().unwrap().to_owned()
    };
    let local = arrived(&[]).await;
    assert!(local.ends_with("+05:45"), "{local}");
    assert_eq!(local.parse::<DateTime<Utc>>().unwrap().timestamp(), received.timestamp());
    let utc = received.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    assert_eq!(arrived(&["--utc"]).await, utc);
    assert_eq!(show(&["--json"]).await.json()["receivedAt"], letter["receivedAt"]);
    let since = client(&world, &["ls", "--service", "mailer", "--from", &local]).await.assert(0);
    assert_eq!(since.err, "1 of 1\n");
}
