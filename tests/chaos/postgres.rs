//! A `PostgreSQL` of a test's own, which may do with it what a disk, a network or an administrator does.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{free_address, until};

/// Stopped and removed with the value.
pub struct Postgres {
    folder: TempDir,
    /// Where `PostgreSQL`'s programs are.
    bin: PathBuf,
    address: SocketAddr,
    settings: Vec<String>,
    child: RefCell<Option<Child>>,
    /// The data are in a file system of this many bytes.
    small: bool,
}

impl Postgres {
    /// A new one with these settings, or a word why there is none.
    pub async fn start(settings: &[&str]) -> Result<Self, String> {
        Self::prepare(settings, None)?.initialised().await
    }

    /// With its data in a file system of so many bytes.
    pub async fn start_on_small_disk(settings: &[&str], bytes: u64) -> Result<Self, String> {
        Self::prepare(settings, Some(bytes))?.initialised().await
    }

    /// A copy of it that follows it, and that every commit waits for, whose settings are the same.
    pub async fn start_standby(&self) -> Self {
        self.start_standby_at(free_address().parse().unwrap()).await
    }

    /// The same at this address.
    pub async fn start_standby_at(&self, address: SocketAddr) -> Self {
        let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
        let mut standby = Self::prepare(&settings, None).unwrap();
        standby.address = address;
        let port = self.address.port().to_string();
        let copied = standby
            .as_server_user(&standby.bin.join("pg_basebackup"))
            .args([
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "-p",
                &port,
                "-D",
            ])
            .arg(standby.data())
            .output()
            .unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.start_again().await;
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        self.execute("SELECT pg_reload_conf()").await;
        until("the standby is synchronous", || async {
            let state = "SELECT sync_state FROM pg_stat_replication WHERE sync_state = 'sync'";
            let mut connection = self.connect().await?;
            sqlx::query(state).fetch_optional(&mut connection).await.ok()?.map(drop)
        })
        .await;
        standby
    }

    /// It follows nobody any more, and waits for nobody.
    pub async fn promote(&self) {
        self.execute("ALTER SYSTEM RESET synchronous_standby_names").await;
        self.execute("SELECT pg_promote()").await;
        self.execute("SELECT pg_reload_conf()").await;
    }

    fn prepare(settings: &[&str], small: Option<u64>) -> Result<Self, String> {
        let bin = programs().ok_or("PostgreSQL's programs are not on this machine")?;
        let folder = tempfile::Builder::new().prefix("dead-letter-chaos-").tempdir_in("/var/tmp").unwrap();
        let postgres = Self {
            address: free_address().parse().unwrap(),
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            child: RefCell::default(),
            small: small.is_some(),
            folder,
            bin,
        };
        if let Some(bytes) = small {
            let mut mount = Command::new("mount");
            mount.args(["-t", "tmpfs", "-o"]).arg(format!("size={bytes}")).arg("tmpfs");
            let mounted = mount.arg(postgres.folder.path()).output();
            if !mounted.is_ok_and(|mounted| mounted.status.success()) {
                return Err("no right to mount a small disk".into());
            }
        }
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(postgres.folder.path()).status().unwrap();
            assert!(owned.success());
        }
        Ok(postgres)
    }

    async fn initialised(self) -> Result<Self, String> {
        let made = self
            .as_server_user(&self.bin.join("initdb"))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"])
            .arg("-D")
            .arg(self.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.start_again().await;
        Ok(self)
    }

    /// Starts it, if it does not run, and waits until it can be connected to.
    pub async fn start_again(&self) {
        until("PostgreSQL takes connections", || async {
            self.spawn_unless_running();
            self.connect().await.map(drop)
        })
        .await;
    }

    fn spawn_unless_running(&self) {
        let mut child = self.child.borrow_mut();
        if child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none()) {
            return;
        }
        let mut command = self.as_server_user(&self.bin.join("postgres"));
        command.arg("-D").arg(self.data()).args(["-c", "listen_addresses=127.0.0.1"]);
        command.args(["-c", "unix_socket_directories=", "-c", &format!("port={}", self.address.port())]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.log()).unwrap();
        *child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap());
    }

    /// SIGKILL of it and of all its processes.
    pub fn kill(&self) {
        self.signal("-KILL");
        if let Some(mut child) = self.child.borrow_mut().take() {
            let _ = child.wait();
        }
    }

    /// To it and to all its processes. It is stopped before, so that it does not make one meanwhile that hears nothing.
    pub fn signal(&self, signal: &str) {
        let Some(id) = self.child.borrow().as_ref().map(Child::id) else { return };
        let send = |signal: &str, to: &[&str]| Command::new("kill").arg(signal).args(to).output().unwrap();
        let own = id.to_string();
        send("-STOP", &[&own]);
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let all: Vec<_> = children.split_whitespace().chain([own.as_str()]).collect();
        send(signal, &all);
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub async fn connect(&self) -> Option<PgConnection> {
        PgConnection::connect(&self.url()).await.ok()
    }

    /// A statement outside of any transaction.
    pub async fn execute(&self, statement: &str) {
        let mut connection = self.connect().await.expect("a connection");
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }

    /// Nothing more can be written.
    pub fn fill_disk(&self) {
        let filled = Command::new("dd").arg("if=/dev/zero").arg("bs=4k").arg(self.filler()).output().unwrap();
        assert!(!filled.status.success(), "the disk is full");
    }

    pub fn free_disk(&self) {
        std::fs::remove_file(self.folder.path().join("filler")).unwrap();
    }

    fn filler(&self) -> String {
        format!("of={}", self.folder.path().join("filler").display())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        // On a disk that is full nothing could be logged either.
        if self.small { "/dev/null".into() } else { self.folder.path().join("log") }
    }

    /// `PostgreSQL` refuses to run as root.
    fn as_server_user(&self, program: &Path) -> Command {
        let mut command = match chosen() {
            Some(_) => {
                let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers.sh"));
                command.args(["as", "postgres"]);
                command
            }
            // Does nothing but to become what it is given.
            None => Command::new("env"),
        };
        if is_root() {
            command.args(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]);
        }
        command.arg(program);
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.kill();
        if self.small {
            let _ = Command::new("umount").arg(self.folder.path()).output();
        }
    }
}

/// A way to "the database", wherever that is now.
pub struct Forwarder {
    pub address: SocketAddr,
    to: Arc<Mutex<SocketAddr>>,
    /// Counts the changes.
    changed: watch::Sender<u64>,
    accepting: JoinHandle<()>,
}

impl Forwarder {
    pub async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, to, changed) =
            (listener.local_addr().unwrap(), Arc::new(Mutex::new(to)), watch::channel(0).0);
        let (target, changes) = (Arc::clone(&to), changed.subscribe());
        let accepting = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (target, mut changes) = (*target.lock().unwrap(), changes.clone());
                changes.mark_unchanged();
                tokio::spawn(async move {
                    let Ok(mut server) = TcpStream::connect(target).await else { return };
                    let _ = (client.set_nodelay(true), server.set_nodelay(true));
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = changes.changed() => {}
                    }
                });
            }
        });
        Self { address, to, changed, accepting }
    }

    /// From now on it leads there; connections to where it led are cut.
    pub fn point_to(&self, address: SocketAddr) {
        *self.to.lock().unwrap() = address;
        self.changed.send_modify(|times| *times += 1);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What a test needs; or it is skipped, and says why.
pub fn given<T>(thing: Result<T, String>) -> Option<T> {
    thing.inspect_err(|why| println!("skipped: {why}")).ok()
}

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

/// The version that `servers.sh` was given.
fn chosen() -> Option<String> {
    std::env::var("POSTGRES").ok().filter(|version| !version.is_empty())
}

/// The chosen ones, or the newest that there are.
pub fn programs() -> Option<PathBuf> {
    if let Some(version) = chosen() {
        let bin = PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
        let mut asked = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers.sh"));
        asked.args(["as", "postgres"]).arg(bin.join("postgres")).arg("--version");
        return asked.output().is_ok_and(|output| output.status.success()).then_some(bin);
    }
    let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = folders.map(|folder| folder.path().join("bin")).collect();
    versions.sort();
    // A path may have links to some of them only.
    let mut bins: Vec<_> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    bins.extend(versions);
    bins.into_iter()
        .rev()
        .find(|bin| ["initdb", "postgres", "pg_basebackup"].iter().all(|program| bin.join(program).is_file()))
}
