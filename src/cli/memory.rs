//! `--state` and `--resume`: whether a state file is of the run that was asked for, and what it spares.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{args::HowArgs, error::CliError, how::How, output};
use crate::{
    drive::{
        Clock,
        state::{Keeper, Past, StateError, Store},
    },
    model::{Coverage, Family, Moment},
    probe,
    report::{count, thousands},
    scan::{Checkpoint, Config, Plan, Scan},
    spec::resolution::Resolution,
};

/// Which scan a state file is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Head {
    /// The program that began it.
    version: String,
    /// The wall clock when its own began.
    began: Timestamp,
    seed: u64,
    /// What must be the same, by the words of who asks.
    same: Vec<(String, String)>,
    /// Names are not resolved again: the plan would be another.
    resolution: Resolution,
}

/// What is known of an earlier run, and where this one writes its own.
#[derive(Debug)]
pub(super) struct Memory {
    to: Option<PathBuf>,
    past: Option<(PathBuf, Past, Head)>,
    head: Option<Head>,
    quiet: bool,
}

impl Memory {
    /// Opens what the flags name. Nothing was asked and nothing is written yet.
    pub(super) fn open(args: &HowArgs, quiet: bool) -> Result<Self, CliError> {
        let to = args.state.clone().or_else(|| args.resume.clone());
        if let Some(to) = &to {
            Store::check(to).map_err(|error| told(&error))?;
        }
        let mut memory = Self { to, past: None, head: None, quiet };
        if let Some(path) = &args.resume {
            let past = Past::open(path).map_err(|error| told(&error))?;
            let head: Head = serde_json::from_slice(&past.story.head).map_err(|error| {
                CliError::usage(format!("{} can't be continued: {error}", path.display()))
            })?;
            if args.seed.is_some_and(|seed| seed != head.seed) {
                let message = format!("{} was begun with --seed {}", path.display(), head.seed);
                return Err(CliError::usage(message).hint("leave --seed out: the file knows it"));
            }
            memory.past = Some((path.clone(), past, head));
        }
        Ok(memory)
    }

    /// The seed of the run that is continued, or the one that was chosen.
    pub(super) fn seed(&self, chosen: u64) -> u64 {
        self.past.as_ref().map_or(chosen, |(_, _, head)| head.seed)
    }

    /// What the names resolved to when the run began.
    pub(super) fn resolution(&self, names: &[(String, Vec<Family>)]) -> Result<Option<Resolution>, CliError> {
        let Some((path, _, head)) = &self.past else { return Ok(None) };
        let known = head.resolution.index();
        let mut asked =
            names.iter().flat_map(|(name, families)| families.iter().map(move |family| (name, *family)));
        match asked.find(|(name, family)| known.of(name, *family).is_none()) {
            None => Ok(Some(head.resolution.clone())),
            Some((name, family)) => {
                let message = format!("{} knows nothing of {name} over {family}", path.display());
                Err(CliError::usage(message).hint(SAME))
            }
        }
    }

    /// Binds it to a plan: a file of another one is refused, saying what differs. `what`: the command and
    /// what it keeps.
    pub(super) fn bind(
        &mut self,
        plan: &Plan,
        config: &Config,
        how: &How,
        what: &str,
        resolution: &Resolution,
    ) -> Result<Clock, CliError> {
        let attempts = how.attempts.map_or_else(|| "not given".to_owned(), |attempts| attempts.to_string());
        let shard = how.shard.map_or_else(|| "not given".to_owned(), |shard| shard.to_string());
        let endpoints = count(plan.planned(), "endpoint", "endpoints");
        let zones: Vec<String> =
            how.zones.iter().map(|(address, zone)| format!(", {address}%{zone}")).collect();
        let zones = zones.concat();
        let same: Vec<(String, String)> = [
            ("the command", what.to_owned()),
            ("--scan", how.method().to_lowercase()),
            ("--max-attempts", attempts),
            ("--shard", shard),
            ("the plan", format!("{endpoints}, digest {:016x}{zones}", plan.digest())),
            ("the probes to a silent endpoint", config.attempts.to_string()),
            ("the window", config.window.to_string()),
            ("the table of UDP payloads", format!("{:016x}", probe::udp::digest())),
        ]
        .map(|(word, value)| (word.to_owned(), value))
        .into();
        let clock = match &self.past {
            None => Clock::start(),
            Some((path, past, head)) => {
                let of =
                    |word: &str| head.same.iter().find(|(other, _)| other == word).map(|(_, value)| value);
                let differs = |(word, value): &(String, String)| match of(word) {
                    Some(before) if before == value => None,
                    Some(before) => Some(format!("{word} was {before} and is {value}")),
                    None => Some(format!("{word} is not in it")),
                };
                let differences: Vec<String> = same.iter().filter_map(differs).collect();
                if !differences.is_empty() {
                    let message = format!("{} is of another run: {}", path.display(), differences.join("; "));
                    return Err(CliError::usage(message).hint(SAME));
                }
                Clock::continued(head.began, past.story.last.at)
            }
        };
        self.head = Some(Head {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            began: clock.began(),
            seed: self.seed(how.seed),
            same,
            resolution: resolution.clone(),
        });
        Ok(clock)
    }

    /// When this run was begun, and each time that it was continued; `now`: it is again.
    pub(super) fn starts(&self, now: Option<Moment>) -> Vec<Moment> {
        let mut starts = self.past.as_ref().map_or_else(Vec::new, |(_, past, _)| past.story.starts.clone());
        starts.extend(now);
        starts
    }

    /// When the earlier run was last heard of.
    pub(super) fn last(&self) -> Option<Moment> {
        self.past.as_ref().map(|(_, past, _)| past.story.last.at)
    }

    /// For how long it ran before.
    pub(super) fn ran(&self) -> std::time::Duration {
        self.past.as_ref().map_or_else(Default::default, |(_, past, _)| past.story.ran)
    }

    /// Brings a new scan to where the earlier run was. `drain` may take what it says.
    pub(super) fn recall(
        &self,
        scan: &mut Scan,
        now: Moment,
        drain: &mut dyn FnMut(&mut Scan),
    ) -> Result<(), CliError> {
        let Some((path, past, _)) = &self.past else { return Ok(()) };
        past.replay(scan, drain).map_err(|error| told(&error))?;
        let resumed = scan.resume(now, &past.story.safe, &past.story.last);
        resumed.map_err(|error| told(&past.unusable(error)))?;
        if !self.quiet {
            let Coverage { planned, states, probes_sent, .. } = scan.totals();
            output::say(&format!(
                "continuing {}: {} of {} determined, {} sent",
                path.display(),
                thousands(planned.saturating_sub(states.unknown)),
                count(planned, "endpoint", "endpoints"),
                count(probes_sent, "probe", "probes")
            ));
        }
        Ok(())
    }

    /// Begins to write the state file, where one is wanted. A run that was over needs no second one.
    pub(super) fn keep(&self, scan: &mut Scan, now: Moment) -> Result<Option<Store>, CliError> {
        let (Some(to), Some(head)) = (&self.to, &self.head) else { return Ok(None) };
        if scan.done() && self.past.as_ref().is_some_and(|(path, ..)| path == to) {
            return Ok(None);
        }
        scan.keep_journal();
        let first = scan.checkpoint(now).progress;
        let store = match &self.past {
            Some((_, past, _)) => Store::continued(to, past, &first),
            None => Store::create(to, &serde_json::to_vec(head).map_err(CliError::environment)?, &first),
        };
        store.map(Some).map_err(|error| told(&error))
    }
}

/// Starts the thread that writes.
pub(super) fn keeper(
    store: Option<Store>,
    take: impl FnMut() -> Checkpoint + Send + 'static,
) -> Result<Option<Keeper>, CliError> {
    let start = |store| {
        Keeper::start(store, take).map_err(|error| CliError::environment(format!("can't start: {error}")))
    };
    store.map(start).transpose()
}

/// Writes what is left. What was not written costs nothing now, but can't be continued.
pub(super) fn put_away(keeper: Option<Keeper>) {
    if let Some(Err(error)) = keeper.map(Keeper::finish) {
        output::say(&format!("warning: the state file is not up to date: {error}"));
    }
}

const SAME: &str =
    "repeat the first command line, with --resume FILE in place of --state FILE; rates may differ";

fn told(error: &StateError) -> CliError {
    if error.is_environment() {
        CliError::environment(error)
    } else {
        let told = CliError::usage(error);
        match error {
            StateError::Occupied { .. } => told.hint("name another file"),
            _ => told,
        }
    }
}
