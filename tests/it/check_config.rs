//! `dead-letter check-config`: each fault with the name of its setting, and no secret.

use crate::cli::{Ran, command, run};

const SETTINGS: [&str; 5] =
    ["DATABASE_URL", "AMQP_URL", "DEAD_LETTER_SERVERS", "MANAGEMENT_URL", "DEAD_LETTER_BROKERS_FILE"];

async fn check(flags: &[&str], settings: &[(&str, &str)]) -> Ran {
    let mut command = command(&[&["check-config"], flags].concat());
    for name in SETTINGS {
        command.env_remove(name);
    }
    command.envs(settings.iter().copied());
    run(command).await
}

/// The defaults are right, and nobody is contacted: nothing listens at these addresses.
#[tokio::test(flavor = "multi_thread")]
async fn settings_are_right_without_anybody_there() {
    let ran = check(&[], &[]).await.assert(0);
    assert_eq!(ran.out, "the settings are right\n");
    let far = [
        ("DATABASE_URL", "postgres://u:p@db.example/d"),
        ("AMQP_URL", "amqps://u:p@rabbit.example"),
        ("DEAD_LETTER_MANAGEMENT_URL", "https://u:p@rabbit.example:15671"),
        ("DEAD_LETTER_OIDC_ISSUER", "https://id.example"),
        ("DEAD_LETTER_UNAUTHENTICATED", "yes"),
    ];
    check(&["--batch-rows", "100"], &far).await.assert(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_with_the_name_of_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let policy = file("policy.yaml", "grants: 7\n");
    let tokens = file("tokens.yaml", "tokens: [{name: a}]\n");
    let ownership = file("ownership.yaml", "squads: []\n");
    let faults = [
        ("DEAD_LETTER_BATCH_LINGER", "5"),
        ("DEAD_LETTER_HTTP_CONNECTIONS", "0"),
        ("DEAD_LETTER_UNAUTHENTICATED", "perhaps"),
        ("DEAD_LETTER_CATALOG_INTERVAL", "1ms"),
        ("DATABASE_URL", "mysql://u:secret@h/d"),
        ("AMQP_URL", "amqp://u:secret@rabbit.example"),
        ("HTTP_ADDR", "0.0.0.0:9090"),
        ("ADMIN_ADDR", "0.0.0.0:9090"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:secret@collector.example"),
        ("DEAD_LETTER_LOG", "=/="),
        ("DEAD_LETTER_CA_FILE", "/no/such/file"),
        ("DEAD_LETTER_OWNERSHIP_FILE", &ownership),
        ("DEAD_LETTER_NOTIFICATIONS_FILE", &policy),
        ("DEAD_LETTER_PUBLIC_URL", "ftp://console.example"),
        ("DEAD_LETTER_CATALOG_URL", "http://u:secret@backstage.example"),
        ("DEAD_LETTER_OIDC_ISSUER", "http://id.example"),
        ("DEAD_LETTER_BACKSTAGE_URL", "http://u:secret@backstage.example"),
        ("DEAD_LETTER_TOKENS_FILE", &tokens),
        ("DEAD_LETTER_POLICY_FILE", &policy),
    ];
    let ran = check(&[], &faults).await.assert(1);
    for (setting, _) in faults {
        // Configured sign-in makes the address right.
        let is_told = ran.out.lines().any(|line| line.starts_with(&format!("{setting}: ")));
        assert!(is_told || setting == "HTTP_ADDR", "{setting}:\n{}", ran.out);
    }
    assert!(!format!("{ran:?}").contains("secret"), "{}", ran.out);
    let open = check(&[], &[("HTTP_ADDR", "0.0.0.0:8080")]).await.assert(1);
    assert!(
        open.out.starts_with("HTTP_ADDR: ") && open.out.contains("DEAD_LETTER_UNAUTHENTICATED"),
        "{open:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_flags_are_read_as_serve_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let brokers = folder.path().join("brokers.yaml");
    let text =
        "brokers:\n  - {name: a, url: 'amqp://u:secret@127.0.0.1', managementUrl: 'ftp://u:secret@h'}\n";
    std::fs::write(&brokers, text).unwrap();
    let settings = [("DEAD_LETTER_BROKERS_FILE", brokers.to_str().unwrap())];
    let ran = check(&[], &settings).await.assert(1);
    assert!(
        ran.out.starts_with("DEAD_LETTER_BROKERS_FILE: ") && ran.out.contains("managementUrl"),
        "{ran:?}"
    );
    assert!(!format!("{ran:?}").contains("secret"), "{ran:?}");
    for (flags, says) in [
        (&["--batch-rows", "0"][..], "DEAD_LETTER_BATCH_ROWS: 0 is not in"),
        (&["--no-such-flag"], "--no-such-flag"),
        (&["--database-url", "postgres://h/d", "--database-url-file", "f"], "DATABASE_URL"),
    ] {
        let ran = check(flags, &[]).await.assert(1);
        assert!(ran.out.contains(says), "{flags:?}: {ran:?}");
    }
}
