//! What a run says over UDP, by what the manifest declares, and what was said to it.

use std::{collections::BTreeMap, sync::Arc};

use super::error::CliError;
use crate::{
    drive::{
        provenance,
        udp::{Datagrams, Reply},
    },
    identify::{self, Guard, Portrait},
    model::{Endpoint, Protocol, clean},
    probe::udp::{self, Payloads, Udp},
    spec::{
        manifest::{Lint, Manifest, Presence},
        profile::Profiles,
    },
};

/// Which payloads go where: the table's, and on ports for which the manifest declares a service, that
/// service's as well.
pub(super) fn payloads(manifest: &Manifest, profiles: &Profiles) -> Payloads {
    let entries = manifest.targets.iter().flat_map(|target| &target.expose);
    let declared = entries.filter(|entry| entry.protocol == Protocol::Udp).filter_map(|entry| {
        let service = entry.service.as_deref()?;
        Some(entry.ports.iter().map(move |port| (port, profiles.service_of(service))))
    });
    Payloads::new(declared.flatten())
}

/// The mouth for them, with a key of its own.
pub(super) fn datagrams(payloads: &Payloads) -> Result<Arc<Datagrams>, CliError> {
    let key = provenance::key()
        .map_err(|error| CliError::environment(format!("the system gives no random numbers: {error}")))?;
    Ok(Arc::new(Datagrams::new(Udp::new(key, payloads.clone()))))
}

/// What services said of themselves: as text, and as what it shows of them.
pub(super) fn said(datagrams: &Datagrams) -> (BTreeMap<Endpoint, String>, BTreeMap<Endpoint, Portrait>) {
    let (mut banners, mut portraits) = (BTreeMap::new(), BTreeMap::new());
    for (endpoint, replies) in datagrams.take() {
        let said: Vec<String> = replies.iter().map(spoken).collect();
        banners.insert(endpoint, said.join(" | "));
        let known = replies
            .iter()
            .filter_map(|reply| Some(Portrait::of_reply(udp::service(reply.payload)?, &reply.octets)));
        // Of several answers the one that gives most away.
        portraits.extend(known.max_by_key(openness).map(|portrait| (endpoint, portrait)));
    }
    (banners, portraits)
}

fn openness(portrait: &Portrait) -> (u8, bool) {
    let guard = match portrait.guard() {
        Guard::Open(_) => 2,
        Guard::Cleartext(_) => 1,
        Guard::Untold | Guard::Unasked | Guard::Upgradable => 0,
    };
    (guard, portrait.banner().is_some())
}

/// A reply as a person may read it.
fn spoken(reply: &Reply) -> String {
    let identity = udp::service(reply.payload).and_then(|service| identify::datagram(service, &reply.octets));
    if let Some(identity) = identity {
        return identity.line();
    }
    let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
    if !reply.octets.is_empty() && reply.octets.iter().all(is_text) {
        return clean(&String::from_utf8_lossy(&reply.octets));
    }
    identify::hexadecimal(&reply.octets)
}

/// Required UDP endpoints that can never pass: nobody knows what would be answered there.
pub(super) fn unprovable(manifest: &Manifest, profiles: &Profiles) -> Vec<Lint> {
    let mut lints = Vec::new();
    for target in &manifest.targets {
        let entries = target.expose.iter();
        for entry in
            entries.filter(|entry| entry.protocol == Protocol::Udp && entry.presence == Presence::Required)
        {
            let declared = entry.service.as_deref().map(|name| profiles.service_of(name));
            // What is declared is what must reply, whatever else the port is asked.
            let silent = |port: &u16| {
                declared.map_or_else(|| !udp::has_payload(*port), |name| !udp::is_answered_by(name))
            };
            let Some(port) = entry.ports.iter().find(silent) else { continue };
            let usual = declared.or_else(|| profiles.service_name(Protocol::Udp, port));
            let why = match (usual, usual.and_then(udp::why_mute)) {
                (Some(name), Some(why)) => format!("{name} never answers a stranger: {why}"),
                (Some(name), None) => format!("no question is known that {name} answers"),
                (None, _) => {
                    "nothing says what is there, and no question is known that it answers".to_owned()
                }
            };
            lints.push(Lint {
                rule: "MAN017",
                target: Some(target.id.clone()),
                subject: Some(format!("{port}/udp")),
                place: entry.place.clone(),
                message: format!("{port}/udp is required and can never be proven: {why}"),
            });
        }
    }
    lints
}
