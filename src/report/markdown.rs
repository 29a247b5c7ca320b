//! A comment on a pull request: the verdict, what fails worst first, and the rest folded away. Stays below what
//! GitHub takes. No text of the manifest or the network becomes a link, a mention, a tag or anything but text.

mod controls;
mod escape;

use std::io::{self, Write};

use self::escape::{code, prose};
use super::{
    Finding, HostRecord, Outcome, Report,
    index::{Group, grouped, shortened},
    restrictions::restrictions,
    statement::{Statement, determined, partial_sentence},
    summary::{how_sure, reconciled},
    words::{bounded, count, moment, period, thousands},
};
use crate::model::{Severity, Verdict, rule};

/// GitHub takes comments of up to 65,536 characters; what is written here stays below this many octets.
const MOST: usize = 58_000;
/// What is kept back for the parts below the failures, and for the end.
const KEPT_BACK: usize = 20_000;
/// The most rows of the table of failures, and of each table below it.
const ROWS: usize = 20;
/// The most entries of a list.
const LISTED: usize = 10;

/// Writes the comment. It begins with a mark that nobody sees, by which a bot finds it again.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { text: "<!-- portproof -->\n".to_owned() };
    let said = Statement::of(report);
    verdict(report, &said, &mut page);
    let of = |wanted: fn(Verdict) -> bool| grouped(report.findings.iter().filter(|it| wanted(it.verdict)));
    let mut failing = of(|verdict| verdict == Verdict::Fail);
    failing.sort_by_key(|group| std::cmp::Reverse(group.first.severity));
    page.table(&failing, MOST - KEPT_BACK);
    let tally = said.tally();
    let doubts = of(Verdict::is_doubt);
    page.folded("Not decided", tally.unsure, |page| page.table(&doubts, MOST - KEPT_BACK / 2));
    page.folded("Accepted by an exception", tally.waived, |page| waived(report, page));
    let remarks = of(|verdict| verdict == Verdict::Pass);
    page.folded("Warnings", tally.remarks, |page| page.table(&remarks, MOST - KEPT_BACK / 5));
    controls::write(report, &mut page);
    page.text.push_str("<details>\n<summary>How it was looked at</summary>\n\n");
    coverage(report, &mut page);
    page.text.push_str("\n</details>\n");
    out.write_all(page.text.as_bytes())
}

fn verdict(report: &Report, said: &Statement<'_>, page: &mut Page) {
    let (word, sentence) = said.verdict();
    let sign = match said.outcome() {
        Outcome::Conforms => "✅",
        Outcome::Deviates => "❌",
        Outcome::Inconclusive => "⚠️",
    };
    let name = report.run.manifest.name.as_deref().map(|name| format!(": {}", prose(name, 80)));
    page.line(&format!("### {sign} portproof{}\n", name.unwrap_or_default()));
    let partial = partial_sentence(report).map(|text| format!(" {}", prose(&text, 300))).unwrap_or_default();
    page.line(&format!("**{word}.** {}{partial}\n", prose(&sentence, 2000)));
}

fn waived(report: &Report, page: &mut Page) {
    let groups = grouped(report.findings.iter().filter(|it| it.verdict == Verdict::Waived));
    for group in groups.iter().take(LISTED) {
        let finding = group.first;
        let known = report.exceptions.iter().find(|it| Some(it.id.as_str()) == finding.exception.as_deref());
        let by = prose(finding.exception.as_deref().unwrap_or("an exception"), 40);
        let why = known.map_or_else(String::new, |exception| {
            format!(" until {}: {}", prose(&exception.expires, 20), prose(&exception.reason, 100))
        });
        page.line(&format!(
            "- {} {}: {}, accepted by {by}{why}",
            prose(&finding.rule, 10),
            place(group),
            prose(&title(group), 120)
        ));
    }
    page.rest(groups.iter().skip(LISTED));
}

fn coverage(report: &Report, page: &mut Page) {
    let run = &report.run;
    let determined = format!(
        "{} of {} determined: {}",
        thousands(determined(report)),
        count(report.coverage.planned, "endpoint", "endpoints"),
        reconciled(report.coverage.planned, &report.coverage.states)
    );
    let manifest = run.manifest.path.as_deref().unwrap_or("no file");
    let commit = run.manifest.git.as_ref().map(|git| {
        let dirty = if git.dirty { ", changed since" } else { "" };
        format!(" at commit {}{dirty}", bounded(&git.commit, 12))
    });
    for (label, text) in [
        ("Endpoints", prose(&determined, 400)),
        ("How sure", prose(&how_sure(report), 600)),
        ("Restrictions", prose(&restrictions(report).join("; "), 400)),
        ("When", code(&period(&run.started_at, &run.finished_at), 60)),
        ("From", origin(report)),
        ("Manifest", prose(&format!("{manifest}{}", commit.unwrap_or_default()), 120)),
        ("Next run due", run.next_due.as_deref().map(|due| code(&moment(due), 40)).unwrap_or_default()),
    ] {
        if !text.is_empty() {
            page.line(&format!("- {label}: {text}"));
        }
    }
    for left in report.not_scanned.iter().take(LISTED) {
        page.line(&format!("- Left out: {}: {}", prose(&left.what, 60), prose(&left.why, 100)));
    }
    let more = report.not_scanned.len().saturating_sub(LISTED) as u64;
    if more > 0 {
        page.line(&format!("- and {} more left out", thousands(more)));
    }
    let (version, id) = (prose(&report.tool.version, 20), code(&run.id, 40));
    page.line(&format!("- portproof {version}, run {id}, exit code {}", report.summary.exit_code));
}

/// Where the probes came from.
fn origin(report: &Report) -> String {
    let HostRecord { name, source_addresses } = &report.run.host;
    let mut parts: Vec<String> = source_addresses.iter().take(4).map(|address| code(address, 45)).collect();
    if source_addresses.len() > parts.len() {
        parts.push(format!("and {} more", source_addresses.len() - parts.len()));
    }
    parts.extend(name.as_deref().filter(|_| source_addresses.is_empty()).map(|name| code(name, 60)));
    parts.extend(report.run.vantage.as_deref().map(|vantage| format!("({})", prose(vantage, 60))));
    parts.join(" ")
}

/// The comment so far.
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A part that is folded until somebody opens it; none where there is nothing in it.
    fn folded(&mut self, title: &str, n: u64, part: impl FnOnce(&mut Self)) {
        if n > 0 {
            self.line(&format!("<details>\n<summary>{title}: {}</summary>\n", thousands(n)));
            part(self);
            let parted = if self.text.ends_with("\n\n") { "" } else { "\n" };
            self.line(&format!("{parted}</details>\n"));
        }
    }

    /// One row for findings that differ in nothing but the port, as many as there is room for.
    fn table(&mut self, groups: &[Group<'_>], most: usize) {
        if groups.is_empty() {
            return;
        }
        self.line("| | Where | What | Owner | Manifest |\n|---|---|---|---|---|");
        let mut written = 0;
        for group in groups.iter().take(ROWS) {
            let row = row(group);
            if self.text.len() + row.len() > most {
                break;
            }
            self.line(&row);
            written += 1;
        }
        self.text.push('\n');
        self.rest(groups.iter().skip(written));
    }

    /// How many findings are not shown.
    fn rest<'a>(&mut self, groups: impl Iterator<Item = &'a Group<'a>>) {
        let left = groups.map(Group::len).sum();
        if left > 0 {
            let parted = if self.text.ends_with("\n\n") { "" } else { "\n" };
            self.line(&format!("{parted}and {}\n", count(left, "more finding", "more findings")));
        }
    }
}

fn row(group: &Group<'_>) -> String {
    let finding = group.first;
    let severity = match finding.severity {
        Severity::Critical | Severity::High => format!("**{}**", finding.severity),
        Severity::Medium | Severity::Low => finding.severity.to_string(),
    };
    let manifest = finding.manifest.as_ref();
    let manifest = manifest.map(|place| code(&format!("{}:{}", place.path, place.line), 60));
    format!(
        "| {severity} | {} | {} {} | {} | {} |",
        place(group),
        prose(&finding.rule, 10),
        prose(&title(group), 160),
        prose(finding.owner.as_deref().unwrap_or_default(), 40),
        manifest.unwrap_or_default()
    )
}

/// One title speaks of one port; the rule speaks of them all.
fn title(group: &Group<'_>) -> String {
    match rule(&group.first.rule) {
        Some(rule) if group.len() > 1 => {
            let ports = count(group.len(), "port", "ports");
            format!("{} on {ports}", rule.name.replace('-', " "))
        }
        _ => group.first.title.clone(),
    }
}

/// The target, the address or name, and the ports.
fn place(group: &Group<'_>) -> String {
    let Finding { target, address, host, .. } = group.first;
    let target = target.as_deref().unwrap_or_default();
    let host = address.as_deref().or(host.as_deref()).unwrap_or_default();
    let mut parts = vec![prose(target, 40)];
    if host != target {
        parts.push(code(host, 60));
    }
    parts.extend(group.ports().map(|ports| code(&shortened(&ports, 40), 60)));
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}
