//! The findings of the summary: one line each and what to do, folded so that 65,535 never flood.

use std::io;

use super::{BAD, DOUBT, FAINT, Page};
use crate::{
    model::{Severity, Verdict, rule},
    report::{
        Finding, Report,
        index::{Group, acts, grouped, shortened},
        words::{count, thousands, visible},
    },
};

/// The most groups of findings that are printed in full.
const PRINTED: usize = 50;
/// The most waived findings and remarks that are printed, a line each.
const LISTED: usize = 10;
/// So many findings that differ in nothing but the port are printed one by one; more are folded.
const ALIKE: usize = 3;

/// Writes what is wrong or in doubt, then what is waived, then remarks.
pub(super) fn write(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    problems(report, page)?;
    waived(report, page)?;
    remarks(report, page)
}

fn problems(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let mut groups = grouped(report.findings.iter().filter(|finding| acts(finding)));
    groups.sort_by_key(|group| std::cmp::Reverse(group.first.severity));
    let mut printed = 0;
    let mut rest = Vec::new();
    for group in &groups {
        if printed >= PRINTED {
            rest.push(group);
        } else if group.all.len() <= ALIKE {
            for &finding in &group.all {
                one(finding, &subject(finding), &finding.title, page)?;
                printed += 1;
            }
        } else {
            let ports = group.ports().unwrap_or_default();
            let subject = format!("{} ports", thousands(group.len()));
            // One title speaks of one port; the rule speaks of them all.
            let title = rule(&group.first.rule).map_or("", |rule| rule.name).replace('-', " ");
            one(group.first, &subject, &title, page)?;
            page.labelled(4, "ports     ", &shortened(&ports, 160))?;
            printed += 1;
        }
    }
    if !rest.is_empty() {
        let left = rest.iter().map(|group: &&Group<'_>| group.len()).sum();
        let text = format!("and {}, all in the report", count(left, "more finding", "more findings"));
        let text = page.painted(FAINT, &text);
        writeln!(page.out, "{text}")?;
    }
    if printed > 0 { page.blank() } else { Ok(()) }
}

/// One finding: its line, and below it what was declared, what was seen, what to do.
fn one(finding: &Finding, subject: &str, title: &str, page: &mut Page<'_>) -> io::Result<()> {
    let severity = finding.severity.word().to_uppercase();
    let paint = match finding.verdict {
        Verdict::Fail if finding.severity >= Severity::Medium => BAD,
        _ => DOUBT,
    };
    let tag = if finding.verdict == Verdict::Fail { String::new() } else { "unsure: ".to_owned() };
    let place = place(finding);
    let line = format!("{}  {place}  {subject}  {tag}{title}", finding.rule);
    let line = visible(&squeezed(&line)).into_owned();
    let whose = whose(finding);
    let severity_word = page.painted(paint, &severity);
    let used = severity.len() + 2 + line.chars().count();
    if used + 3 + whose.chars().count() <= page.style.width {
        let whose = page.painted(FAINT, &whose);
        writeln!(page.out, "{severity_word}  {line}   {whose}")?;
    } else {
        writeln!(page.out, "{severity_word}  {line}")?;
        if !whose.is_empty() {
            let whose = page.painted(FAINT, &whose);
            writeln!(page.out, "    {whose}")?;
        }
    }
    for (label, text) in [
        ("expected  ", &finding.expected),
        ("seen      ", &finding.observed),
        ("next      ", &finding.remedy),
    ] {
        if !text.is_empty() {
            page.labelled(4, label, text)?;
        }
    }
    Ok(())
}

fn waived(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let groups = grouped(report.findings.iter().filter(|finding| finding.verdict == Verdict::Waived));
    for group in groups.iter().take(LISTED) {
        let finding = group.first;
        let by = finding.exception.as_deref().unwrap_or("an exception");
        let until = report
            .exceptions
            .iter()
            .find(|exception| Some(exception.id.as_str()) == finding.exception.as_deref())
            .map_or_else(String::new, |exception| format!(" until {}", exception.expires));
        let subject = group.ports().map_or_else(|| subject(finding), |ports| shortened(&ports, 40));
        let line = squeezed(&format!("{}  {}  {subject}  {}", finding.rule, place(finding), finding.title));
        let text = visible(&format!("waived  {line}   by {by}{until}")).into_owned();
        let text = page.painted(FAINT, &text);
        writeln!(page.out, "{text}")?;
    }
    rest(groups.len(), "waived", page)
}

/// Remarks fail nothing; one line a rule says that they are there.
fn remarks(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let mut rules: Vec<(&Finding, u64)> = Vec::new();
    for finding in report.findings.iter().filter(|finding| finding.verdict == Verdict::Pass) {
        match rules.iter_mut().find(|(first, _)| first.rule == finding.rule) {
            Some((_, n)) => *n += 1,
            None => rules.push((finding, 1)),
        }
    }
    for (first, n) in rules.iter().take(LISTED) {
        let mut line = format!("note    {}  {}", first.rule, first.title);
        if let Some(place) = &first.manifest {
            line = format!("{line}   {}:{}", place.path, place.line);
        }
        if *n > 1 {
            line = format!("{line}   and {} more", thousands(n - 1));
        }
        let line = visible(&line).into_owned();
        let line = page.painted(FAINT, &line);
        writeln!(page.out, "{line}")?;
    }
    rest(rules.len(), "note", page)
}

fn rest(n: usize, what: &str, page: &mut Page<'_>) -> io::Result<()> {
    if n > LISTED {
        writeln!(page.out, "{what}  and {} more, all in the report", thousands((n - LISTED) as u64))?;
    }
    if n > 0 { page.blank() } else { Ok(()) }
}

/// Target and address, or the name where there is no address.
fn place(finding: &Finding) -> String {
    let target = finding.target.as_deref().unwrap_or("");
    let host = finding.address.as_deref().or(finding.host.as_deref()).unwrap_or("");
    if target == host { host.to_owned() } else { format!("{target}  {host}") }
}

fn subject(finding: &Finding) -> String {
    match (finding.protocol, finding.port) {
        (Some(protocol), Some(port)) => format!("{port}/{protocol}"),
        _ => String::new(),
    }
}

/// Whose it is, and where the manifest speaks of it.
fn whose(finding: &Finding) -> String {
    let owner = finding.owner.as_ref().map(|owner| format!("owner: {owner}"));
    let manifest = finding.manifest.as_ref().map(|place| format!("{}:{}", place.path, place.line));
    let parts: Vec<String> = owner.into_iter().chain(manifest).collect();
    visible(&parts.join("   ")).into_owned()
}

/// Empty columns leave no gap.
fn squeezed(line: &str) -> String {
    line.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}
