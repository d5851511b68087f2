//! The test of the tests: bugs that are put into the service on purpose, each of which breaks one rule, must be found, and found
//! for what they are. Without the bug the same scenario finds nothing.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::process::{Command, Stdio};

use dead_letter::planted::Bug;
use futures_util::FutureExt;

use crate::scenarios::Scenario;
use crate::table::{Row, is_full};

/// Where a bug has to show, and a word of what is found then.
fn expected(bug: Bug) -> (Scenario, &'static str) {
    match bug {
        Bug::AckBeforeCommit | Bug::AckAcrossBatches => (Scenario::KilledBeforeCommit, "lost"),
        Bug::TwinsByContent => (Scenario::Copies, "1 of 2 twins"),
        Bug::RedeliveredFlagTrusted => (Scenario::Copies, "3 rows of a message that came 3 times"),
        Bug::BodyAsText => (Scenario::AnswerOfCommitLost, "corrupted"),
        Bug::CountersOutside => (Scenario::AnswerOfCommitLost, "counters that differ"),
        Bug::PoisonDropped => (Scenario::RowsRefused, "lost"),
        Bug::RequeueOnDatabaseError => (Scenario::DeliveryLimit, "lost"),
        Bug::ConfirmNotAwaited | Bug::LostChannelIsSent => (Scenario::CutBeforePublish, "published"),
        Bug::TimeoutIsSent => (Scenario::PublishesDoNotArrive, "published"),
        Bug::RandomRedeliveryId => (Scenario::ConfirmLost, "repeated under the same id"),
        Bug::NotMandatory | Bug::ReturnIsSent => (Scenario::NoQueue, "sent to a queue that is not there"),
        Bug::NackIsSent => (Scenario::FullQueue, "sent and not in the queue"),
        Bug::SeveralOperations => (Scenario::SecondCaller, "by the second caller"),
        Bug::ChunkNotLocked => (Scenario::TwoCallers, "published for 200 messages"),
        Bug::SelectionNotFrozen => (Scenario::ArrivesMeanwhile, "of a selection of 60"),
    }
}

/// Models, with a bug in what they are about: each has to fail.
const MODELS: [(&str, Bug); 4] = [
    ("models::ack_ledger_equals_its_model", Bug::AckAcrossBatches),
    ("schedules::operations_keep_their_rules_in_any_order", Bug::SeveralOperations),
    ("schedules::operations_keep_their_rules_in_any_order", Bug::ChunkNotLocked),
    ("schedules::operations_keep_their_rules_in_any_order", Bug::RandomRedeliveryId),
];

/// The exit code of a test that fails.
const FAILED: i32 = 101;

/// Whether two workers meet is a matter of luck.
const TRIES: usize = 3;

/// With `make test`: a bug of each part.
const SHORT: [Bug; 4] =
    [Bug::AckAcrossBatches, Bug::CountersOutside, Bug::LostChannelIsSent, Bug::SeveralOperations];

/// R1 to R11, or rather what tries them.
#[tokio::test(flavor = "multi_thread")]
async fn planted_bugs_are_caught() {
    if !cfg!(feature = "planted-bugs") {
        println!("skipped: bugs are planted with --features planted-bugs only");
        return;
    }
    let bugs = if is_full() { Bug::ALL } else { &SHORT };
    let mut row = Row::new("planted bugs, each of which breaks a rule", bugs.len());
    let scenarios: BTreeSet<Scenario> = bugs.iter().map(|bug| expected(*bug).0).collect();
    for scenario in scenarios {
        let found = run(scenario, None).await;
        println!("no bug: {scenario:?} found: {found:?}");
        row.must(found.is_ok(), format!("{scenario:?} without a bug: {found:?}"));
    }
    let mut caught = Vec::new();
    for bug in bugs {
        let (scenario, word) = expected(*bug);
        let found = find(scenario, *bug).await.unwrap_or_else(|| "nothing".into());
        println!("{}: {scenario:?} found: {found}", bug.name());
        if found.contains(word) {
            caught.push(bug.name());
        }
        row.must(found.contains(word), format!("{} is not caught: found {found}", bug.name()));
    }
    row.figure("caught", format!("{} of {}: {}", caught.len(), bugs.len(), caught.join(", ")));
    for (test, bug) in MODELS {
        row.must(model_fails(test, bug), format!("{} is not caught by {test}", bug.name()));
    }
    row.figure("by models", MODELS.len());
    row.finish();
}

/// What is wrong with this bug.
async fn find(scenario: Scenario, bug: Bug) -> Option<String> {
    for _ in 0..TRIES {
        if let Err(found) = run(scenario, Some(bug)).await {
            return Some(found);
        }
    }
    None
}

/// Whether the model fails, in a process of its own as the bug is one of the process.
fn model_fails(test: &str, bug: Bug) -> bool {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env("DEAD_LETTER_PLANTED_BUG", bug.name())
        .env_remove("CHAOS")
        .env_remove("CHAOS_TABLE")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap().code() == Some(FAILED)
}

/// What is wrong, if anything: said, or by a check that failed.
async fn run(scenario: Scenario, bug: Option<Bug>) -> Result<(), String> {
    match AssertUnwindSafe(scenario.run(bug)).catch_unwind().await {
        Ok(found) => found,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
        }
    }
}
