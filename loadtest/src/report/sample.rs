//! A small report, for the tests of how reports are written.

use super::{Chart, Figure, Goal, LedgerLine, Report, Series, Table};

/// Text that would end a script, a cell and an attribute, were it not escaped.
pub(super) const HOSTILE: &str = r#"</script><b> & "x" | 'y'"#;

/// A report with one or two of everything.
pub(super) fn report() -> Report {
    let goal =
        |met| Goal {
            name: "stored".to_owned(), goal: "≥ 0.80".to_owned(), measured: "0.84".to_owned(), met
        };
    let series =
        |name: &str, points: &[(f64, f64)]| Series { name: name.to_owned(), points: points.to_vec() };
    Report {
        scenario: "peak".to_owned(),
        summary: HOSTILE.to_owned(),
        date: "2026-01-02T03:04:05.678Z".to_owned(),
        command: "loadtest run peak".to_owned(),
        machine: vec![("cores".to_owned(), "2".to_owned())],
        ledger: LedgerLine { balances: true, text: "100 = 90 + 10".to_owned() },
        headline: vec![Figure { label: "p99".to_owned(), value: "17.1 ms".to_owned() }],
        goals: vec![goal(Some(true)), goal(Some(false)), goal(None)],
        tables: vec![Table {
            title: "Latency".to_owned(),
            columns: ["stage", "p50", "p99"].map(str::to_owned).to_vec(),
            rows: vec![["a|b", "1.2", "17.1"].map(str::to_owned).to_vec()],
            note: String::new(),
        }],
        charts: vec![Chart {
            title: "Rates".to_owned(),
            unit: "messages/s".to_owned(),
            logarithmic: false,
            series: vec![series("published", &[(0.0, 0.0), (1.0, 1000.0)]), series(HOSTILE, &[])],
        }],
        notes: vec!["a note".to_owned()],
    }
}
