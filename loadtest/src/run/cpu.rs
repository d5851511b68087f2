//! What the processor was spent on: by process from `/proc`, and what the machine itself took away.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::Sub;

/// Processor seconds by process; readings are subtracted from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// `RabbitMQ`, all nodes.
    pub broker: f64,
    /// `PostgreSQL`, all its processes.
    pub database: f64,
    /// dead-letter.
    pub service: f64,
    /// This program, and the peers that it starts.
    pub tool: f64,
    /// Time that the virtual machine wanted and did not get.
    pub stolen: f64,
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            broker: self.broker - earlier.broker,
            database: self.database - earlier.database,
            service: self.service - earlier.service,
            tool: self.tool - earlier.tool,
            stolen: self.stolen - earlier.stolen,
        }
    }
}

impl Usage {
    /// Processor seconds of all processes.
    pub fn used(&self) -> f64 {
        self.broker + self.database + self.service + self.tool
    }
}

/// The processes to read.
#[derive(Clone, Debug, Default)]
pub struct Processes {
    /// The broker's nodes.
    pub broker: Vec<u32>,
    /// The postmaster.
    pub database: Option<u32>,
    /// dead-letter, while it runs.
    pub service: Option<u32>,
}

impl Processes {
    /// What they have used up to now, their children included.
    pub fn usage(&self) -> Usage {
        let table = Table::read();
        Usage {
            broker: self.broker.iter().map(|pid| table.seconds(*pid)).sum(),
            database: self.database.map_or(0.0, |pid| table.seconds(pid)),
            service: self.service.map_or(0.0, |pid| table.seconds(pid)),
            tool: table.seconds(std::process::id()) - self.service.map_or(0.0, |pid| table.seconds(pid)),
            stolen: stolen().unwrap_or_default(),
        }
    }

    /// Memory that is resident in the service, in MB.
    pub fn service_memory(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.service?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024.0 / 1e6)
    }
}

/// How many processors there are.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// All processes at one moment.
struct Table {
    seconds: HashMap<u32, f64>,
    children: HashMap<u32, Vec<u32>>,
}

impl Table {
    fn read() -> Self {
        let mut table = Self { seconds: HashMap::new(), children: HashMap::new() };
        let Ok(entries) = fs::read_dir("/proc") else { return table };
        for entry in entries.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some((parent, seconds)) =
                fs::read_to_string(entry.path().join("stat")).ok().as_deref().and_then(stat)
            {
                table.seconds.insert(pid, seconds);
                table.children.entry(parent).or_default().push(pid);
            }
        }
        table
    }

    /// A process and its descendants.
    fn seconds(&self, root: u32) -> f64 {
        let (mut sum, mut open, mut seen) = (0.0, vec![root], HashSet::new());
        while let Some(pid) = open.pop() {
            if seen.insert(pid) {
                sum += self.seconds.get(&pid).copied().unwrap_or_default();
                open.extend(self.children.get(&pid).into_iter().flatten());
            }
        }
        sum
    }
}

/// Parent and processor seconds (with those of children that ended) out of `/proc/PID/stat`.
fn stat(line: &str) -> Option<(u32, f64)> {
    // The name in brackets may contain anything, brackets too.
    let (_, rest) = line.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks: u32 = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u32>().ok()).sum();
    Some((fields.get(1)?.parse().ok()?, f64::from(ticks) / ticks_per_second()))
}

/// The eighth figure of the first line of `/proc/stat`.
fn stolen() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let ticks: f64 = text.lines().next()?.split_whitespace().nth(8)?.parse().ok()?;
    Some(ticks / ticks_per_second())
}

fn ticks_per_second() -> f64 {
    crate::figures::real(rustix::param::clock_ticks_per_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_name() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194304 1 0 0 0 150 50 200 100 20 0 1 0 5 0 0";
        let (parent, seconds) = stat(line).expect("a line of /proc");
        assert_eq!(parent, 7);
        assert!((seconds - 500.0 / ticks_per_second()).abs() < 1e-9);
    }

    #[test]
    fn this_process_uses_the_processor() {
        let before = Processes::default().usage();
        let begun = std::time::Instant::now();
        while begun.elapsed().as_millis() < 50 {
            std::hint::spin_loop();
        }
        assert!((Processes::default().usage() - before).tool > 0.0);
    }
}
