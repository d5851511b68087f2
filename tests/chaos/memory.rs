//! Large messages in little memory (rule R12): the service in a control group that kills it for too much.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::postgres::given;
use crate::support::{DeadMessage, World, ctl, id, until_within};
use crate::table::{Row, is_full, times};

const MIB: usize = 1 << 20;
const STORED: Duration = Duration::from_mins(10);

/// A group of one process. Removed with the value.
pub struct ControlGroup {
    folder: PathBuf,
    unified: bool,
}

impl ControlGroup {
    pub fn new(limit: usize) -> Result<Self, String> {
        let (first, second) = (Path::new("/sys/fs/cgroup/memory"), Path::new("/sys/fs/cgroup"));
        let unified = !first.is_dir();
        let folder = (if unified { second } else { first }).join(format!("dead-letter-chaos-{}", id()));
        let refused = |error: std::io::Error| format!("no right to make a control group ({error})");
        std::fs::create_dir(&folder).map_err(refused)?;
        let group = Self { folder, unified };
        let setting = if unified { "memory.max" } else { "memory.limit_in_bytes" };
        std::fs::write(group.folder.join(setting), limit.to_string()).map_err(refused)?;
        Ok(group)
    }

    pub fn take(&self, pid: u32) {
        std::fs::write(self.folder.join("cgroup.procs"), pid.to_string()).unwrap();
    }

    /// How often the kernel killed for want of memory.
    pub fn kills(&self) -> u64 {
        let file = if self.unified { "memory.events" } else { "memory.oom_control" };
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap();
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap().parse().unwrap()
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.folder);
    }
}

/// The most that a process ever had in memory, in MiB.
pub fn peak(pid: u32) -> usize {
    in_mib(pid, "VmHWM:")
}

/// What a process has in memory now, in MiB.
pub fn resident(pid: u32) -> usize {
    in_mib(pid, "VmRSS:")
}

pub fn has_ended(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("State:")).is_none_or(|state| state.contains('Z'))
}

fn in_mib(pid: u32, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_messages() {
    let row = Row::new("memory: 300 messages of 2 MiB in 512 MiB", 1);
    large(row, 512, times(300), 2 * MIB).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_messages_of_the_largest() {
    let row = Row::new("memory: 20 messages of 128 MiB in 1 GiB", 1);
    large(row, 1024, times(20).max(10), 128 * MIB).await;
}

/// RabbitMQ 4 takes 16 MiB at most, unless it is told otherwise; RabbitMQ 3 128. It holds for channels that are opened then.
fn allow_bodies_of(size: usize) -> Result<(), String> {
    let raise = format!(
        "persistent_term:put(max_message_size, max({size}, persistent_term:get(max_message_size, 0)))."
    );
    if size <= 16 * MIB { Ok(()) } else { ctl(&["eval", &raise]).map(drop) }
}

/// They wait in the queue already when the service begins, of which it knows nothing.
async fn large(mut row: Row, limit: usize, count: usize, size: usize) {
    let Some(group) = given(ControlGroup::new(limit * MIB)) else { return };
    if given(allow_bodies_of(size)).is_none() {
        return;
    }
    let mut world = World::start().await;
    world.service.kill();
    let mut hashes = Vec::new();
    for number in 0..count {
        let mut body = vec![u8::try_from(number % 251).unwrap(); size];
        body[..36].copy_from_slice(id().as_bytes());
        // Some died on another day, and go the careful way. To hash as much for an identity takes a build without
        // optimisation long.
        let message = match (number % 3, is_full()) {
            (0, _) | (_, false) => DeadMessage::plain(),
            (1, _) => DeadMessage::new(&id(), "memory_service"),
            _ => DeadMessage::plain().id(&id()).died("memory_service", "rejected", 1, 1_700_000_000),
        };
        hashes.push(if is_full() { Sha256::digest(&body).to_vec() } else { Vec::new() });
        world.publish(message.body(body)).await;
    }
    row.figure("messages", count);
    world.service.restart();
    group.take(world.service.pid());
    let mut highest = 0;
    let begun = Instant::now();
    loop {
        let pid = world.service.pid();
        highest = highest.max(peak(pid));
        let stored = world.database.count("dead_letter").await;
        if stored >= count as i64 || has_ended(world.service.pid()) || begun.elapsed() > STORED {
            row.must(stored == count as i64, format!("{stored} of {count} are stored"));
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    row.figure("most in memory", format!("{highest} MiB"));
    row.must(group.kills() == 0, "killed for want of memory");
    row.must(!has_ended(world.service.pid()), "the service ended");
    if is_full() {
        let mut stored: Vec<Vec<u8>> = sqlx::query_scalar("SELECT sha256(body) FROM dead_letter")
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
        stored.sort();
        hashes.sort();
        row.must(stored == hashes, "every body is the one that was sent");
    }
    let sizes: Vec<i32> = sqlx::query_scalar("SELECT DISTINCT octet_length(body) FROM dead_letter")
        .fetch_all(&world.database.pool)
        .await
        .unwrap();
    row.must(sizes == [size as i32], format!("bodies of {sizes:?} bytes"));
    if !has_ended(world.service.pid()) {
        world.until_source_empty().await;
    }
    world.service.kill();
    row.finish();
}

/// Four operations at the same time, each with a body that takes all the room that there is for chunks.
#[tokio::test(flavor = "multi_thread")]
async fn operations_with_large_bodies() {
    const COUNT: usize = 4;
    const SIZE: usize = 64 * MIB;
    let mut row = Row::new("memory: 4 redeliveries of 64 MiB at the same time in 512 MiB", 1);
    let Some(group) = given(ControlGroup::new(512 * MIB)) else { return };
    if given(allow_bodies_of(SIZE)).is_none() {
        return;
    }
    let mut world = World::start().await;
    let mut requests = Vec::new();
    for number in 0..COUNT {
        let queue = world.broker.declare_queue(&format!("large-{number}-{}", id()), &[]).await;
        world.publish(DeadMessage::new(&id(), &queue.name).body(vec![b'x'; SIZE])).await;
        requests.push((json!({"filter": {"queue": queue.name}}), queue));
    }
    world.until_stored(COUNT as i64).await;
    world.until_source_empty().await;
    world.service.restart();
    world.service.until_ready().await;
    group.take(world.service.pid());
    let api = world.api();
    let asked = requests.iter().map(|(request, _)| {
        api.try_send(api.request(Method::POST, "/dead-letters/redeliver?wait=30").json(request))
    });
    for answer in join_all(asked).await {
        let sent = answer.map_or(json!(null), |answer| answer.json["outcomes"]["sent"].clone());
        row.must(sent == 1, format!("{sent} sent"));
    }
    let highest = peak(world.service.pid());
    row.figure("most in memory", format!("{highest} MiB"));
    row.must(group.kills() == 0, "killed for want of memory");
    row.must(!has_ended(world.service.pid()), "the service ended");
    row.finish();
}

/// A month's peak, of ordinary messages.
#[tokio::test(flavor = "multi_thread")]
async fn ordinary_messages_at_the_peak() {
    const RATE: usize = 1300;
    let seconds = if is_full() { 60 } else { 6 };
    let mut row = Row::new("memory: 4 KiB at 1,300/s in 256 MiB", 1);
    let Some(group) = given(ControlGroup::new(256 * MIB)) else { return };
    let world = World::start().await;
    group.take(world.service.pid());
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..seconds * 10 {
        ticks.tick().await;
        let messages =
            (0..RATE / 10).map(|_| DeadMessage::new(&id(), "memory_service").body(vec![b'x'; 4096]));
        world.broker.publish_all(&world.source.name, messages).await;
    }
    let count = (seconds * RATE) as i64;
    until_within(STORED, "all are stored", || async {
        let stored = world.database.count("dead_letter").await == count;
        (stored || has_ended(world.service.pid())).then_some(())
    })
    .await;
    let highest = peak(world.service.pid());
    row.figure("messages", count);
    row.figure("most in memory", format!("{highest} MiB"));
    row.must(highest <= 256, format!("{highest} MiB in memory"));
    row.must(group.kills() == 0 && !has_ended(world.service.pid()), "killed for want of memory");
    row.finish();
}
