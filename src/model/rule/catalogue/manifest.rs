//! The rules about the manifest itself, which `lint` says without a run. Holds words only.

use super::{Low, Medium, Rule, paper};

/// In the order of their ids.
pub(super) const MANIFEST: &[Rule] = &[
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
            "An `expose` entry has no `approved_by` or no `approved_on`, or one says TODO, or `approved_on` is yet to come.",
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
            "`metadata.review` gives a last review and no period, or a period and no last review; a last review that is yet to come is none.",
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
            "An exception lacks its reason, who requested it and when, or who approved it and when; or one says TODO, or a day is yet to come.",
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
    paper(
        "MAN019",
        "unknown-control",
        Low,
        [
            "`controls` of an `expose` entry names a control that no policy in force has. Without a policy nothing is said: the controls may be anybody's.",
            "The entry is shown with no control, and whoever looks for its evidence does not find it.",
            "Correct the id (`portproof profiles POLICY` lists them), or name its policy in `policy.use`.",
        ],
    ),
];
