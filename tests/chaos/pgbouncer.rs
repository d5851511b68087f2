//! A `PgBouncer` of a test's own, in transaction mode.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::postgres::is_root;
use crate::support::{free_address, until};

/// Ended with the value.
pub struct PgBouncer {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// In front of this server, with few connections to it; or a word why there is none.
    pub async fn start(server: SocketAddr) -> Result<Self, String> {
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
            .into_iter()
            .find(|program| std::path::Path::new(program).is_file())
            .ok_or("PgBouncer is not on this machine: apt-get install pgbouncer")?;
        let folder = tempfile::Builder::new().prefix("dead-letter-chaos-").tempdir_in("/var/tmp").unwrap();
        let address: SocketAddr = free_address().parse().unwrap();
        let mut settings = String::new();
        writeln!(settings, "[databases]\n* = host={} port={} user=postgres", server.ip(), server.port())
            .unwrap();
        writeln!(settings, "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}", address.port()).unwrap();
        settings.push_str("auth_type = any\npool_mode = transaction\nunix_socket_dir =\n");
        settings.push_str("default_pool_size = 10\nmax_client_conn = 500\n");
        let path = folder.path().join("pgbouncer.ini");
        std::fs::write(&path, settings).unwrap();
        // It refuses to run as root.
        let mut command = if is_root() {
            assert!(
                Command::new("chown").args(["-R", "postgres"]).arg(folder.path()).status().unwrap().success()
            );
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let child = command.arg("--quiet").arg(&path).stdin(Stdio::null()).spawn().unwrap();
        let started = Self { address, child, _folder: folder };
        until("PgBouncer takes connections", || async {
            let url = format!("{}&sslmode=disable", started.url("postgres"));
            let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
            PgConnection::connect_with(&options.extra_float_digits(None)).await.ok()
        })
        .await;
        Ok(started)
    }

    /// The URL of a database by way of this, as the service is to be given it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}?statement-cache-capacity=0", self.address)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
