//! What the run shows of the controls of each policy, folded: what speaks against one first. Never says that one is met.

use super::{
    KEPT_BACK, LISTED, MOST, Page, ROWS,
    escape::{code, prose},
};
use crate::{
    report::{
        ComplianceRecord, ControlRecord, Report,
        compliance::tally,
        words::{count, thousands},
    },
    verify::Status,
};

/// Writes the part; nothing where no policy is in force.
pub(super) fn write(report: &Report, page: &mut Page) {
    let controls: u64 = report.compliance.iter().map(|policy| policy.controls.len() as u64).sum();
    page.folded("What this run shows for each policy, in controls", controls, |page| rows(report, page));
}

fn rows(report: &Report, page: &mut Page) {
    page.line("Supports evidence for a control, or speaks against it; whether one is met is for an assessor to say.\n");
    for policy in report.compliance.iter().take(LISTED) {
        let shown = tally(policy.controls.iter());
        page.line(&format!("- {}: {}", code(&policy.policy, 40), prose(&shown, 200)));
        for note in policy.notes.iter().take(2) {
            page.line(&format!("  - {}", prose(note, 300)));
        }
    }
    page.line("\n| Policy | Control | This run shows | Why | Findings |\n|---|---|---|---|---|");
    let mut all: Vec<(&ComplianceRecord, &ControlRecord)> = report
        .compliance
        .iter()
        .flat_map(|policy| policy.controls.iter().map(move |it| (policy, it)))
        .collect();
    all.sort_by_key(|(_, control)| match control.status {
        Status::Contradicted => 0,
        Status::Undetermined => 1,
        Status::Supported => 2,
    });
    let mut written = 0;
    for (policy, control) in all.iter().take(2 * ROWS) {
        let row = row(policy, control);
        if page.text.len() + row.len() > MOST - KEPT_BACK / 5 {
            break;
        }
        page.line(&row);
        written += 1;
    }
    let left = (all.len() - written) as u64;
    if left > 0 {
        page.line(&format!("\nand {}", count(left, "more control", "more controls")));
    }
}

fn row(policy: &ComplianceRecord, control: &ControlRecord) -> String {
    let shows = match control.status {
        Status::Contradicted => format!("**{}**", control.shows()),
        _ => control.shows().to_owned(),
    };
    format!(
        "| {} | {} | {shows} | {} | {} |",
        code(&policy.policy, 40),
        prose(&control.id, 40),
        prose(&control.because.join(" "), 160),
        if control.bearing == 0 { String::new() } else { thousands(control.bearing) }
    )
}
