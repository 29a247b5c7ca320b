//! The tables and totals of the summary. The totals reconcile on the page, or the page says not.

use std::io;

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::{FAINT, Page};
use crate::{
    model::{Protocol, State, StateCounts},
    report::{
        AddressRecord, Congestion, Report, TargetRecord, Undecided,
        baseline::since,
        index::{Index, Mark},
        words::{count, duration, few, moment, one_in, percent, thousands, visible, whole},
    },
};

/// From so many addresses on, those without anything noteworthy share a line.
const FOLDED_FROM: usize = 20;
/// The most addresses listed in one table.
const ROWS: usize = 60;
/// The most ports named in one cell.
const PORTS: usize = 12;

/// A rule under the header and nothing else: rows of numbers need no fence.
const PLAIN: TableStyle = TableStyle::new().header_separator(LineStyle::new('─', '─', '─', '─'));

/// A table per target.
pub(super) fn targets(report: &Report, index: &Index<'_>, page: &mut Page<'_>) -> io::Result<()> {
    for target in &report.targets {
        target_table(target, index, page)?;
    }
    Ok(())
}

fn target_table(target: &TargetRecord, index: &Index<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let owner = target.owner.as_ref().map_or_else(String::new, |owner| format!("   owner: {owner}"));
    page.heading(&visible(&format!("{}{owner}", target.id)))?;
    let many = target.addresses.len() > FOLDED_FROM;
    let (quiet, loud): (Vec<&AddressRecord>, Vec<&AddressRecord>) =
        target.addresses.iter().partition(|place| many && index.is_quiet(place));
    if !loud.is_empty() {
        let mut table = Table::new();
        table.load_style(PLAIN);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(page.style.width).unwrap_or(u16::MAX));
        table.set_header([
            "address",
            "name",
            "open",
            "not declared",
            "closed",
            "filtered",
            "no reply",
            "unknown",
        ]);
        for place in loud.iter().take(ROWS) {
            table.add_row(row(place, index));
        }
        for column in 4..8 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(page.out, "{}", table.trim_fmt())?;
    }
    if loud.len() > ROWS {
        writeln!(
            page.out,
            "  and {} more addresses, all in the report",
            thousands((loud.len() - ROWS) as u64)
        )?;
    }
    for (what, folded) in index.folded(quiet) {
        if !folded.is_empty() {
            writeln!(page.out, "  {} {what}", count(folded.len() as u64, "address", "addresses"))?;
        }
    }
    if target.addresses.is_empty() {
        writeln!(page.out, "  no address: nothing was probed")?;
    }
    page.blank()
}

fn row(place: &AddressRecord, index: &Index<'_>) -> [Cell; 8] {
    let mut declared = Vec::new();
    let mut undeclared = Vec::new();
    for seen in index.observed(&place.address).iter().filter(|seen| seen.state == State::Open) {
        let named =
            if seen.protocol == Protocol::Tcp { seen.port.to_string() } else { format!("{}/udp", seen.port) };
        let listed = index.exposure(&seen.address, seen.protocol, seen.port).is_some();
        if listed {
            declared.push(named);
        } else {
            undeclared.push(format!("{named}{}", flag(index.mark(seen))));
        }
    }
    let undeclared = if place.answers_everything {
        "answers on everything: proves nothing".to_owned()
    } else {
        few(&undeclared, PORTS, " ", "none")
    };
    let states = &place.states;
    [
        Cell::new(visible(&place.address)),
        Cell::new(visible(place.name.as_deref().unwrap_or(""))),
        Cell::new(few(&declared, PORTS, " ", "none")),
        Cell::new(undeclared),
        Cell::new(thousands(states.closed)),
        Cell::new(thousands(states.filtered)),
        Cell::new(thousands(states.unanswered)),
        Cell::new(thousands(states.unknown)),
    ]
}

/// What sets an open port that nothing declares apart from the others.
fn flag(mark: Mark) -> &'static str {
    match mark {
        Mark::Denied => " (denied)",
        Mark::LetThrough => " (let pass)",
        Mark::Waived => " (waived)",
        Mark::Undecided => " (unsure)",
        _ => "",
    }
}

/// What was planned and where it ended, and how sure that is.
pub(super) fn coverage(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let coverage = &report.coverage;
    if let Some(since) = since(report) {
        page.labelled(0, "since     ", &since)?;
    }
    page.labelled(0, "coverage  ", &reconciled(coverage.planned, &coverage.states))?;
    let mut traffic = format!(
        "{} ({} repeated), {} in {}, {} a second",
        count(coverage.probes_sent, "probe", "probes"),
        thousands(coverage.retransmitted),
        count(coverage.replies, "reply", "replies"),
        duration(coverage.duration_s),
        thousands(whole(coverage.rate_pps)),
    );
    for (n, one, many) in [
        (coverage.connections, "connection to see who answers", "connections to see who answers"),
        (coverage.strays, "stray answer, not believed", "stray answers, not believed"),
        (
            whole(coverage.expected_false_accepts),
            "answer believed by chance, as expected of so many strays",
            "answers believed by chance, as expected of so many strays",
        ),
        (coverage.kernel_drops, "answer lost in this machine", "answers lost in this machine"),
        (coverage.send_errors, "probe failed on this machine", "probes failed on this machine"),
    ] {
        if n > 0 {
            traffic = format!("{traffic}, {}", count(n, one, many));
        }
    }
    page.labelled(0, "traffic   ", &traffic)?;
    if let Some(found) = &coverage.congestion {
        page.labelled(0, "congestion", &format!(" {}", congested(found)))?;
    }
    if let Some(undecided) = &coverage.undecided {
        page.labelled(0, "undecided ", &format!(" {}", undecided_of(undecided)))?;
    }
    page.labelled(0, "how sure  ", &how_sure(report))?;
    for fallback in &report.run.fallbacks {
        let text = format!("{} chose {}: {}", fallback.asked, fallback.used, fallback.why);
        page.labelled(0, "note      ", &text)?;
    }
    for left in report.not_scanned.iter().take(5) {
        page.labelled(0, "left out  ", &format!("{}: {}", left.what, left.why))?;
    }
    if report.not_scanned.len() > 5 {
        let text = format!("  and {} more left out, all in the report", report.not_scanned.len() - 5);
        let text = page.painted(FAINT, &text);
        writeln!(page.out, "{text}")?;
    }
    page.blank()
}

/// `131,070 planned = 9 open + 131,061 closed`: the control totals as a sum that can be checked.
pub(crate) fn reconciled(planned: u64, states: &StateCounts) -> String {
    let parts: Vec<String> = State::ALL
        .into_iter()
        .filter(|&state| states.of(state) > 0)
        .map(|state| format!("{} {}", thousands(states.of(state)), state.word()))
        .collect();
    let sum = if parts.is_empty() { "0".to_owned() } else { parts.join(" + ") };
    let total = states.total();
    if total == planned {
        format!("{} planned = {sum}", thousands(planned))
    } else {
        format!(
            "{} planned, but {sum} makes {}: these totals do not reconcile",
            thousands(planned),
            thousands(total)
        )
    }
}

/// The miss figure as a clause.
pub(crate) fn chance_of_a_miss(upper95: f64) -> String {
    format!("had a port here been open, the chance that we missed it is at most {}", one_in(upper95))
}

/// That the path was full, in one sentence.
pub(crate) fn congested(found: &Congestion) -> String {
    format!(
        "more was asked of the path than it carries: from {} UTC on the rate was cut {}, down to {} a second",
        moment(&found.since),
        count(u64::from(found.cuts), "time", "times"),
        count(found.lowest_pps, "probe", "probes")
    )
}

/// That silent UDP endpoints were not decided, why, and how long it would take.
pub(crate) fn undecided_of(found: &Undecided) -> String {
    let Undecided { endpoints, addresses, deciding_s } = *found;
    let hosts = if addresses == 1 {
        "its host says".to_owned()
    } else {
        format!("their {} hosts say", thousands(addresses))
    };
    format!(
        "{} may as well be closed: {hosts} so only now and then (ICMP is limited), and hearing it of each would take about {}",
        count(endpoints, "silent UDP endpoint", "silent UDP endpoints"),
        duration(deciding_s)
    )
}

/// The miss figure in one sentence, or that there is none.
pub(crate) fn how_sure(report: &Report) -> String {
    let loss = report.coverage.loss.map_or_else(
        || "packet loss was not measured".to_owned(),
        |loss| {
            format!(
                "packet loss {} (at most {}, {})",
                percent(loss.estimate),
                percent(loss.upper95),
                count(loss.trials, "trial", "trials")
            )
        },
    );
    let states = &report.coverage.states;
    match &report.coverage.miss {
        Some(miss) => format!(
            "{} (95 % bound of the worst address; {loss}; assuming that {})",
            chance_of_a_miss(miss.upper95),
            miss.assumption.trim_end_matches('.')
        ),
        None if states.total() > 0 && states.total() == states.open.saturating_add(states.closed) => {
            format!("everything asked was answered, so nothing rests on silence; {loss}")
        }
        None => {
            format!("no figure: the chance that an open port was missed was not measured in this run; {loss}")
        }
    }
}
