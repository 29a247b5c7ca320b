//! What a judgement asks of the profiles.

use super::Roles;
use crate::{
    model::{Protocol, Severity},
    spec::profile::Profiles,
};

impl Roles for Profiles {
    fn forbids(&self, role: &str, protocol: Protocol, port: u16) -> Option<(Severity, String)> {
        let never = self.role(role)?.forbids(protocol, port)?;
        // A role may say "nothing here" mildly of a wide range; a sensitive port in it is still that.
        let worst = self
            .sensitivity(protocol, port)
            .map_or(never.severity, |sensitive| sensitive.severity.max(never.severity));
        Some((worst, never.why.clone()))
    }

    fn sensitivity(&self, protocol: Protocol, port: u16) -> Option<(Severity, String)> {
        self.sensitivity(protocol, port).map(|sensitive| (sensitive.severity, sensitive.why.clone()))
    }

    fn service_name(&self, protocol: Protocol, port: u16) -> Option<String> {
        self.service_name(protocol, port).map(str::to_owned)
    }

    fn canonical<'s>(&'s self, service: &'s str) -> &'s str {
        self.service_of(service)
    }
}
