//! Every finding in the making, and every endpoint with the finding it rests on. Closing it applies
//! exceptions and levels, to findings and endpoints alike, and counts.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AddressJudgement, Case, Judged, Judgement, Outcome, Waived, WaivedCounts,
    draft::{Draft, Key},
    exception, finding,
};
use crate::model::{
    Endpoint, Kind, Level, Observation, Reason, Rule, State, StateCounts, Verdict, VerdictCounts,
};

/// A place in the docket.
pub(super) type Entry = usize;

#[derive(Default)]
pub(super) struct Docket {
    pub(super) drafts: Vec<Draft>,
    index: BTreeMap<Key, Entry>,
    /// Endpoints that rest on no finding.
    settled: VerdictCounts,
    states: StateCounts,
    /// Endpoints that have no state, or one that is in doubt.
    undetermined: u64,
    judged: Vec<(Judged, Option<Entry>)>,
    /// Endpoints that some finding speaks about by port.
    spoken: BTreeSet<Endpoint>,
    /// What an endpoint rests on beside its worst finding: each of them has a fate of its own.
    also: BTreeMap<Endpoint, Vec<(Verdict, Entry)>>,
}

/// What becomes of a finding, and with it of the endpoints that rest on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stands.
    Stands,
    /// An exception accepts it.
    Waived(usize),
    /// `-W`, or `-A` where `dropped`: it no longer fails. Its failing endpoints are waived, since the
    /// operator accepts what the manifest does not; doubt stays doubt.
    Softened { dropped: bool },
    /// `-D` on a warning: it fails.
    Hardened,
}

/// What becomes of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq)]
struct End {
    verdict: Verdict,
    waived: Option<Waived>,
}

impl End {
    /// Of one of this verdict, which rests on a finding, once that has met its fate.
    fn of(verdict: Verdict, draft: &Draft, fate: Fate) -> Self {
        let waived = match fate {
            Fate::Waived(by) => Some(Waived::Exception(by)),
            Fate::Softened { dropped } if verdict == Verdict::Fail => {
                Some(if dropped { Waived::Allowed(draft.rule.id) } else { Waived::Warned(draft.rule.id) })
            }
            Fate::Stands | Fate::Softened { .. } | Fate::Hardened => None,
        };
        Self { verdict: after(fate, verdict), waived }
    }
}

/// How many endpoints ended how.
struct Ends {
    verdicts: VerdictCounts,
    waived: WaivedCounts,
}

impl Ends {
    fn add(&mut self, end: End, n: u64) {
        self.verdicts.add(end.verdict, n);
        if let Some(why) = end.waived {
            *self.waived.of(why) += n;
        }
    }

    fn sub(&mut self, end: End) {
        self.verdicts.sub(end.verdict, 1);
        if let Some(why) = end.waived {
            *self.waived.of(why) -= 1;
        }
    }
}

/// Over UDP silence may be anything, whatever it means to the manifest.
fn is_undetermined(state: State, verdict: Verdict) -> bool {
    matches!(state, State::Unknown | State::Unanswered) || verdict.is_doubt()
}

impl Docket {
    /// Files a part of a finding.
    pub(super) fn file(&mut self, draft: Draft) -> Entry {
        if let Some(&entry) = self.index.get(&draft.key) {
            if let Some(known) = self.drafts.get_mut(entry) {
                known.merge(draft);
            }
            return entry;
        }
        let entry = self.drafts.len();
        self.index.insert(draft.key.clone(), entry);
        self.drafts.push(draft);
        entry
    }

    /// Counts `n` endpoints of one state, resting on a finding or on none.
    pub(super) fn count(&mut self, state: State, verdict: Verdict, n: u64, on: Option<Entry>) {
        self.charge(state, verdict, n, on);
        if let Some(draft) = on.and_then(|entry| self.drafts.get_mut(entry)) {
            draft.counted |= n > 0;
        }
    }

    fn charge(&mut self, state: State, verdict: Verdict, n: u64, on: Option<Entry>) {
        self.states.add(state, n);
        if is_undetermined(state, verdict) {
            self.undetermined = self.undetermined.saturating_add(n);
        }
        match on.and_then(|entry| self.drafts.get_mut(entry)) {
            Some(draft) => draft.charges.add(verdict, n),
            None => self.settled.add(verdict, n),
        }
    }

    /// Judges one observed endpoint.
    pub(super) fn judge(
        &mut self,
        (seen, observation): (usize, &Observation),
        state: State,
        verdict: Verdict,
        on: Option<Entry>,
    ) {
        self.charge(state, verdict, 1, on);
        let Observation { endpoint, reason, .. } = *observation;
        self.judged.push((Judged { endpoint, state, reason, verdict, waived: None, seen: Some(seen) }, on));
        if on.and_then(|entry| self.drafts.get(entry)).is_some_and(|draft| draft.key.port.is_some()) {
            self.spoken.insert(endpoint);
        }
    }

    /// More that is wrong with an endpoint than the finding that it is judged by.
    pub(super) fn rests_also(&mut self, endpoint: Endpoint, on: Vec<(Verdict, Entry)>) {
        if !on.is_empty() {
            self.also.insert(endpoint, on);
        }
    }

    /// Records one endpoint that was not asked; it is counted by whoever counts its like.
    pub(super) fn unasked(&mut self, endpoint: Endpoint, on: Entry) {
        let (state, reason, verdict) = (State::Unknown, Reason::NotSent, Verdict::NotCovered);
        self.judged.push((Judged { endpoint, state, reason, verdict, waived: None, seen: None }, Some(on)));
    }

    /// Whether a finding about the same thing is filed already.
    pub(super) fn holds(&self, rule: &Rule, target: Option<usize>, subject: &str) -> bool {
        self.index.contains_key(&Key { rule: rule.id, target, subject: subject.to_owned(), port: None })
    }

    /// Whether a finding speaks about this endpoint already.
    pub(super) fn speaks_of(&self, endpoint: &Endpoint) -> bool {
        self.spoken.contains(endpoint)
    }

    /// Applies exceptions and levels and counts everything.
    pub(super) fn close(self, case: &Case<'_>, addresses: Vec<AddressJudgement>) -> Judgement {
        let fates: Vec<Fate> = self.drafts.iter().map(|draft| fate(case, draft)).collect();
        let mut ends = Ends { verdicts: self.settled, waived: WaivedCounts::default() };
        let mut undetermined = self.undetermined;
        let mut doubtful = false;
        for (draft, &fate) in self.drafts.iter().zip(&fates) {
            for verdict in Verdict::ALL {
                ends.add(End::of(verdict, draft, fate), draft.charges.of(verdict));
            }
            doubtful |= draft.is_doubt() && !matches!(fate, Fate::Waived(_));
        }
        let mut observations: Vec<Judged> = self
            .judged
            .into_iter()
            .map(|(judged, on)| {
                let end_of = |verdict: Verdict, on: Option<Entry>| {
                    let met = on.and_then(|entry| self.drafts.get(entry).zip(fates.get(entry)));
                    met.map_or(End { verdict, waived: None }, |(draft, fate)| End::of(verdict, draft, *fate))
                };
                let own = end_of(judged.verdict, on);
                let others = self.also.get(&judged.endpoint).into_iter().flatten();
                let others = others.map(|&(verdict, entry)| end_of(verdict, Some(entry)));
                let is_worse = |one: End, other: End| one.verdict.rank() > other.verdict.rank();
                let end = others.fold(own, |worst, other| if is_worse(other, worst) { other } else { worst });
                if end != own {
                    ends.sub(own);
                    ends.add(end, 1);
                    let was = is_undetermined(judged.state, judged.verdict);
                    undetermined += u64::from(!was && end.verdict.is_doubt());
                }
                Judged { verdict: end.verdict, waived: end.waived, ..judged }
            })
            .collect();
        observations.sort_by_key(|judged| judged.endpoint);
        let exceptions = exception::uses(case, &self.drafts, |draft| match fates.get(draft) {
            Some(Fate::Waived(by)) => Some(*by),
            _ => None,
        });
        let kept = self.drafts.iter().zip(&fates).filter_map(|(draft, &fate)| match fate {
            Fate::Softened { dropped: true } => None,
            Fate::Waived(by) => Some((draft, Verdict::Waived, Some(by))),
            _ => Some((draft, after(fate, draft.verdict), None)),
        });
        let findings = finding::write(
            case,
            kept.map(|(draft, verdict, by)| {
                // A warning that `-W` made of a failure shows as such: no finding but a waived one is `waived`.
                let verdict =
                    if by.is_none() && verdict == Verdict::Waived { Verdict::Pass } else { verdict };
                (draft, verdict, by)
            }),
        );
        let planned: u128 =
            case.plan.groups.iter().map(crate::spec::plan::Group::planned).fold(0, u128::saturating_add);
        let Ends { verdicts, waived } = ends;
        let outcome = Outcome::of(&findings, &verdicts, case.seen.partial, doubtful, case.context.fail_on);
        Judgement {
            findings,
            observations,
            verdicts,
            states: self.states,
            planned: u64::try_from(planned).unwrap_or(u64::MAX),
            determined: u64::try_from(planned).unwrap_or(u64::MAX).saturating_sub(undetermined),
            waived,
            addresses,
            exceptions,
            compliance: Vec::new(),
            outcome,
        }
    }
}

fn fate(case: &Case<'_>, draft: &Draft) -> Fate {
    if let Some(exception) = case.waivers.waiving(draft) {
        return Fate::Waived(exception);
    }
    let policy = draft.rule.kind == Kind::Governance && case.manifest.policy.in_force();
    match case.context.levels.get(draft.rule.id) {
        Some(Level::Allow) => Fate::Softened { dropped: true },
        Some(Level::Warn) => Fate::Softened { dropped: false },
        Some(Level::Deny) => Fate::Hardened,
        None if policy => Fate::Hardened,
        None => Fate::Stands,
    }
}

/// The verdict of an endpoint, or of the finding itself, once the finding has met its fate.
fn after(fate: Fate, verdict: Verdict) -> Verdict {
    match (fate, verdict) {
        (Fate::Waived(_), _) | (Fate::Softened { .. }, Verdict::Fail) => Verdict::Waived,
        (Fate::Hardened, Verdict::Pass) => Verdict::Fail,
        (_, verdict) => verdict,
    }
}

/// How findings are ordered before anything else: failing, doubtful, waived, warnings.
pub(super) fn order(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Waived => 3,
        Verdict::Inconclusive | Verdict::NotCovered => 1,
        Verdict::Fail => 0,
        Verdict::Pass | Verdict::PassBySilence => 4,
    }
}
