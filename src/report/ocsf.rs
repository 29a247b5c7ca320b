//! The verdicts as OCSF compliance findings (class 2003), one JSON object a line, which is what log shippers and data
//! lakes read; `jq -s .` makes a list of them. Never names a standard: a rule of portproof is none.

mod event;
mod object;
mod place;

use std::{
    collections::HashSet,
    io::{self, Write},
};

use self::{event::Events, object::Event};
use super::Report;

/// Writes the run, every finding, and every endpoint that conforms: those of the report's records, which are the open
/// ones and the named ones. The run comes first, so that one in which nothing is wrong is no empty file.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let events = Events::of(report);
    let mut octets = Vec::new();
    let mut line = |event: Event<'_>| -> io::Result<()> {
        octets.clear();
        serde_json::to_writer(&mut octets, &event)?;
        octets.push(b'\n');
        out.write_all(&octets)
    };
    line(events.run())?;
    let mut spoken_of = HashSet::new();
    for finding in &report.findings {
        line(events.finding(finding))?;
        if let (Some(address), Some(protocol), Some(port)) =
            (&finding.address, finding.protocol, finding.port)
        {
            spoken_of.insert((address.as_str(), protocol, port));
        }
    }
    for seen in &report.observations {
        let conforms = seen.verdict.is_pass();
        // Of one that a finding warns about, the finding is the last word.
        if conforms && !spoken_of.contains(&(seen.address.as_str(), seen.protocol, seen.port)) {
            line(events.conforming(seen))?;
        }
    }
    Ok(())
}
