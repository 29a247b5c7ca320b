//! What `scan` prints: a line an endpoint, and the totals. Keeps no more of an endpoint than its line
//! says, since there may be a million of them.

use std::{
    collections::BTreeMap,
    io::{self, BufWriter, Write},
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{args::Format, error::CliError, output, run::Stop};
use crate::{
    identify::Portrait,
    model::{Coverage, Endpoint, Observation, Reason, State, StateCounts},
    probe,
    report::{self, Congestion, Loss, Miss, Undecided, chance_of_a_miss, count, thousands, undecided_of},
};

/// Prints observations in the format asked for.
pub(super) struct Printer<W: Write = io::Stdout> {
    format: Format,
    quiet: bool,
    /// The wall clock at the start of the run.
    start: Timestamp,
    out: BufWriter<W>,
    seen: Vec<Line>,
    part: Option<Part>,
    /// The interfaces, as written, behind link-local addresses.
    zones: BTreeMap<Ipv6Addr, String>,
    /// Who answers, where that was asked.
    portraits: BTreeMap<Endpoint, Portrait>,
}

/// The part of a plan that was asked for, and how many endpoints are in the others.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Part {
    pub(super) shard: String,
    pub(super) of_other_shards: u64,
}

/// One line of ndjson, one entry of json.
#[derive(Clone, Copy, Debug)]
struct Line {
    endpoint: Endpoint,
    state: State,
    reason: Reason,
    payload: Option<u16>,
    rtt_us: Option<u32>,
    attempts: u8,
    supersedes: bool,
}

/// A line with what is known of who answers.
struct Told<'a>(Line, Option<&'a Portrait>);

/// A json document, written as it goes.
#[derive(Serialize)]
struct Document<'a> {
    observations: Vec<Told<'a>>,
    summary: Summary,
}

#[derive(Serialize)]
struct Summary {
    coverage: Totals,
}

/// The totals, as in the report's `coverage`.
#[derive(Serialize)]
struct Totals {
    planned: u64,
    /// `planned` and the states are those of this part; absent where the whole plan was asked.
    #[serde(flatten)]
    part: Option<Part>,
    #[serde(flatten)]
    states: StateCounts,
    probes_sent: u64,
    retransmitted: u64,
    replies: u64,
    strays: u64,
    expected_false_accepts: f64,
    kernel_drops: u64,
    send_errors: u64,
    duration_s: f64,
    rate_pps: f64,
    loss: Option<Loss>,
    miss: Option<Miss>,
    congestion: Option<Congestion>,
    undecided: Option<Undecided>,
    partial: bool,
    stop_reason: &'static str,
}

impl Printer {
    /// Prints to standard output.
    pub(super) fn new(
        format: Format,
        quiet: bool,
        start: Timestamp,
        part: Option<Part>,
        zones: BTreeMap<Ipv6Addr, String>,
    ) -> Self {
        Self {
            format,
            quiet,
            start,
            out: BufWriter::new(io::stdout()),
            seen: Vec::new(),
            part,
            zones,
            portraits: BTreeMap::new(),
        }
    }
}

impl<W: Write> Printer<W> {
    /// Text and json are ordered, so they wait for the end; ndjson is said at once, not when a buffer is
    /// full.
    pub(super) fn see(&mut self, observations: Vec<Observation>) {
        if self.format != Format::Ndjson {
            self.seen.extend(observations.into_iter().map(|observation| Line::of(&observation)));
            return;
        }
        for observation in observations {
            self.say_at_once(&Told(Line::of(&observation), None));
        }
        let _ = self.out.flush();
    }

    /// Somebody was identified. In ndjson another line of the endpoint says so.
    pub(super) fn identified(&mut self, observation: &Observation, portrait: Portrait) {
        if self.format == Format::Ndjson {
            let line = Line { supersedes: true, ..Line::of(observation) };
            self.say_at_once(&Told(line, Some(&portrait)));
            let _ = self.out.flush();
        } else {
            self.portraits.insert(observation.endpoint, portrait);
        }
    }

    /// A reader that went away is noticed when the rest is written.
    fn say_at_once(&mut self, told: &Told<'_>) {
        let _ = serde_json::to_writer(&mut self.out, told)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"));
    }

    /// Prints what waited for the end, and the totals.
    pub(super) fn end(mut self, coverage: &Coverage, took: Duration, stop: Stop) -> Result<(), CliError> {
        // The last word on an endpoint counts: the sort keeps the order of equals.
        self.seen.sort_by_key(|line| line.endpoint);
        self.seen.reverse();
        self.seen.dedup_by_key(|line| line.endpoint);
        self.seen.reverse();
        let part = self.part.clone();
        let summary = Summary { coverage: Totals { part, ..Totals::of(coverage, took, self.start, stop) } };
        let told = self.seen.iter().map(|line| Told(*line, self.portraits.get(&line.endpoint)));
        let written = match self.format {
            Format::Ndjson => {
                let summary = serde_json::json!({ "summary": summary });
                writeln!(self.out, "{summary}")
            }
            Format::Json => {
                let document = Document { observations: told.collect(), summary };
                serde_json::to_writer_pretty(&mut self.out, &document)
                    .map_err(io::Error::from)
                    .and_then(|()| self.out.write_all(b"\n"))
            }
            Format::Text => told.into_iter().try_for_each(|told| told.write(&self.zones, &mut self.out)),
        };
        if !self.quiet && self.format == Format::Text {
            say(coverage, self.part.as_ref(), took, stop);
        }
        match written.and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::environment(format!("can't write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// The totals for a person.
fn say(coverage: &Coverage, part: Option<&Part>, took: Duration, stop: Stop) {
    let states = &coverage.states;
    let unanswered = match states.unanswered {
        0 => String::new(),
        n => format!(", {} unanswered", thousands(n)),
    };
    output::say(&format!(
        "{}: {} open, {} closed, {} filtered{}, {} unknown; {} in {:.1} s{}",
        count(coverage.planned, "endpoint", "endpoints"),
        thousands(states.open),
        thousands(states.closed),
        thousands(states.filtered),
        unanswered,
        thousands(states.unknown),
        count(coverage.probes_sent, "probe", "probes"),
        took.as_secs_f64(),
        if stop == Stop::Complete { String::new() } else { format!("; {}", stop.word()) }
    ));
    if let Some(Part { shard, of_other_shards }) = part {
        let others = count(*of_other_shards, "endpoint", "endpoints");
        output::say(&format!("part {shard} of the plan: {others} of the other parts not asked here"));
    }
    if let Some(undecided) = coverage.undecided {
        output::say(&undecided_of(&undecided.into()));
    }
    if let Some(miss) = coverage.miss {
        output::say(&chance_of_a_miss(miss.upper95));
    }
    if let Some(found) = coverage.congestion {
        let (cuts, rate) = (count(found.cuts.into(), "time", "times"), thousands(found.lowest_pps));
        output::say(&format!(
            "the path carries less than was asked of it: slowed down {cuts}, to {rate} a second"
        ));
    }
}

impl Line {
    fn of(observation: &Observation) -> Self {
        let &Observation { endpoint, state, reason, payload, rtt, attempts, supersedes, .. } = observation;
        let rtt_us = rtt.map(|rtt| u32::try_from(rtt.as_micros()).unwrap_or(u32::MAX));
        Self { endpoint, state, reason, payload, rtt_us, attempts, supersedes }
    }

    fn rtt_ms(&self) -> Option<f64> {
        self.rtt_us.map(|micros| f64::from(micros) / 1000.0)
    }
}

impl Told<'_> {
    /// What shows itself by its reply, or by what it says when it is talked to.
    fn service(&self) -> Option<&'static str> {
        let Self(line, portrait) = self;
        line.payload.and_then(probe::udp::service).or_else(|| portrait.as_ref()?.service())
    }

    fn banner(&self) -> Option<String> {
        self.1.and_then(Portrait::banner)
    }

    fn write(&self, zones: &BTreeMap<Ipv6Addr, String>, out: &mut impl Write) -> io::Result<()> {
        let Self(line, portrait) = self;
        let Endpoint { address, protocol, port } = line.endpoint;
        let zone = if let IpAddr::V6(v6) = address { zones.get(&v6) } else { None };
        let address = zone.map_or_else(|| address.to_string(), |zone| format!("{address}%{zone}"));
        let port = format!("{port}/{protocol}");
        let rtt = line.rtt_ms().map_or_else(String::new, |rtt| format!("  {rtt:.1} ms"));
        let manner =
            portrait.and_then(|portrait| portrait.manner).map(|manner| format!("  ({})", manner.says()));
        let service = self.service().map(|service| format!("  {service}")).or(manner).unwrap_or_default();
        let banner = self.banner().map_or_else(String::new, |banner| format!("  {banner}"));
        writeln!(out, "{address:<40} {port:<10} {:<9} {}{rtt}{service}{banner}", line.state, line.reason)
    }
}

impl Serialize for Told<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(told, portrait) = self;
        let mut line = to.serialize_struct("Line", 11)?;
        line.serialize_field("address", &told.endpoint.address)?;
        line.serialize_field("protocol", &told.endpoint.protocol)?;
        line.serialize_field("port", &told.endpoint.port)?;
        line.serialize_field("state", &told.state)?;
        line.serialize_field("reason", &format_args!("{}", told.reason))?;
        line.serialize_field("rtt_ms", &told.rtt_ms())?;
        line.serialize_field("attempts", &told.attempts)?;
        if let Some(service) = self.service() {
            line.serialize_field("service", service)?;
        }
        if let Some(banner) = self.banner() {
            line.serialize_field("banner", &banner)?;
        }
        if let Some(portrait) = portrait {
            let rungs: Vec<&str> = portrait.rungs.iter().map(|(rung, _)| rung.word()).collect();
            line.serialize_field("ladder", &rungs)?;
        }
        if told.supersedes {
            line.serialize_field("supersedes", &true)?;
        }
        line.end()
    }
}

impl Totals {
    fn of(coverage: &Coverage, took: Duration, start: Timestamp, stop: Stop) -> Self {
        let duration_s = took.as_secs_f64();
        Self {
            planned: coverage.planned,
            part: None,
            states: coverage.states,
            probes_sent: coverage.probes_sent,
            retransmitted: coverage.retransmitted,
            replies: coverage.replies,
            strays: coverage.strays,
            expected_false_accepts: coverage.false_accepts,
            kernel_drops: coverage.kernel_drops,
            send_errors: coverage.send_errors,
            duration_s,
            rate_pps: coverage.probes_sent as f64 / duration_s.max(1e-6),
            loss: coverage.loss.map(Into::into),
            miss: coverage.miss.map(Into::into),
            congestion: coverage.congestion.map(|found| report::congestion(found, start)),
            undecided: coverage.undecided.map(Into::into),
            partial: stop != Stop::Complete,
            stop_reason: stop.word(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Loss, Miss, Moment, Protocol};

    fn open(port: u16, supersedes: bool) -> Observation {
        Observation {
            endpoint: Endpoint { address: [192, 0, 2, 1].into(), protocol: Protocol::Tcp, port },
            state: if supersedes { State::Closed } else { State::Open },
            reason: Reason::SynAck,
            payload: None,
            sender: None,
            rtt: Some(Duration::from_micros(1234)),
            ttl: None,
            attempts: 2,
            first_seen: None,
            supersedes,
            looks: vec![],
        }
    }

    fn printed(format: Format, seen: Vec<Observation>, coverage: &Coverage) -> String {
        let mut told = Vec::new();
        let out = BufWriter::new(&mut told);
        let mut printer = Printer {
            format,
            quiet: true,
            start: Timestamp::UNIX_EPOCH,
            out,
            seen: Vec::new(),
            part: None,
            zones: BTreeMap::new(),
            portraits: BTreeMap::new(),
        };
        printer.see(seen);
        printer.end(coverage, Duration::from_secs(2), Stop::Complete).unwrap();
        String::from_utf8(told).unwrap()
    }

    #[test]
    fn a_line_that_is_kept_is_small() {
        assert!(size_of::<Line>() <= 48, "{}", size_of::<Line>());
    }

    #[test]
    fn the_last_word_on_an_endpoint_counts_where_lines_are_ordered() {
        let seen = vec![open(443, false), open(80, false), open(443, true)];
        let text = printed(Format::Text, seen.clone(), &Coverage::default());
        let told: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(told[0], ["192.0.2.1", "80/tcp", "open", "syn-ack", "1.2", "ms"]);
        assert_eq!((told.len(), told[1][1], told[1][2]), (2, "443/tcp", "closed"));
        let lines = printed(Format::Ndjson, seen, &Coverage::default());
        assert_eq!(lines.lines().count(), 4, "streamed as they come, and the totals");
        assert!(lines.lines().nth(2).unwrap().ends_with(r#""attempts":2,"supersedes":true}"#), "{lines}");
        assert!(lines.contains(r#""rtt_ms":1.234"#), "{lines}");
    }

    #[test]
    fn the_totals_say_how_sure_they_are() {
        let coverage = Coverage {
            loss: Some(Loss { estimate: 0.02, upper95: 0.03, trials: 900 }),
            miss: Some(Miss { estimate: 0.0004, upper95: 0.0009 }),
            congestion: Some(crate::model::Congestion {
                cuts: 3,
                lowest_pps: 900,
                since: Moment::from_millis(1500),
            }),
            ..Coverage::default()
        };
        for format in [Format::Ndjson, Format::Json] {
            let told: serde_json::Value = serde_json::from_str(&printed(format, vec![], &coverage)).unwrap();
            let told = &told["summary"]["coverage"];
            assert_eq!((&told["loss"]["trials"], &told["miss"]["upper95"]), (&900.into(), &0.0009.into()));
            assert!(told["miss"]["assumption"].as_str().unwrap().contains("alike"), "{told}");
            assert_eq!(told["congestion"]["since"], "1970-01-01T00:00:01.500Z");
        }
    }
}
