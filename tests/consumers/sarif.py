#!/usr/bin/env python3
"""SARIF, as those read it that take it: Microsoft's multitool with its own rules and those of GitHub, and the schema.

    sarif.py FOLDER      every *.sarif in it
"""

import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

TOOL = pathlib.Path(__file__).parent / "node_modules/@microsoft/sarif-multitool-linux"

# What the multitool would like and does not get, and why. Anything else that it says is a failure.
ACCEPTED = {
    ("SARIF2005", "ProvideToolnformationUri"): "portproof has no address on the web that could be promised for ever",
    ("SARIF2002", "Default"): "messages are whole sentences; arguments are for tools that translate them",
    ("SARIF2003", "Default"): "the report knows the commit and not the address of its repository",
    ("SARIF2010", "Default"): "the text of the manifest is not in the report",
    ("SARIF2011", "Default"): "likewise",
    ("SARIF2012", "ProvideHelpUri"): "see SARIF2005; the help itself is inside",
    ("SARIF2012", "FriendlyNameNotAPascalIdentifier"): "a rule has one name everywhere: unexpected-open",
}

# A test asks nobody on the web whether the schema is still there.
POLICY = """<?xml version="1.0" encoding="utf-8"?>
<Properties>
  <Properties Key="SARIF2006.UrisShouldBeReachable.Options">
    <Property Key="RuleEnabled" Value="Disabled" />
  </Properties>
</Properties>
"""

# What GitHub refuses (docs.github.com, "SARIF support for code scanning").
MOST_RESULTS, MOST_OCTETS = 25_000, 10 * 1000 * 1000


# It takes a minute for 25,000 results, which are alike: of a long file it reads these many of each end.
MOST_READ = 200


def complaints(log):
    """What the multitool says of a log."""
    binary = TOOL / "Sarif.Multitool"
    os.chmod(binary, 0o755)  # its install script does nothing else, and may not have been let run
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "in.sarif"
        path.write_text(json.dumps(log))
        out = pathlib.Path(folder) / "out.sarif"
        policy = pathlib.Path(folder) / "policy.xml"
        policy.write_text(POLICY)
        command = [binary, "validate", path, "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note"]
        command += ["--config", policy, "--max-file-size-in-kb", "1000000", "-o", out]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0 or not out.exists():
            yield f"the multitool fails: {done.stdout}{done.stderr}"
            return
        run = json.loads(out.read_text())["runs"][0]
    for invocation in run.get("invocations", []):
        if not invocation["executionSuccessful"]:
            yield f"the multitool could not do its work: {invocation}"
    for result in run.get("results", []):
        rule, message = result["ruleId"], result["message"]
        name = message.get("id", "").split("_", 1)[-1]
        if (rule, name) not in ACCEPTED:
            yield f"{rule} {name}: {message.get('text', '')} {message.get('arguments', '')}"


def refusals(path, log):
    """What GitHub would refuse, and the multitool does not see."""
    packed = len(gzip.compress(path.read_bytes()))
    if packed > MOST_OCTETS:
        yield f"{packed} octets packed"
    for run in log["runs"]:
        if len(run["results"]) > MOST_RESULTS:
            yield f"{len(run['results'])} results"
        for result in run["results"]:
            rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
            if rule["id"] != result["ruleId"]:
                yield f"{result['ruleId']} is not the rule {rule['id']}"
            if not result["partialFingerprints"].get("primaryLocationLineHash"):
                yield "a result without the fingerprint that GitHub reads"
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            if ":" in uri or uri.startswith("/"):
                yield f"{uri} is no path in a repository"
        prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
        if len(set(prints)) != len(prints):
            yield "two results with one fingerprint are one alert"


def main(folder):
    schema = json.loads((TOOL / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    files = sorted(pathlib.Path(folder).glob("*.sarif"))
    wrong = [] if files else [f"no *.sarif in {folder}"]
    for path in files:
        log = json.loads(path.read_text())
        short = json.loads(path.read_text())
        for run in short["runs"]:
            if len(run["results"]) > 2 * MOST_READ:
                run["results"] = run["results"][:MOST_READ] + run["results"][-MOST_READ:]
        said = [*(fault.message for fault in validator.iter_errors(short)), *complaints(short)]
        # What is no SARIF has not the members that GitHub looks for.
        said = said or list(refusals(path, log))
        wrong += [f"{path.name}: {text}" for text in said[:20]]
        print(f"{path.name}: {'taken' if not said else 'refused'}")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
