//! `verify --from`: files of other runs and other tools are judged instead of a scan. Nothing is sent, not even a
//! question to DNS.

use std::{collections::BTreeSet, io, time::Duration};

use jiff::Timestamp;

use super::{
    args::{HowArgs, Mouth, TalkArgs},
    error::CliError,
    how,
    judgement::{Measure, Subject, manifest_record, next_due, selection, tool},
    lint::today,
    load, output,
    output::Wanted,
    prepare::{named, planned},
    verify::Asked,
};
use crate::{
    drive::provenance,
    intake::{self, Gathered, MOST_REMARKS, Source},
    model::{Coverage, Protocol, clean},
    report::{self, Circumstances, Clock, Fallback, HostRecord, Methods, Report, Run, SourceRecord},
    spec::{
        manifest::Manifest,
        plan::{self, LeftOut, Selection},
        resolution::Resolution,
    },
    verify::Seen,
};

/// One file, read.
struct File {
    name: String,
    sha256: String,
    source: Source,
}

/// Judges the files, prints the summary, writes the reports.
pub(super) fn verified(asked: &Asked<'_>, wanted: &[Wanted], measure: &Measure) -> Result<u8, CliError> {
    refuse(asked.how)?;
    let profiles = load::profiles(asked.select.profile_dir.as_deref())?;
    let ansi = output::colours(asked.color, &io::stderr());
    let mut manifest = named(asked.what, asked.expect, asked.select, &profiles, wanted, ansi)?;
    let mut files = asked.select.from.iter().map(|from| read(from)).collect::<Result<Vec<File>, _>>()?;
    files.sort_by_key(|file| file.source.finished.or(file.source.started));
    once(&mut files);
    intake::join(files.iter_mut().map(|file| &mut file.source));
    let vantage = vantage(&files, asked.how.vantage.as_deref())?;
    // Where a file of another tool was made from is what the operator says, and nobody else knows.
    manifest.vantage.take_if(|_| vantage.is_none());
    let selection = how::selection(asked.select, how::families(asked.how), vantage, &profiles)?;
    let names = plan::names(&manifest, &selection).map_err(CliError::usage)?;
    let sources: Vec<&Source> = files.iter().map(|file| &file.source).collect();
    let (resolution, remarks) = intake::resolution(&manifest, &names, &sources);
    let mut plan = planned(&manifest, &resolution, &selection, &profiles)?;
    let of_files: Vec<(&str, &Source)> =
        files.iter().map(|file| (file.name.as_str(), &file.source)).collect();
    let mut gathered = intake::gather(&of_files, &plan);
    plan.left_out.append(&mut gathered.left_out);
    plan.left_out.extend(remarks.into_iter().map(|(what, why)| LeftOut { what, why }));
    let all: u128 = plan.groups.iter().map(plan::Group::planned).sum();
    let partial = gathered.determined < all && files.iter().any(|file| file.source.partial);
    let from = files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ");
    let (began, ended) = times(&files);
    let seen = Seen {
        observations: &gathered.observations,
        tallies: &gathered.tallies,
        portraits: &gathered.portraits,
        partial,
    };
    let now = ended.unwrap_or_else(Timestamp::now);
    let subject = Subject {
        manifest: &manifest,
        profiles: &profiles,
        plan: &plan,
        resolution: &resolution,
        selection: &selection,
        at: how::day(asked.select.at.as_deref(), today())?,
        now,
        vantage: selection.vantage.as_deref(),
        is_part: false,
        max_miss: asked.how.max_miss,
        from: Some(&from),
    };
    let told = Told { files: &files, gathered: &gathered, manifest: &manifest, resolution: &resolution };
    told.announce(asked.talk);
    // No probe was sent; the moments of what was seen count from 1970.
    let circumstances = Circumstances {
        tool: tool(),
        run: told.run(asked, &selection, (began.unwrap_or(now), now), partial),
        start: Timestamp::UNIX_EPOCH,
        coverage: Coverage::default(),
        duration: told.took(),
        stopped: None,
        connections: 0,
        role_denials: load::role_denials(&profiles, &manifest, &plan.targets),
        banners: gathered.banners.clone(),
    };
    let mut report = subject.judged(&seen, measure, circumstances);
    keep_measures(&mut report, &files);
    measure.follow(&report, asked.talk);
    output::publish(&report, wanted, asked.color, asked.talk.quiet)?;
    Ok(report.summary.exit_code)
}

/// Flags that say how to send, where nothing is sent.
fn refuse(how: &HowArgs) -> Result<(), CliError> {
    let given = [
        ("--scan", how.scan != Mouth::Auto),
        ("--rate", how.rate.is_some()),
        ("--per-host-rate", how.per_host_rate.is_some()),
        ("--max-attempts", how.max_attempts.is_some()),
        ("--timeout", how.timeout.is_some()),
        ("--deadline", how.deadline.is_some()),
        ("--interface", how.interface.is_some()),
        ("--source-address", !how.source_address.is_empty()),
        ("--resolver", !how.resolver.is_empty()),
        ("--seed", how.seed.is_some()),
        ("--shard", how.shard.is_some()),
        ("--state", how.state.is_some()),
        ("--resume", how.resume.is_some()),
    ];
    let given: Vec<&str> = given.into_iter().filter_map(|(flag, given)| given.then_some(flag)).collect();
    if given.is_empty() {
        return Ok(());
    }
    let error = CliError::usage(format!("--from sends nothing, so {} can't be meant", given.join(" and ")));
    Err(error.hint("leave out one or the other"))
}

/// A file that is named twice is judged once.
fn once(files: &mut Vec<File>) {
    let mut known = BTreeSet::new();
    files.retain(|file| {
        let is_new = known.insert(file.sha256.clone());
        if !is_new {
            output::say(&format!("note: {} is given twice, and judged once", file.name));
        }
        is_new
    });
}

fn read(from: &str) -> Result<File, CliError> {
    let bytes = load::evidence(from)?;
    let name = load::shown(from);
    let source = intake::read(&bytes)
        .map_err(|error| CliError::usage(format!("{name}: {error}")).hint(error.hint()))?;
    if let Some(why) = source.report.as_deref().and_then(report::contradiction) {
        let error = CliError::usage(format!("{name}: {}", clean(&why)));
        return Err(error.hint(
            "nothing can be judged by it; `portproof evidence verify` says all that is wrong with it",
        ));
    }
    Ok(File { name, sha256: provenance::sha256(&bytes), source })
}

/// Where the files were made from: what the reports among them say, or the operator does.
fn vantage(files: &[File], said: Option<&str>) -> Result<Option<String>, CliError> {
    let mut known = said.map(|said| ("--vantage".to_owned(), said.to_owned()));
    for file in files {
        let Some(report) = &file.source.report else { continue };
        match (&known, &report.run.vantage) {
            (Some((by, one)), Some(other)) if one != other => {
                let message = format!("{} was made from vantage {other}, and {by} says {one}", file.name);
                let error = CliError::usage(clean(&message));
                return Err(error.hint("judge what was seen from each vantage by itself"));
            }
            (None, Some(own)) => known = Some((file.name.clone(), own.clone())),
            _ => {}
        }
    }
    Ok(known.map(|(_, vantage)| vantage))
}

/// From when until when, as far as the files say.
fn times(files: &[File]) -> (Option<Timestamp>, Option<Timestamp>) {
    let began = files.iter().filter_map(|file| file.source.started.or(file.source.finished)).min();
    (began, files.iter().filter_map(|file| file.source.finished.or(file.source.started)).max())
}

/// What the report says of the files.
struct Told<'a> {
    files: &'a [File],
    gathered: &'a Gathered,
    manifest: &'a Manifest,
    resolution: &'a Resolution,
}

impl Told<'_> {
    fn run(
        &self,
        asked: &Asked<'_>,
        selected: &Selection,
        (began, ended): (Timestamp, Timestamp),
        partial: bool,
    ) -> Run {
        let own: Vec<&Report> = self.files.iter().filter_map(|file| file.source.report.as_deref()).collect();
        let only = own.first().filter(|_| self.files.len() == 1).map(|report| &report.run);
        let untimed = self.files.iter().filter(|file| file.source.finished.is_none());
        let addresses = own.iter().flat_map(|report| report.run.host.source_addresses.iter().cloned());
        let addresses: BTreeSet<String> = addresses.collect();
        let stopped =
            own.iter().find(|report| report.run.partial).map(|report| report.run.stop_reason.as_str());
        let time = |at: Timestamp| format!("{at:.3}");
        Run {
            id: format!("{:016x}{:016x}", provenance::random(), provenance::random()),
            started_at: time(began),
            finished_at: time(ended),
            resumed_at: only.map(|run| run.resumed_at.clone()).unwrap_or_default(),
            vantage: selected.vantage.clone(),
            operator: provenance::operator(),
            seed: only.map_or(0, |run| run.seed),
            argv: asked.argv.to_vec(),
            selection: selection(selected, asked, None),
            scan: self.methods(),
            fallbacks: untimed
                .map(|file| Fallback {
                    asked: format!("the times of {}", file.name),
                    used: "none: what it says differently from another file is in doubt".to_owned(),
                    why: "it holds none".to_owned(),
                })
                .collect(),
            partial,
            stop_reason: if partial { stopped.unwrap_or("interrupted") } else { "complete" }.to_owned(),
            clock: only.map_or_else(
                || Clock { source: "the files' own".to_owned(), synchronized: None, max_error_ms: None },
                |run| run.clock.clone(),
            ),
            manifest: manifest_record(self.manifest),
            previous: None,
            next_due: next_due(self.manifest, ended),
            resolver: report::resolver_record(self.resolution),
            host: HostRecord {
                name: only.and_then(|run| run.host.name.clone()),
                source_addresses: addresses.into_iter().collect(),
            },
            sources: self.files.iter().enumerate().map(|(i, file)| self.source(i, file)).collect(),
        }
    }

    /// By which formats a protocol is covered.
    fn methods(&self) -> Methods {
        let of = |protocol: Protocol| {
            let has = |file: &&File| file.source.parts.keys().any(|(_, of)| *of == protocol);
            let formats: BTreeSet<&str> =
                self.files.iter().filter(has).map(|file| file.source.format.word()).collect();
            let formats: Vec<&str> = formats.into_iter().collect();
            self.gathered.covers.contains(&protocol).then(|| format!("from {}", formats.join(", ")))
        };
        Methods { tcp: of(Protocol::Tcp), udp: of(Protocol::Udp) }
    }

    fn source(&self, i: usize, file: &File) -> SourceRecord {
        let File { name, sha256, source } = file;
        let beside = self.gathered.remarks.iter().filter(|(of, _)| *of == i).map(|(_, text)| text);
        let mut remarks: Vec<String> = source.remarks.iter().chain(beside).cloned().collect();
        let more = remarks.len().saturating_sub(MOST_REMARKS);
        remarks.truncate(MOST_REMARKS);
        remarks.extend((more > 0).then(|| format!("and {more} more")));
        let time = |at: Option<Timestamp>| at.map(|at| format!("{at:.3}"));
        SourceRecord {
            path: name.clone(),
            sha256: sha256.clone(),
            format: source.format.word().to_owned(),
            tool: source.tool.clone(),
            started_at: time(source.started),
            finished_at: time(source.finished),
            partial: source.partial,
            remarks,
        }
    }

    /// How long the scans took together.
    fn took(&self) -> Duration {
        let spans = self.files.iter().filter_map(|file| Some((file.source.started?, file.source.finished?)));
        spans.map(|(began, ended)| Duration::try_from(ended.duration_since(began)).unwrap_or_default()).sum()
    }

    /// Says what is judged, and what it can't show.
    fn announce(&self, talk: &TalkArgs) {
        if talk.quiet {
            return;
        }
        for (i, file) in self.files.iter().enumerate() {
            let record = self.source(i, file);
            output::say(&format!("judging {} ({}); nothing is sent", record.path, record.tool));
            record.remarks.iter().for_each(|remark| output::say(&format!("  {remark}")));
        }
    }
}

/// What a run of our own measured of the path holds for what is judged of it.
fn keep_measures(report: &mut Report, files: &[File]) {
    if let [File { source, .. }] = files
        && let Some(own) = &source.report
    {
        let measured = &own.coverage;
        report.coverage.loss = measured.loss;
        report.coverage.miss.clone_from(&measured.miss);
        report.coverage.congestion.clone_from(&measured.congestion);
        report.coverage.undecided = measured.undecided;
    }
}
