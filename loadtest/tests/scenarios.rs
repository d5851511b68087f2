//! Each scenario at a tiny size, so that none can rot. Its figures say nothing; that it ends, and that its ledger balances, does.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::sync::Mutex;

/// Scenarios have the servers to themselves.
static SERVERS: Mutex<()> = Mutex::const_new(());

async fn run(scenario: &str, flags: &[&str]) -> Result<()> {
    if !has_private_servers() {
        println!("skipped: scenarios run on private servers, both of scripts/servers.sh");
        return Ok(());
    }
    let _alone = SERVERS.lock().await;
    let program = Path::new(env!("CARGO_BIN_EXE_loadtest"));
    let dead_letter = program.with_file_name("dead-letter");
    ensure!(dead_letter.exists(), "dead-letter is not built: run `cargo test --workspace`");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenarios");
    let output = Command::new(program)
        .args(["run", scenario, "--rounds", "1", "--out"])
        .arg(&out)
        .args(flags)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{scenario} ended with {}", output.status);
    ensure!(said.contains("ledger: "), "{scenario} says nothing of its ledger");
    let report = out.join(scenario).join("report.json");
    let report = std::fs::read(&report).with_context(|| format!("cannot read {}", report.display()))?;
    let report: serde_json::Value = serde_json::from_slice(&report)?;
    ensure!(report["scenario"] == scenario, "{scenario} wrote another report: {report}");
    Ok(())
}

fn has_private_servers() -> bool {
    let Some(folder) = std::env::var_os("DEAD_LETTER_SERVERS") else { return false };
    let env = std::fs::read_to_string(Path::new(&folder).join("env")).unwrap_or_default();
    ["export AMQP_URL=", "export DATABASE_URL="].iter().all(|name| env.contains(name))
}

macro_rules! scenarios {
    ($($test:ident: $scenario:literal, $flags:expr;)*) => {
        $(
            #[tokio::test]
            async fn $test() -> Result<()> {
                run($scenario, &$flags).await
            }
        )*

        #[test]
        fn none_is_left_out() {
            use clap::ValueEnum;
            let all = loadtest::run::Scenario::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let all: Vec<_> = all.map(|scenario| scenario.get_name().to_owned()).collect();
            assert_eq!([$($scenario),*].as_slice(), all);
        }
    };
}

scenarios! {
    peak: "peak", ["--duration", "2s"];
    peak_x2: "peak-x2", ["--duration", "1s"];
    ceiling: "ceiling", ["--duration", "1s"];
    drain: "drain", ["--count", "1000"];
    redeliver: "redeliver", ["--count", "1000"];
    search: "search", ["--rows", "1000,2000", "--duration", "2s", "--count", "1000"];
    facets: "facets", ["--rows", "2000", "--duration", "1s"];
    soak: "soak", ["--duration", "1s"];
    sizes: "sizes", ["--count", "100"];
    retention: "retention", ["--rows", "5000", "--duration", "3s"];
}
