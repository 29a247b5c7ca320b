//! What a run shows of the controls of each policy that its manifest names. It supports evidence or
//! contradicts it; it never says that a control is met, and any doubt leaves it undetermined.

mod ahead;
mod fields;
mod ground;
mod needs;
mod trials;

use serde::{Deserialize, Serialize};

use self::ground::{Ground, concerns};
use super::{Case, Finding, Judgement, words};
use crate::{
    model::{Kind, Level, Verdict},
    spec::profile::{Control, Only, PolicyProfile, Support},
};

/// What a run shows of one policy.
#[derive(Clone, Debug)]
pub struct Compliance {
    /// Index into `Policy::uses` of the manifest.
    pub policy: usize,
    /// One per control of the policy, in its order.
    pub controls: Vec<ControlJudgement>,
}

/// What a run shows of one control.
#[derive(Clone, Debug)]
pub struct ControlJudgement {
    /// In one word.
    pub status: Status,
    /// How far this run could support it: never in full where not every port was asked of which it speaks.
    pub support: Support,
    /// Why, a sentence each.
    pub because: Vec<String>,
    /// Indices into [`Judgement::findings`]: those that bear on it.
    pub findings: Vec<usize>,
}

/// What a run shows of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Evidence of this run supports it, and nothing speaks against it.
    Supported,
    /// Failing findings bear on it.
    Contradicted,
    /// Doubt, a waiver or a gap bears on it, or no run can show it.
    Undetermined,
}

impl Status {
    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Contradicted => "contradicted",
            Self::Undetermined => "undetermined",
        }
    }
}

/// Judges every control of every policy that the manifest names.
pub(super) fn judge(case: &Case<'_>, judgement: &Judgement) -> Vec<Compliance> {
    if case.manifest.policy.uses.is_empty() {
        return Vec::new();
    }
    let all = Ground::of(case, judgement, None);
    let card_data = Ground::of(case, judgement, Some(Only::StoresCardholderData));
    let view = |control: &Control| {
        let ground = if control.only.is_some() { &card_data } else { &all };
        View { case, judgement, ground }.control(control)
    };
    let of = |profile: &PolicyProfile| profile.controls.iter().map(view).collect();
    let policies = case.manifest.policy.uses.iter().enumerate();
    policies.map(|(policy, profile)| Compliance { policy, controls: of(profile) }).collect()
}

struct View<'c> {
    case: &'c Case<'c>,
    judgement: &'c Judgement,
    /// What the control is about.
    ground: &'c Ground<'c>,
}

impl View<'_> {
    fn control(&self, control: &Control) -> ControlJudgement {
        let mut judged = self.judged(control);
        // What no run shows is shown as of no day.
        if let Some(day) = self.case.context.named_day.filter(|_| control.support != Support::None) {
            judged.because.push(format!("Paperwork was judged as of {day} (--at)."));
        }
        judged
    }

    fn judged(&self, control: &Control) -> ControlJudgement {
        let all = self.judgement.findings.iter().enumerate();
        let findings: Vec<usize> =
            all.filter(|(_, finding)| self.bears(finding, control)).map(|(i, _)| i).collect();
        let is_a_part = needs::is_a_part(control, self.ground);
        let support = match control.support {
            Support::Full if is_a_part => Support::Partial,
            support => support,
        };
        let failing = self.verdicts(&findings).filter(|verdict| *verdict == Verdict::Fail).count() as u64;
        if failing > 0 {
            let bear = counted(failing, "failing finding bears", "failing findings bear");
            let mut because = vec![format!("{bear} on it.")];
            because.extend(ahead::yet_to_come(control, self.ground));
            return ControlJudgement { status: Status::Contradicted, support, because, findings };
        }
        let mut because = self.reservations(control, &findings);
        if !because.is_empty() {
            return ControlJudgement { status: Status::Undetermined, support, because, findings };
        }
        because.push("Nothing that fails or is in doubt bears on it.".to_owned());
        because.extend(trials::told(&control.rules, self.ground).unwrap_or_default());
        if is_a_part {
            because.push("Of UDP only some ports were asked.".to_owned());
        }
        ControlJudgement { status: Status::Supported, support, because, findings }
    }

    fn verdicts(&self, findings: &[usize]) -> impl Iterator<Item = Verdict> {
        findings.iter().filter_map(|&i| self.judgement.findings.get(i)).map(|finding| finding.verdict)
    }

    /// Whether a finding is about something that the control asks.
    fn bears(&self, finding: &Finding, control: &Control) -> bool {
        let named = control.rules.iter().any(|rule| rule.id == finding.rule.id);
        let doubt = finding.rule.kind == Kind::Doubt && control.observes();
        let concerned = |t: Option<usize>| {
            t.and_then(|t| self.case.manifest.targets.get(t))
                .is_none_or(|target| concerns(control.only, target))
        };
        let targets = || finding.also.iter().any(|&t| concerned(Some(t))) || concerned(finding.target);
        (named || doubt) && targets()
    }

    /// Everything that keeps a run without failures from supporting the control.
    fn reservations(&self, control: &Control, findings: &[usize]) -> Vec<String> {
        if control.support == Support::None {
            return vec!["No run of portproof can show this.".to_owned()];
        }
        let mut why = self.accepted(control, findings);
        if control.observes() {
            why.extend(self.gaps(control));
        }
        why.extend(self.of_some(control));
        why.extend(ahead::yet_to_come(control, self.ground));
        // About no target there is nothing to hold its needs against.
        if control.only.is_none() || !self.ground.targets.is_empty() {
            why.extend(needs::unmet(control, self.ground));
        }
        why
    }

    /// What stands in the report and does not fail, or was told not to stand there.
    fn accepted(&self, control: &Control, findings: &[usize]) -> Vec<String> {
        let mut why = Vec::new();
        let count = |wanted: &dyn Fn(Verdict) -> bool| {
            self.verdicts(findings).filter(|&verdict| wanted(verdict)).count() as u64
        };
        let waived = count(&|verdict| verdict == Verdict::Waived);
        let doubt = count(&Verdict::is_doubt);
        let warnings = count(&|verdict| verdict.is_pass());
        for (n, one, many) in [
            (waived, "finding that bears on it is waived", "findings that bear on it are waived"),
            (doubt, "doubt bears on it", "doubts bear on it"),
            (warnings, "finding that bears on it only warns", "findings that bear on it only warn"),
        ] {
            if n > 0 {
                why.push(format!("{}.", counted(n, one, many)));
            }
        }
        let off = control.rules.iter().map(|rule| rule.id);
        let off: Vec<&str> =
            off.filter(|id| self.case.context.levels.get(id) == Some(&Level::Allow)).collect();
        if !off.is_empty() {
            why.push(format!("{} switched off (-A).", off.join(", ")));
        }
        why
    }

    /// What the run did not look at.
    fn gaps(&self, control: &Control) -> Vec<String> {
        let Case { manifest, plan, context, seen, .. } = self.case;
        let mut why = Vec::new();
        if seen.partial {
            why.push("The run is partial.".to_owned());
        }
        if context.narrowed || plan.targets.len() < manifest.targets.len() {
            why.push("The operator left a part of the manifest out of this run.".to_owned());
        }
        let verdicts = &self.judgement.verdicts;
        let open = verdicts.inconclusive + verdicts.not_covered;
        if open > 0 {
            let ends = if open == 1 { "endpoint" } else { "endpoints" };
            why.push(format!("{} {ends} of this run could not be determined.", words::number(open)));
        } else if verdicts.total() == 0 {
            why.push("Nothing was asked.".to_owned());
        } else if why.is_empty() && self.judgement.outcome.undetermined {
            why.push("Something of this run could not be determined.".to_owned());
        }
        if control.rules.iter().any(|rule| rule.id == "EXP007") {
            why.extend(self.strangers());
        }
        why
    }

    /// What serves on some open ports is not known, or was judged as undeclared and not as a service: nobody
    /// can say that it is not an insecure one.
    fn strangers(&self) -> Option<String> {
        let known = |endpoint| {
            self.case.seen.portraits.get(endpoint).is_some_and(|portrait| portrait.service().is_some())
        };
        let open = self.ground.open.iter();
        let strange = open.filter(|judged| judged.verdict != Verdict::Pass || !known(&judged.endpoint));
        let n = strange.count() as u64;
        (n > 0).then(|| {
            let ends = counted(n, "open endpoint", "open endpoints");
            format!("Of {ends} it is not known what serves there, or whether it may.")
        })
    }

    /// Of a control about some targets only: whether there are any, and what is open on them. Whether
    /// that is direct access is not a scanner's to say.
    fn of_some(&self, control: &Control) -> Vec<String> {
        let Some(Only::StoresCardholderData) = control.only else { return Vec::new() };
        if !self.case.manifest.targets.iter().any(|target| concerns(control.only, target)) {
            return vec!["No target is marked stores_cardholder_data.".to_owned()];
        }
        match self.ground.open.len() as u64 {
            0 => Vec::new(),
            n => vec![format!(
                "{} open on targets that store cardholder data.",
                counted(n, "endpoint is", "endpoints are")
            )],
        }
    }
}

fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", words::number(n), if n == 1 { one } else { many })
}
