//! Plans and operations by the command line.

use std::process::Stdio;

use serde_json::json;

use super::{SOON, client, command, run, world};
use crate::support::{DeadMessage, World, id, until};

/// Nothing is changed that nobody agreed to; the exit code says how an operation ended.
#[tokio::test(flavor = "multi_thread")]
async fn operations_need_a_yes_and_end_with_their_exit_code() {
    let world = World::start_with(SOON).await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    for _ in 0..2 {
        world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
        world.broker.reject_next(&queue.name).await;
    }
    world.publish(DeadMessage::new(&id(), "work-gone_mailer")).await;
    world.until_stored(3).await;

    let refused = client(&world, &["redeliver", "--service", "orders"]).await.assert(2);
    assert!(refused.err.contains("Nothing was done; add --yes."), "{refused:?}");
    let operations = world.api().get("/operations").await.assert(200).json;
    assert_eq!(operations["operations"], json!([]));
    let done =
        client(&world, &["redeliver", "--service", "orders", "--note", "fixed", "--yes"]).await.assert(0);
    assert!(done.out.contains("redeliver completed: 2 sent, none died again within 1 s."), "{done:?}");
    assert!(done.err.contains(" of 2 ("), "plain lines, where there is no terminal: {done:?}");
    let nothing = client(&world, &["redeliver", "--service", "orders", "--yes"]).await.assert(0);
    assert!(nothing.err.contains("Nothing was done"), "{nothing:?}");

    // Nobody listens there any more: the broker returns it.
    let letter = world.only("service=mailer").await;
    let letter = letter["id"].as_str().unwrap();
    let partial = client(&world, &["redeliver", letter, "--yes", "--json"]).await.assert(4);
    assert_eq!(partial.json()["outcomes"]["refused"], 1);
    let operation = partial.json()["id"].as_str().unwrap().to_owned();
    let items = client(&world, &["items", &operation, "--outcome", "refused"]).await.assert(0);
    assert!(items.out.contains(letter) && items.out.contains("NO_ROUTE"), "{items:?}");
    client(&world, &["watch", &operation]).await.assert(4);

    let begun = client(&world, &["delete", "--all", "--yes", "--detach"]).await.assert(0);
    let watched = client(&world, &["watch", begun.out.trim()]).await.assert(0);
    assert!(watched.out.contains("delete completed: 1 deleted."), "{watched:?}");
    let listed = client(&world, &["operations"]).await.assert(0).out;
    assert_eq!((listed.lines().count(), listed.matches("fixed").count()), (4, 1), "{listed}");
}

/// A server that goes away for a moment does not end the watching; Ctrl-C ends it, and not the operation.
#[tokio::test(flavor = "multi_thread")]
async fn watching_outlives_the_server_and_ends_with_ctrl_c() {
    let mut world = world().await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    for _ in 0..8 {
        world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
        world.broker.reject_next(&queue.name).await;
    }
    world.until_stored(11).await;
    let arguments = ["redeliver", "--service", "orders", "--rate", "1", "--yes", "--detach"];
    let operation = client(&world, &arguments).await.assert(0).out.trim().to_owned();
    let server = world.api().url();
    let watch = || command(&["watch", &operation, "--server", &server]);

    let watching = watch().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let pid = watching.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let interrupted = watching.wait_with_output().await.unwrap();
    assert_eq!(interrupted.status.code(), Some(130));
    let said = String::from_utf8(interrupted.stderr).unwrap();
    assert!(said.contains(&format!("dead-letter cancel {operation}")), "{said}");

    let (watched, ()) = tokio::join!(run(watch()), async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        world.service.kill();
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        world.service.restart();
    });
    let watched = watched.assert(0);
    assert!(watched.out.contains("redeliver completed: 8 sent, none died again within 1 s."), "{watched:?}");
}

/// The plan's count and warnings are shown; exactly that plan runs, once; and a wrong delete is undone.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_runs_once_and_a_delete_is_undone() {
    let world = world().await;
    let plan = client(&world, &["plan", "--kind", "delete", "--service", "webshop"]).await.assert(0).out;
    assert!(plan.contains("delete: 2 dead letters") && plan.contains("services: webshop 2"), "{plan}");
    let plan_id = plan.trim().rsplit(' ').next().unwrap();
    world.publish(DeadMessage::new(&id(), "work_webshop")).await;
    world.until_stored(4).await;
    let done = client(&world, &["delete", "--plan", plan_id, "--yes"]).await.assert(0);
    assert!(done.out.contains("delete completed: 2 deleted."), "what died later is not in it: {done:?}");
    client(&world, &["delete", "--plan", plan_id, "--yes"]).await.assert(2);
    client(&world, &["delete", "--plan", &id(), "--yes"]).await.assert(3);
    let undone = client(&world, &["restore", "--deleted-by", plan_id, "--yes"]).await.assert(0);
    assert!(undone.out.contains("2 restored"), "{undone:?}");
    let missing = client(&world, &["delete", &id(), "--yes"]).await.assert(3);
    assert!(missing.err.contains("Nothing was done"), "{missing:?}");
    let letter = world.only("service=mailer").await;
    client(&world, &["delete", &id(), letter["id"].as_str().unwrap(), "--yes"]).await.assert(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_not_run_as_something_else() {
    let world = world().await;
    let plan = client(&world, &["plan", "--kind", "delete", "--all", "--json"]).await.assert(0).json();
    let wrong =
        client(&world, &["redeliver", "--plan", plan["id"].as_str().unwrap(), "--yes"]).await.assert(2);
    assert!(wrong.err.contains("dead-letter delete --plan"), "{wrong:?}");
}

/// Steering: a paused or cancelled operation is said to be so, with an exit code of its own.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_steered() {
    let world = World::start().await;
    for _ in 0..40 {
        world.publish(DeadMessage::new(&id(), "work_webshop")).await;
    }
    world.until_stored(40).await;
    let begun = client(&world, &["delete", "--all", "--rate", "2", "--yes", "--detach"]).await.assert(0);
    let operation = begun.out.trim();
    client(&world, &["pause", operation]).await.assert(0);
    let paused = client(&world, &["watch", operation]).await.assert(5);
    assert!(paused.err.contains("dead-letter resume"), "{paused:?}");
    let changed = client(&world, &["rate", operation, "3"]).await.assert(0);
    assert!(changed.out.contains("At most 3 a second"), "{changed:?}");
    client(&world, &["resume", operation]).await.assert(0);
    client(&world, &["cancel", operation]).await.assert(0);
    let cancelled = client(&world, &["watch", operation]).await.assert(5);
    assert!(cancelled.out.contains("delete cancelled"), "{cancelled:?}");
    client(&world, &["cancel", operation]).await.assert(2);
}

/// The command line does not say that it went well before it is known; the way from there is printed, and works.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_waits_for_the_verdict() {
    let world = World::start_with(&[("DEAD_LETTER_WATCH_RETURNS", "1h")]).await;
    let queue = world.broker.declare_work_queue(&format!("work-{}_orders", id()), &world.source.name).await;
    for _ in 0..2 {
        world.broker.publish("", &queue.name, &DeadMessage::plain().id(&id())).await;
        world.broker.reject_next(&queue.name).await;
    }
    world.until_stored(2).await;
    let redeliver = ["redeliver", "--service", "orders", "--yes"];
    let (failed, ()) = tokio::join!(client(&world, &redeliver), world.broker.reject(&queue.name, 2));
    let failed = failed.assert(4);
    let said = "redeliver failed: 2 sent, all 2 died again: rejected, no error given.\n";
    assert_eq!(failed.out, said, "{failed:?}");
    let line = failed.err.lines().find(|line| line.contains("--outcome returned")).unwrap();
    let way: Vec<_> = line.trim().strip_prefix("returned: dead-letter ").unwrap().split(' ').collect();
    assert_eq!(client(&world, &way).await.assert(0).out.lines().count(), 3, "{way:?}");

    let sent = client(&world, &[&redeliver[..], &["--no-watch"]].concat()).await.assert(0);
    let said = "redeliver sent: 2 sent, none died again so far. Watching for returns for 1 h more.\n";
    assert_eq!(sent.out, said);
    assert!(sent.err.contains("verdict: dead-letter watch "), "{sent:?}");
    let again = client(&world, &[&redeliver[..], &["--status", "redelivered"]].concat()).await;
    again.assert(2);
}

/// What runs is found by service, squad and state, and shown by a short id; a plan names it.
#[tokio::test(flavor = "multi_thread")]
async fn operations_of_others_are_found() {
    let world = world().await;
    let webshop =
        ["delete", "--service", "webshop", "--rate", "1", "--note", "for the night", "--yes", "--detach"];
    let operation = client(&world, &webshop).await.assert(0).out.trim().to_owned();
    client(&world, &["pause", &operation]).await.assert(0);
    until("no chunk is under way", || async {
        let item = world.api().get(&format!("/operations/{operation}")).await.json;
        (item["remaining"] == 1 || item["remaining"] == 2).then_some(())
    })
    .await;
    let listed =
        client(&world, &["operations", "--service", "webshop", "--state", "paused,running"]).await.assert(0);
    for part in [&*operation, "paused", "webshop", "for the night", "SELECTED"] {
        assert!(listed.out.contains(part), "{part}: {listed:?}");
    }
    let none = client(&world, &["operations", "--service", "mailer"]).await.assert(0);
    assert_eq!((&*none.out, &*none.err), ("", "No operations match.\n"));
    let short = &operation[operation.len() - 8..];
    let shown = client(&world, &["operation", short]).await.assert(0).out;
    for part in [&*operation, "for the night", "webshop", "Activity", "pause"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    client(&world, &["operation", "ffff"]).await.assert(3);
    client(&world, &["operation", "x"]).await.assert(2);
    let plan = client(&world, &["plan", "--service", "webshop"]).await.assert(0).out;
    assert!(plan.contains(&format!("in paused operation {operation}, started by ")), "{plan}");
    assert!(plan.contains("Valid until "), "{plan}");
}
