//! R18: no channel is used whose other side is not who it should be. The servers are real, and speak TLS by a proxy before them.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use reqwest::Method;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{DEADLINE, Database, DeadMessage, Service, World, free_address, id, until_eq};

/// How `PostgreSQL`'s clients ask for TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// An authority that nobody knows but who is told.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    files: TempDir,
}

/// What a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Good,
    OtherName,
    Expired,
}

/// Whether a server wants to know its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clients {
    Anybody,
    Known,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// TLS from the first byte.
    Plain,
    /// After a request.
    Postgres,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let files = TempDir::new().unwrap();
        std::fs::write(files.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { certificate: certificate.der().clone(), issuer: Issuer::new(params, key), files }
    }

    fn sign(&self, shown: Shown) -> (rcgen::Certificate, KeyPair) {
        let name = if shown == Shown::OtherName { "elsewhere.example" } else { "localhost" };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if shown == Shown::Expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).to_str().unwrap().to_owned()
    }

    /// Files of a client certificate.
    fn client_files(&self) -> (String, String) {
        let (certificate, key) = self.sign(Shown::Good);
        std::fs::write(self.file("client.pem"), certificate.pem()).unwrap();
        std::fs::write(self.file("client.key"), key.serialize_pem()).unwrap();
        (self.file("client.pem"), self.file("client.key"))
    }

    /// Encrypts what leads to this server. The port of the proxy.
    async fn before(&self, upstream: &str, protocol: Protocol, shown: Shown, clients: Clients) -> u16 {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (certificate, key) = self.sign(shown);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = match clients {
            Clients::Anybody => ServerConfig::builder().with_no_client_auth(),
            Clients::Known => {
                let mut roots = RootCertStore::empty();
                roots.add(self.certificate.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let (acceptor, upstream) = (TlsAcceptor::from(Arc::new(config)), upstream.to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A client that gives up is what some tests are about.
                tokio::spawn(forward(client, acceptor.clone(), upstream.clone(), protocol));
            }
        });
        port
    }
}

async fn forward(
    mut client: TcpStream,
    acceptor: TlsAcceptor,
    upstream: String,
    protocol: Protocol,
) -> std::io::Result<()> {
    if protocol == Protocol::Postgres {
        let mut asked = [0; 8];
        client.read_exact(&mut asked).await?;
        // What is not encrypted is not served.
        if asked != SSL_REQUEST {
            return Ok(());
        }
        client.write_all(b"S").await?;
    }
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(upstream).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// `host:port` of a URL, and the same URL at another address.
fn moved(url: &str, scheme: &str, address: &str) -> (String, String) {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (user, server) = authority.rsplit_once('@').unwrap();
    (server.to_owned(), format!("{scheme}://{user}@{address}/{path}"))
}

/// A service of which the log is read.
struct Logged(Child);

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the service, and waits until its log has this. What the log said, if it ends without.
async fn until_logged(settings: &[(&str, &str)], wanted: &str) -> Result<(), String> {
    let (http, admin) = (free_address(), free_address());
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    command.env_remove("DATABASE_URL").env_remove("AMQP_URL");
    command
        .arg("serve")
        .env("HTTP_ADDR", http)
        .env("ADMIN_ADDR", admin)
        .env("DEAD_LETTER_LOG_FORMAT", "json");
    command.envs(settings.iter().copied()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut service = Logged(command.spawn().unwrap());
    let log = tokio::process::ChildStderr::from_std(service.0.stderr.take().unwrap()).unwrap();
    let (mut lines, mut said) = (BufReader::new(log).lines(), String::new());
    let reading = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(wanted) {
                return true;
            }
            said.push_str(&line);
        }
        false
    };
    let found = tokio::time::timeout(DEADLINE, reading).await.unwrap_or(false);
    if found { Ok(()) } else { Err(said) }
}

async fn assert_logged(settings: &[(&str, &str)], wanted: &str, what: &str) {
    if let Err(said) = until_logged(settings, wanted).await {
        panic!("{what}: nothing of {wanted:?} in {said}");
    }
}

/// Everything is encrypted and verified, with certificates on both sides: messages arrive.
#[tokio::test(flavor = "multi_thread")]
async fn verified_channels_carry_messages() {
    let world = World::start().await;
    let (ours, database) = (Authority::new(), Database::shared().await);
    let (certificate, key) = ours.client_files();
    let (server, _) = moved(&database.url, "", "");
    let port = ours.before(&server, Protocol::Postgres, Shown::Good, Clients::Known).await;
    let (_, database_url) = moved(&database.url, "postgres", &format!("localhost:{port}"));
    let (broker, _) = moved(&world.broker.url, "", "");
    let port = ours.before(&broker, Protocol::Plain, Shown::Good, Clients::Known).await;
    let (_, amqp_url) = moved(&world.broker.url, "amqps", &format!("localhost:{port}"));
    let source = world.broker.declare_source(&[]).await;
    let settings = [
        ("DEAD_LETTER_CA_FILE", ours.file("ca.pem")),
        ("DEAD_LETTER_CLIENT_CERTIFICATE_FILE", certificate),
        ("DEAD_LETTER_CLIENT_KEY_FILE", key),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let database_url = format!("{database_url}?sslmode=verify-full");
    let service = Service::start(&database_url, &amqp_url, &source.name, &settings);
    service.until_ready().await;
    world.broker.publish(&source.name, "", &DeadMessage::new(&id(), "a_service")).await;
    until_eq("it is stored", 1, || database.count("dead_letter")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_verified() {
    let (ours, other, database) = (Authority::new(), Authority::new(), Database::shared().await);
    let (server, _) = moved(&database.url, "", "");
    let (ca, others_ca) = (ours.file("ca.pem"), other.file("ca.pem"));
    for (shown, ca, clients, says) in [
        (Shown::Good, &others_ca, Clients::Anybody, "certificate"),
        (Shown::OtherName, &ca, Clients::Anybody, "certificate"),
        (Shown::Expired, &ca, Clients::Anybody, "certificate"),
        (Shown::Good, &ca, Clients::Known, "waiting for the database"),
    ] {
        let port = ours.before(&server, Protocol::Postgres, shown, clients).await;
        let (_, url) = moved(&database.url, "postgres", &format!("localhost:{port}"));
        let url = format!("{url}?sslmode=verify-full");
        let settings = [("DATABASE_URL", url.as_str()), ("DEAD_LETTER_CA_FILE", ca)];
        assert_logged(&settings, says, &format!("{shown:?}")).await;
    }
    let remote = [("DATABASE_URL", "postgres://u:secret@db.example/d?sslmode=require")];
    assert_logged(&remote, "DEAD_LETTER_PLAINTEXT=database", "without verification").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_are_verified() {
    let world = World::start().await;
    let (ours, other) = (Authority::new(), Authority::new());
    let (server, _) = moved(&world.broker.url, "", "");
    let (ca, others_ca) = (ours.file("ca.pem"), other.file("ca.pem"));
    for (shown, ca, clients) in [
        (Shown::Good, &others_ca, Clients::Anybody),
        (Shown::OtherName, &ca, Clients::Anybody),
        (Shown::Expired, &ca, Clients::Anybody),
        (Shown::Good, &ca, Clients::Known),
    ] {
        let port = ours.before(&server, Protocol::Plain, shown, clients).await;
        let (_, url) = moved(&world.broker.url, "amqps", &format!("localhost:{port}"));
        let settings = [
            ("DATABASE_URL", world.database.url.as_str()),
            ("AMQP_URL", url.as_str()),
            ("DEAD_LETTER_CA_FILE", ca),
            ("DEAD_LETTER_SOURCES", world.source.name.as_str()),
        ];
        assert_logged(&settings, "ertificate", &format!("{shown:?}")).await;
    }
    let remote = [("AMQP_URL", "amqp://u:secret@broker.example")];
    assert_logged(&remote, "DEAD_LETTER_PLAINTEXT=broker", "plain text").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn collectors_and_issuers_are_reached_by_tls() {
    let collector = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.example:4318")];
    assert_logged(&collector, "DEAD_LETTER_PLAINTEXT=telemetry", "a collector").await;
    let policy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(policy.path(), "grants: []").unwrap();
    let policy = policy.path().to_str().unwrap();
    for name in ["DEAD_LETTER_OIDC_ISSUER", "DEAD_LETTER_BACKSTAGE_URL"] {
        let issuer = [(name, "http://id.example"), ("DEAD_LETTER_POLICY_FILE", policy)];
        assert_logged(&issuer, "DEAD_LETTER_PLAINTEXT=issuer", name).await;
    }
}

/// Counts the requests of each path, and answers what an issuer might.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<BTreeMap<String, usize>>>);

impl Sink {
    async fn listen() -> (Self, String) {
        let sink = Self::default();
        let counting = sink.clone();
        let router = axum::Router::new().fallback(async move |uri: axum::http::Uri| {
            *counting.0.lock().unwrap().entry(uri.path().to_owned()).or_default() += 1;
            axum::Json(serde_json::json!({}))
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (sink, address)
    }

    fn count(&self, path: &str) -> usize {
        self.0.lock().unwrap().get(path).copied().unwrap_or_default()
    }
}

/// What no issuer has signed, but would have to be asked for.
const TOKEN: &str = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImEifQ.e30.AAAA";

/// Issuer and collector are verified, and are shown the client certificate.
#[tokio::test(flavor = "multi_thread")]
async fn issuers_and_collectors_are_verified() {
    let world = World::start().await;
    let (ours, other, (sink, upstream)) = (Authority::new(), Authority::new(), Sink::listen().await);
    let policy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(policy.path(), "grants: []").unwrap();
    let (ca, others_ca, (certificate, key)) =
        (ours.file("ca.pem"), other.file("ca.pem"), ours.client_files());
    let shown_key = [
        ("DEAD_LETTER_CLIENT_CERTIFICATE_FILE", certificate.as_str()),
        ("DEAD_LETTER_CLIENT_KEY_FILE", &key),
    ];
    for (shown, ca, clients, client, arrives) in [
        (Shown::Good, &others_ca, Clients::Anybody, &[][..], false),
        (Shown::OtherName, &ca, Clients::Anybody, &[], false),
        (Shown::Expired, &ca, Clients::Anybody, &[], false),
        (Shown::Good, &ca, Clients::Known, &[], false),
        (Shown::Good, &ca, Clients::Known, &shown_key[..], true),
    ] {
        let port = ours.before(&upstream, Protocol::Plain, shown, clients).await;
        let url = format!("https://localhost:{port}");
        let settings = [
            ("DEAD_LETTER_OIDC_ISSUER", url.as_str()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
            ("DEAD_LETTER_CA_FILE", ca),
            ("DEAD_LETTER_POLICY_FILE", policy.path().to_str().unwrap()),
        ];
        let settings = [&settings[..], client].concat();
        let mut service =
            Service::start(&world.database.url, &world.broker.served_url(), &world.source.name, &settings);
        service.until_ready().await;
        let asked = service.api.request(Method::GET, "/dead-letters").bearer_auth(TOKEN);
        // No issuer has keys here: those that are reached are a collector.
        service.api.send(asked).await.assert(503);
        // What is left of the spans goes out before the end.
        service.terminate().await;
        let arrived = ["/.well-known/openid-configuration", "/v1/traces"].map(|path| sink.count(path) > 0);
        assert_eq!(
            arrived,
            [arrives; 2],
            "{shown:?}, with{} a certificate",
            if client.is_empty() { "out" } else { "" }
        );
    }
}

/// URLs with passwords come from files, too.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_from_files() {
    let world = World::start().await;
    let (database, folder) = (Database::shared().await, TempDir::new().unwrap());
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (of_database, of_broker) = (write("database", &database.url), write("broker", &world.broker.url));
    let settings = [
        ("DATABASE_URL_FILE", of_database.as_str()),
        ("AMQP_URL_FILE", of_broker.as_str()),
        ("DEAD_LETTER_SOURCES", world.source.name.as_str()),
    ];
    assert_logged(&settings, "\"consuming\"", "a service without URLs in its environment").await;
    until_eq("the schema is there", 0, || database.count("audit_entry")).await;
}
