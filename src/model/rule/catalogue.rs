//! Every rule with its texts. Holds words only; what a rule is stands in the module above.

mod manifest;

use self::manifest::MANIFEST;
use super::{
    Kind, Rule,
    Severity::{self, Critical, High, Low, Medium},
};

const fn exposure(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    [when, why, remedy]: [&'static str; 3],
) -> Rule {
    Rule { id, name, severity, kind: Kind::Exposure, when, why, remedy }
}

const fn doubt(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    [when, why, remedy]: [&'static str; 3],
) -> Rule {
    Rule { id, name, severity, kind: Kind::Doubt, when, why, remedy }
}

const fn paper(
    id: &'static str,
    name: &'static str,
    severity: Severity,
    [when, why, remedy]: [&'static str; 3],
) -> Rule {
    Rule { id, name, severity, kind: Kind::Governance, when, why, remedy }
}

/// Every rule, in the order of its id within its family.
pub const RULES: &[Rule] = &joined::<{ RUN.len() + MANIFEST.len() }>(RUN, MANIFEST);

/// The rules one after the other.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler only")]
const fn joined<const N: usize>(first: &[Rule], then: &[Rule]) -> [Rule; N] {
    let mut all = [first[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < first.len() { first[i] } else { then[i - first.len()] };
        i += 1;
    }
    all
}

/// Those of a run: exposure, doubt, reviews and exceptions.
const RUN: &[Rule] = &[
    exposure(
        "EXP001",
        "unexpected-open",
        High,
        [
            "A port completed a TCP handshake, did so again on a second look at least a second later, and nothing in the manifest declares it. Critical where the port is sensitive. A port that answered only once is inconclusive.",
            "Somebody opened it, on purpose or by accident, and nobody wrote down why. Undeclared services are the ones that nobody patches, watches or remembers.",
            "Close it at the firewall or stop the service; if it is meant to be there, declare it under `expose` with an owner and a justification.",
        ],
    ),
    exposure(
        "EXP002",
        "forbidden-open",
        Critical,
        [
            "A port is open that the target, or a role profile of the target, denies.",
            "The manifest says that this port must never be reachable from here. That it is means a control has failed.",
            "Close it now, then find out what opened it. If the manifest is wrong, remove the `deny` entry under review.",
        ],
    ),
    exposure(
        "EXP003",
        "required-missing",
        High,
        [
            "A port that the manifest requires is not open. The cause says where to look: `closed` (the host answers, nothing listens: the server), `filtered` (dropped or prohibited on the way: the firewall), `host_silent` (nothing on the address answers), `unresolved` (the name has no address), `unanswered` (UDP: no reply, inconclusive).",
            "A service that people rely on can't be reached from here.",
            "Follow the cause. If the service is gone for good, remove the entry or mark it `presence: optional`.",
        ],
    ),
    exposure(
        "EXP004",
        "wrong-service",
        High,
        [
            "What answers on the port is not the declared service or banner.",
            "An open port with the right number and the wrong program behind it is an exposure that nobody approved.",
            "Find out what listens there, and correct the server or the declaration.",
        ],
    ),
    exposure(
        "EXP005",
        "tls-policy",
        Medium,
        [
            "The TLS that a service offers is weaker than the declared profile.",
            "Old protocol versions and suites can be attacked by whoever sits on the path.",
            "Tighten the server's TLS configuration to the declared profile.",
        ],
    ),
    exposure(
        "EXP006",
        "certificate",
        High,
        [
            "A certificate has expired, expires within `min_days_left`, is for another name, or is not trusted where trust is declared. Medium while it is only expiring.",
            "Clients will refuse the service, or learn to click warnings away.",
            "Renew or replace the certificate.",
        ],
    ),
    exposure(
        "EXP007",
        "insecure-service",
        Critical,
        [
            "A service answers without asking for authentication (critical), or speaks cleartext (medium) without `security_features` in the manifest.",
            "Whoever can reach it can use it, or read what others send to it.",
            "Require authentication and TLS, or restrict who can reach the port. Missing authentication can only be waived by an exception.",
        ],
    ),
    exposure(
        "EXP008",
        "family-parity",
        Medium,
        [
            "The IPv4 and the IPv6 addresses of one name, or of a target that lists one of each, expose different declared-or-open ports, both determined, and no other finding says so.",
            "Firewalls are often configured for one family and forgotten for the other.",
            "Make both families alike, or declare `families` for the entry that is meant for one only.",
        ],
    ),
    exposure(
        "EXP009",
        "address-drift",
        Medium,
        [
            "DNS gives an address that `expect_dns` does not list (medium), or no longer gives one that it lists (low), or leads outside the authorized scope. Addresses outside are not probed beyond what is authorized.",
            "A name that points elsewhere than you think is how subdomains are taken over, and how a scan ends up at somebody else's machine.",
            "Correct the DNS record or `expect_dns`; extend `authorization.scope` if the new address is yours.",
        ],
    ),
    doubt(
        "EXP010",
        "unresponsive",
        Medium,
        [
            "A host that the manifest names, by name or address, was silent on everything.",
            "Silence may be a perfect firewall, a dead host or a path that swallows our probes; from outside they look the same. What can't be told apart does not count as conforming.",
            "Check the path from this vantage. If the host is meant to be dark, say `expect_dark: true` on its target.",
        ],
    ),
    doubt(
        "EXP011",
        "interference",
        High,
        [
            "An address answers on everything, contradicts itself (open at one attempt, refused at another), or fell silent midway: what had answered no longer did when it was asked again. One finding an address.",
            "Something between us and the host answers in its place, or an intrusion prevention system banned us: what was seen there proves nothing, either way.",
            "Let the scanner's address through the protection for the time of the scan, or scan from behind it.",
        ],
    ),
    doubt(
        "EXP012",
        "coverage-gap",
        Medium,
        [
            "Endpoints were planned and not probed, or not to the end: a blind vantage, no address or route of that family here, another shard's part, an interrupted run, local trouble.",
            "What was not looked at may be anything.",
            "Remove the cause, or run again from a vantage that can see it.",
        ],
    ),
    paper(
        "EXP013",
        "overdue",
        Low,
        [
            "An `expose` entry is past its `review_by`, or the manifest's own review is past due.",
            "An approval that nobody renews turns into a habit.",
            "Review the entry, then set a new date.",
        ],
    ),
    exposure(
        "EXP014",
        "edge-answers",
        Medium,
        [
            "The manifest says how closed ports look (`closed_state`) or that addresses are dark (`expect_dark`), and an answer says otherwise.",
            "A RST where a drop was meant shows that the packet passed the firewall and reached a host.",
            "Check the firewall's default policy for this address.",
        ],
    ),
    doubt(
        "EXP015",
        "weak-evidence",
        Medium,
        [
            "Passes of this address rest on silence, and packets get lost on the way to it: had one of its silent ports been open, the chance that every probe to it was lost may be above `--max-miss` (95 % bound, 1 in 1,000 by default). What answered is not touched.",
            "Silence proves as much as the path is reliable.",
            "Scan more slowly, with more attempts, or from a vantage with less loss on the way; or accept more with `--max-miss`, or with an exception.",
        ],
    ),
    paper(
        "EXC001",
        "exception-expired",
        Medium,
        [
            "An exception is past its `expires` day. It no longer waives anything.",
            "The risk was accepted until that day and no longer.",
            "Remove what it excused, or have it approved again.",
        ],
    ),
    paper(
        "EXC002",
        "exception-unused",
        Low,
        [
            "An exception matches no finding of a complete run.",
            "What it excused is gone; left in place it will excuse the next accident.",
            "Remove it.",
        ],
    ),
    paper(
        "EXC003",
        "exception-too-long",
        Medium,
        [
            "An exception lasts longer than the policy's `max_exception_days`.",
            "An exception without an end is a change of policy that nobody decided.",
            "Shorten it, or change the policy.",
        ],
    ),
    paper(
        "EXC004",
        "exception-self-approved",
        Medium,
        [
            "An exception was approved by the one who requested it.",
            "Four eyes see what two overlook.",
            "Have somebody else approve it.",
        ],
    ),
];
