//! What a run says over UDP, by what the manifest declares, and what was said to it.

use std::sync::Arc;

use super::error::CliError;
use crate::{
    drive::{provenance, udp::Datagrams},
    model::Protocol,
    probe::udp::{Payloads, Udp},
    spec::manifest::Manifest,
};

/// Which payloads go where: the table's, and on ports for which the manifest declares a service, that
/// service's as well.
pub(super) fn payloads(manifest: &Manifest) -> Payloads {
    let entries = manifest.targets.iter().flat_map(|target| &target.expose);
    let declared = entries.filter(|entry| entry.protocol == Protocol::Udp).filter_map(|entry| {
        let service = entry.service.as_deref()?;
        Some(entry.ports.iter().map(move |port| (port, service)))
    });
    Payloads::new(declared.flatten())
}

/// The mouth for them, with a key of its own.
pub(super) fn datagrams(manifest: &Manifest) -> Result<Arc<Datagrams>, CliError> {
    let key = provenance::key()
        .map_err(|error| CliError::environment(format!("the system gives no random numbers: {error}")))?;
    Ok(Arc::new(Datagrams::new(Udp::new(key, payloads(manifest)))))
}
