//! What a target declares and could never reach: a host in a family that the target does not have,
//! an entry in families that none of its hosts can have. Passed over, either would conform unasked.

use super::{
    diagnostic::Diagnostics,
    manifest::{Host, Target},
    read::MarkedTarget,
};
use crate::model::Family;

/// Refuses both within a target.
pub(super) fn within(marked: &MarkedTarget, out: &mut Diagnostics) {
    let target = &marked.target;
    for (entry, at) in target.hosts.iter().zip(&marked.hosts) {
        if out.is_full() {
            return;
        }
        if let Some(family) = target.lacks(&entry.host) {
            let message = format!(
                "{} is an {family} host, and `families` of the target leaves {family} out",
                entry.host
            );
            out.error(*at, message, "add the family to `families`, or remove the host");
        }
    }
    for (entry, at) in target.expose.iter().zip(&marked.expose) {
        // An entry without any family had an error that was reported already.
        let reads = !target.hosts.is_empty() && !entry.families.is_empty();
        if reads && !entry.families.iter().any(|&family| target.may_have(family)) {
            let families: Vec<String> = entry.families.iter().map(ToString::to_string).collect();
            let message = format!(
                "this entry holds for {} only, which no host of the target can have",
                families.join(", ")
            );
            out.error(
                *at,
                message,
                "correct the `families` of the entry or of the target, or add such a host",
            );
        }
    }
}

impl Target {
    /// The family of a literal or a block, where the target's `families` leaves it out: such a host
    /// would never be asked.
    pub fn lacks(&self, host: &Host) -> Option<Family> {
        host.family().filter(|family| !self.families.contains(family))
    }

    /// The family that it leaves out though some host of it may have addresses of that family: a name.
    pub fn leaves_out(&self) -> Option<Family> {
        let has_names = self.hosts.iter().any(|entry| entry.host.family().is_none());
        Family::ALL.into_iter().find(|family| !self.families.contains(family)).filter(|_| has_names)
    }

    /// Whether some host of the target may be asked over a family.
    fn may_have(&self, family: Family) -> bool {
        self.families.contains(&family)
            && self.hosts.iter().any(|entry| entry.host.family().is_none_or(|of| of == family))
    }
}

impl Host {
    /// The family of an address or a block; a name may have either.
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Name(_) => None,
            Self::Address(address) => Some(Family::of(*address)),
            Self::Local { .. } => Some(Family::Ipv6),
            Self::Block(block) => Some(Family::of(block.addr())),
        }
    }
}
