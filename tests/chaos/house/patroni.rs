//! The same pair in the hands of Patroni, which decides with etcd who is the primary: `HOUSE=patroni make chaos ONLY=house`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use tempfile::TempDir;

use crate::haproxy::Member;
use crate::postgres::{is_root, programs};
use crate::stand::repeat;
use crate::support::{Api, free_address, until_within};

/// A lock that is not renewed expires after 20 s, the least that Patroni allows. Then a standby is promoted.
const DEADLINE: Duration = Duration::from_mins(2);

pub struct Patroni {
    folder: TempDir,
    nodes: [Node; 2],
    etcd: Child,
}

struct Node {
    name: &'static str,
    member: Member,
    rest: Api,
    patroni: Child,
}

impl Patroni {
    /// Or a word why there is none.
    pub async fn start() -> Result<Self, String> {
        for program in ["/usr/bin/patroni", "/usr/bin/etcd"] {
            if !Path::new(program).is_file() {
                return Err(format!("{program} is missing: apt-get install patroni etcd-server"));
            }
        }
        let bin = programs().ok_or("PostgreSQL's programs are not on this machine")?;
        let folder = tempfile::Builder::new().prefix("dead-letter-chaos-").tempdir_in("/var/tmp").unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
        }
        let (clients, peers) = (free_address(), free_address());
        let etcd = as_server_user(folder.path(), "/usr/bin/etcd")
            .arg("--data-dir")
            .arg(folder.path().join("etcd"))
            .args([
                format!("--listen-client-urls=http://{clients}"),
                format!("--listen-peer-urls=http://{peers}"),
            ])
            .arg(format!("--advertise-client-urls=http://{clients}"))
            .arg(format!("--initial-advertise-peer-urls=http://{peers}"))
            .arg(format!("--initial-cluster=default=http://{peers}"))
            .spawn()
            .unwrap();
        let nodes = ["one", "two"].map(|name| {
            let [address, role] = [(); 2].map(|()| free_address().parse::<SocketAddr>().unwrap());
            let settings = settings(name, &Member { address, role }, &clients, &bin, folder.path());
            std::fs::write(folder.path().join(name), settings).unwrap();
            let patroni = patroni(folder.path(), name);
            Node { name, member: Member { address, role }, rest: Api::new(&role.to_string()), patroni }
        });
        let started = Self { folder, nodes, etcd };
        started.until_there_are_both().await;
        Ok(started)
    }

    pub fn members(&self) -> [Member; 2] {
        self.nodes.each_ref().map(|node| node.member)
    }

    /// SIGKILL of the primary, and of the Patroni that would start it again: as when its machine is gone.
    pub async fn kill_primary(&mut self) {
        let is_first = self.nodes[0].says("/primary").await;
        let node = &mut self.nodes[usize::from(!is_first)];
        node.patroni.kill().unwrap();
        node.patroni.wait().unwrap();
        let pid =
            std::fs::read_to_string(self.folder.path().join(format!("{}-data/postmaster.pid", node.name)));
        let pid = pid.unwrap().lines().next().unwrap().to_owned();
        assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    }

    /// Waits until Patroni has promoted the standby, and has the former primary follow it.
    pub async fn until_promoted(&mut self) {
        until_within(DEADLINE, &format!("a standby is promoted ({})", repeat()), || async {
            self.is_there("/primary").await.then_some(())
        })
        .await;
        for node in &mut self.nodes {
            if node.patroni.try_wait().unwrap().is_some() {
                node.patroni = patroni(self.folder.path(), node.name);
            }
        }
        self.until_there_are_both().await;
    }

    async fn until_there_are_both(&self) {
        until_within(
            DEADLINE,
            &format!("there are a primary and a synchronous standby ({})", repeat()),
            || async {
                (self.is_there("/primary").await && self.is_there("/synchronous").await).then_some(())
            },
        )
        .await;
    }

    async fn is_there(&self, role: &str) -> bool {
        self.nodes[0].says(role).await || self.nodes[1].says(role).await
    }
}

impl Node {
    async fn says(&self, role: &str) -> bool {
        let answer = self.rest.try_send(self.rest.request(Method::GET, role)).await;
        answer.is_some_and(|answer| answer.status == 200)
    }
}

impl Drop for Patroni {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // It stops its PostgreSQL.
            let _ = Command::new("kill").args(["-TERM", &node.patroni.id().to_string()]).output();
            let _ = node.patroni.wait();
        }
        let _ = self.etcd.kill();
        let _ = self.etcd.wait();
    }
}

fn settings(name: &str, member: &Member, etcd: &str, bin: &Path, folder: &Path) -> String {
    let Member { address, role } = member;
    let (folder, bin) = (folder.display(), bin.display());
    format!(
        "scope: house
name: {name}
restapi: {{listen: '{role}', connect_address: '{role}'}}
etcd3: {{hosts: '{etcd}'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    synchronous_mode: true
    postgresql: {{use_pg_rewind: true, parameters: {{wal_log_hints: 'on', synchronous_commit: 'on'}}}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, {{auth: trust}}]
postgresql:
  pg_hba: ['host all all 127.0.0.1/32 trust', 'host replication all 127.0.0.1/32 trust']
  listen: '{address}'
  connect_address: '{address}'
  data_dir: {folder}/{name}-data
  bin_dir: {bin}
  pgpass: {folder}/{name}-pgpass
  authentication: {{superuser: {{username: postgres}}, replication: {{username: postgres}}, rewind: {{username: postgres}}}}
  parameters: {{unix_socket_directories: ''}}
"
    )
}

fn patroni(folder: &Path, name: &str) -> Child {
    as_server_user(folder, "/usr/bin/patroni").arg(folder.join(name)).spawn().unwrap()
}

/// `PostgreSQL` refuses to run as root.
fn as_server_user(folder: &Path, program: &str) -> Command {
    let mut command = Command::new(if is_root() { "setpriv" } else { program });
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", program]);
    }
    let log = PathBuf::from(folder).join("log");
    let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command
}
