//! verify's summary for a terminal: findings worst first, tables, totals, headline last. Readable
//! without colour, and never longer than a person scrolls, whatever was found.

mod findings;
mod totals;

pub(crate) use totals::{chance_of_a_miss, congested, how_sure, reconciled, undecided_of};

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::{Outcome, Report, Statement, compliance::tally, index::Index, words::visible};

/// How the summary is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colour may be used; every word stands without it.
    pub color: bool,
    /// Columns of the terminal; lines are fitted to it where the words allow.
    pub width: usize,
}

impl Default for Style {
    /// A file or a pipe: no colour, a hundred columns.
    fn default() -> Self {
        Self { color: false, width: 100 }
    }
}

/// Writes the summary.
pub fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { style: Style { width: style.width.clamp(40, 400), ..style }, out };
    let index = Index::new(report);
    findings::write(report, &mut page)?;
    totals::targets(report, &index, &mut page)?;
    totals::coverage(report, &mut page)?;
    policies(report, &mut page)?;
    let said = Statement::of(report);
    let paint = match said.outcome() {
        Outcome::Conforms => GOOD,
        Outcome::Deviates => BAD,
        Outcome::Inconclusive => DOUBT,
    };
    let line = said.headline();
    let (word, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
    let word = page.painted(paint, word);
    writeln!(page.out, "{word} {rest}")
}

/// The policies in force and what this run shows of their controls, on one line.
fn policies(report: &Report, page: &mut Page<'_>) -> io::Result<()> {
    let Some(names) = &report.policy else { return Ok(()) };
    let controls = || report.compliance.iter().flat_map(|policy| &policy.controls);
    let shown = controls().next().map(|_| format!(": controls {}", tally(controls()))).unwrap_or_default();
    page.labelled(0, "policy    ", &format!("{names}{shown}"))
}

const GOOD: Ansi = AnsiColor::Green.on_default().bold();
const BAD: Ansi = AnsiColor::Red.on_default().bold();
const DOUBT: Ansi = AnsiColor::Yellow.on_default().bold();
const FAINT: Ansi = Ansi::new().dimmed();
const STRONG: Ansi = Ansi::new().bold();

/// Where the summary is drawn, and how.
struct Page<'a> {
    style: Style,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    /// The text in a colour, where colour is wanted.
    fn painted(&self, paint: Ansi, text: &str) -> String {
        if self.style.color { format!("{paint}{text}{paint:#}") } else { text.to_owned() }
    }

    /// A line of its own that opens a part.
    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.painted(STRONG, text);
        writeln!(self.out, "{text}")
    }

    /// Text after a label, wrapped to the width, every further line under the first.
    fn labelled(&mut self, indent: usize, label: &str, text: &str) -> io::Result<()> {
        let text = visible(text);
        let hanging = indent + label.len();
        let room = self.style.width.saturating_sub(hanging).max(24);
        for (i, line) in wrapped(&text, room).iter().enumerate() {
            let label = if i == 0 { self.painted(FAINT, label) } else { " ".repeat(label.len()) };
            writeln!(self.out, "{}{label}{line}", " ".repeat(indent))?;
        }
        Ok(())
    }

    fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }
}

/// Words in lines of at most `room` characters; a longer word keeps a line to itself.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
