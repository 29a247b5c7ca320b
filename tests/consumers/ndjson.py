"""The streams line by line, as any reader of lines sees them: each is JSON, stands alone, and loses nothing."""

import json
import sys
from pathlib import Path

RECORDS = {
    "left_out": "not_scanned",
    "declared": "declared",
    "exception": "exceptions",
    "finding": "findings",
    "observation": "observations",
}


def check(path, report):
    text = path.read_bytes().decode()
    lines = text.splitlines()  # which also ends a line at U+0085, U+2028 and U+001C
    assert len(lines) == text.count("\n") and text.endswith("\n"), "a line that some readers would part"
    records = [json.loads(line) for line in lines]
    for record in records:
        assert record["schema"] == report["schema"] and record["run_id"] == report["run"]["id"], "of no run"
        assert record["time"] and record["result"] == report["summary"]["result"], "no time or result"
    assert records[0]["record"] == "run" and records[0]["run"] == report["run"], "the run is not first"
    words = [record["record"] for record in records]
    assert words.count("summary") == 1 and words[-1] == "summary", "not one summary, and that last"
    summary = records[-1]["summary"]
    assert summary["verdicts"] == report["summary"]["verdicts"], "other verdicts"
    assert summary["coverage"]["planned"] == report["coverage"]["planned"], "another plan"
    controls = [
        {"policy": policy["policy"], "framework": policy["framework"], **control}
        for policy in report["compliance"]
        for control in policy["controls"]
    ]
    known = [(word, report[name]) for word, name in RECORDS.items()] + [("control", controls)]
    for word, wanted in known:
        found = [record for record in records if record["record"] == word]
        assert len(found) == len(wanted), f"{len(found)} of {len(wanted)} records {word}"
        for record, whole in zip(found, wanted):
            lost = [key for key, value in whole.items() if record.get(key) != value]
            assert not lost, f"{word} lost {lost}"


folder = Path(sys.argv[1])
paths = sorted(folder.glob("*.ndjson"))
assert paths, "no report to read"
for path in paths:
    report = json.loads(path.with_suffix(".json").read_text())
    try:
        check(path, report)
    except (AssertionError, ValueError) as error:
        sys.exit(f"{path.name}: {error}")
