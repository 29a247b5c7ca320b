//! The page's first screen: counts, circumstances, and how sure it all is.

use serde::Serialize;

use super::{
    paperwork::Standing,
    prose::{Piece, pieces},
    records::Fact,
};
use crate::{
    model::{Kind, Severity, State, Verdict},
    report::{
        Outcome, Report,
        baseline::since,
        restrictions::restrictions,
        statement::{Statement, determined, origin, partial_sentence},
        summary::{congested, reconciled, undecided_of},
        words::{capital, count, duration, few, moment, one_in, percent, period, thousands},
    },
};

/// So many hosts stand for a manifest without a name.
const HOSTS: usize = 3;

/// What the first screen holds.
#[derive(Serialize)]
pub(super) struct Overview {
    /// The manifest's name, else the program's.
    name: String,
    environment: Option<String>,
    /// A sentence, where the run did not reach its end.
    partial: Option<String>,
    restrictions: Vec<String>,
    tallies: Vec<Count>,
    facts: Vec<Fact>,
    bar: Bar,
    sure: Sure,
}

#[derive(Serialize)]
struct Count {
    number: String,
    label: &'static str,
    detail: Vec<Piece>,
    tone: &'static str,
    href: Option<&'static str>,
}

/// The states as one bar: lengths in thousandths, drawn by the template.
#[derive(Serialize)]
struct Bar {
    total: String,
    addresses: String,
    determined: String,
    sum: String,
    /// What to take off the open ones, where an address answers on everything.
    caution: Option<String>,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    state: &'static str,
    words: &'static str,
    number: String,
    x: u64,
    width: u64,
}

#[derive(Serialize)]
struct Sure {
    figure: String,
    text: String,
    measured: bool,
}

/// Builds the first screen.
pub(super) fn build(report: &Report, said: &Statement<'_>) -> Overview {
    let manifest = &report.run.manifest;
    Overview {
        name: manifest.name.clone().or_else(|| hosts(report)).unwrap_or_else(|| "Exposure report".to_owned()),
        environment: manifest.environment.clone(),
        partial: partial_sentence(report),
        restrictions: restrictions(report).iter().map(|text| capital(text)).collect(),
        tallies: tallies(report, said),
        facts: facts(report),
        bar: bar(report),
        sure: sure(report),
    }
}

/// Why no exception accepts anything.
fn unneeded(report: &Report) -> &'static str {
    let statuses = || report.exceptions.iter().map(|exception| exception.status.as_str());
    match report.exceptions.len() {
        0 => "there are no exceptions",
        _ if report.run.selection.strict => "exceptions are ignored (`--strict`)",
        _ if statuses().all(|status| status != "in_force") => "no exception is in force",
        _ => "no exception was needed",
    }
}

fn tallies(report: &Report, statement: &Statement<'_>) -> Vec<Count> {
    let tally = statement.tally();
    let worst: Vec<String> = Severity::ALL
        .into_iter()
        .filter_map(|severity| {
            let n = report
                .findings
                .iter()
                .filter(|finding| finding.verdict == Verdict::Fail && finding.severity == severity)
                .count();
            (n > 0).then(|| format!("{} {}", thousands(n as u64), severity.word()))
        })
        .collect();
    let linked = |n: u64, href| (n > 0).then_some(href);
    let paper = Standing::of(report);
    // Nothing wrong is good news only where everything could be seen.
    let conforms = statement.outcome() == Outcome::Conforms;
    let verdicts = &report.summary.verdicts;
    let undecided = verdicts.inconclusive.saturating_add(verdicts.not_covered);
    let calm = if conforms { "good" } else { "plain" };
    let warned = report
        .findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Pass && finding.kind != Kind::Governance);
    vec![
        Count {
            number: thousands(tally.wrong),
            label: "wrong",
            detail: pieces(&match worst.is_empty() {
                false => worst.join(", "),
                true if conforms && tally.waived == 0 && tally.let_through == 0 && !warned => {
                    "nothing deviates".to_owned()
                }
                true if conforms => "nothing that fails".to_owned(),
                true => "nothing that was seen deviates".to_owned(),
            }),
            tone: if tally.wrong > 0 { "wrong" } else { calm },
            href: linked(tally.wrong, "#findings"),
        },
        Count {
            number: thousands(tally.unsure),
            label: "unsure",
            detail: pieces(&match tally.unsure {
                0 if report.run.partial => "but the run is partial".to_owned(),
                0 if undecided > 0 => {
                    format!("but {} could not be decided", count(undecided, "endpoint", "endpoints"))
                }
                0 if statement.outcome() == Outcome::Inconclusive => {
                    "but not everything was determined".to_owned()
                }
                0 => "nothing is in doubt".to_owned(),
                1 => "does not count as conforming".to_owned(),
                _ => "do not count as conforming".to_owned(),
            }),
            tone: if tally.unsure > 0 || undecided > 0 { "undecided" } else { calm },
            href: linked(tally.unsure, "#section-undecided"),
        },
        Count {
            number: thousands(tally.waived),
            label: "waived",
            detail: pieces(&match (tally.waived, tally.let_through) {
                (_, 1..) => {
                    let told = count(tally.let_through, "endpoint deviates", "endpoints deviate");
                    format!("but {told} that `-A` or `-W` let pass")
                }
                (0, 0) => unneeded(report).to_owned(),
                (_, 0) => "accepted by an exception".to_owned(),
            }),
            tone: if tally.waived > 0 { "waived" } else { "plain" },
            href: linked(tally.waived, "#section-waived"),
        },
        Count {
            number: thousands(tally.remarks),
            label: if tally.remarks == 1 { "remark" } else { "remarks" },
            detail: pieces(&match (tally.remarks, paper.failing()) {
                (0, _) => paper.words(),
                (_, None) => "to put in order; they fail nothing".to_owned(),
                (_, Some(failing)) => format!("that fail nothing; {failing}"),
            }),
            tone: "plain",
            href: match tally.remarks {
                0 => paper.failing().map(|_| "#findings"),
                _ if warned => Some("#section-warnings"),
                _ => Some("#paperwork"),
            },
        },
    ]
}

/// What was looked at, where nobody named it.
fn hosts(report: &Report) -> Option<String> {
    let hosts: Vec<String> = report.targets.iter().flat_map(|target| &target.hosts).cloned().collect();
    (!hosts.is_empty()).then(|| few(&hosts, HOSTS, ", ", ""))
}

fn facts(report: &Report) -> Vec<Fact> {
    let run = &report.run;
    let mut facts = vec![Fact::new("When", period(&run.started_at, &run.finished_at))];
    facts.push(Fact::new("Seen from", origin(report).unwrap_or_else(|| "not recorded".to_owned())));
    let tool = format!("{} {}", report.tool.name, report.tool.version);
    facts.push(Fact::new(
        "By",
        run.operator.as_ref().map_or_else(|| tool.clone(), |who| format!("{who}, with {tool}")),
    ));
    let methods: Vec<String> = [("TCP", &run.scan.tcp), ("UDP", &run.scan.udp)]
        .into_iter()
        .map(|(protocol, method)| match method.as_deref() {
            None => format!("{protocol} not scanned"),
            Some("syn") => format!("{protocol} by SYN"),
            Some("connect") if protocol == "TCP" => format!("{protocol} by connecting"),
            // Over datagrams it makes no difference how they are sent.
            Some("raw" | "connect" | "udp") => protocol.to_owned(),
            // `from nmap`: of a file.
            Some(method) => format!("{protocol} {method}"),
        })
        .collect();
    let time = duration(report.coverage.duration_s);
    facts.push(Fact::new("How", format!("{}; took {time}", methods.join("; "))));
    facts.push(Fact::new("Authorized", authorized(report)));
    let manifest = &run.manifest;
    let named = manifest.path.clone().unwrap_or_else(|| "given on the command line".to_owned());
    let short = manifest
        .sha256
        .as_ref()
        .map(|digest| format!(", SHA-256 {}…", digest.chars().take(12).collect::<String>()));
    facts.push(Fact::new("Manifest", format!("{named}{}", short.unwrap_or_default())));
    facts.extend(since(report).map(|text| Fact::new("Since", text)));
    facts.extend(run.next_due.as_ref().map(|due| Fact::new("Next run due", format!("{} UTC", moment(due)))));
    facts
}

fn authorized(report: &Report) -> String {
    let leave = &report.authorization;
    if leave.implied {
        return "implied by the hosts as written; no reference".to_owned();
    }
    let mut parts: Vec<String> = leave.reference.clone().into_iter().collect();
    parts.extend(leave.authorized_by.as_ref().map(|who| format!("by {who}")));
    parts.extend(leave.valid_until.as_ref().map(|day| format!("until {day}")));
    if parts.is_empty() { "no reference".to_owned() } else { parts.join(", ") }
}

fn bar(report: &Report) -> Bar {
    let coverage = &report.coverage;
    let total = coverage.states.total();
    let mut x = 0;
    let parts = State::ALL
        .into_iter()
        .filter(|&state| coverage.states.of(state) > 0)
        .map(|state| {
            let n = coverage.states.of(state);
            // A handful in a hundred thousand would vanish; a sliver says that they are there.
            let width = n.saturating_mul(1000).checked_div(total).unwrap_or(0).max(6);
            let part = Part { state: state.word(), words: meaning(state), number: thousands(n), x, width };
            x += width;
            part
        })
        .collect();
    let addresses: usize = report.targets.iter().map(|target| target.addresses.len()).sum();
    Bar {
        total: count(coverage.planned, "endpoint", "endpoints"),
        addresses: count(addresses as u64, "address", "addresses"),
        determined: thousands(determined(report)),
        sum: reconciled(coverage.planned, &coverage.states),
        caution: caution(report),
        parts: scaled(parts),
    }
}

/// An address that answers on everything shows open ports by the thousand, and proves none of them.
fn caution(report: &Report) -> Option<String> {
    let places = report.targets.iter().flat_map(|target| &target.addresses);
    let (n, open) = places
        .filter(|place| place.answers_everything)
        .fold((0, 0_u64), |(n, open), place| (n + 1, open.saturating_add(place.states.open)));
    let address = count(n, "address that answers", "addresses that answer");
    (n > 0).then(|| {
        format!("{} of the open ones are on {address} on everything, and prove nothing.", thousands(open))
    })
}

/// Slivers may push the sum above a thousand; the bar is scaled back to it.
fn scaled(mut parts: Vec<Part>) -> Vec<Part> {
    let sum: u64 = parts.iter().map(|part| part.width).sum();
    let mut x = 0;
    for part in &mut parts {
        part.width = (part.width * 1000).checked_div(sum).unwrap_or(0);
        part.x = x;
        x += part.width;
    }
    if let Some(last) = parts.last_mut() {
        last.width = 1000_u64.saturating_sub(last.x);
    }
    parts
}

fn meaning(state: State) -> &'static str {
    match state {
        State::Open => "something accepts connections",
        State::Closed => "the host refuses",
        State::Filtered => "dropped or prohibited on the way",
        State::Unanswered => "no reply over UDP",
        State::Unknown => "not determined by us",
    }
}

fn sure(report: &Report) -> Sure {
    let states = &report.coverage.states;
    let all_answered = states.total() > 0 && states.total() == states.open.saturating_add(states.closed);
    let loss = report.coverage.loss.map_or_else(
        || "Packet loss was not measured.".to_owned(),
        |loss| {
            // Where nothing rests on silence, nothing rests on how bad it may have been.
            let bound = format!(", at most {}", percent(loss.upper95));
            let bound = if all_answered { "" } else { &bound };
            let trials = count(loss.trials, "trial", "trials");
            format!("Packet loss was {}{bound} ({trials}).", percent(loss.estimate))
        },
    );
    let slowed = report
        .coverage
        .congestion
        .as_ref()
        .map_or_else(String::new, |found| format!(" {}.", capital(&congested(found))));
    let undecided = report.coverage.undecided.as_ref();
    let slowed = undecided
        .map_or_else(|| slowed.clone(), |found| format!("{slowed} {}.", capital(&undecided_of(found))));
    match &report.coverage.miss {
        Some(miss) => Sure {
            figure: format!("At most {}", one_in(miss.upper95)),
            text: format!(
                "Had a silent port been open, that is the chance that we missed it, at the address where it is greatest (95 % bound). {loss}{slowed} Assumed: {}.",
                miss.assumption.trim_end_matches('.')
            ),
            measured: true,
        },
        None if all_answered => Sure {
            figure: "Everything answered".to_owned(),
            text: format!(
                "Nothing in this run rests on silence: each port said itself that it is open or closed. {loss}{slowed}"
            ),
            measured: true,
        },
        None => Sure {
            figure: "Not measured".to_owned(),
            text: format!(
                "There is no figure for the chance that an open port was missed in this run. {loss}{slowed}"
            ),
            measured: false,
        },
    }
}
