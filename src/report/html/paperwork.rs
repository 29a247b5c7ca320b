//! Exceptions, declarations, authorization and provenance: what makes the page evidence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::records::{Fact, Sheet, filled, or_dash};
use crate::{
    model::{Kind, Level, Protocol, Verdict, rule},
    report::{
        Declared, DeclaredKind, Report,
        words::{count, few, listed, moment, shell, spoken, thousands},
    },
    spec::manifest::Presence,
};

/// So many targets with a profile are named.
const TARGETS: usize = 8;

/// What is wrong with the paperwork beside the remarks, which fail nothing: without a look at it nobody may say
/// that it is in order.
pub(super) struct Standing {
    failing: u64,
    /// Waived, or in doubt.
    other: u64,
    /// Rules about it were not to be reported (`-A`).
    silenced: bool,
}

impl Standing {
    /// Counts the findings about paperwork.
    pub(super) fn of(report: &Report) -> Self {
        let about = || report.findings.iter().filter(|finding| finding.kind == Kind::Governance);
        let failing = about().filter(|finding| finding.verdict == Verdict::Fail).count();
        let remarks = about().filter(|finding| finding.verdict == Verdict::Pass).count();
        let silenced = report.run.selection.levels.iter().any(|(id, level)| {
            *level == Level::Allow && rule(id).is_some_and(|rule| rule.kind == Kind::Governance)
        });
        Self { failing: failing as u64, other: (about().count() - failing - remarks) as u64, silenced }
    }

    /// `five entries of the paperwork fail`, where any does.
    pub(super) fn failing(&self) -> Option<String> {
        (self.failing > 0)
            .then(|| spoken(self.failing, "entry of the paperwork fails", "entries of the paperwork fail"))
    }

    /// Of a report without a remark.
    pub(super) fn words(&self) -> String {
        if let Some(failing) = self.failing() {
            return format!("{failing}, see the findings");
        }
        match (self.other, self.silenced) {
            (0, false) => "the paperwork is in order".to_owned(),
            (0, true) => "rules about the paperwork were not reported".to_owned(),
            (n, _) => format!(
                "{}, see the findings",
                spoken(n, "entry of the paperwork is waived or in doubt", "entries are waived or in doubt")
            ),
        }
    }
}

pub(super) fn exceptions(report: &Report) -> Option<Sheet> {
    let rows = report.exceptions.iter().map(|exception| {
        let about = [Some(&exception.target), Some(&exception.rule), exception.port.as_ref()];
        vec![
            exception.id.clone(),
            about.into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
            exception.reason.clone(),
            or_dash(exception.requested_by.as_ref()),
            or_dash(exception.approved_by.as_ref()),
            or_dash(exception.approved_on.as_ref()),
            or_dash(exception.ticket.as_ref()),
            exception.expires.clone(),
            exception.status.replace('_', " "),
            thousands(exception.waived),
        ]
    });
    let columns = [
        ("Id", 'c'),
        ("About", 'c'),
        ("Reason", 't'),
        ("Requested by", 't'),
        ("Approved by", 't'),
        ("Approved on", 'd'),
        ("Ticket", 'd'),
        ("Ends", 'd'),
        ("Status", 'd'),
        ("Waived", 'n'),
    ];
    filled("Exceptions, used or not", &columns, rows.collect())
}

/// What a role profile forbids, told once for all targets that have it.
#[derive(Serialize)]
pub(super) struct Forbidden {
    profile: String,
    entries: String,
    sheet: Sheet,
}

/// A row of it, in the order of the ports: protocol, the first port, all of them, and why.
type Rows<'a> = BTreeMap<(Protocol, u16, String, &'a str), Vec<String>>;

/// One a profile.
pub(super) fn forbidden(report: &Report) -> Vec<Forbidden> {
    let mut profiles: BTreeMap<&str, Rows<'_>> = BTreeMap::new();
    for entry in report.declared.iter().filter(|entry| is_forbidden_by_profile(entry)) {
        let first = entry.ports.ranges().next().map_or(0, |(first, _)| first);
        let why = entry.justification.as_deref().unwrap_or("–");
        let rows = profiles.entry(entry.profile.as_deref().unwrap_or_default()).or_default();
        let key = (entry.protocol, first, entry.ports.to_string(), why);
        rows.entry(key).or_default().push(entry.target.clone());
    }
    let columns = [("Ports", 'c'), ("Why", 't'), ("Targets", 'c')];
    let told = |(profile, rows): (&str, Rows<'_>)| {
        let entries = count(rows.len() as u64, "entry", "entries");
        let rows = rows.into_iter().map(|((protocol, _, ports, why), targets)| {
            vec![format!("{ports}/{protocol}"), why.to_owned(), few(&targets, TARGETS, ", ", "–")]
        });
        let sheet = filled(&format!("Forbidden by profile {profile}"), &columns, rows.collect())?;
        Some(Forbidden { profile: profile.to_owned(), entries, sheet })
    };
    profiles.into_iter().filter_map(told).collect()
}

fn is_forbidden_by_profile(entry: &Declared) -> bool {
    entry.kind == DeclaredKind::Deny && entry.profile.is_some()
}

/// What the manifest itself declares, and what a profile exposes.
pub(super) fn declared(report: &Report) -> Option<Sheet> {
    let own = report.declared.iter().filter(|entry| !is_forbidden_by_profile(entry));
    let rows = own.map(|entry| {
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
        vec![
            entry.target.clone(),
            format!("{}/{}", entry.ports, entry.protocol),
            format!("{kind}{from}{profile}"),
            or_dash(entry.service.as_ref()),
            or_dash(entry.owner.as_ref()),
            or_dash(entry.justification.as_ref()),
            or_dash(entry.approved_by.as_ref()),
            or_dash(entry.approved_on.as_ref()),
            or_dash(entry.ticket.as_ref()),
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
        ("Approved by", 't'),
        ("On", 'd'),
        ("Ticket", 'd'),
        ("Review by", 'd'),
        ("Line", 'n'),
    ];
    filled("What the manifest declares", &columns, rows.collect())
}

pub(super) fn authorization(report: &Report) -> Vec<Fact> {
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

pub(super) fn provenance(report: &Report) -> Vec<Fact> {
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
    facts.push(Fact::new("Command", run.argv.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ")));
    facts.push(Fact::new("Clock", clock(report)));
    facts.push(Fact::new("Exit code", report.summary.exit_code.to_string()));
    facts.push(Fact::new("Format", report.schema.clone()));
    facts.extend(
        run.previous
            .as_ref()
            .map(|digest| Fact::new("Report before this one, SHA-256", digest.sha256.clone())),
    );
    facts.extend(run.next_due.as_ref().map(|due| Fact::new("Next run due", format!("{} UTC", moment(due)))));
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
