"""Checks monitoring/ beyond what promtool can: check.py EXPRESSIONS

- Each alert has a severity, texts, a page in docs/alerts, a test in which it fires and one in which it does not; each page has an alert.
- Metrics and labels in rules and dashboards are those of docs/metrics.md.
- Dashboards have unique ids, and panels have titles and descriptions.

Writes the expressions of the dashboards to the file EXPRESSIONS, as rules for promtool.
"""

import json
import re
import sys
from pathlib import Path

import yaml

from expressions import labels, metrics, without_variables

PAGES = "https://github.com/dead-letter/dead-letter/blob/main/docs/alerts/"
SECTIONS = ("What it means", "What to look at", "What to do", "When it is over")
SEVERITIES = ("critical", "warning", "info")
# Those that Prometheus adds to what it scrapes.
ADDED_LABELS = {"instance", "job"}

faults: list[str] = []


def expect(condition: object, fault: str) -> None:
    if not condition:
        faults.append(fault)


def documented() -> dict[str, set[str]]:
    """The labels of every series in docs/metrics.md."""
    series = {"ALERTS": {"alertname", "alertstate", "severity", "squad"}}
    for line in Path("docs/metrics.md").read_text().splitlines():
        row = re.match(r"\| `(\w+)` \| (\w+) \| [^|]* \| ([^|]*) \|", line)
        if row:
            name, kind, names = row.groups()
            has = set(re.findall(r"`(\w+)`", names)) | ADDED_LABELS
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            series |= {name + suffix: has | ({"le"} if suffix == "_bucket" else set()) for suffix in suffixes}
    return series


def check_expression(expression: str, where: str, series: dict[str, set[str]]) -> None:
    named = metrics(expression)
    for name in sorted(named - set(series)):
        faults.append(f"{where}: docs/metrics.md has no {name}")
    known = set().union(*(series[name] for name in named & set(series)))
    for label in sorted(labels(expression) - known) if named <= set(series) else []:
        faults.append(f"{where}: {', '.join(sorted(named))} has no label {label}")


def rules() -> list[dict]:
    files = (yaml.safe_load(path.read_text()) for path in sorted(Path("monitoring/rules").glob("*.yaml")))
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def check_alert(alert: dict) -> None:
    name, texts = alert["alert"], alert.get("annotations", {})
    severity, url = alert.get("labels", {}).get("severity"), texts.get("runbook_url", "")
    expect(severity in SEVERITIES, f"{name}: its severity is {severity}, not one of {', '.join(SEVERITIES)}")
    for text in ("summary", "description"):
        expect(texts.get(text), f"{name}: has no {text}")
    page = Path("docs/alerts") / url.removeprefix(PAGES)
    if not url.startswith(PAGES) or not page.is_file():
        faults.append(f"{name}: its runbook_url leads to no page of docs/alerts: {url or 'none'}")
        return
    lines = page.read_text().splitlines()
    expect(lines[0] == f"# {name}", f"{page}: its title is not {name}")
    for section in SECTIONS:
        expect(f"## {section}" in lines, f"{page}: has no section '{section}'")
    expect(f"]({page.name})" in Path("docs/alerts/README.md").read_text(), f"docs/alerts/README.md: has no link to {page.name}")


def check_pages(alerts: list[dict]) -> None:
    linked = {alert["annotations"].get("runbook_url", "").removeprefix(PAGES) for alert in alerts if "annotations" in alert}
    for page in sorted(Path("docs/alerts").glob("*.md")):
        expect(page.name == "README.md" or page.name in linked, f"{page}: no alert has it as its runbook_url")


def check_tests(alerts: list[dict]) -> None:
    """How many samples each test of `ALERTS{alertname="…", alertstate="firing"}` expects."""
    expected: dict[str, set[bool]] = {}
    for path in Path("monitoring/tests").glob("*.yaml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            for case in test.get("promql_expr_test", []):
                name = re.fullmatch(r'ALERTS\{alertname="(\w+)", alertstate="firing"\}', case["expr"])
                if name:
                    expected.setdefault(name[1], set()).add(bool(case["exp_samples"]))
    for alert in alerts:
        for fires, words in ((True, "fires"), (False, "is silent")):
            expect(fires in expected.get(alert["alert"], ()), f"{alert['alert']}: monitoring/tests has no case in which it {words}")


def dashboards(series: dict[str, set[str]]) -> list[dict]:
    """Checks each, and returns the expressions of all as rules."""
    found, uids = [], set()
    for path in sorted(Path("monitoring/dashboards").glob("*.json")):
        try:
            dashboard = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            faults.append(f"{path}: {error}")
            continue
        expect(dashboard["uid"] not in uids, f"{path}: another dashboard has the uid {dashboard['uid']}")
        uids.add(dashboard["uid"])
        ids = [panel["id"] for panel in dashboard["panels"]]
        for number in sorted({number for number in ids if ids.count(number) > 1}):
            faults.append(f"{path}: several panels have the id {number}")
        for panel in dashboard["panels"]:
            found += panel_rules(panel, f"{path}: {panel.get('title') or panel['id']}", series)
    return found


def panel_rules(panel: dict, where: str, series: dict[str, set[str]]) -> list[dict]:
    if panel["type"] == "row":
        return []
    for text in ("title", "description"):
        expect(panel.get(text), f"{where}: has no {text}")
    expect(panel.get("targets"), f"{where}: has no query")
    found = []
    for target in panel.get("targets", []):
        expression = without_variables(target["expr"])
        check_expression(expression, where, series)
        record = "dashboard:" + re.sub(r"\W+", "_", f"{where} {target['refId']}")
        found.append({"record": record, "expr": expression})
    return found


def main(expressions: Path) -> int:
    series, every = documented(), rules()
    # A recorded series has at most the labels of what it is made of.
    for rule in (rule for rule in every if "record" in rule):
        series[rule["record"]] = set().union(*(series.get(name, set()) for name in metrics(rule["expr"])))
    alerts = [rule for rule in every if "alert" in rule]
    for rule in every:
        check_expression(rule["expr"], rule.get("alert") or rule["record"], series)
    for alert in alerts:
        check_alert(alert)
    check_pages(alerts)
    check_tests(alerts)
    found = dashboards(series)
    expressions.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": found}]}, allow_unicode=True))
    for fault in faults:
        print(f"monitoring: {fault}", file=sys.stderr)
    if not faults:
        print(f"monitoring: {len(alerts)} alerts have pages and tests, {len(found)} queries of dashboards name metrics that exist")
    return bool(faults)


sys.exit(main(Path(sys.argv[1])))
