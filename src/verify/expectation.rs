//! What the manifest expects of one endpoint, over every target that claims its address.

use super::{Case, table::Expected};
use crate::{
    model::{Family, PortSet, Protocol, Severity, rule},
    spec::{
        manifest::{Expose, Place, Presence, Target, Unlisted},
        plan::{Group, Owner},
    },
};

/// What every owner of an address says about one endpoint there.
pub(super) struct Expectation<'a> {
    /// Entries that hold here, one a target: required ones first.
    pub(super) claims: Vec<Claim<'a>>,
    /// The worst denial.
    pub(super) denial: Option<Denial>,
}

/// A target exposes the endpoint.
pub(super) struct Claim<'a> {
    pub(super) owner: Owner,
    pub(super) target: &'a Target,
    pub(super) entry: &'a Expose,
}

/// A target, or a role of it, denies the endpoint.
pub(super) struct Denial {
    pub(super) owner: Owner,
    pub(super) severity: Severity,
    /// As a clause: `target www denies it`, and why.
    pub(super) says: String,
    pub(super) place: Place,
}

impl Expectation<'_> {
    /// What the table is asked. Where one target requires what another denies, open is forbidden and
    /// not open is missing: a contradiction is never a pass.
    pub(super) fn of(&self, open: bool) -> Expected {
        let first = self.claims.first().map(|claim| claim.entry.presence);
        match (&self.denial, first) {
            (Some(_), _) if open => Expected::Denied,
            (_, Some(Presence::Required)) => Expected::Required,
            (Some(_), _) => Expected::Denied,
            (None, Some(Presence::Optional)) => Expected::Optional,
            (None, None) => Expected::Undeclared,
        }
    }

    /// Whether some entry requires it.
    pub(super) fn is_required(&self) -> bool {
        self.claims.iter().any(|claim| claim.entry.presence == Presence::Required)
    }

    /// Whether any entry holds here.
    pub(super) fn is_exposed(&self) -> bool {
        !self.claims.is_empty()
    }
}

impl<'a> Case<'a> {
    /// The owners of a group, each target once.
    pub(super) fn owners(&self, group: &Group) -> Vec<(Owner, &'a Target)> {
        let mut owners: Vec<(Owner, &'a Target)> = Vec::new();
        for &owner in &group.owners {
            let Some(target) = self.manifest.targets.get(owner.target) else { continue };
            if !owners.iter().any(|(known, _)| known.target == owner.target) {
                owners.push((owner, target));
            }
        }
        owners
    }

    /// Whether an entry holds for this family, seen from here.
    pub(super) fn holds(&self, entry: &Expose, family: Family) -> bool {
        entry.holds(family, self.context.vantage)
    }

    /// Whether an entry holds for a family that the operator left in the run.
    pub(super) fn is_asked(&self, entry: &Expose, family: Family) -> bool {
        self.context.families.contains(&family) && self.holds(entry, family)
    }

    pub(super) fn expectation(&self, group: &Group, protocol: Protocol, port: u16) -> Expectation<'a> {
        let family = group.permit.range().family();
        let mut claims = Vec::new();
        let mut denial: Option<Denial> = None;
        for (owner, target) in self.owners(group) {
            // A port declared twice: the first entry that holds here counts (MAN008).
            let entry = target.expose.iter().find(|entry| {
                entry.protocol == protocol && entry.ports.contains(port) && self.holds(entry, family)
            });
            let denied = self.denied(owner, target, protocol, port, entry.is_some());
            if denied
                .as_ref()
                .is_some_and(|new| denial.as_ref().is_none_or(|old| new.severity > old.severity))
            {
                denial = denied;
            }
            claims.extend(entry.map(|entry| Claim { owner, target, entry }));
        }
        claims.sort_by_key(|claim| claim.entry.presence != Presence::Required); // stable: file order within
        Expectation { claims, denial }
    }

    /// The target's own `deny`, else the role that forbids it most. The target's own `expose`
    /// outranks its roles, never its own `deny`.
    fn denied(
        &self,
        owner: Owner,
        target: &Target,
        protocol: Protocol,
        port: u16,
        exposed: bool,
    ) -> Option<Denial> {
        let own = target.deny.iter().find(|deny| deny.protocol == protocol && deny.ports.contains(port));
        if let Some(deny) = own {
            let default = rule("EXP002").map_or(Severity::Critical, |rule| rule.severity);
            let why = deny.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            return Some(Denial {
                owner,
                severity: deny.severity.unwrap_or(default),
                says: format!("target {} denies it{why}", target.id),
                place: deny.place.clone(),
            });
        }
        if exposed {
            return None;
        }
        let forbidding = target.profiles.iter().filter_map(|role| {
            let (severity, why) = self.context.roles.forbids(role, protocol, port)?;
            Some((severity, role, why))
        });
        let (severity, role, why) = forbidding.max_by_key(|(severity, ..)| *severity)?;
        let says = format!("role {role} of target {} forbids it: {why}", target.id);
        Some(Denial { owner, severity, says, place: target.place.clone() })
    }

    /// Ports of a protocol that some owner exposes here.
    pub(super) fn exposed_here(&self, group: &Group, protocol: Protocol) -> PortSet {
        let family = group.permit.range().family();
        self.owners(group)
            .iter()
            .flat_map(|(_, target)| &target.expose)
            .filter(|entry| entry.protocol == protocol && self.holds(entry, family))
            .fold(PortSet::NONE, |all, entry| all.union(&entry.ports))
    }

    /// Whether a target requires anything in one of these families, seen from here.
    pub(super) fn requires(&self, target: &Target, families: &[Family]) -> bool {
        target.expose.iter().any(|entry| {
            entry.presence == Presence::Required && families.iter().any(|&family| self.holds(entry, family))
        })
    }

    /// Whether an undeclared open port is only worth a warning: every owner says so.
    pub(super) fn unlisted_warns(&self, group: &Group) -> bool {
        self.owners(group).iter().all(|(_, target)| target.unlisted == Unlisted::Warn)
    }
}
