//! The report as one HTML file that needs nothing else: styles, scripts and figures are within it.

use serde_json::{Value, json};

use super::spread::{Spread, number};
use super::{Chart, Figure, Goal, LedgerLine, Report, Table};

/// Draws the charts: uPlot, by Leon Sorokin.
const UPLOT: &str = include_str!("assets/uPlot.iife.min.js");
const UPLOT_CSS: &str = include_str!("assets/uPlot.min.css");
const UPLOT_LICENSE: &str = include_str!("assets/uPlot.LICENSE");
/// Puts the figures into the charts.
const SCRIPT: &str = include_str!("assets/report.js");
/// What is later may overrule what is earlier: on narrow screens and on paper.
const CSS: &str = concat!(
    include_str!("assets/colours.css"),
    include_str!("assets/charts.css"),
    include_str!("assets/report.css")
);

/// The whole file.
pub(super) fn render(report: &Report) -> String {
    let title = escape(&report.scenario);
    let body = [
        header(report),
        ledger(&report.ledger),
        tiles(&report.headline),
        goals(&report.goals),
        charts(&report.charts),
        tables(&report.tables),
        notes(&report.notes),
        machine(&report.machine),
    ]
    .concat();
    let data = embedded(&report.charts);
    // The policy holds the file to its word: a browser loads nothing from elsewhere.
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Load test: {title}</title>
<style>{UPLOT_CSS}</style>
<style>
{CSS}</style>
</head>
<body>
<main>
{body}</main>
<script type="application/json" id="charts">{data}</script>
<!-- uPlot:
{UPLOT_LICENSE}-->
<script>{UPLOT}</script>
<script>
{SCRIPT}</script>
</body>
</html>
"#
    )
}

fn header(report: &Report) -> String {
    format!(
        r#"<header>
<p class="kicker">Load test · <time datetime="{datetime}">{date}</time></p>
<h1>{scenario}</h1>
<p class="summary">{summary}</p>
<pre class="command" aria-label="The command that repeats it"><code>{command}</code></pre>
</header>
"#,
        datetime = escape(&report.date),
        date = escape(&spoken(&report.date)),
        scenario = escape(&report.scenario),
        summary = escape(&report.summary),
        command = escape(&report.command),
    )
}

/// `2026-01-02T03:04:05.678Z` as `2026-01-02 03:04:05 UTC`; anything else as it is.
fn spoken(date: &str) -> String {
    match date.split_once('T') {
        Some((day, time)) if time.ends_with('Z') && time.is_ascii() && time.len() > 8 => {
            format!("{day} {} UTC", &time[..8])
        }
        _ => date.to_owned(),
    }
}

fn ledger(ledger: &LedgerLine) -> String {
    let (class, mark, verdict) = if ledger.balances {
        ("balances", "✓", "The ledger balances")
    } else {
        ("unbalanced", "✕", "The ledger does NOT balance")
    };
    format!(
        r#"<section class="ledger {class}" aria-label="Ledger">
<span class="sign" aria-hidden="true">{mark}</span>
<p><strong>{verdict}</strong> <span>{}</span></p>
</section>
"#,
        escape(&ledger.text)
    )
}

fn tiles(figures: &[Figure]) -> String {
    let tile = |figure: &Figure| {
        // The number is what is read from afar; its unit may be small.
        let (value, unit) = match figure.value.split_once(' ') {
            Some((value, unit)) if value.contains(|char: char| char.is_ascii_digit()) => (value, unit),
            _ => (figure.value.as_str(), ""),
        };
        let unit = if unit.is_empty() { String::new() } else { format!(" <small>{}</small>", escape(unit)) };
        format!("<div><dt>{}</dt><dd>{}{unit}</dd></div>\n", escape(&figure.label), escape(value))
    };
    wrapped("<dl class=\"tiles\">\n", figures.iter().map(tile), "</dl>\n")
}

fn goals(goals: &[Goal]) -> String {
    let row = |goal: &Goal| {
        let (class, mark, word) = match goal.met {
            Some(true) => ("met", "✓", "met"),
            Some(false) => ("missed", "✕", "missed"),
            None => ("unknown", "?", "unknown"),
        };
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td><span class=\"mark {class}\">\
             <span aria-hidden=\"true\">{mark}</span> {word}</span></td></tr>\n",
            escape(&goal.name),
            escape(&goal.goal),
            escape(&goal.measured),
        )
    };
    let met = goals.iter().filter(|goal| goal.met == Some(true)).count();
    let opening = format!(
        "<section>\n<h2>Goals <small>{met} of {} met</small></h2>\n<div class=\"card\">\n\
         <div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Goals\">\n<table class=\"goals\">\n\
         <thead><tr><th scope=\"col\">goal</th><th scope=\"col\">asked for</th><th scope=\"col\">measured</th>\
         <th scope=\"col\">result</th></tr></thead>\n<tbody>\n",
        goals.len(),
    );
    wrapped(&opening, goals.iter().map(row), "</tbody>\n</table>\n</div>\n</div>\n</section>\n")
}

fn charts(charts: &[Chart]) -> String {
    let opening = "<section>\n<h2>Over time</h2>\n<p class=\"hint\">Drag across a chart to zoom all of them, \
                   double-click to see everything again. A click on a name hides its line.</p>\n\
                   <noscript><p class=\"hint\">The lines need JavaScript; the values are below each title.</p>\
                   </noscript>\n<div class=\"charts\">\n";
    let figures = charts.iter().zip(widths(charts)).enumerate();
    wrapped(opening, figures.map(|(at, (chart, class))| figure(at, chart, class)), "</div>\n</section>\n")
}

/// A chart with more lines than this one gets the whole width.
const MANY: usize = 8;

/// The classes of the charts, which stand two in a row: what would stand alone is as wide as both.
fn widths(charts: &[Chart]) -> Vec<&'static str> {
    let many: Vec<bool> = charts.iter().map(|chart| chart.series.len() > MANY).collect();
    let mut second = false;
    let class = |at: usize| {
        if many[at] {
            return " wide many";
        }
        let alone = !second && many.get(at + 1).is_none_or(|many| *many);
        second = !second && !alone;
        if alone { " wide" } else { "" }
    };
    (0..charts.len()).map(class).collect()
}

fn figure(at: usize, chart: &Chart, class: &str) -> String {
    let row = |series: &super::Series| {
        let mut row = vec![series.name.clone()];
        row.extend(Spread::cells(Spread::of(series)));
        row
    };
    let rows: Vec<Vec<String>> = chart.series.iter().map(row).collect();
    let columns = ["line", "min", "mean", "max"].map(str::to_owned);
    let title = escape(&chart.title);
    let plot = if chart.series.iter().any(|series| series.points.iter().any(|point| drawn(chart, *point))) {
        format!(
            "<div class=\"plot\" role=\"img\" aria-label=\"{}\"></div>\n<div class=\"legend\">\
             <span class=\"readout\" aria-hidden=\"true\"></span></div>\n",
            escape(&spoken_chart(chart))
        )
    } else {
        "<p class=\"empty\">There is nothing to draw.</p>\n".to_owned()
    };
    let values =
        chart.series.iter().flat_map(|series| &series.points).filter(|(_, value)| value.is_finite()).copied();
    let left_out = values.filter(|point| !drawn(chart, *point)).count();
    let left_out = if left_out == 0 {
        String::new()
    } else {
        format!(
            "<p class=\"hint\">Not drawn, as the axis is logarithmic: values of 0 or less ({left_out}).</p>\n"
        )
    };
    format!(
        "<figure class=\"card{class}\" data-chart=\"{at}\">\n<figcaption><h3>{title} <small>{}</small></h3></figcaption>\n{plot}{left_out}\
         <details>\n<summary>Values</summary>\n{}</details>\n</figure>\n",
        escape(&chart.unit),
        grid(&format!("{title}: values"), &columns, &rows),
    )
}

/// Whether the chart can show it.
fn drawn(chart: &Chart, (time, value): (f64, f64)) -> bool {
    time.is_finite() && value.is_finite() && (value > 0.0 || !chart.logarithmic)
}

/// What a chart shows, for those who cannot see it.
fn spoken_chart(chart: &Chart) -> String {
    let line = |series: &super::Series| match Spread::of(series) {
        Some(Spread { min, max, .. }) => format!("{} {} to {}", series.name, number(min), number(max)),
        None => format!("{} without values", series.name),
    };
    let lines: Vec<String> = chart.series.iter().map(line).collect();
    format!("Line chart, {} over seconds: {}", chart.unit, lines.join("; "))
}

fn tables(tables: &[Table]) -> String {
    let table = |table: &Table| {
        let title = escape(&table.title);
        let note = escape(&table.note);
        let note = if note.is_empty() { note } else { format!("<p class=\"hint\">{note}</p>\n") };
        let grid = grid(&title, &table.columns, &table.rows);
        format!("<div class=\"card\">\n<h3>{title}</h3>\n{grid}{note}</div>\n")
    };
    wrapped(
        "<section>\n<h2>Tables</h2>\n<div class=\"tables\">\n",
        tables.iter().map(table),
        "</div>\n</section>\n",
    )
}

/// A table that scrolls by itself where it is too wide. The label is HTML already; the cells are not.
fn grid(label: &str, columns: &[String], rows: &[Vec<String>]) -> String {
    let heading = |column: &String| format!("<th scope=\"col\">{}</th>", escape(column));
    let head: String = columns.iter().map(heading).collect();
    let cell = |(at, text): (usize, &String)| match at {
        0 => format!("<th scope=\"row\">{}</th>", escape(text)),
        _ => format!("<td>{}</td>", escape(text)),
    };
    let line =
        |row: &Vec<String>| format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>());
    format!(
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{label}\">\n<table>\n\
         <thead><tr>{head}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
        rows.iter().map(line).collect::<String>()
    )
}

fn notes(notes: &[String]) -> String {
    let note = |note: &String| format!("<li>{}</li>\n", escape(note));
    wrapped(
        "<section>\n<h2>Notes</h2>\n<ul class=\"notes\">\n",
        notes.iter().map(note),
        "</ul>\n</section>\n",
    )
}

fn machine(machine: &[(String, String)]) -> String {
    let part = |(name, value): &(String, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
    };
    wrapped(
        "<section>\n<h2>Machine</h2>\n<dl class=\"machine\">\n",
        machine.iter().map(part),
        "</dl>\n</section>\n",
    )
}

/// The parts between an opening and a closing, or nothing where there are no parts.
fn wrapped(opening: &str, parts: impl Iterator<Item = String>, closing: &str) -> String {
    let parts: String = parts.collect();
    if parts.is_empty() { parts } else { format!("{opening}{parts}{closing}") }
}

/// The charts as JSON that can stand in a script element: `<` is escaped, so that no text of it ends the element.
fn embedded(charts: &[Chart]) -> String {
    let chart = |chart: &Chart| -> Value {
        let line = |series: &super::Series| {
            // What cannot be drawn is a gap.
            let value = |point: (f64, f64)| drawn(chart, point).then_some(point.1);
            let (times, values): (Vec<f64>, Vec<Option<f64>>) = series
                .points
                .iter()
                .filter(|(time, _)| time.is_finite())
                .map(|point| (point.0, value(*point)))
                .unzip();
            let [_, mean, _] = Spread::cells(Spread::of(series));
            json!({ "name": series.name, "mean": mean, "times": times, "values": values })
        };
        json!({
            "unit": chart.unit,
            "logarithmic": chart.logarithmic,
            "series": chart.series.iter().map(line).collect::<Vec<_>>(),
        })
    };
    charts.iter().map(chart).collect::<Value>().to_string().replace('<', "\\u003c")
}

/// Text that is only text, in elements and in quoted attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, HOSTILE};
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut report = sample::report();
        report.scenario = HOSTILE.to_owned();
        report.command = HOSTILE.to_owned();
        report.tables[0].title = HOSTILE.to_owned();
        let page = render(&report);
        assert!(!page.contains("<b>"));
        assert_eq!(page.matches("</script>").count(), page.matches("<script").count());
        assert!(page.contains("\\u003c/script>\\u003cb>"), "it is in the data");
    }

    #[test]
    fn the_data_are_what_was_measured() {
        let mut charts = sample::report().charts;
        charts[0].logarithmic = true;
        charts[0].series[0].points.push((2.0, f64::NAN));
        let data: Value = serde_json::from_str(&embedded(&charts)).unwrap();
        assert_eq!(data[0]["series"][0]["times"], json!([0.0, 1.0, 2.0]));
        assert_eq!(data[0]["series"][0]["values"], json!([null, 1000.0, null]), "0 has no logarithm");
        assert_eq!(data[0]["series"][1]["name"], HOSTILE);
    }

    #[test]
    fn the_ledger_is_loud_when_it_does_not_balance() {
        let mut report = sample::report();
        assert!(render(&report).contains("class=\"ledger balances\""));
        report.ledger.balances = false;
        let page = render(&report);
        assert!(page.contains("class=\"ledger unbalanced\"") && page.contains("does NOT balance"));
    }

    #[test]
    fn tables_and_marks_have_their_shape() {
        let page = render(&sample::report());
        assert!(page.contains("<tr><th scope=\"row\">a|b</th><td>1.2</td><td>17.1</td></tr>"));
        for word in ["✓</span> met", "✕</span> missed", "?</span> unknown", "1 of 3 met"] {
            assert!(page.contains(word), "{word}");
        }
        assert!(page.contains("<dd>17.1 <small>ms</small></dd>"));
        assert!(page.contains("2026-01-02 03:04:05 UTC"));
    }

    #[test]
    fn a_chart_is_told_in_words() {
        let label = spoken_chart(&sample::report().charts[0]);
        assert!(label.starts_with("Line chart, messages/s over seconds: published 0 to 1,000; "), "{label}");
    }

    #[test]
    fn no_chart_stands_alone_in_a_row_of_two() {
        let chart = sample::report().charts.remove(0);
        let many = Chart { series: vec![chart.series[0].clone(); MANY + 1], ..chart.clone() };
        let charts = [&chart, &chart, &chart, &many, &chart].map(Clone::clone);
        assert_eq!(widths(&charts), ["", "", " wide", " wide many", " wide"]);
    }

    #[test]
    fn what_was_not_measured_leaves_no_empty_section() {
        let report = Report { goals: vec![], tables: vec![], charts: vec![], ..sample::report() };
        let page = render(&report);
        for heading in ["Goals", "Tables", "Over time"] {
            assert!(!page.contains(&format!("<h2>{heading}")), "{heading}");
        }
    }
}
