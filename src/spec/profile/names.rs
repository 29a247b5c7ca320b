//! What the manifest's reader asks of the profiles.

use super::{PolicyProfile, Profiles};
use crate::{
    model::{PortSet, Protocol},
    spec::read::Names,
};

impl Names for Profiles {
    fn roles(&self) -> Vec<String> {
        self.roles().map(|role| role.name.clone()).collect()
    }

    fn policies(&self) -> Vec<String> {
        self.policies().map(|policy| policy.name.clone()).collect()
    }

    fn policy(&self, name: &str) -> Option<PolicyProfile> {
        self.policy(name).cloned()
    }

    fn services(&self) -> Vec<String> {
        let aliases = self.service_aliases().map(|(alias, _)| alias.to_owned());
        self.services().map(|service| service.name.clone()).chain(aliases).collect()
    }

    fn service_ports(&self, service: &str, protocol: Protocol) -> Option<PortSet> {
        let known = self.knows_service(service);
        let ports =
            self.service_ports(service).into_iter().filter(|(of, _)| *of == protocol).map(|(_, port)| port);
        known.then(|| ports.collect())
    }

    fn common(&self, protocol: Protocol) -> PortSet {
        self.common(protocol).clone()
    }

    fn role_denies(&self, role: &str, protocol: Protocol) -> PortSet {
        self.role(role).map_or(PortSet::NONE, |role| role.forbidden(protocol))
    }
}
