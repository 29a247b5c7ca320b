#!/usr/bin/env python3
"""nmap's XML, as those read it that take it: ndiff, python-libnmap, and nmap's own DTD.

    nmap_xml.py FOLDER      every *.nmap.xml in it, beside the *.json of the same report
"""

import collections
import io
import json
import pathlib
import subprocess
import sys

from libnmap.parser import NmapParser
from lxml import etree

DTD = pathlib.Path("/usr/share/nmap/nmap.dtd")

# nmap's words for our states. What we failed to find out has none.
STATES = {"open": "open", "closed": "closed", "filtered": "filtered", "unanswered": "open|filtered"}


def by_the_dtd(path):
    """Faults by nmap's DTD, which knows no other scanner than nmap: that one line is ours."""
    text = DTD.read_text()
    theirs, ours = "scanner\t\t(nmap)", "scanner\t\t(portproof)"
    if theirs not in text:
        yield "the DTD no longer says who scans"
        return
    dtd = etree.DTD(io.StringIO(text.replace(theirs, ours)))
    if not dtd.validate(etree.parse(path)):
        yield from (str(fault) for fault in list(dtd.error_log.filter_from_errors())[:10])


def by_libnmap(path, report):
    """What libnmap reads is what the report says."""
    read = NmapParser.parse_fromfile(str(path))
    if read.hosts_total != len({place["address"] for target in report["targets"] for place in target["addresses"]}):
        yield f"libnmap counts {read.hosts_total} hosts"
    wanted = {
        (seen["address"], seen["protocol"], seen["port"], STATES[seen["state"]], seen["reason"])
        for seen in report["observations"]
        if seen["state"] in STATES
    }
    found = {
        (host.address or host.ipv6, service.protocol, service.port, service.state, service.reason)
        for host in read.hosts
        for service in host.services
    }
    if found != wanted:
        yield f"libnmap sees what is not there: {sorted(found - wanted)[:3]}, and misses {sorted(wanted - found)[:3]}"
    up = {host.address or host.ipv6 for host in read.hosts if host.is_up()}
    alive = {place["address"] for target in report["targets"] for place in target["addresses"] if place["alive"]}
    if up != alive:
        yield f"libnmap thinks that {sorted(up ^ alive)[:3]} live or do not"


def by_ndiff(path, other=None):
    """What ndiff says of two files: 0 the same, 1 different."""
    done = subprocess.run(["ndiff", path, other or path], capture_output=True, text=True)
    if done.returncode == 2 or done.stderr:
        return done.returncode, done.stderr
    return done.returncode, done.stdout


def main(folder):
    files = sorted(pathlib.Path(folder).glob("*.nmap.xml"))
    wrong = [] if files else [f"no *.nmap.xml in {folder}"]
    for path in files:
        report = json.loads(path.with_name(path.name.removesuffix(".nmap.xml") + ".json").read_text())
        said = [*by_the_dtd(path), *by_libnmap(path, report)]
        status, words = by_ndiff(path)
        if status != 0:
            said.append(f"ndiff finds it different from itself: {words[:300]}")
        wrong += [f"{path.name}: {text}" for text in said]
        print(f"{path.name}: {'taken' if not said else 'refused'}")
    # A port that closes is what ndiff is for.
    path = pathlib.Path(folder) / "drifted.nmap.xml"
    if path.exists():
        other = pathlib.Path(folder) / "drifted-later.xml"
        closed = path.read_text().replace(
            '<state state="open" reason="syn-ack" reason_ttl="0"/>',
            '<state state="closed" reason="conn-refused" reason_ttl="0"/>', 1)
        other.write_text(closed)
        status, words = by_ndiff(path, other)
        other.unlink()
        lines = collections.Counter(line[0] for line in words.splitlines() if "80/tcp" in line)
        # Closed ports are those that ndiff does not list here, so one that closes only goes.
        if status != 1 or lines["-"] != 1:
            wrong.append(f"ndiff does not see the port that closed: {status} {words[:300]}")
    sys.exit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
