//! A cluster of `RabbitMQ` of its own, whose nodes are killed, stopped, and cut off from each other.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::SemaphorePermit;

use crate::support::turn;

/// A fault lasts no longer than this, even if nobody is left to end it.
const LONGEST_CUT: Duration = Duration::from_mins(1);

/// Stopped and removed with the value.
pub struct Cluster {
    folder: PathBuf,
    nodes: Vec<Node>,
    _turn: SemaphorePermit<'static>,
}

struct Node {
    folder: PathBuf,
    url: String,
    /// Its name as Erlang knows it.
    name: String,
    /// The port that the other nodes talk to it by.
    distribution: String,
}

/// Who led a queue, and since when somebody else does.
pub struct Election {
    pub old_leader: usize,
    /// Whether the queue's consumers reach it through the node that led it.
    pub consumed_there: bool,
    folder: PathBuf,
    id: String,
}

impl Cluster {
    /// Or a word why there can be none.
    pub async fn start(name: &str, count: usize) -> Result<Self, String> {
        let turn = turn().await;
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("target/servers").join(format!("chaos-{name}-{}", std::process::id()));
        let mut cluster = Self { folder, nodes: Vec::new(), _turn: turn };
        let started = servers_command(&["cluster", cluster.path(), &count.to_string()]).output().unwrap();
        let said = String::from_utf8_lossy(&started.stderr);
        if said.contains("needs RabbitMQ installed") {
            return Err(said.trim().to_owned());
        }
        assert!(started.status.success(), "{said}");
        for number in 1..=count {
            let folder = match number {
                1 => cluster.folder.clone(),
                other => cluster.folder.join(format!("node-{other}")),
            };
            let ports = std::fs::read_to_string(folder.join("ports")).unwrap();
            let port = |name: &str| {
                let line = ports.lines().find_map(|line| line.strip_prefix(name));
                line.and_then(|rest| rest.strip_prefix('=')).unwrap().to_owned()
            };
            let amqp = port("AMQP_PORT");
            cluster.nodes.push(Node {
                folder,
                url: format!("amqp://guest:guest@127.0.0.1:{amqp}/%2f"),
                name: format!("dead-letter-{amqp}@localhost"),
                distribution: port("DIST_PORT"),
            });
        }
        Ok(cluster)
    }

    pub fn url(&self, node: usize) -> &str {
        &self.nodes[node].url
    }

    /// Of all nodes, as the service takes it.
    pub fn urls(&self) -> String {
        self.nodes.iter().map(|node| node.url.as_str()).collect::<Vec<_>>().join(",")
    }

    /// SIGKILL.
    pub fn kill(&self, node: usize) {
        servers(&["kill", self.node_path(node), "rabbitmq"]);
    }

    /// Starts it again, on the same port and data.
    pub fn start_again(&self, node: usize) {
        servers(&["start", self.node_path(node), "rabbitmq"]);
    }

    /// SIGSTOP.
    pub fn stop(&self, node: usize) {
        run(Command::new("kill").args(["-STOP", &self.pid(node)]));
    }

    /// SIGCONT.
    pub fn go_on(&self, node: usize) {
        run(Command::new("kill").args(["-CONT", &self.pid(node)]));
    }

    /// Lets nothing through between this node and the others, until the value is dropped. Clients still reach all of them.
    pub fn cut_off(&self, node: usize) -> Cut {
        let own = &self.nodes[node].distribution;
        // Where it has called another one, the port at its end is any.
        let called = self.nodes.iter().filter(|other| other.distribution != *own).flat_map(|other| {
            let filter = format!("dport = :{}", other.distribution);
            let output = run(Command::new("ss").args(["-Htnp", "state", "established", &filter]));
            let calls = String::from_utf8(output.stdout).unwrap();
            let caller = format!("pid={},", self.pid(node));
            calls
                .lines()
                .filter(|line| line.contains(&caller))
                .filter_map(|line| {
                    line.split_whitespace().nth(2)?.rsplit_once(':').map(|(_, port)| port.to_owned())
                })
                .collect::<Vec<_>>()
        });
        Cut::between(std::iter::once(own.clone()).chain(called))
    }

    /// Asks who leads this queue, and has all other nodes watch for who will next, which each of them writes down. A node that was
    /// started again does not know at once; after 30 s without an answer this fails.
    pub fn watch_leader(&self, queue: &str, asked: usize) -> Election {
        let id = crate::support::id();
        let watch = format!(
            "Leader = fun Leader(N) when N > 0 -> case ra_leaderboard:lookup_leader('%2F_{queue}') of
                     {{_, Node}} -> Node;
                     undefined -> timer:sleep(20), Leader(N - 1) end end,
             Old = Leader(1500),
             Watch = fun Watch(0) -> late;
                 Watch(N) -> case ra_leaderboard:lookup_leader('%2F_{queue}') of
                     {{_, New}} when New =/= Old ->
                         At = integer_to_list(erlang:system_time(millisecond)),
                         file:write_file(\"{folder}/elected-{id}-\" ++ atom_to_list(node()), At);
                     _ -> timer:sleep(20), Watch(N - 1) end end,
             [spawn(Node, fun() -> Watch(6000) end) || Node <- rabbit_nodes:all_running(), Node =/= Old],
             {{ok, Queue}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>)),
             Consumers = [node(element(1, Consumer)) || Consumer <- rabbit_amqqueue:consumers(Queue)],
             {{Old, consumed_there, lists:member(Old, Consumers)}}.",
            folder = self.path(),
        );
        let output = servers(&["ctl", self.node_path(asked), "eval", &watch]);
        let old = String::from_utf8(output.stdout).unwrap();
        let old_leader = self.nodes.iter().position(|node| old.contains(&node.name));
        let old_leader = old_leader.unwrap_or_else(|| panic!("a leader of {queue}: {old}"));
        Election { old_leader, consumed_there: old.contains("true"), folder: self.folder.clone(), id }
    }

    fn path(&self) -> &str {
        self.folder.to_str().unwrap()
    }

    fn node_path(&self, node: usize) -> &str {
        self.nodes[node].folder.to_str().unwrap()
    }

    fn pid(&self, node: usize) -> String {
        let pid = std::fs::read_to_string(self.nodes[node].folder.join("rabbitmq/server.pid"));
        pid.unwrap().trim().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // One that is stopped would not hear that it is to end.
        for node in 0..self.nodes.len() {
            let _ = Command::new("kill").args(["-CONT", &self.pid(node)]).output();
        }
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
        let _ = Command::new(script).args(["destroy", self.path()]).output();
        // What the elections left.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Election {
    /// When the first node knew of another leader.
    pub fn decided(&self) -> Option<SystemTime> {
        let prefix = format!("elected-{}-", self.id);
        let files = std::fs::read_dir(&self.folder).unwrap().flatten();
        files
            .filter(|file| file.file_name().to_string_lossy().starts_with(&prefix))
            .filter_map(|file| std::fs::read_to_string(file.path()).ok()?.parse().ok())
            .min()
            .map(|at| UNIX_EPOCH + Duration::from_millis(at))
    }
}

/// What is dropped on the loopback interface, by its ports.
pub struct Cut {
    table: String,
}

impl Cut {
    fn between(ports: impl Iterator<Item = String>) -> Self {
        let cut = Self { table: format!("inet dead_letter_{}", std::process::id()) };
        let seconds = LONGEST_CUT.as_secs();
        // An element goes by itself in the end, so that nothing stays cut if this process is killed.
        let elements: Vec<_> = ports.map(|port| format!("{port} timeout {seconds}s")).collect();
        let rules = format!(
            "table {} {{
                 set ports {{ type inet_service; flags timeout; elements = {{ {} }} }}
                 chain cut {{
                     type filter hook output priority 0;
                     oifname \"lo\" tcp dport @ports drop
                     oifname \"lo\" tcp sport @ports drop
                 }}
             }}",
            cut.table,
            elements.join(", ")
        );
        run(Command::new("nft").arg(rules));
        cut
    }

    /// Why nothing can be cut off here.
    pub fn missing() -> Option<&'static str> {
        let works = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
        match (works(Command::new("nft").args(["list", "tables"])), works(Command::new("ss").arg("-V"))) {
            (true, true) => None,
            (false, _) => Some("the right to use nft is missing, or nft itself"),
            (_, false) => Some("ss is missing"),
        }
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let _ = Command::new("nft").arg(format!("delete table {}", self.table)).output();
    }
}

fn servers(arguments: &[&str]) -> Output {
    run(&mut servers_command(arguments))
}

fn servers_command(arguments: &[&str]) -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
    let mut command = Command::new(script);
    command.args(arguments).env_remove("DATABASE_URL").env_remove("AMQP_URL");
    command
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}
