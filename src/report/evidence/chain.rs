//! The reports of one manifest as a chain: each names the digest of the one before it, so that none can be taken out
//! of the middle, altered or slipped in without a trace.

use jiff::Timestamp;
use thiserror::Error;

use crate::report::{Report, words::due};

/// What the chain needs to know of one report.
#[derive(Clone, Debug)]
pub struct Link {
    name: String,
    sha256: String,
    run: String,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    previous: Option<String>,
    next_due: Option<Timestamp>,
    /// Of which manifest, and from where.
    about: String,
}

/// What breaks the chain at a report.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the message says it
pub enum Fault {
    #[error(
        "it follows a report with the SHA-256 {sha256}, which is not among these: missing between {after} and this one, or altered"
    )]
    Missing { sha256: String, after: String },
    #[error("it names no report before it, though {after} ended earlier")]
    Loose { after: String },
    #[error("it follows {before}, as {other} does: a fork, only one of them can be the next")]
    Fork { before: String, other: String },
    #[error("it follows {before} and passes over {over}")]
    PassesOver { before: String, over: String },
    #[error("it follows {before}, which ended later")]
    Backwards { before: String },
    #[error("it is of the same run as {other} and differs from it: one of them was altered")]
    SameRun { other: String },
    #[error("the times of its run can't be read")]
    Timeless,
}

/// What a reader of the chain should know, and what does not break it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the message says it
pub enum Note {
    #[error("the same bytes as {of}: a duplicate")]
    Duplicate { of: String },
    #[error("follows an earlier report that is not given, SHA-256 {sha256}")]
    GoesBack { sha256: String },
    #[error("{after} was to be followed by {due:.0}: a run is missing, or this one came late")]
    Late { after: String, due: Timestamp },
    #[error("it is about {this}, and {before} is about {that}")]
    OtherSubject { this: String, before: String, that: String },
    #[error("was to be followed by {due:.0}, and no later report is given")]
    Due { due: Timestamp },
}

/// Where one report stands in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which: its place among those that were given.
    pub given: usize,
    /// What breaks the chain here.
    pub faults: Vec<Fault>,
    /// What does not.
    pub notes: Vec<Note>,
}

impl Link {
    /// Of a report by the name of its file. `sha256`: of the file's bytes.
    pub fn of(name: &str, sha256: String, report: &Report) -> Self {
        let run = &report.run;
        let manifest = run.manifest.name.as_deref().or(run.manifest.path.as_deref()).unwrap_or("no manifest");
        let from = run.vantage.as_ref().map(|vantage| format!(" from {vantage}")).unwrap_or_default();
        Self {
            about: format!("{manifest}{from}"),
            name: name.to_owned(),
            sha256,
            run: run.id.clone(),
            started: run.started_at.parse().ok(),
            finished: run.finished_at.parse().ok(),
            previous: run.previous.as_ref().map(|previous| previous.sha256.to_ascii_lowercase()),
            next_due: run.next_due.as_deref().and_then(due),
        }
    }

    /// What a later report calls it by.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Holds each report against the one before it, in the order in which their runs ended. `now`: a report that is
/// overdue is said to be.
pub fn follow(links: &[Link], now: Timestamp) -> Vec<Standing> {
    let mut ordered: Vec<(usize, &Link)> = links.iter().enumerate().collect();
    ordered.sort_by(|(_, a), (_, b)| {
        (a.finished.is_none(), a.finished, &a.name).cmp(&(b.finished.is_none(), b.finished, &b.name))
    });
    let mut walk = Walk { all: links, seen: Vec::new(), head: None };
    let mut standings: Vec<Standing> = ordered
        .into_iter()
        .map(|(given, link)| {
            let (faults, notes) = walk.step(link);
            Standing { given, faults, notes }
        })
        .collect();
    // A copy of the last report is no later one.
    let last = walk.seen.last().and_then(|last| Some((last, last.next_due?, last.finished?)));
    if let Some((last, due, _)) = last.filter(|(_, due, finished)| finished < due && *due <= now) {
        let standing = standings
            .iter_mut()
            .find(|standing| links.get(standing.given).is_some_and(|link| std::ptr::eq(link, *last)));
        if let Some(standing) = standing {
            standing.notes.push(Note::Due { due });
        }
    }
    standings
}

/// A way along the chain.
struct Walk<'a> {
    all: &'a [Link],
    /// Those behind us, copies left out.
    seen: Vec<&'a Link>,
    /// The last one that is no fork.
    head: Option<&'a Link>,
}

impl<'a> Walk<'a> {
    fn step(&mut self, link: &'a Link) -> (Vec<Fault>, Vec<Note>) {
        let name = |link: &Link| link.name.clone();
        if let Some(same) = self.seen.iter().find(|seen| seen.sha256 == link.sha256) {
            return (Vec::new(), vec![Note::Duplicate { of: name(same) }]);
        }
        let (mut faults, mut notes) = (Vec::new(), Vec::new());
        if link.finished.is_none() || link.started.is_none() {
            faults.push(Fault::Timeless);
        }
        if let Some(other) = self.seen.iter().find(|seen| seen.run == link.run) {
            faults.push(Fault::SameRun { other: name(other) });
        }
        let fault = self.fault(link);
        if self.head.is_none() && fault.is_none() {
            notes.extend(link.previous.clone().map(|sha256| Note::GoesBack { sha256 }));
        }
        if let Some(last) = self.seen.last()
            && let (Some(due), Some(ended), Some(began)) = (last.next_due, last.finished, link.started)
            && ended < due
            && began >= due
        {
            notes.push(Note::Late { after: name(last), due });
        }
        if let Some(last) = self.seen.last().filter(|last| last.about != link.about) {
            let (this, that) = (link.about.clone(), last.about.clone());
            notes.push(Note::OtherSubject { this, before: name(last), that });
        }
        if !matches!(fault, Some(Fault::Fork { .. })) {
            self.head = Some(link);
        }
        faults.extend(fault);
        self.seen.push(link);
        (faults, notes)
    }

    /// What is wrong with the report that this one says it follows.
    fn fault(&self, link: &Link) -> Option<Fault> {
        let name = |link: &Link| link.name.clone();
        let behind = |sha256: &str| self.seen.iter().find(|seen| seen.sha256 == sha256);
        let ahead = |sha256: &str| self.all.iter().find(|other| other.sha256 == sha256);
        let Some(head) = self.head else {
            let before = ahead(link.previous.as_deref()?)?;
            return Some(Fault::Backwards { before: name(before) });
        };
        let Some(previous) = link.previous.as_deref() else {
            return Some(Fault::Loose { after: name(head) });
        };
        let is_next = head.sha256 == previous || self.seen.last().is_some_and(|last| last.sha256 == previous);
        match (behind(previous), ahead(previous)) {
            _ if is_next => None,
            (Some(before), _) => {
                let rival = self.seen.iter().find(|seen| seen.previous.as_deref() == Some(previous));
                Some(match rival {
                    Some(other) => Fault::Fork { before: name(before), other: name(other) },
                    None => Fault::PassesOver { before: name(before), over: name(head) },
                })
            }
            (None, Some(later)) => Some(Fault::Backwards { before: name(later) }),
            (None, None) => Some(Fault::Missing { sha256: previous.to_owned(), after: name(head) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The report of an hour, after another one; the digest is the name.
    fn link(name: &str, hour: i64, previous: Option<&str>) -> Link {
        let at = |seconds| Timestamp::from_second(hour * 3600 + seconds).ok();
        Link {
            name: name.to_owned(),
            sha256: name.to_owned(),
            run: format!("run {name}"),
            started: at(0),
            finished: at(60),
            previous: previous.map(str::to_owned),
            next_due: None,
            about: "edge".to_owned(),
        }
    }

    fn chain() -> [Link; 4] {
        [link("a", 1, None), link("b", 2, Some("a")), link("c", 3, Some("b")), link("d", 4, Some("c"))]
    }

    fn faults(links: &[Link]) -> Vec<(usize, Fault)> {
        let standings = follow(links, Timestamp::MIN);
        standings.into_iter().flat_map(|s| s.faults.into_iter().map(move |fault| (s.given, fault))).collect()
    }

    #[test]
    fn a_whole_chain_holds_in_whatever_order_it_is_given() {
        let [a, b, c, d] = chain();
        assert_eq!(faults(&[c, a, d, b]), []);
    }

    #[test]
    fn a_report_taken_out_of_the_middle_is_named_with_its_neighbours() {
        let [a, _, c, d] = chain();
        let missing = Fault::Missing { sha256: "b".to_owned(), after: "a".to_owned() };
        assert_eq!(faults(&[a, c, d]), [(1, missing)]);
    }

    #[test]
    fn an_altered_report_is_missing_under_its_old_digest() {
        let [a, mut b, c, d] = chain();
        b.sha256 = "b, altered".to_owned();
        let missing = Fault::Missing { sha256: "b".to_owned(), after: "b".to_owned() };
        assert_eq!(faults(&[a, b, c, d]), [(2, missing)]);
    }

    #[test]
    fn two_reports_after_one_are_a_fork_and_the_chain_goes_on_from_either() {
        let [a, b, c, d] = chain();
        let fork = |other: &str| Fault::Fork { before: "a".to_owned(), other: other.to_owned() };
        let rival = link("e", 2, Some("a"));
        assert_eq!(faults(&[a.clone(), b, c, d, rival]), [(4, fork("b"))]);
        let after = [a, link("b", 2, Some("a")), link("e", 3, Some("a")), link("f", 4, Some("e"))];
        assert_eq!(faults(&after), [(2, fork("b"))]);
    }

    #[test]
    fn a_chain_that_begins_anew_passes_over_one_or_runs_backwards_is_found() {
        let (a, b) = (link("a", 1, None), link("b", 2, None));
        assert_eq!(faults(&[a.clone(), b.clone()]), [(1, Fault::Loose { after: "a".to_owned() })]);
        let c = link("c", 3, Some("a"));
        let over = Fault::PassesOver { before: "a".to_owned(), over: "b".to_owned() };
        assert_eq!(faults(&[a.clone(), b, c]).last(), Some(&(2, over)));
        let early = link("early", 0, Some("a"));
        assert_eq!(faults(&[a, early])[0], (1, Fault::Backwards { before: "a".to_owned() }));
    }

    #[test]
    fn a_copy_is_a_note_and_another_report_of_the_same_run_a_fault() {
        let [a, b, ..] = chain();
        let mut other = b.clone();
        other.sha256 = "other".to_owned();
        let standings = follow(&[a.clone(), b.clone(), b.clone()], Timestamp::MIN);
        assert_eq!(standings[2].notes, [Note::Duplicate { of: "b".to_owned() }]);
        assert_eq!(standings[2].faults, []);
        assert!(faults(&[a, b, other]).contains(&(2, Fault::SameRun { other: "b".to_owned() })));
    }

    #[test]
    fn a_report_about_something_else_is_said_to_be() {
        let [a, mut b, ..] = chain();
        b.about = "edge from office".to_owned();
        let notes = follow(&[a, b], Timestamp::MIN).remove(1).notes;
        assert_eq!(notes[0].to_string(), "it is about edge from office, and a is about edge");
    }

    #[test]
    fn a_run_that_did_not_come_in_time_is_said() {
        let [mut a, mut b, ..] = chain();
        a.next_due = Timestamp::from_second(5000).ok();
        b.next_due = Timestamp::from_second(9000).ok();
        let notes = |now| -> Vec<Vec<Note>> {
            follow(&[a.clone(), b.clone()], now).into_iter().map(|standing| standing.notes).collect()
        };
        let late = Note::Late { after: "a".to_owned(), due: a.next_due.unwrap() };
        assert_eq!(notes(Timestamp::from_second(8000).unwrap()), [vec![], vec![late.clone()]]);
        let due = Note::Due { due: b.next_due.unwrap() };
        assert_eq!(notes(Timestamp::from_second(9000).unwrap()), [vec![], vec![late, due]]);
    }
}
