//! The report as cases of a test run: which there are, what each rests on, and what it says. Takes the worst of the
//! verdicts that stand in the report; never makes one.

use std::collections::HashMap;

use crate::{
    model::{Protocol, Verdict, rule},
    report::{
        Declared, DeclaredKind, ExceptionRecord, Finding, ObservationRecord, Outcome as Result, Report,
        index::shortened,
        statement::Statement,
        words::{count, thousands},
    },
    spec::manifest::{Place, Presence},
};

/// Entries of more ports than this are one case all the same, and each finding on them one of its own.
const ONE_BY_ONE: u32 = 64;
/// The most cases that a file has room for.
const MOST: usize = 80_000;

/// How a case comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As declared, or a mere warning.
    Passed,
    /// An exception accepts it.
    Accepted,
    /// Could not be decided, or was not asked.
    Unsure,
    /// Deviates.
    Failed,
}

/// The cases of one target, or those of the run as a whole.
pub(super) struct Suite<'a> {
    pub(super) name: &'a str,
    pub(super) is_run: bool,
    pub(super) cases: Vec<Case<'a>>,
}

/// One case: what it is about, and what the report says of it.
pub(super) struct Case<'a> {
    pub(super) name: String,
    entry: Option<&'a Declared>,
    /// What was seen of its endpoints, the worst of it.
    seen: Option<&'a ObservationRecord>,
    /// A finding on the address as a whole, which may be why its endpoints are in doubt.
    behind: Option<&'a Finding>,
    findings: Vec<&'a Finding>,
    /// Words of its own, and how it comes out, where it rests on nothing else.
    own: Option<(Verdict, String)>,
}

/// What a case says.
pub(super) struct Told<'a> {
    /// The rule, or the verdict where no finding says it.
    pub(super) kind: &'a str,
    pub(super) message: String,
    pub(super) place: Option<&'a Place>,
    pub(super) body: Vec<String>,
}

/// Every case of a report, by suite: the run first, then the targets in their order.
pub(super) fn suites<'a>(report: &'a Report, statement: &Statement<'_>) -> Vec<Suite<'a>> {
    let mut suites = vec![Suite { name: "portproof", is_run: true, cases: Vec::new() }];
    let mut places = HashMap::new();
    for target in &report.targets {
        places.entry(target.id.as_str()).or_insert_with(|| {
            suites.push(Suite { name: &target.id, is_run: false, cases: Vec::new() });
            suites.len() - 1
        });
    }
    let mut entries = entries(report, &places, &mut suites);
    for finding in &report.findings {
        let suite = finding.target.as_deref().map_or(0, |target| {
            *places.entry(target).or_insert_with(|| {
                suites.push(Suite { name: target, is_run: false, cases: Vec::new() });
                suites.len() - 1
            })
        });
        let Some(Suite { cases, .. }) = suites.get_mut(suite) else { continue };
        match entries.of(suite, finding, cases) {
            Some(case) => case.findings.push(finding),
            None => cases.push(Case::of_finding(finding)),
        }
    }
    for suite in &mut suites {
        suite.cases.retain(Case::says_something);
    }
    fit(&mut suites);
    let tells = |case: &Case<'_>| matches!(case.outcome(), Outcome::Unsure | Outcome::Failed);
    let by_others = suites.iter().flat_map(|suite| &suite.cases).any(tells);
    if let Some(run) = suites.first_mut() {
        run.cases.insert(0, Case::of_run(statement, by_others));
    }
    suites.retain(|suite| !suite.cases.is_empty());
    suites
}

/// Where the cases of the manifest's entries are, by suite, address and protocol.
struct Entries<'a>(HashMap<(usize, &'a str, Protocol), Vec<usize>>);

impl Entries<'_> {
    /// The case that a finding belongs to.
    fn of<'c, 'a>(
        &mut self,
        suite: usize,
        finding: &Finding,
        cases: &'c mut [Case<'a>],
    ) -> Option<&'c mut Case<'a>> {
        let (address, port) = (finding.address.as_deref()?, finding.port?);
        let here = self.0.get(&(suite, address, finding.protocol?))?;
        let fits = |&&i: &&usize| {
            let entry = cases.get(i).and_then(|case| case.entry);
            entry.is_some_and(|entry| entry.ports.len() <= ONE_BY_ONE && entry.ports.contains(port))
        };
        let i = *here.iter().find(fits)?;
        cases.get_mut(i)
    }
}

/// A case for each entry that the manifest itself has, at each address of its target. What a role merely denies is no
/// entry of the manifest.
fn entries<'a>(
    report: &'a Report,
    places: &HashMap<&'a str, usize>,
    suites: &mut [Suite<'a>],
) -> Entries<'a> {
    let mut declared: HashMap<&str, Vec<&Declared>> = HashMap::new();
    for entry in report.declared.iter().filter(|entry| entry.profile.is_none()) {
        declared.entry(&entry.target).or_default().push(entry);
    }
    let mut seen: HashMap<&str, Vec<&ObservationRecord>> = HashMap::new();
    for record in &report.observations {
        seen.entry(&record.address).or_default().push(record);
    }
    let mut behind: HashMap<&str, &Finding> = HashMap::new();
    for finding in report.findings.iter().filter(|finding| finding.port.is_none()) {
        if let Some(address) = finding.address.as_deref() {
            behind.entry(address).or_insert(finding);
        }
    }
    let mut entries = Entries(HashMap::new());
    for target in &report.targets {
        let Some(&place) = places.get(target.id.as_str()) else { continue };
        let Some(Suite { cases, .. }) = suites.get_mut(place) else { continue };
        for address in target.addresses.iter().map(|place| place.address.as_str()) {
            let here = seen.get(address).map_or(&[][..], Vec::as_slice);
            for entry in declared.get(target.id.as_str()).into_iter().flatten() {
                let key = (place, address, entry.protocol);
                entries.0.entry(key).or_default().push(cases.len());
                cases.push(Case::of_entry(entry, address, here, behind.get(address).copied()));
            }
        }
    }
    entries
}

/// Leaves out what passes where there is no room, then whatever is too much, and says how much it was.
fn fit(suites: &mut [Suite<'_>]) {
    let all: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    if all <= MOST {
        return;
    }
    let mut left = MOST;
    let mut dropped = Vec::new();
    for suite in suites.iter_mut() {
        let before = suite.cases.len();
        suite.cases.retain(|case| !case.is_quiet());
        let quiet = before - suite.cases.len();
        let over = suite.cases.split_off(suite.cases.len().min(left));
        left -= suite.cases.len();
        dropped.extend(over.iter().map(Case::verdict));
        if quiet > 0 {
            let text = count(quiet as u64, "more case passes", "more cases pass");
            suite.cases.push(Case::own("everything else", Verdict::Pass, text));
        }
    }
    let worst = dropped.iter().copied().max_by_key(|&verdict| verdict.rank());
    if let (Some(run), Some(worst)) = (suites.first_mut(), worst) {
        let text = format!("{} more cases; this file has no room for them", thousands(dropped.len() as u64));
        run.cases.push(Case::own("what this file has no room for", worst, text));
    }
}

impl<'a> Case<'a> {
    fn of_entry(
        entry: &'a Declared,
        address: &str,
        here: &[&'a ObservationRecord],
        behind: Option<&'a Finding>,
    ) -> Self {
        let ports = shortened(&format!("{}/{}", entry.ports, entry.protocol), 50);
        let how = match (entry.kind, entry.presence) {
            (DeclaredKind::Deny, _) => "denied",
            (DeclaredKind::Expose, Some(Presence::Optional)) => "optional",
            (DeclaredKind::Expose, _) => "exposed",
        };
        let of_entry =
            |seen: &&&ObservationRecord| seen.protocol == entry.protocol && entry.ports.contains(seen.port);
        let seen = here.iter().filter(of_entry).rev().max_by_key(|seen| seen.verdict.rank()).copied();
        let name = format!("{ports} {how} on {address}");
        Self { name, entry: Some(entry), seen, behind, findings: Vec::new(), own: None }
    }

    fn of_finding(finding: &'a Finding) -> Self {
        let name = rule(&finding.rule).map_or("", |rule| rule.name);
        let endpoint =
            finding.protocol.zip(finding.port).map(|(protocol, port)| format!("{port}/{protocol}"));
        let host = finding.host.as_deref().filter(|&host| finding.address.as_deref() != Some(host));
        let subject = [endpoint.as_deref(), finding.address.as_deref(), host];
        let words = [Some(finding.rule.as_str()), Some(name)].into_iter().chain(subject).flatten();
        let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        Self { name, entry: None, seen: None, behind: None, findings: vec![finding], own: None }
    }

    /// The run as a whole: in doubt where the report is and no other case says so, and where it contradicts itself.
    fn of_run(said: &Statement<'_>, by_others: bool) -> Self {
        let unsaid = said.outcome() != Result::Conforms && !by_others || said.contradiction().is_some();
        let verdict = if unsaid { Verdict::Inconclusive } else { Verdict::Pass };
        Self::own("the run", verdict, said.headline())
    }

    fn own(name: &str, verdict: Verdict, text: String) -> Self {
        let own = Some((verdict, text));
        Self { name: name.to_owned(), entry: None, seen: None, behind: None, findings: Vec::new(), own }
    }

    /// Whether the report holds anything on it: what was neither seen nor judged is no case.
    fn says_something(&self) -> bool {
        self.seen.is_some() || !self.findings.is_empty() || self.own.is_some()
    }

    /// Whether it passes and has nothing to say.
    fn is_quiet(&self) -> bool {
        self.outcome() == Outcome::Passed && self.findings.is_empty()
    }

    fn verdict(&self) -> Verdict {
        let findings = self.findings.iter().map(|finding| finding.verdict);
        let all =
            findings.chain(self.seen.map(|seen| seen.verdict)).chain(self.own.as_ref().map(|own| own.0));
        all.max_by_key(|&verdict| verdict.rank()).unwrap_or(Verdict::Pass)
    }

    pub(super) fn outcome(&self) -> Outcome {
        match self.verdict() {
            Verdict::Pass | Verdict::PassBySilence => Outcome::Passed,
            Verdict::Waived => Outcome::Accepted,
            Verdict::Inconclusive | Verdict::NotCovered => Outcome::Unsure,
            Verdict::Fail => Outcome::Failed,
        }
    }

    pub(super) fn told(&self, report: &'a Report) -> Told<'a> {
        let verdict = self.verdict();
        let lead = self.findings.iter().copied().find(|finding| finding.verdict.rank() == verdict.rank());
        let place = lead.and_then(|lead| lead.manifest.as_ref());
        let place = place.or_else(|| self.entry.and_then(|entry| entry.manifest.as_ref()));
        let kind = lead.map_or_else(|| verdict.word(), |lead| lead.rule.as_str());
        let mut body = Vec::new();
        if let Some((_, text)) = &self.own {
            body.push(text.clone());
        }
        if verdict == Verdict::Waived {
            body.extend(lead.and_then(|lead| exception(lead, report)));
        }
        for finding in &self.findings {
            body.push(format!(
                "{} {} {}: {}",
                finding.rule,
                finding.id,
                finding.verdict.word(),
                finding.title
            ));
        }
        for finding in &self.findings {
            body.extend(details(finding));
        }
        let seen = self.seen.filter(|_| !self.is_quiet()).map(sighting);
        body.extend(seen.clone());
        let message = match (lead, &self.own) {
            (Some(lead), _) if verdict == Verdict::Waived => {
                exception(lead, report).unwrap_or_else(|| "accepted by an exception".to_owned())
            }
            (Some(lead), _) => lead.title.clone(),
            (None, Some((_, text))) => text.clone(),
            (None, None) => {
                let because = self.behind.map(|finding| format!(": {}", finding.title)).unwrap_or_default();
                format!("{}{because}", seen.unwrap_or_default())
            }
        };
        Told { kind, message, place, body }
    }
}

/// The exception that accepts a finding, in its own words.
fn exception(finding: &Finding, report: &Report) -> Option<String> {
    let id = finding.exception.as_deref()?;
    let Some(exception) = report.exceptions.iter().find(|exception| exception.id == id) else {
        return Some(format!("accepted by exception {id}"));
    };
    let ExceptionRecord { reason, expires, approved_by, ticket, .. } = exception;
    let approved = approved_by.as_ref().map(|by| format!(", approved by {by}")).unwrap_or_default();
    let ticket = ticket.as_ref().map(|ticket| format!(" ({ticket})")).unwrap_or_default();
    Some(format!("accepted by exception {id} until {expires}{approved}{ticket}: {reason}"))
}

/// `8080/tcp is open (syn-ack), verdict inconclusive`.
fn sighting(seen: &ObservationRecord) -> String {
    let ObservationRecord { port, protocol, state, reason, verdict, waived_by, .. } = seen;
    let by = waived_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    format!("{port}/{protocol} is {state} ({reason}), verdict {}{by}", verdict.word())
}

/// What a person needs to act on a finding, most needed first.
fn details(finding: &Finding) -> Vec<String> {
    let place = finding.manifest.as_ref().map(|place| format!("{}:{}", place.path, place.line));
    let labelled = [
        ("severity", finding.severity.word()),
        ("expected", finding.expected.as_str()),
        ("seen    ", finding.observed.as_str()),
        ("next    ", finding.remedy.as_str()),
        ("owner   ", finding.owner.as_deref().unwrap_or_default()),
        ("manifest", place.as_deref().unwrap_or_default()),
        ("cause   ", finding.cause.as_deref().unwrap_or_default()),
        ("why     ", finding.message.as_str()),
    ];
    let lines = labelled.into_iter().filter(|(_, text)| !text.is_empty());
    let mut lines: Vec<String> = lines.map(|(label, text)| format!("{label}  {text}")).collect();
    lines.extend(
        finding
            .evidence
            .iter()
            .map(|attempt| format!("attempt {} at {}: {}", attempt.attempt, attempt.at, attempt.what)),
    );
    lines
}
