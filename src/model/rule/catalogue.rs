//! Every rule with its texts. Holds words only; what a rule is stands in the module above.

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
pub const RULES: &[Rule] = &[
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
    paper(
        "MAN001",
        "no-authorization",
        Medium,
        [
            "The manifest has no `authorization`; the hosts as written are taken as the scope.",
            "A scan of somebody else's machine is an attack. The reference says who allowed it.",
            "Add `authorization: {reference, authorized_by, valid_until, scope}`.",
        ],
    ),
    paper(
        "MAN002",
        "missing-owner",
        Low,
        [
            "A target, or an exposure, has no owner, not in `defaults` either.",
            "A finding without an owner is nobody's to mend.",
            "Set `owner` on the target or in `defaults`.",
        ],
    ),
    paper(
        "MAN003",
        "missing-justification",
        Low,
        [
            "An `expose` entry has no `justification`, or it says TODO.",
            "The manifest is the document that says why a port is open; PCI DSS 1.2.5 asks for exactly this.",
            "Write one sentence: who needs it, for what.",
        ],
    ),
    paper(
        "MAN004",
        "missing-approval",
        Low,
        [
            "An `expose` entry has no `approved_by` or no `approved_on`, or one says TODO.",
            "Somebody must have decided that this port may be open.",
            "Have it approved, and write down by whom and when.",
        ],
    ),
    paper(
        "MAN005",
        "missing-review-date",
        Low,
        [
            "An `expose` entry has no `review_by`, and `metadata.review` gives no period either.",
            "What is never reviewed stays open for ever.",
            "Set `review_by`, or `metadata: {review: {last, every}}` for all.",
        ],
    ),
    paper(
        "MAN006",
        "profile-outranked",
        Low,
        [
            "The target exposes a port that one of its role profiles says must never be exposed. The target's own word wins.",
            "Either the role or the exposure is a mistake.",
            "Check that both are meant.",
        ],
    ),
    paper(
        "MAN007",
        "wide-exposure",
        Medium,
        [
            "One `expose` entry declares more than 1,024 ports.",
            "A declaration that covers almost everything can't find anything.",
            "Declare the ports that are used.",
        ],
    ),
    paper(
        "MAN008",
        "duplicate-exposure",
        Low,
        [
            "A target declares the same port twice. The first entry counts.",
            "Two entries with different owners or dates leave open which one holds.",
            "Remove one.",
        ],
    ),
    paper(
        "MAN009",
        "unused-service",
        Low,
        [
            "An entry of `services` that no `expose` uses.",
            "Dead text misleads whoever reads the manifest next.",
            "Remove it.",
        ],
    ),
    paper(
        "MAN010",
        "authorization-ends-soon",
        Low,
        [
            "The authorization ends within 30 days.",
            "The first run after that day is refused.",
            "Have it renewed.",
        ],
    ),
    paper(
        "MAN011",
        "excluded-target",
        Low,
        [
            "Part of a target lies in `authorization.exclude` and will not be probed.",
            "The target's name suggests a coverage that it does not have.",
            "Narrow the target, or the exclusion.",
        ],
    ),
    paper(
        "MAN012",
        "unguarded-insecure",
        Medium,
        [
            "An `expose` entry is marked `insecure` and names no `security_features`.",
            "PCI DSS 1.2.6 and 2.2.5 ask what protects a service that is known to be insecure.",
            "Name what protects it, or replace the service.",
        ],
    ),
    paper(
        "MAN013",
        "review-without-period",
        Low,
        [
            "`metadata.review` gives a last review and no period, or a period and no last review.",
            "Nobody can tell when the next review is due.",
            "Give both `last` and `every`.",
        ],
    ),
    paper(
        "MAN014",
        "unknown-service",
        Low,
        [
            "An `expose` entry names a service that portproof does not know, so it can't check that this service answers.",
            "A check that can't be made is not evidence.",
            "Use a name that `portproof profiles services` lists, or leave the service out.",
        ],
    ),
    paper(
        "MAN015",
        "policy-field-missing",
        Low,
        [
            "An `expose` entry lacks a field that the policy requires: `policy.require`, or a policy that `policy.use` names.",
            "The policy decided that no port may be open without it.",
            "Add the field, or change the policy under review.",
        ],
    ),
    paper(
        "MAN016",
        "exception-paperwork",
        Low,
        [
            "An exception lacks its reason, who requested it and when, or who approved it and when; or one says TODO.",
            "An accepted risk is accepted by somebody, for a reason that can be read later.",
            "Complete the exception.",
        ],
    ),
    paper(
        "MAN017",
        "unprovable-udp",
        Low,
        [
            "A UDP endpoint is required, and no question is known that what is there answers to a stranger.",
            "Its silence is all that can ever be seen from outside, whether it works or not, so it can never pass.",
            "Say with `service:` what is there, mark it `presence: optional`, or watch it from the inside.",
        ],
    ),
    paper(
        "MAN018",
        "review-too-rare",
        Low,
        [
            "`metadata.review.every`, or the time that an `expose` entry gives itself until `review_by`, is longer than the policy's `max_review_days`. An entry's time counts from the later of its `approved_on` and `metadata.review.last`; without either, from today.",
            "A review in the far future is none. PCI DSS 1.2.7 and DORA ask for one every six months.",
            "Review sooner: shorten `metadata.review.every`, or set `review_by`; after a review renew `approved_on` or `metadata.review.last`.",
        ],
    ),
];
