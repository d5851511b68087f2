//! The binary, running.

use std::ffi::OsString;
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use reqwest::Method;

use super::{Api, until, until_within};

/// Killed with the value.
pub struct Service {
    pub api: Api,
    pub admin: Api,
    settings: Vec<(String, String)>,
    program: OsString,
    child: Child,
}

impl Service {
    /// Starts it; it may not be ready yet.
    pub fn start(database_url: &str, amqp_url: &str, source: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_program(binary(), database_url, amqp_url, source, settings)
    }

    /// Starts this program, such as a former version.
    pub fn start_program(
        program: OsString,
        database_url: &str,
        amqp_url: &str,
        source: &str,
        settings: &[(&str, &str)],
    ) -> Self {
        let address = |name: &str| {
            let given = settings.iter().find(|(setting, _)| *setting == name);
            given.map_or_else(free_address, |(_, address)| (*address).to_owned())
        };
        let (http, admin) = (address("HTTP_ADDR"), address("ADMIN_ADDR"));
        let given = [
            ("DATABASE_URL", database_url),
            ("AMQP_URL", amqp_url),
            ("HTTP_ADDR", &http),
            ("ADMIN_ADDR", &admin),
            ("DEAD_LETTER_SOURCES", source),
            ("DEAD_LETTER_LOG_FORMAT", "json"),
            // There is no load balancer.
            ("DEAD_LETTER_DRAIN_DELAY", "0s"),
        ];
        let own = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        let settings = [own(&given), own(settings)].concat();
        let child = spawn(&program, &settings);
        Self { api: Api::new(&http), admin: Api::new(&admin), settings, program, child }
    }

    /// Starts it again with the same settings.
    pub fn restart(&mut self) {
        self.kill();
        self.child = spawn(&self.program, &self.settings);
    }

    /// Starts another version in its place, with the same settings.
    pub fn restart_as(&mut self, program: OsString) {
        self.program = program;
        self.restart();
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM; waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        let sent = Command::new("kill").arg("-TERM").arg(self.pid().to_string()).status().unwrap();
        assert!(sent.success());
        let child = std::cell::RefCell::new(&mut self.child);
        until_within(Duration::from_secs(40), "the service ends after SIGTERM", || async {
            child.borrow_mut().try_wait().unwrap()
        })
        .await
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn is_ready(&self) -> bool {
        let answer = self.admin.try_send(self.admin.request(Method::GET, "/health/ready")).await;
        answer.is_some_and(|answer| answer.status == 200)
    }

    pub async fn until_ready(&self) {
        until("the service is ready", || async { self.is_ready().await.then_some(()) }).await;
    }

    /// The value of a metric, with its labels as they are written; 0 where it is absent.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = String::from_utf8(self.admin.get("/metrics").await.bytes).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(program: &OsString, settings: &[(String, String)]) -> Child {
    // What it logs shows only with a failing test's output if asked for.
    let log = if std::env::var_os("TEST_LOG").is_some() { Stdio::inherit() } else { Stdio::null() };
    Command::new(program)
        .arg("serve")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the binary")
}

/// The service under test: `DEAD_LETTER_BINARY`, such as one with a bug in it (`scripts/bugs.sh`), or the one that Cargo built.
pub fn binary() -> OsString {
    std::env::var_os("DEAD_LETTER_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_dead-letter").into())
}

/// An address that nobody listens on. Its port is none that a connection may get, before the service listens there.
pub fn free_address() -> String {
    let mut addresses =
        std::iter::repeat_with(|| format!("127.0.0.1:{}", rand::random_range(10_000..32_000)));
    addresses.find(|address| TcpListener::bind(address).is_ok()).unwrap()
}
