#!/usr/bin/env python3
"""OCSF, by the JSON Schema that ocsf-json-schema makes of the published one: no member that the class has not.

    ocsf.py FOLDER      every *.ocsf.jsonl in it, beside the *.json of the same report
"""

import json
import pathlib
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

CLASS = 2003  # compliance_finding

VERDICTS = {"fail": "Fail", "inconclusive": "Warning", "not_covered": "Warning", "pass": "Warning", "waived": "Waived"}

# The schema's reader takes milliseconds an event: of very many, the first, the last and every so manieth.
MOST = 2000


def faults(path, report, validators):
    lines = path.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    step = max(1, len(events) // MOST)
    for event in [*events[::step], events[-1]]:
        version = event["metadata"]["version"]
        if version not in validators:
            schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
            name = schema.lookup_class_name_from_uid(class_uid=CLASS)
            validators[version] = jsonschema.Draft202012Validator(schema.get_class_schema(class_name=name))
        for fault in validators[version].iter_errors(event):
            yield f"{event['finding_info']['uid']}: {fault.json_path}: {fault.message[:300]}"
        if event.get("class_uid") != CLASS:
            yield f"{event['finding_info']['uid']}: not of class {CLASS}"
    found = [(event["finding_info"]["uid"], event["compliance"]["status"]) for event in events]
    wanted = [(finding["id"], VERDICTS[finding["verdict"]]) for finding in report["findings"]]
    if [pair for pair in found if ":" not in pair[0]] != wanted:
        yield "the events are not the findings of the report"
    uids = [event["metadata"]["uid"] for event in events]
    if len(set(uids)) != len(uids):
        yield "two events have one id"


def main(folder):
    files = sorted(pathlib.Path(folder).glob("*.ocsf.jsonl"))
    wrong = [] if files else [f"no *.ocsf.jsonl in {folder}"]
    validators = {}
    for path in files:
        report = json.loads(path.with_name(path.name.removesuffix(".ocsf.jsonl") + ".json").read_text())
        said = list(faults(path, report, validators))[:20]
        wrong += [f"{path.name}: {text}" for text in said]
        print(f"{path.name}: {'taken' if not said else 'refused'}")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
