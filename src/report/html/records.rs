//! The page's records: tables per target, control totals, DNS, exceptions, declarations, provenance.
//! Everything an auditor asks for after the findings.

use serde::Serialize;

use crate::{
    model::{Family, State},
    report::{
        AddressRecord, DeclaredKind, Report, TargetRecord,
        index::{Index, Mark},
        summary::reconciled,
        words::{count, duration, listed, moment, thousands, whole},
    },
    spec::manifest::Presence,
};

/// The most rows of a table of addresses; the rest is added up in its last row.
const ROWS: usize = 250;
/// From so many addresses on, quiet ones share a row.
const FOLDED_FROM: usize = 8;

/// A label and a text.
#[derive(Serialize)]
pub(super) struct Fact {
    label: &'static str,
    text: String,
}

impl Fact {
    pub(super) fn new(label: &'static str, text: String) -> Self {
        Self { label, text }
    }
}

/// One table.
#[derive(Serialize)]
pub(super) struct Sheet {
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    note: Option<String>,
}

#[derive(Serialize)]
struct Column {
    label: &'static str,
    /// `n` for numbers, `c` for code, `t` for text.
    kind: char,
}

/// Everything below the map.
#[derive(Serialize)]
pub(super) struct Records {
    targets: Vec<Target>,
    sums: Vec<String>,
    totals: Vec<Sheet>,
    per_address: Option<Sheet>,
    dns: Option<Sheet>,
    resolvers: String,
    not_scanned: Option<Sheet>,
    fallbacks: Option<Sheet>,
    selection: Vec<Fact>,
    exceptions: Option<Sheet>,
    declared: Option<Sheet>,
    authorization: Vec<Fact>,
    provenance: Vec<Fact>,
}

#[derive(Serialize)]
struct Target {
    id: String,
    facts: Vec<Fact>,
    sheet: Sheet,
    endpoints: Option<Sheet>,
}

/// Builds the records.
pub(super) fn build(report: &Report, index: &Index<'_>) -> Records {
    let verdicts = &report.summary.verdicts;
    let judged = [
        (verdicts.pass, "pass"),
        (verdicts.pass_by_silence, "pass by silence"),
        (verdicts.fail, "fail"),
        (verdicts.inconclusive, "inconclusive"),
        (verdicts.not_covered, "not covered"),
        (verdicts.waived, "waived"),
    ];
    Records {
        targets: report.targets.iter().map(|target| target_record(report, target, index)).collect(),
        sums: vec![
            format!("{}.", reconciled(report.coverage.planned, &report.coverage.states)),
            verdict_sum(report.coverage.planned, verdicts.total(), &judged),
        ],
        totals: vec![states(report), judgements(&judged), probes(report)],
        per_address: per_address(report),
        dns: dns(report),
        resolvers: listed(&report.run.resolver.servers),
        not_scanned: not_scanned(report),
        fallbacks: fallbacks(report),
        selection: selection(report),
        exceptions: exceptions(report),
        declared: declared(report),
        authorization: authorization(report),
        provenance: provenance(report),
    }
}

fn sheet(caption: &str, columns: &[(&'static str, char)], rows: Vec<Vec<String>>) -> Sheet {
    let columns = columns.iter().map(|&(label, kind)| Column { label, kind }).collect();
    Sheet { caption: caption.to_owned(), columns, rows, note: None }
}

/// `None` where there is nothing to list.
fn filled(caption: &str, columns: &[(&'static str, char)], rows: Vec<Vec<String>>) -> Option<Sheet> {
    (!rows.is_empty()).then(|| sheet(caption, columns, rows))
}

fn or_dash(text: Option<&String>) -> String {
    text.filter(|text| !text.is_empty()).cloned().unwrap_or_else(|| "–".to_owned())
}

fn target_record(report: &Report, target: &TargetRecord, index: &Index<'_>) -> Target {
    let fold = target.addresses.len() > FOLDED_FROM;
    let (quiet, loud): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        target.addresses.iter().partition(|place| fold && index.is_quiet(place));
    let mut rows: Vec<Vec<String>> = loud.iter().take(ROWS).map(|place| address_row(place, index)).collect();
    rows.extend(folded_row(loud.get(ROWS..).unwrap_or_default(), "more"));
    let (dark, plain): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        quiet.into_iter().partition(|place| place.expect_dark && !place.states.answered());
    rows.extend(folded_row(&plain, "exactly as declared"));
    rows.extend(folded_row(&dark, "dark, as expected"));
    let columns = [
        ("Address", 'c'),
        ("Open, declared", 'c'),
        ("Open, not declared", 'c'),
        ("Closed", 'n'),
        ("Filtered", 'n'),
        ("Unanswered", 'n'),
        ("Unknown", 'n'),
        ("Alive because", 't'),
    ];
    let mut facts = vec![Fact::new("Hosts", listed(&target.hosts))];
    facts.push(Fact::new("Owner", target.owner.clone().unwrap_or_else(|| "nobody is named".to_owned())));
    if !target.tags.is_empty() {
        facts.push(Fact::new("Tags", target.tags.join(", ")));
    }
    facts.extend(
        report.coverage.port_sets.get(&target.id).map(|ports| Fact::new("Ports asked", ports.clone())),
    );
    Target {
        id: target.id.clone(),
        facts,
        sheet: sheet(&format!("Addresses of {}", target.id), &columns, rows),
        endpoints: endpoints(target, index),
    }
}

fn address_row(place: &AddressRecord, index: &Index<'_>) -> Vec<String> {
    let (mut declared, mut others) = (Vec::new(), Vec::new());
    for seen in index.observed(&place.address).iter().filter(|seen| seen.state == State::Open) {
        let named = format!("{}/{}", seen.port, seen.protocol);
        if index.exposure(&seen.address, seen.protocol, seen.port).is_some() {
            declared.push(named)
        } else {
            others.push(named)
        }
    }
    let others = if place.answers_everything { "answers on everything".to_owned() } else { few(&others) };
    let alive = place.liveness.clone().unwrap_or_else(|| {
        match place.alive {
            Some(true) => "answered",
            Some(false) if place.expect_dark => "silent, as expected",
            Some(false) => "silent on everything",
            None => "not asked to the end",
        }
        .to_owned()
    });
    let mut row = vec![place.address.clone(), few(&declared), others];
    row.extend(
        [State::Closed, State::Filtered, State::Unanswered, State::Unknown]
            .map(|state| thousands(place.states.of(state))),
    );
    row.push(alive);
    row
}

/// Many addresses as one row; their numbers added up, so that the table still reconciles.
fn folded_row(places: &[&AddressRecord], what: &str) -> Option<Vec<String>> {
    let (first, last) = (places.first()?, places.last()?);
    let mut states = crate::model::StateCounts::default();
    for place in places {
        states += place.states;
    }
    let open = if states.open == 0 { "–".to_owned() } else { count(states.open, "port", "ports") };
    let number = count(places.len() as u64, "address", "addresses");
    let mut row = vec![format!("{number}, {} to {}", first.address, last.address), open, "–".to_owned()];
    row.extend(
        [State::Closed, State::Filtered, State::Unanswered, State::Unknown]
            .map(|state| thousands(states.of(state))),
    );
    row.push(what.to_owned());
    Some(row)
}

fn few(ports: &[String]) -> String {
    match ports.get(..24) {
        Some(first) if ports.len() > 24 => {
            format!("{} and {} more", first.join(", "), thousands(ports.len() as u64 - 24))
        }
        _ if ports.is_empty() => "–".to_owned(),
        _ => ports.join(", "),
    }
}

/// What is open or named on each address, one row an endpoint.
fn endpoints(target: &TargetRecord, index: &Index<'_>) -> Option<Sheet> {
    let mut rows = Vec::new();
    let mut more = 0;
    for place in &target.addresses {
        for seen in index.observed(&place.address) {
            let mark = index.mark(seen);
            if place.answers_everything && mark != Mark::Expected && rows.len() > ROWS {
                more += 1;
                continue;
            }
            if rows.len() >= 4 * ROWS {
                more += 1;
                continue;
            }
            let service = seen.service.clone().or_else(|| seen.banner.clone());
            rows.push(vec![
                seen.address.clone(),
                format!("{}/{}", seen.port, seen.protocol),
                seen.state.word().to_owned(),
                seen.reason.clone(),
                mark.words().to_owned(),
                or_dash(service.as_ref()),
                seen.rtt_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1}")),
                seen.attempts.to_string(),
            ]);
        }
    }
    let columns = [
        ("Address", 'c'),
        ("Endpoint", 'c'),
        ("State", 't'),
        ("Reason", 't'),
        ("Against the manifest", 't'),
        ("Service", 't'),
        ("RTT, ms", 'n'),
        ("Probes", 'n'),
    ];
    let mut sheet = filled(&format!("Every open or named endpoint of {}", target.id), &columns, rows)?;
    sheet.note = (more > 0)
        .then(|| format!("{} in the JSON report.", count(more, "more endpoint is", "more endpoints are")));
    Some(sheet)
}

fn verdict_sum(planned: u64, total: u64, judged: &[(u64, &str)]) -> String {
    let parts: Vec<String> =
        judged.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", thousands(*n))).collect();
    let sum = if parts.is_empty() { "0".to_owned() } else { parts.join(" + ") };
    if total == planned {
        format!("{} judged = {sum}.", thousands(planned))
    } else {
        format!(
            "{} planned, but {sum} makes {}: these totals do not reconcile.",
            thousands(planned),
            thousands(total)
        )
    }
}

fn states(report: &Report) -> Sheet {
    let states = &report.coverage.states;
    let mut rows: Vec<Vec<String>> = State::ALL
        .into_iter()
        .map(|state| vec![state.word().to_owned(), thousands(states.of(state))])
        .collect();
    rows.push(vec!["sum".to_owned(), thousands(states.total())]);
    rows.push(vec!["planned".to_owned(), thousands(report.coverage.planned)]);
    sheet("Where every endpoint ended", &[("State", 't'), ("Endpoints", 'n')], rows)
}

fn judgements(judged: &[(u64, &str)]) -> Sheet {
    let mut rows: Vec<Vec<String>> =
        judged.iter().map(|(n, word)| vec![(*word).to_owned(), thousands(*n)]).collect();
    rows.push(vec!["sum".to_owned(), thousands(judged.iter().map(|(n, _)| n).sum())]);
    sheet("How every endpoint was judged", &[("Verdict", 't'), ("Endpoints", 'n')], rows)
}

fn probes(report: &Report) -> Sheet {
    let coverage = &report.coverage;
    let rows = [
        ("probes sent, repeats included", thousands(coverage.probes_sent)),
        ("of these, repeats", thousands(coverage.retransmitted)),
        ("answers to a probe", thousands(coverage.replies)),
        ("stray answers, counted and not believed", thousands(coverage.strays)),
        ("answers lost in the scanning machine", thousands(coverage.kernel_drops)),
        ("probes that failed on the scanning machine", thousands(coverage.send_errors)),
        ("time", duration(coverage.duration_s)),
        ("probes a second", thousands(whole(coverage.rate_pps))),
    ];
    let rows = rows.into_iter().map(|(what, n)| vec![what.to_owned(), n]).collect();
    sheet("What was sent and what came back", &[("What", 't'), ("Number", 'n')], rows)
}

fn per_address(report: &Report) -> Option<Sheet> {
    let all = &report.coverage.per_address;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for place in all.iter().take(ROWS) {
        let mut row = vec![place.address.clone(), thousands(place.planned)];
        row.extend(State::ALL.map(|state| thousands(place.states.of(state))));
        row.push(place.rtt_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1}")));
        rows.push(row);
    }
    let rest = all.get(ROWS..).unwrap_or_default();
    if !rest.is_empty() {
        let mut states = crate::model::StateCounts::default();
        for place in rest {
            states += place.states;
        }
        let mut row = vec![count(rest.len() as u64, "more address", "more addresses")];
        row.push(thousands(rest.iter().map(|place| place.planned).sum()));
        row.extend(State::ALL.map(|state| thousands(states.of(state))));
        row.push("–".to_owned());
        rows.push(row);
    }
    let columns = [
        ("Address", 'c'),
        ("Planned", 'n'),
        ("Open", 'n'),
        ("Closed", 'n'),
        ("Filtered", 'n'),
        ("Unanswered", 'n'),
        ("Unknown", 'n'),
        ("RTT, ms", 'n'),
    ];
    filled("Control totals of each address", &columns, rows)
}

fn dns(report: &Report) -> Option<Sheet> {
    let rows = report.run.resolver.answers.iter().map(|answer| {
        let family = match answer.family {
            Family::Ipv4 => "A",
            Family::Ipv6 => "AAAA",
        };
        let status = answer
            .error
            .as_ref()
            .map_or_else(|| answer.status.replace('_', " "), |error| format!("{}: {error}", answer.status));
        vec![
            answer.name.clone(),
            family.to_owned(),
            status,
            if answer.addresses.is_empty() { "–".to_owned() } else { answer.addresses.join(", ") },
            if answer.chain.is_empty() { "–".to_owned() } else { answer.chain.join(" → ") },
            answer.ttl_s.map_or_else(|| "–".to_owned(), |ttl| thousands(u64::from(ttl))),
        ]
    });
    let columns = [
        ("Name", 'c'),
        ("Type", 't'),
        ("Status", 't'),
        ("Addresses", 'c'),
        ("By way of", 'c'),
        ("TTL, s", 'n'),
    ];
    filled("What DNS said", &columns, rows.collect())
}

fn not_scanned(report: &Report) -> Option<Sheet> {
    let rows = report.not_scanned.iter().map(|left| vec![left.what.clone(), left.why.clone()]).collect();
    filled("What was not scanned, and why", &[("What", 't'), ("Why", 't')], rows)
}

fn fallbacks(report: &Report) -> Option<Sheet> {
    let rows =
        report.run.fallbacks.iter().map(|f| vec![f.asked.clone(), f.used.clone(), f.why.clone()]).collect();
    filled(
        "What was asked for and could not be had",
        &[("Asked", 't'), ("Used instead", 't'), ("Why", 't')],
        rows,
    )
}

fn selection(report: &Report) -> Vec<Fact> {
    let selection = &report.run.selection;
    let mut facts = Vec::new();
    for (label, items) in [("Only", &selection.only), ("Without", &selection.exclude)] {
        if !items.is_empty() {
            facts.push(Fact::new(label, items.join(", ")));
        }
    }
    if let Some(families) = &selection.families {
        let families: Vec<String> = families.iter().map(ToString::to_string).collect();
        facts.push(Fact::new("Families", families.join(", ")));
    }
    for (label, text) in [
        ("TCP ports", &selection.tcp),
        ("UDP ports", &selection.udp),
        ("Part", &selection.shard),
        ("Paperwork as of", &selection.at),
    ] {
        facts.extend(text.clone().map(|text| Fact::new(label, text)));
    }
    if selection.strict {
        facts.push(Fact::new("Strict", "exceptions were ignored".to_owned()));
    }
    facts
}

fn exceptions(report: &Report) -> Option<Sheet> {
    let rows = report.exceptions.iter().map(|exception| {
        let approved = match (&exception.approved_by, &exception.approved_on) {
            (Some(who), Some(when)) => format!("{who}, {when}"),
            (Some(who), None) => who.clone(),
            (None, _) => "nobody".to_owned(),
        };
        let requested = match (&exception.requested_by, &exception.requested_on) {
            (Some(who), Some(when)) => format!("{who}, {when}"),
            (who, _) => or_dash(who.as_ref()),
        };
        let about = [Some(&exception.target), Some(&exception.rule), exception.port.as_ref()];
        vec![
            exception.id.clone(),
            about.into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
            exception.reason.clone(),
            requested,
            approved,
            exception.expires.clone(),
            exception.status.replace('_', " "),
            thousands(exception.waived),
        ]
    });
    let columns = [
        ("Id", 'c'),
        ("About", 'c'),
        ("Reason", 't'),
        ("Requested", 't'),
        ("Approved", 't'),
        ("Ends", 't'),
        ("Status", 't'),
        ("Waived", 'n'),
    ];
    filled("Exceptions, used or not", &columns, rows.collect())
}

fn declared(report: &Report) -> Option<Sheet> {
    let rows = report.declared.iter().map(|entry| {
        let kind = match (entry.kind, entry.presence) {
            (DeclaredKind::Deny, _) => "deny",
            (DeclaredKind::Expose, Some(Presence::Optional)) => "expose, optional",
            (DeclaredKind::Expose, _) => "expose",
        };
        let from = if entry.from.is_empty() {
            String::new()
        } else {
            format!(", only from {}", listed(&entry.from))
        };
        let profile =
            entry.profile.as_ref().map(|profile| format!(", by profile {profile}")).unwrap_or_default();
        let approved: Vec<&String> =
            [&entry.approved_by, &entry.approved_on, &entry.ticket].into_iter().flatten().collect();
        vec![
            entry.target.clone(),
            format!("{}/{}", entry.ports, entry.protocol),
            format!("{kind}{from}{profile}"),
            or_dash(entry.service.as_ref()),
            or_dash(entry.owner.as_ref()),
            or_dash(entry.justification.as_ref()),
            if approved.is_empty() {
                "–".to_owned()
            } else {
                approved.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ")
            },
            or_dash(entry.review_by.as_ref()),
            entry.manifest.as_ref().map_or_else(|| "–".to_owned(), |place| place.line.to_string()),
        ]
    });
    let columns = [
        ("Target", 'c'),
        ("Ports", 'c'),
        ("Declared", 't'),
        ("Service", 't'),
        ("Owner", 't'),
        ("Why", 't'),
        ("Approved", 't'),
        ("Review by", 't'),
        ("Line", 'n'),
    ];
    filled("What the manifest declares", &columns, rows.collect())
}

fn authorization(report: &Report) -> Vec<Fact> {
    let leave = &report.authorization;
    let mut facts = vec![
        Fact::new("Reference", leave.reference.clone().unwrap_or_else(|| "none".to_owned())),
        Fact::new(
            "Authorized by",
            leave.authorized_by.clone().unwrap_or_else(|| "nobody is named".to_owned()),
        ),
        Fact::new("Valid until", leave.valid_until.clone().unwrap_or_else(|| "no end is named".to_owned())),
        Fact::new("Scope", if leave.scope.is_empty() { "none".to_owned() } else { leave.scope.join(", ") }),
    ];
    if !leave.exclude.is_empty() {
        facts.push(Fact::new("Never probed", leave.exclude.join(", ")));
    }
    if leave.implied {
        facts.push(Fact::new(
            "Note",
            "no authorization was written; the scope is the hosts as written".to_owned(),
        ));
    }
    facts
}

fn provenance(report: &Report) -> Vec<Fact> {
    let run = &report.run;
    let none = |what: Option<&String>| what.cloned().unwrap_or_else(|| "not recorded".to_owned());
    let commit = report.tool.commit.as_ref().map(|commit| format!(", commit {commit}")).unwrap_or_default();
    let mut facts = vec![
        Fact::new("Run", run.id.clone()),
        Fact::new("Program", format!("{} {}{commit}", report.tool.name, report.tool.version)),
        Fact::new("Program, SHA-256", none(report.tool.sha256.as_ref())),
        Fact::new("Manifest", none(run.manifest.path.as_ref())),
        Fact::new("Manifest, SHA-256", none(run.manifest.sha256.as_ref())),
    ];
    facts.extend(run.manifest.git.as_ref().map(|git| {
        let dirty = if git.dirty { ", with changes that are not committed" } else { "" };
        Fact::new("Manifest, commit", format!("{}{dirty}", git.commit))
    }));
    for (label, text) in [
        ("Manifest's owner", &run.manifest.owner),
        ("Contact", &run.manifest.contact),
        ("Policy", &report.policy),
        ("Scanned by host", &run.host.name),
    ] {
        facts.extend(text.clone().map(|text| Fact::new(label, text)));
    }
    facts.push(Fact::new("Seed", run.seed.to_string()));
    facts.push(Fact::new(
        "Command",
        run.argv.iter().map(|word| crate::report::words::shell(word)).collect::<Vec<_>>().join(" "),
    ));
    facts.push(Fact::new("Clock", clock(report)));
    facts.push(Fact::new("Exit code", report.summary.exit_code.to_string()));
    facts.push(Fact::new("Format", report.schema.clone()));
    facts.extend(
        run.previous
            .as_ref()
            .map(|digest| Fact::new("Report before this one, SHA-256", digest.sha256.clone())),
    );
    facts.extend(run.next_due.as_ref().map(|due| Fact::new("Next run due", moment(due))));
    facts
}

fn clock(report: &Report) -> String {
    let clock = &report.run.clock;
    let synchronized = match clock.synchronized {
        Some(true) => "synchronized",
        Some(false) => "not synchronized",
        None => "not known whether synchronized",
    };
    let error = clock.max_error_ms.map(|ms| format!(", at most {ms:.1} ms off")).unwrap_or_default();
    format!("{}, {synchronized}{error}", clock.source)
}
