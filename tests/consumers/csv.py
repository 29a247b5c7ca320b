"""The tables as Python's reader reads them, strictly: whole, square, and with nothing that a spreadsheet computes."""

import csv
import json
import sys
from pathlib import Path

NUMBERS = {"port", "rtt_ms", "attempts"}
COMPUTED = tuple("=+-@\t\r\n＝＋－＠")
csv.field_size_limit(1 << 24)


def check(path, report):
    octets = path.read_bytes()
    assert octets.count(b"\r") == octets.count(b"\n") == octets.count(b"\r\n"), "a line does not end with CRLF"
    with path.open(newline="", encoding="utf-8") as text:
        table = csv.DictReader(text, strict=True)
        rows = list(table)
    for number, row in enumerate(rows, 2):
        assert None not in row and None not in row.values(), f"row {number} has not the columns of the header"
        for column, cell in row.items():
            if column in NUMBERS:
                assert cell == "" or float(cell) >= 0, f"row {number}: {column} is {cell!r}"
            else:
                assert not cell.lstrip(" ").startswith(COMPUTED), f"row {number}: {column} is computed: {cell!r}"
                assert len(cell) < 32_767, f"row {number}: {column} is cut"
    runs = [row for row in rows if row["record"] == "run"]
    assert len(runs) == 1, f"{len(runs)} rows for the run"
    said, headline = runs[0]["title"], report["summary"]["headline"]
    assert said == headline or said.startswith("NOT VALID  "), f"other than the report: {said}"
    for record, list_name in (("finding", "findings"), ("observation", "observations")):
        found = [row for row in rows if row["record"] == record]
        known = report[list_name]
        assert len(found) == len(known), f"{len(found)} of {len(known)} {list_name}"
        for row, entry in zip(found, known):
            port = "" if entry["port"] is None else str(entry["port"])
            assert (row["verdict"], row["port"]) == (entry["verdict"], port), f"other than the report: {row}"
            for column in ("id", "rule") if record == "finding" else ("address", "state"):
                assert row[column] == entry[column], f"{column} other than the report: {row}"


folder = Path(sys.argv[1])
paths = sorted(folder.glob("*.csv"))
assert paths, "no report to read"
for path in paths:
    report = json.loads(path.with_suffix(".json").read_text())
    try:
        check(path, report)
    except (AssertionError, csv.Error) as error:
        sys.exit(f"{path.name}: {error}")
