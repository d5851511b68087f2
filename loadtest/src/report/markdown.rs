//! The report as GitHub-flavoured markdown.

use super::spread::Spread;
use super::{Chart, Goal, LedgerLine, Report, Table};

/// The whole report.
pub(super) fn render(report: &Report) -> String {
    let mut parts = vec![
        format!("# Load test: {}", escape(&report.scenario)),
        escape(&report.summary),
        escape(&report.date),
        indented(&report.command),
        ledger(&report.ledger),
    ];
    let figures = report.headline.iter().map(|figure| vec![figure.label.clone(), figure.value.clone()]);
    parts.extend(section("## Figures", &["figure", "value"], figures.collect()));
    parts.extend(section("## Goals", &["goal", "asked for", "measured", ""], goals(&report.goals)));
    for (at, chart) in report.charts.iter().enumerate() {
        if at == 0 {
            parts.push("## Over time".to_owned());
        }
        parts.extend(charted(chart));
    }
    for (at, table) in report.tables.iter().enumerate() {
        if at == 0 {
            parts.push("## Tables".to_owned());
        }
        parts.extend(titled(table));
    }
    if !report.notes.is_empty() {
        let notes: Vec<String> = report.notes.iter().map(|note| format!("- {}", escape(note))).collect();
        parts.extend(["## Notes".to_owned(), notes.join("\n")]);
    }
    let machine = report.machine.iter().map(|(name, value)| vec![name.clone(), value.clone()]);
    parts.extend(section("## Machine", &["", "value"], machine.collect()));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}

fn ledger(ledger: &LedgerLine) -> String {
    let verdict =
        if ledger.balances { "✅ **The ledger balances.**" } else { "❌ **THE LEDGER DOES NOT BALANCE.**" };
    format!("> {verdict} {}", escape(&ledger.text))
}

fn goals(goals: &[Goal]) -> Vec<Vec<String>> {
    let mark = |met| match met {
        Some(true) => "✅ met",
        Some(false) => "❌ missed",
        None => "❔ unknown",
    };
    let row = |goal: &Goal| {
        let Goal { name, goal, measured, met } = goal.clone();
        vec![name, goal, measured, mark(met).to_owned()]
    };
    goals.iter().map(row).collect()
}

fn charted(chart: &Chart) -> Vec<String> {
    let row = |series: &super::Series| {
        let mut row = vec![series.name.clone()];
        row.extend(Spread::cells(Spread::of(series)));
        row
    };
    let heading = format!("### {} ({})", escape(&chart.title), escape(&chart.unit));
    section(&heading, &["line", "min", "mean", "max"], chart.series.iter().map(row).collect())
}

fn titled(table: &Table) -> Vec<String> {
    let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let heading = format!("### {}", escape(&table.title));
    let mut parts = section(&heading, &columns, table.rows.clone());
    parts.push(escape(&table.note));
    parts
}

/// A heading and the table below it, or nothing where there are no rows.
fn section(heading: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let rule = (0..columns.len()).map(|at| if at == 0 { "---" } else { "---:" }.to_owned());
    let mut lines = vec![line(columns.iter().map(|column| escape(column)).collect()), line(rule.collect())];
    lines.extend(rows.into_iter().map(|row| line(row.iter().map(|cell| escape(cell)).collect())));
    vec![heading.to_owned(), lines.join("\n")]
}

/// A code block by indenting: no text can end it, as it could a fence.
fn indented(command: &str) -> String {
    let lines: Vec<String> = command.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// Text on one line, in which nothing is markup. An `_` within a word is none, and is left readable.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.trim().chars() {
        match char {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '[' | '<' | '|' | '~' | '&' => out.extend(['\\', char]),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn text_is_not_markup() {
        assert_eq!(escape("a|b\nc </script><b> *d* x_y"), r"a\|b c \</script>\<b> \*d\* x_y");
    }

    #[test]
    fn tables_have_as_many_cells_in_each_line() {
        let text = render(&sample::report());
        let table: Vec<&str> = text
            .lines()
            .skip_while(|line| *line != "### Latency")
            .skip(2)
            .take_while(|line| !line.is_empty())
            .collect();
        assert_eq!(table[..2], ["| stage | p50 | p99 |", "| --- | ---: | ---: |"]);
        assert_eq!(table[2], r"| a\|b | 1.2 | 17.1 |");
    }

    #[test]
    fn the_ledger_comes_first_and_is_plain() {
        let mut report = sample::report();
        assert!(render(&report).contains("> ✅ **The ledger balances.** 100 = 90 + 10"));
        report.ledger.balances = false;
        assert!(render(&report).contains("> ❌ **THE LEDGER DOES NOT BALANCE.**"));
    }

    #[test]
    fn lines_are_summed_up() {
        assert!(render(&sample::report()).contains("| published | 0 | 500 | 1,000 |"));
    }
}
