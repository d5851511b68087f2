//! R18 for e-mail: a real mail server that demands STARTTLS and a login, and ones that are not what they should be. Its address is
//! `0.0.0.0`, which is this machine, and no loopback address to the service: what is allowed on those is not allowed here.

use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

use super::Told;
use crate::support::{free_address, until};

const PASSWORD: &str = "the password of the mailbox";

/// What the server shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// A certificate of this name.
    Name(&'static str),
    /// Neither encryption nor a login.
    Nothing,
}

/// Ends with the value.
struct Mailbox {
    port: String,
    files: TempDir,
    child: Child,
}

impl Mailbox {
    /// `None` where this machine has no mail server.
    async fn start(shows: Shows) -> Option<Self> {
        let python = || Command::new("/usr/bin/python3");
        let is_there = python().args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
        if !is_there.is_ok_and(|status| status.success()) {
            println!("skipped: there is no mail server. As root: apt-get install python3-aiosmtpd");
            return None;
        }
        let (address, files) = (free_address(), TempDir::new().unwrap());
        let port = address.rsplit_once(':').unwrap().1.to_owned();
        std::fs::create_dir(files.path().join("mails")).unwrap();
        let (_, certificate) = Self::certificates(&files, shows);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/notifications/mail_server.py");
        let child = python()
            .arg(script)
            .arg(&port)
            .arg(files.path().join("mails"))
            .args(certificate)
            .stdout(Stdio::null())
            // It tells at length what its clients refuse.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mailbox = Self { port, files, child };
        until("the mail server listens", || async { tokio::net::TcpStream::connect(&address).await.ok() })
            .await;
        Some(mailbox)
    }

    /// Files of the authority, and of the server's certificate and its key.
    fn certificates(files: &TempDir, shows: Shows) -> (String, Vec<String>) {
        let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        std::fs::write(path("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let Shows::Name(name) = shows else { return (path("ca.pem"), Vec::new()) };
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let signed = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        std::fs::write(path("server.pem"), signed.pem()).unwrap();
        std::fs::write(path("server.key"), key.serialize_pem()).unwrap();
        (path("ca.pem"), vec![path("server.pem"), path("server.key")])
    }

    /// A service that tells this server, logged in with this password.
    async fn told(&self, password: Option<&str>, settings: &[(&str, &str)]) -> Told {
        let file = self.files.path().join("password");
        std::fs::write(&file, password.unwrap_or_default()).unwrap();
        let login = format!(", username: dead-letter, password: {{file: {}}}", file.display());
        let login = password.map_or("", |_| &login);
        let routes = format!(
            "  mail: {{type: email, server: 'smtp://0.0.0.0:{}', from: 'dl@example.com', to: [shop@example.com]{login}}}\n\
             routes:\n  - {{channels: [mail]}}\n",
            self.port
        );
        let ca = self.files.path().join("ca.pem");
        let trusted = [("DEAD_LETTER_CA_FILE", ca.to_str().unwrap())];
        Told::with(&routes, &[&trusted, settings].concat()).await
    }

    /// The mails that came.
    fn mails(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.files.path().join("mails")).unwrap();
        let named = folder.map(|file| file.unwrap().path());
        let mails = named.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("mail-"));
        mails.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first notification, once it was tried.
async fn tried(told: &Told) -> Value {
    told.dies("webshop", "Declined").await;
    let incident = told.incident("newErrorGroup", "open").await;
    until("it was tried", || async {
        let now = told.get(&format!("/incidents/{}", incident["id"].as_str().unwrap())).await;
        let first = now["notifications"][0].clone();
        (first["state"] == "sent" || !first["lastError"].is_null()).then_some(first)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_a_verified_server_by_starttls_and_with_a_login() {
    let Some(mailbox) = Mailbox::start(Shows::Name("0.0.0.0")).await else { return };
    let told = mailbox.told(Some(PASSWORD), &[]).await;
    let notification = tried(&told).await;
    assert_eq!(notification["state"], "sent", "{notification}");
    let mails = mailbox.mails();
    assert!(mails[0].starts_with("login: 'dead-letter'\nencrypted: True\n"), "{mails:?}");
    assert!(mails[0].contains("New error in webshop: Declined"), "{mails:?}");
}

/// No server of another name, none that cannot encrypt, and none that refuses the login gets a mail. No error has the password.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_nobody_else() {
    let elsewhere = (Shows::Name("elsewhere.example"), Some(PASSWORD));
    let plain = (Shows::Nothing, None);
    let stranger = (Shows::Name("0.0.0.0"), Some("another password"));
    for (shows, password) in [elsewhere, plain, stranger] {
        let Some(mailbox) = Mailbox::start(shows).await else { return };
        let told = mailbox.told(password, &[]).await;
        let notification = tried(&told).await;
        assert_eq!(notification["state"], "pending", "{notification}");
        let why = notification["lastError"].as_str().unwrap();
        assert!(why.contains("the mail server did not take it") && !why.contains("password"), "{why}");
        assert_eq!(mailbox.mails().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_by_plain_text_where_that_is_allowed() {
    let Some(mailbox) = Mailbox::start(Shows::Nothing).await else { return };
    let told = mailbox.told(None, &[("DEAD_LETTER_PLAINTEXT", "notifications")]).await;
    let notification = tried(&told).await;
    assert_eq!(notification["state"], "sent", "{notification}");
    assert!(mailbox.mails()[0].starts_with("login: None\nencrypted: False\n"));
}
