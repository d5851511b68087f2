//! R13: every act, every read of a payload and every refusal is on record, and the record cannot be changed unnoticed.

use std::process::{Command, Output};

use reqwest::Method;
use serde_json::{Value, json};

use crate::bank::{Bank, Client, string};
use crate::support::until_eq;

async fn entries(client: &Client<'_>, query: &str) -> Vec<Value> {
    let page = client.get(&format!("/audit?{query}")).await.assert(200).json;
    page["entries"].as_array().unwrap().clone()
}

/// Who did what, the first one first.
fn acts(entries: &[Value]) -> Vec<(&str, &str)> {
    let mut acts: Vec<_> = entries
        .iter()
        .map(|entry| (entry["actor"]["id"].as_str().unwrap(), entry["action"].as_str().unwrap()))
        .collect();
    acts.reverse();
    acts
}

fn verify(bank: &Bank) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dead-letter"));
    command.args(["audit", "verify"]).env("DATABASE_URL", &bank.world.database.url).output().unwrap()
}

/// Seals follow a moment later.
async fn until_sealed(bank: &Bank, entries: i64) {
    until_eq("every entry is sealed", entries, || bank.world.database.count("audit_seal")).await;
}

/// Does one of everything.
async fn act(bank: &Bank) -> String {
    let payer = bank.client(&bank.payer);
    let found = payer.get("/dead-letters").await.assert(200).json["messages"].clone();
    let (letter, group) = (string(&found[0]["id"]), string(&found[0]["errorGroup"]));
    payer.get(&format!("/dead-letters/{letter}")).await.assert(200);
    payer.get(&format!("/dead-letters/{letter}/body")).await.assert(200);
    payer.post("/operations/preview", json!({"kind": "redeliver", "ids": [letter]})).await.assert(200);
    let path = format!("/dead-letters/error-groups/{group}");
    let change =
        bank.world.api().request(Method::PATCH, &path).json(&json!({"action": "resolve", "note": "42"}));
    payer.send(change).await.assert(200);
    let deleted = payer.delete(json!({"ids": [letter], "note": "of no use"})).await.assert(200).json;
    let restored = payer.post("/dead-letters/restore?wait=30", json!({"deletedBy": deleted["id"]})).await;
    restored.assert(200);
    letter
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_on_record() {
    let bank = Bank::open().await;
    let (payer, lender, admin) =
        (bank.client(&bank.payer), bank.client(&bank.lender), bank.client(&bank.admin));
    let letter = act(&bank).await;
    let all = entries(&admin, "").await;
    let expected = ["readPayload", "readPayload", "preview", "resolve", "delete", "restore"];
    assert_eq!(acts(&all), expected.map(|action| ("token:payer", action)));
    for entry in &all {
        assert_eq!((&entry["services"], &entry["times"]), (&json!(["pay"]), &json!(1)), "{entry}");
        assert_eq!(entry["actor"]["address"], "127.0.0.1");
    }
    let [restore, delete, resolve, ..] = &all[..] else { panic!("{all:?}") };
    assert_eq!(delete["details"]["selection"], json!({"ids": [letter]}));
    assert_eq!((&delete["details"]["total"], &delete["reason"]), (&json!(1), &json!("of no use")));
    assert_eq!((&resolve["reason"], resolve["errorGroupId"].is_string()), (&json!("42"), true));
    assert_eq!(restore["details"]["selection"]["deletedBy"], delete["operationId"]);
    // Filters, and pages.
    let operation = string(&delete["operationId"]);
    for (query, count) in [
        (format!("deadLetter={letter}"), 2),
        (format!("operation={operation}"), 1),
        ("action=preview".to_owned(), 1),
        ("actor=token:payer".to_owned(), 6),
        ("actor=token:lender".to_owned(), 0),
        ("service=pay".to_owned(), 6),
        ("service=loan".to_owned(), 0),
        ("from=2026-01-01T00:00:00Z".to_owned(), 6),
        ("to=2026-01-01T00:00:00Z".to_owned(), 0),
        ("limit=4".to_owned(), 4),
    ] {
        assert_eq!(entries(&admin, &query).await.len(), count, "{query}");
    }
    let first = admin.get("/audit?limit=4").await.assert(200).json;
    let rest = entries(&admin, &format!("limit=4&cursor={}", string(&first["nextCursor"]))).await;
    assert_eq!(rest, all[4..]);
    // Each squad reads of its own services.
    assert_eq!(entries(&payer, "").await, all);
    assert_eq!(entries(&lender, "").await, [] as [Value; 0]);

    // Refusals are counted, and those of strangers as well.
    bank.access.grant("grants: [{to: ['token:admin'], on: everything, may: [everything]}]");
    let request = || payer.delete(json!({"all": true}));
    until_eq("the policy is read again", 403, || async { request().await.status.as_u16() }).await;
    for _ in 0..3 {
        bank.world.api().get("/dead-letters").await.assert(401);
    }
    let times = async |action: &str| -> i64 {
        let counted = entries(&admin, &format!("action={action}")).await;
        counted.iter().map(|entry| entry["times"].as_i64().unwrap()).sum()
    };
    until_eq("strangers are on record", 3, || times("unauthenticated")).await;
    let refused = entries(&admin, "action=notAllowed").await;
    assert_eq!(refused[0]["actor"]["id"], "token:payer");
    assert_eq!(refused[0]["details"]["route"], "DELETE /dead-letters");
    let stranger = &entries(&admin, "action=unauthenticated").await[0];
    assert_eq!((&stranger["actor"]["id"], &stranger["actor"]["address"]), (&json!(""), &json!("127.0.0.1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_changed_is_found() {
    let bank = Bank::open().await;
    act(&bank).await;
    until_sealed(&bank, 6).await;
    let whole = verify(&bank);
    let text = String::from_utf8(whole.stdout).unwrap();
    assert!(whole.status.success() && text.starts_with("6 entries"), "{text}");

    let pool = &bank.world.database.pool;
    let run = async |sql: &'static str| sqlx::raw_sql(sql).execute(pool).await;
    for sql in [
        "UPDATE audit_entry SET actor = 'somebody else'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_seal SET number = number + 1",
        "DELETE FROM audit_seal",
        "TRUNCATE audit_seal",
    ] {
        let error = run(sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    // Whoever owns the tables can; but not unnoticed.
    run("ALTER TABLE audit_entry DISABLE TRIGGER ALL; ALTER TABLE audit_seal DISABLE TRIGGER ALL")
        .await
        .unwrap();
    for (column, other, as_it_was) in [
        ("actor_id", "'token:other'", "'token:payer'"),
        ("actor", "'other'", "'token:payer'"),
        ("address", "'10.0.0.1'", "'127.0.0.1'"),
        ("action", "'delete'", "'readPayload'"),
        ("times", "2", "1"),
        ("services", "'{loan}'", "'{pay}'"),
        ("operation", "gen_random_uuid()", "NULL"),
        ("error_group", "gen_random_uuid()", "NULL"),
        ("details", "'{ }'", "'{}'"),
        ("reason", "''", "NULL"),
    ] {
        let set = async |value: &str| {
            let sql = format!(
                "UPDATE audit_entry SET {column} = {value} WHERE id = (SELECT entry FROM audit_seal WHERE number = 2)"
            );
            sqlx::raw_sql(&sql).execute(pool).await.unwrap();
        };
        set(other).await;
        let verified = verify(&bank);
        let text = String::from_utf8(verified.stdout).unwrap();
        assert!(!verified.status.success() && text.starts_with("entry 2 "), "{column}: {text}");
        set(as_it_was).await;
        assert!(verify(&bank).status.success(), "{column} as it was");
    }
    run("DELETE FROM audit_entry WHERE id = (SELECT entry FROM audit_seal WHERE number = 3)").await.unwrap();
    assert!(String::from_utf8(verify(&bank).stdout).unwrap().contains("entry 3"), "a removed entry");
    run("DELETE FROM audit_seal WHERE number = 4").await.unwrap();
    assert!(String::from_utf8(verify(&bank).stdout).unwrap().contains("entries 4 to 4"), "a removed seal");
}
