//! What each kind of channel sends: to a receiver, and to a real mail server.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Told;
use crate::support::{free_address, until};

/// An incident that is told through this channel, from its beginning to its end.
async fn told_through(channel: &str) -> (Told, Value) {
    let told = Told::with(channel, &[]).await;
    told.dies("webshop", "Declined").await;
    let incident = told.incident("newErrorGroup", "open").await;
    until("it is sent", || async {
        let now = told.get(&format!("/incidents/{}", incident["id"].as_str().unwrap())).await;
        (now["notifications"][0]["state"] == "sent").then_some(())
    })
    .await;
    let filter = json!({"filter": {"service": "webshop"}});
    told.world.api().delete("/dead-letters?wait=30", &filter).await.assert(200);
    let over = told.incident("newErrorGroup", "resolved").await;
    (told, over)
}

fn to(channel: &str) -> String {
    format!("routes:\n  - {{channels: [{channel}]}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pager_is_triggered_and_resolved_by_the_same_key() {
    let (told, incident) = told_through(&to("pager")).await;
    let got = told.receiver.until_confirmed("/v2/enqueue", 2).await;
    let [trigger, resolve] = [&got[0].json, &got[1].json];
    assert_eq!(trigger["event_action"], "trigger");
    assert_eq!(resolve["event_action"], "resolve");
    let key = format!("dead-letter/{}", incident["id"].as_str().unwrap());
    for event in [trigger, resolve] {
        assert_eq!(event["dedup_key"], key);
        assert_eq!(event["routing_key"], "the key of the pager");
    }
    let payload = &trigger["payload"];
    assert_eq!(payload["summary"], "New error in webshop: Declined");
    assert_eq!((&payload["severity"], &payload["source"]), (&json!("warning"), &json!("webshop")));
    assert!(trigger["links"][0]["href"].as_str().unwrap().contains("/console/group?id="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_reads_one_text() {
    let (told, _) = told_through(&to("chat")).await;
    let got = told.receiver.until_confirmed("/chat", 2).await;
    let text = |number: usize| got[number].json["text"].as_str().unwrap();
    assert!(
        text(0).starts_with(":rotating_light: *New error in webshop: Declined*\n1 dead letter"),
        "{}",
        text(0)
    );
    assert!(text(0).contains("|Open in dead-letter>"), "{}", text(0));
    assert!(text(1).starts_with(":white_check_mark: *Over: New error"), "{}", text(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn backstage_tells_the_group_of_the_squad() {
    let (told, incident) = told_through(&to("portal")).await;
    for got in told.receiver.until_confirmed("/api/notifications/notifications", 2).await {
        assert_eq!(got.header("authorization"), "Bearer the token of the portal");
        assert_eq!(got.json["recipients"], json!({"type": "entity", "entityRef": "group:default/shop"}));
        assert_eq!(got.json["payload"]["scope"], incident["id"]);
        assert_eq!(got.json["payload"]["topic"], "dead-letter");
    }
}

/// Keeps each mail as a file. Ends with the value.
struct MailServer {
    address: String,
    mails: TempDir,
    child: Child,
}

impl MailServer {
    /// `None` where this machine has none.
    async fn start() -> Option<Self> {
        let python = || Command::new("/usr/bin/python3");
        let is_there = python().args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        if !is_there.is_ok_and(|status| status.success()) {
            return None;
        }
        let (address, mails) = (free_address(), TempDir::new().unwrap());
        let keep = mails.path().join("mails");
        let arguments = ["-m", "aiosmtpd", "-n", "-l", &address, "-c", "aiosmtpd.handlers.Mailbox"];
        let child = python().args(arguments).arg(&keep).stdout(Stdio::null()).spawn().unwrap();
        let server = Self { address, mails, child };
        until("the mail server listens", || async {
            tokio::net::TcpStream::connect(&server.address).await.ok()
        })
        .await;
        Some(server)
    }

    /// The mails that came, in no order.
    fn mails(&self) -> Vec<String> {
        let read =
            |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
        read(&self.mails.path().join("mails/new"))
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_has_the_id_of_the_notification() {
    let Some(server) = MailServer::start().await else {
        return println!("skipped: there is no mail server. As root: apt-get install python3-aiosmtpd");
    };
    let mail = format!(
        "  mail: {{type: email, server: 'smtp://{}', from: 'dead-letter <dl@example.com>', to: [shop@example.com]}}\n{}",
        server.address,
        to("mail")
    );
    let (_told, incident) = told_through(&mail).await;
    let mails = until("both mails", || async { Some(server.mails()).filter(|mails| mails.len() == 2) }).await;
    for notification in incident["notifications"].as_array().unwrap() {
        let id = format!("Message-ID: <{}@dead-letter.invalid>", notification["id"].as_str().unwrap());
        let mail = mails.iter().find(|mail| mail.contains(&id)).unwrap_or_else(|| panic!("{id}: {mails:?}"));
        assert!(
            mail.contains(&format!("References: <{}@dead-letter.invalid>", incident["id"].as_str().unwrap()))
        );
        assert!(
            mail.contains("To: shop@example.com") && mail.contains("New error in webshop: Declined"),
            "{mail}"
        );
    }
}
