"""The test runs as junitparser reads them: its own count agrees, nothing occurs twice, every finding is said."""

import json
import sys
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped

MOST = 30_000_000  # what GitLab takes


def outcome(case):
    kinds = {type(result) for result in case.result}
    assert len(kinds) <= 1, f"{case.name}: {kinds}"
    return kinds.pop() if kinds else None


def check(path, report):
    assert path.stat().st_size < MOST, "larger than GitLab takes"
    run = JUnitXml.fromfile(str(path))
    totals = (run.tests, run.failures, run.errors, run.skipped)
    suites = list(run)
    for suite in suites:
        said = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()
        counted = (suite.tests, suite.failures, suite.errors, suite.skipped)
        assert said == counted, f"{suite.name}: {said} is said, {counted} are there"
    run.update_statistics()
    assert totals == (run.tests, run.failures, run.errors, run.skipped), f"{totals} in all"

    cases = [case for suite in suites for case in suite]
    names = {(case.classname, case.name) for case in cases}
    assert len(names) == len(cases), "a case occurs twice"
    texts = {kind: [] for kind in (Failure, Error, Skipped)}
    for case in cases:
        for result in case.result:
            assert result.message, f"{case.name} says nothing"
            texts[type(result)].append(result.text or "")
    failures = set(" ".join(texts[Failure]).split())
    for finding in report["findings"]:
        if finding["verdict"] == "fail":
            assert finding["id"] in failures, f"{finding['id']} is no failure"
    green = not any(outcome(case) in (Failure, Error) for case in cases)
    assert green == (report["summary"]["result"] == "conforms"), "green, and does not conform"


folder = Path(sys.argv[1])
paths = sorted(folder.glob("*.junit.xml"))
assert paths, "no report to read"
for path in paths:
    report = json.loads(path.with_name(path.name.replace(".junit.xml", ".json")).read_text())
    try:
        check(path, report)
    except AssertionError as error:
        sys.exit(f"{path.name}: {error}")
