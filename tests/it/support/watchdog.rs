//! Ends a run whose tests do not end: the test harness would wait for them for ever, and say nothing.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// No test takes so long from one broker to the next, unless it is to be run in full.
const LIMIT: Duration = Duration::from_mins(20);
const LOOK: Duration = Duration::from_secs(10);

static RUNNING: LazyLock<Mutex<BTreeMap<String, Instant>>> = LazyLock::new(|| {
    if !super::is_full() {
        thread::spawn(watch);
    }
    Mutex::default()
});

/// Gone with the thread of the test.
struct Test(String);

thread_local! {
    static TEST: Test = Test(thread::current().name().unwrap_or("a test").to_owned());
}

impl Drop for Test {
    fn drop(&mut self) {
        RUNNING.lock().unwrap().remove(&self.0);
    }
}

/// The test of this thread lives.
pub fn alive() {
    TEST.with(|test| RUNNING.lock().unwrap().insert(test.0.clone(), Instant::now()));
}

fn watch() {
    loop {
        thread::sleep(LOOK);
        for (test, at) in &*RUNNING.lock().unwrap() {
            if at.elapsed() > LIMIT {
                // Past what the harness keeps of the output of tests that succeed.
                let _ = writeln!(std::io::stderr(), "test {test} does not end: given up after {LIMIT:?}");
                std::process::exit(101);
            }
        }
    }
}
