//! A comparison for a terminal: the two runs, then what differs and what was not looked at, the outcome last.

use std::io::{self, Write};

use super::{
    Diff,
    rows::{Section, sections, side},
};
use crate::report::words::{count, visible};

/// The most rows of one table that are printed.
const ROWS: usize = 50;
/// A cell that is longer does not push the others to the right.
const WIDE: usize = 44;

/// Writes it as text.
pub fn write(diff: &Diff, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "old  {}", visible(&side(&diff.old)))?;
    writeln!(out, "new  {}", visible(&side(&diff.new)))?;
    writeln!(out)?;
    for section in sections(diff) {
        write_section(&section, out)?;
    }
    writeln!(out, "{}", visible(&diff.headline))
}

fn write_section(section: &Section, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} ({})", section.title, section.explained)?;
    let rows: Vec<Vec<String>> = section
        .rows
        .iter()
        .take(ROWS)
        .map(|row| row.iter().map(|cell| visible(cell).into_owned()).collect())
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.filter(|&width| width <= WIDE).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..section.columns.len()).map(width).collect();
    for row in &rows {
        let mut line = String::from(" ");
        for ((cell, width), (name, _)) in row.iter().zip(&widths).zip(&section.columns) {
            // The same words stand for what was and what is.
            let (label, width) = match *name {
                "Before" => ("was ", width + 4),
                "Now" => ("now ", width + 4),
                _ => ("", *width),
            };
            if width > label.len() || !cell.is_empty() {
                let labelled = format!("{label}{cell}");
                line = format!("{line} {labelled:width$} ");
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    let left = section.rows.len().saturating_sub(ROWS) as u64;
    if left > 0 {
        writeln!(out, "  and {}, all in the JSON", count(left, "more row", "more rows"))?;
    }
    writeln!(out)
}
