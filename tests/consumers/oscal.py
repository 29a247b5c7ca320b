#!/usr/bin/env python3
"""OSCAL, as compliance-trestle reads it: its models of assessment results refuse any member that OSCAL 1.2 has not.

    oscal.py FOLDER      every *.oscal.json in it, beside the *.json of the same report
"""

import hashlib
import json
import pathlib
import shutil
import sys
import tempfile

from trestle.oscal.assessment_results import AssessmentResults


def faults(path, report_path):
    report = json.loads(report_path.read_text())
    with tempfile.TemporaryDirectory() as folder:
        # trestle tells formats by the ending.
        named = pathlib.Path(folder) / "assessment-results.json"
        shutil.copy(path, named)
        results = AssessmentResults.oscal_read(named)
    if results is None:
        yield "trestle reads nothing"
        return
    [result] = results.results
    seen = {}
    for observation in result.observations or []:
        props = {prop.name: prop.value for prop in observation.props or []}
        if "finding-id" in props:
            seen.setdefault(props["finding-id"], []).append(props["verdict"])
    wanted = {}
    for finding in report["findings"]:
        wanted.setdefault(finding["id"], []).append(finding["verdict"])
    if seen != wanted:
        yield "the observations are not the findings of the report"
    shown = [{prop.name: prop.value for prop in observation.props or []} for observation in result.observations or []]
    shown = [(props["status"], props["support"]) for props in shown if "control" in props]
    controls = [(it["status"], it["support"]) for policy in report["compliance"] for it in policy["controls"]]
    if shown != controls:
        yield f"of the controls it says {shown}, and the report {controls}"
    for finding in result.findings or []:
        if finding.target.status.state.value != "not-satisfied":
            yield f"{finding.title} is said to be {finding.target.status.state}"
    hashes = {
        link.hashes[0].value for resource in results.back_matter.resources for link in resource.rlinks or [] if link.hashes
    }
    if hashlib.sha256(report_path.read_bytes()).hexdigest() not in hashes:
        yield "the evidence is not named by its digest"


def main(folder):
    files = sorted(pathlib.Path(folder).glob("*.oscal.json"))
    wrong = [] if files else [f"no *.oscal.json in {folder}"]
    for path in files:
        try:
            said = list(faults(path, path.with_name(path.name.removesuffix(".oscal.json") + ".json")))
        except Exception as error:  # whatever trestle throws is its refusal
            said = [f"{type(error).__name__}: {str(error)[:2000]}"]
        wrong += [f"{path.name}: {text}" for text in said]
        print(f"{path.name}: {'taken' if not said else 'refused'}")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
