//! From what was seen to the report, be it seen by a run or read from files.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{
    args::{ResultArgs, TalkArgs},
    error::CliError,
    lint, load, output,
    verify::Asked,
};
use crate::{
    drive::provenance,
    model::{Family, Level, clean, rule},
    report::{
        self, Baseline, Circumstances, Git, ManifestRecord, Report, Selection as SelectionRecord, Tool,
    },
    scan::Shard,
    spec::{
        manifest::Manifest,
        plan::{Plan, Selection},
        profile::Profiles,
        resolution::Resolution,
    },
    verify::{Context, FailOn, Previous, Seen, judge},
};

/// How strictly is judged.
pub(super) struct Measure {
    fail_on: FailOn,
    levels: BTreeMap<&'static str, Level>,
    strict: bool,
    baseline: Option<(String, Baseline)>,
}

impl Measure {
    /// What the flags say.
    pub(super) fn new(args: &ResultArgs) -> Result<Self, CliError> {
        let read = |from: &String| Ok::<_, CliError>((load::shown(from), load::baseline(from)?));
        Ok(Self {
            fail_on: fail_on(&args.fail_on)?,
            levels: levels(args)?,
            strict: args.strict,
            baseline: args.baseline.as_ref().map(read).transpose()?,
        })
    }

    /// Says what is odd about the report that this one follows. It is followed all the same: manifests are renamed.
    pub(super) fn follow(&self, report: &Report, talk: &TalkArgs) {
        let Some((from, before)) = self.baseline.as_ref().filter(|_| !talk.quiet) else { return };
        for caveat in before.caveats(&report.run) {
            output::say(&format!("note: --baseline {from}: {}", clean(&caveat)));
        }
    }
}

/// What is judged.
pub(super) struct Subject<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) profiles: &'a Profiles,
    pub(super) plan: &'a Plan,
    pub(super) resolution: &'a Resolution,
    pub(super) selection: &'a Selection,
    /// The day of the paperwork.
    pub(super) at: Date,
    /// When what was seen ended.
    pub(super) now: Timestamp,
    pub(super) vantage: Option<&'a str>,
    /// `--shard`: a part of the plan.
    pub(super) is_part: bool,
    pub(super) max_miss: f64,
    /// The files that are judged.
    pub(super) from: Option<&'a str>,
}

impl Subject<'_> {
    /// Holds what was seen against the manifest, and writes it down.
    pub(super) fn judged(&self, seen: &Seen<'_>, measure: &Measure, circumstances: Circumstances) -> Report {
        let selection = self.selection;
        let run = &circumstances.run;
        let sources: Vec<IpAddr> =
            run.host.source_addresses.iter().filter_map(|it| it.parse().ok()).collect();
        let before = measure.baseline.as_ref().map(|(_, before)| (before.ended(), before.caveats(run)));
        let context = Context {
            at: self.at,
            named_day: run.selection.at.as_ref().map(|_| self.at),
            now: self.now,
            vantage: self.vantage,
            strict: measure.strict,
            levels: &measure.levels,
            fail_on: measure.fail_on,
            roles: self.profiles,
            udp_mouth: true,
            families: selection.families.as_deref().unwrap_or(&[Family::Ipv4, Family::Ipv6]),
            narrowed: selection.tcp.is_some()
                || selection.udp.is_some()
                || selection.families.is_some()
                || !selection.exclude.is_empty()
                || self.is_part,
            from: self.from,
            previous: before.as_ref().map(|(ended, caveats)| Previous { ended: *ended, caveats }),
            sources: &sources,
            max_miss: self.max_miss,
        };
        let mut manifest = self.manifest.clone();
        manifest.lints = lint::remarks(&manifest, self.profiles, self.at);
        let judgement = judge(&manifest, self.plan, self.resolution, seen, &context);
        let mut report = report::assemble(&manifest, self.plan, seen, &judgement, circumstances);
        report.run.selection.levels =
            measure.levels.iter().map(|(id, level)| ((*id).to_owned(), *level)).collect();
        if let Some((_, before)) = &measure.baseline {
            before.precede(&mut report);
        }
        report.summary.headline = report::Statement::of(&report).headline();
        report
    }
}

/// This program.
pub(super) fn tool() -> Tool {
    Tool {
        name: "portproof".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("PORTPROOF_COMMIT").map(str::to_owned),
        sha256: provenance::own_sha256(),
    }
}

/// The manifest, and where it stands in version control.
pub(super) fn manifest_record(manifest: &Manifest) -> ManifestRecord {
    let git = manifest.path.as_deref().and_then(provenance::git).map(|(commit, dirty)| Git { commit, dirty });
    report::manifest_record(manifest, git)
}

/// What the operator deselected. A part comes with the digest of the plan that it is of.
pub(super) fn selection(
    selection: &Selection,
    asked: &Asked<'_>,
    part: Option<(Shard, u64)>,
) -> SelectionRecord {
    SelectionRecord {
        only: asked.select.only.clone(),
        exclude: selection.exclude.iter().map(ToString::to_string).collect(),
        families: selection.families.clone(),
        hosts: load::replacements(&asked.select.hosts),
        tcp: asked.select.tcp.clone(),
        udp: asked.select.udp.clone(),
        shard: part.map(|(shard, _)| shard.to_string()),
        plan: part.map(|(_, plan)| format!("{plan:016x}")),
        max_miss: Some(asked.how.max_miss).filter(|miss| *miss != report::USUAL_MISS),
        at: asked.select.at.clone(),
        strict: asked.result.strict,
        // What is judged by is what `Subject::judged` writes down.
        levels: BTreeMap::new(),
    }
}

/// When the next run is due by the policy's `max_age`; without one, when the manifest wants to be reviewed next. A
/// review that is yet to come tells nothing of the one after it.
pub(super) fn next_due(manifest: &Manifest, ended: Timestamp) -> Option<String> {
    if let Some(age) = manifest.policy.max_age {
        return Some(format!("{:.0}", ended.checked_add(age).ok()?));
    }
    let every = jiff::SignedDuration::try_from(manifest.metadata.review_every?).ok()?;
    let last = manifest.metadata.last_review?;
    let today = ended.to_zoned(TimeZone::UTC).date();
    (last <= today).then(|| last.checked_add(every).ok())?.map(|due| due.to_string())
}

fn fail_on(text: &str) -> Result<FailOn, CliError> {
    if text == "never" {
        return Ok(FailOn::Never);
    }
    text.parse().map(FailOn::At).map_err(|()| {
        CliError::usage(format!("--fail-on {text}: no such severity"))
            .hint("never, low, medium, high or critical")
    })
}

/// `-A`, `-W`, `-D` by rule id; the strictest of several wins.
fn levels(args: &ResultArgs) -> Result<BTreeMap<&'static str, Level>, CliError> {
    let mut levels = BTreeMap::new();
    for (flag, names, level) in
        [("-A", &args.allow, Level::Allow), ("-W", &args.warn, Level::Warn), ("-D", &args.deny, Level::Deny)]
    {
        for name in names {
            let rule = rule(name).ok_or_else(|| {
                CliError::usage(format!("{flag} {name}: no such rule")).hint("portproof explain lists them")
            })?;
            levels.insert(rule.id, level);
        }
    }
    Ok(levels)
}
