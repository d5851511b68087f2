//! A real load balancer, with the settings that docs/high-availability.md recommends.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::Method;

use crate::stand::repeat;
use crate::support::{Api, free_address, until};

/// As the settings name the replicas.
const NAMES: [&str; 2] = ["one", "two"];

/// A `PostgreSQL`, and where it says whether it is the primary.
#[derive(Clone, Copy)]
pub struct Member {
    pub address: SocketAddr,
    pub role: SocketAddr,
}

/// Where a replica is to listen.
struct Replica {
    http: String,
    admin: String,
}

/// Ended with the value.
pub struct HaProxy {
    /// The API, by way of this.
    pub api: Api,
    /// Host and port of the primary, by way of this.
    pub database: String,
    metrics: Api,
    replicas: [Replica; 2],
    child: Child,
}

impl HaProxy {
    /// In front of these, and of two replicas; or a word why there is none.
    pub async fn start(databases: [Member; 2]) -> Result<Self, String> {
        let program = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"]
            .into_iter()
            .find(|program| Path::new(program).is_file())
            .ok_or("HAProxy is not on this machine: apt-get install haproxy")?;
        let replicas = NAMES.map(|_| Replica { http: free_address(), admin: free_address() });
        let (api, database, metrics) = (free_address(), free_address(), free_address());
        let port = |address: &str| address.rsplit_once(':').unwrap().1.to_owned();
        let [one, two] = databases.map(|member| (member.address.to_string(), member.role.port().to_string()));
        let settings = [
            ("API", api.clone()),
            ("DATABASE", database.clone()),
            ("METRICS", metrics.clone()),
            ("REPLICA_ONE", replicas[0].http.clone()),
            ("HEALTH_ONE", port(&replicas[0].admin)),
            ("REPLICA_TWO", replicas[1].http.clone()),
            ("HEALTH_TWO", port(&replicas[1].admin)),
            ("POSTGRES_ONE", one.0),
            ("PATRONI_ONE", one.1),
            ("POSTGRES_TWO", two.0),
            ("PATRONI_TWO", two.1),
        ];
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/haproxy.cfg");
        let child = Command::new(program)
            .arg("-db")
            .arg("-f")
            .arg(file)
            .envs(settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { api: Api::new(&api), database, metrics: Api::new(&metrics), replicas, child };
        until("HAProxy knows the primary", || async {
            let primaries = NAMES.map(|name| started.is_up("database", name));
            let primaries = futures_util::future::join_all(primaries).await;
            (primaries.into_iter().filter(|is_up| *is_up).count() == 1).then_some(())
        })
        .await;
        Ok(started)
    }

    /// Where a replica is to listen, as settings of the service.
    pub fn addresses(&self, replica: usize) -> [(&str, &str); 2] {
        let Replica { http, admin } = &self.replicas[replica];
        [("HTTP_ADDR", http), ("ADMIN_ADDR", admin)]
    }

    /// Waits until both replicas get requests because they are ready.
    pub async fn until_both_are_up(&self) {
        for name in NAMES {
            until(&format!("replica {name} is up ({})", repeat()), || async {
                self.is_up("replicas", name).await.then_some(())
            })
            .await;
        }
    }

    /// The replica that has answered the most requests.
    pub async fn favourite(&self) -> usize {
        let mut answered = Vec::new();
        for name in NAMES {
            let labels = format!("proxy=\"replicas\",server=\"{name}\",code=\"2xx\"");
            answered.push(self.metric("haproxy_server_http_responses_total", &labels).await.unwrap_or(0.0));
        }
        usize::from(answered[1] > answered[0])
    }

    async fn is_up(&self, proxy: &str, server: &str) -> bool {
        let labels = format!("proxy=\"{proxy}\",server=\"{server}\",state=\"UP\"");
        self.metric("haproxy_server_status", &labels).await == Some(1.0)
    }

    async fn metric(&self, name: &str, labels: &str) -> Option<f64> {
        let answer = self.metrics.try_send(self.metrics.request(Method::GET, "/metrics")).await?;
        let text = String::from_utf8(answer.bytes).ok()?;
        let line = format!("{name}{{{labels}}} ");
        text.lines().find_map(|found| found.strip_prefix(&line)?.parse().ok())
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
