"""The gauges as promtool checks them and as Prometheus's own client library reads them back."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families


def check(path, report):
    with path.open("rb") as text:
        tool = subprocess.run(["promtool", "check", "metrics"], stdin=text, capture_output=True, text=True)
    assert tool.returncode == 0 and not tool.stdout and not tool.stderr, f"promtool: {tool.stdout}{tool.stderr}"
    families = {family.name: family for family in text_string_to_metric_families(path.read_text())}
    series = [(sample.name, *sorted(sample.labels.items())) for it in families.values() for sample in it.samples]
    assert len(set(series)) == len(series), "a series occurs twice"
    for family in families.values():
        assert family.type == "gauge" and family.documentation, family.name

    def values(name, label):
        counts = Counter()
        for sample in families[name].samples:
            counts[sample.labels[label]] += sample.value
        return counts

    states = values("portproof_endpoints", "state")
    assert states == {state: report["coverage"][state] for state in states}, states
    verdicts = values("portproof_endpoints_judged", "verdict")
    assert verdicts == report["summary"]["verdicts"], verdicts
    result = values("portproof_result", "result")
    assert [word for word, value in result.items() if value] == [report["summary"]["result"]], result
    found = Counter(finding["verdict"] for finding in report["findings"])
    if "portproof_findings" in families:
        said = values("portproof_findings", "verdict")
        assert {verdict: n for verdict, n in said.items() if n} == found, said
    else:
        assert not found, "findings are missing"
    labels = {key for sample in series for key, _ in sample[1:]}
    assert "port" not in labels and len(series) < 60 + 20 * len(report["targets"]), f"{len(series)} series"


folder = Path(sys.argv[1])
paths = sorted(folder.glob("*.prom"))
assert paths, "no report to read"
for path in paths:
    report = json.loads(path.with_suffix(".json").read_text())
    try:
        check(path, report)
    except (AssertionError, ValueError) as error:
        sys.exit(f"{path.name}: {error}")
