//! After the scan: who answers on what is open. The rates, the deadline and the signals of the run hold here too.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{
    error::CliError,
    how::How,
    output,
    prepare::Prepared,
    run::{Ran, Stop, Stops, Tallies},
};
use crate::{
    drive::{
        Clock,
        identify::{Caller, Callers, Check, Roots},
        provenance, raise_descriptor_limit,
    },
    identify::Portrait,
    model::{Endpoint, Family, Observation, Protocol, State},
    report::count,
    spec::{
        manifest::{Expose, Host, Manifest},
        plan::{Owner, Plan},
        profile::Profiles,
    },
};

/// Whom the manifest trusts instead of the public web, by file as written.
pub(super) type Authorities = BTreeMap<PathBuf, Roots>;

/// Reads every `ca_file` of the manifest; a path is relative to the manifest.
pub(super) fn authorities(manifest: &Manifest) -> Result<Authorities, CliError> {
    let beside = manifest.path.as_deref().and_then(Path::parent).unwrap_or_else(|| Path::new(""));
    let entries = manifest.targets.iter().flat_map(|target| &target.expose);
    let mut authorities = Authorities::new();
    for entry in entries {
        let Some(file) = entry.tls.as_ref().and_then(|tls| tls.ca_file.as_ref()) else { continue };
        if !authorities.contains_key(file) {
            let roots = Roots::read(&beside.join(file)).map_err(|error| {
                CliError::usage(format!("{}: ca_file: {error}", entry.place))
                    .hint("a file of certificates in PEM; its path is relative to the manifest")
            })?;
            authorities.insert(file.clone(), roots);
        }
    }
    Ok(authorities)
}

/// The most endpoints of an address that are talked to although nothing declares them.
const SURPRISES: usize = 256;
/// So many of them may be open although most ports of the address are.
const FEW: usize = 16;

/// Whom to talk to: every open TCP endpoint, with what its owners declare of it. Where an address answers on
/// everything, only what is declared there: what the others say is said by whatever is in between.
pub(super) fn callers(
    prepared: &Prepared,
    authorities: &Authorities,
    observations: &[Observation],
    tallies: &Tallies,
) -> Vec<Caller> {
    let vantage = prepared.selection.vantage.as_deref().or(prepared.manifest.vantage.as_deref());
    let open = observations
        .iter()
        .filter(|seen| seen.state == State::Open && seen.endpoint.protocol == Protocol::Tcp);
    let known = (&prepared.manifest, authorities);
    let all = open.map(|seen| caller(&prepared.plan, known, &prepared.profiles, vantage, seen.endpoint));
    let (declared, others): (Vec<_>, Vec<_>) = all.partition(|(_, is_declared)| *is_declared);
    let mut surprises: BTreeMap<IpAddr, Vec<Caller>> = BTreeMap::new();
    for (caller, _) in others {
        surprises.entry(caller.endpoint.address).or_default().push(caller);
    }
    surprises.retain(|address, callers| {
        let Some(tally) = tallies.get(&(*address, Protocol::Tcp)) else { return true };
        let determined = tally.states.total().saturating_sub(tally.states.unknown);
        let most_are_open = callers.len() > FEW && callers.len() as u64 * 2 > determined;
        !most_are_open && !tally.controls.unwrap_or_default().show_everything_open()
    });
    let surprises = surprises.into_values().flat_map(|callers| callers.into_iter().take(SURPRISES));
    declared.into_iter().map(|(caller, _)| caller).chain(surprises).collect()
}

/// Those who replied over UDP and whose TLS is to be looked at; as few of an address as over TCP.
pub(super) fn secured(
    prepared: &Prepared,
    authorities: &Authorities,
    portraits: &BTreeMap<Endpoint, Portrait>,
) -> Vec<Caller> {
    let vantage = prepared.selection.vantage.as_deref().or(prepared.manifest.vantage.as_deref());
    let known = (&prepared.manifest, authorities);
    let mut of_address: BTreeMap<IpAddr, usize> = BTreeMap::new();
    let mut callers = Vec::new();
    for (&endpoint, portrait) in portraits.iter().filter(|(_, portrait)| portrait.encrypted) {
        let (caller, is_declared) = caller(&prepared.plan, known, &prepared.profiles, vantage, endpoint);
        let others = of_address.entry(endpoint.address).or_default();
        *others += usize::from(!is_declared);
        if is_declared || *others <= FEW {
            callers.push(Caller { known: Some(portrait.clone()), ..caller });
        }
    }
    callers
}

/// One of them, and whether somebody declares it.
pub(super) fn caller(
    plan: &Plan,
    (manifest, authorities): (&Manifest, &Authorities),
    profiles: &Profiles,
    vantage: Option<&str>,
    endpoint: Endpoint,
) -> (Caller, bool) {
    let groups = plan.groups.iter().filter(|group| group.permit.range().contains(endpoint.address));
    let owners: Vec<_> = groups.flat_map(|group| &group.owners).collect();
    let holds = |entry: &&Expose| {
        entry.protocol == endpoint.protocol
            && entry.ports.contains(endpoint.port)
            && entry.holds(Family::of(endpoint.address), vantage)
    };
    let claim_of = |owner: &Owner| {
        let entries = &manifest.targets.get(owner.target)?.expose;
        entries.iter().find(holds)
    };
    let claims: Vec<&Expose> = owners.iter().filter_map(|owner| claim_of(owner)).collect();
    let declared = claims.iter().find_map(|entry| entry.service.as_deref());
    let name_of = |owner: &Owner| match &manifest.targets.get(owner.target)?.hosts.get(owner.host)?.host {
        Host::Name(name) => Some(name.clone()),
        _ => None,
    };
    let mut names: Vec<String> = owners.iter().filter_map(|owner| name_of(owner)).collect();
    names.sort_unstable();
    names.dedup();
    let checks = owners.iter().filter_map(|owner| {
        let tls = claim_of(owner)?.tls.as_ref()?;
        let roots = tls.ca_file.as_ref().and_then(|file| authorities.get(file)).cloned();
        Some(Check {
            name: name_of(owner),
            roots: roots.unwrap_or_else(Roots::web),
            wants_survey: tls.profile.is_some(),
        })
    });
    let rates = owners.iter().filter_map(|owner| manifest.targets.get(owner.target)?.rate);
    let caller = Caller {
        endpoint,
        usual: profiles.service_name(endpoint.protocol, endpoint.port).map(str::to_owned),
        declared: declared.map(|name| profiles.service_of(name).to_owned()),
        names,
        checks: checks.collect(),
        rate: rates.min(),
        known: None,
    };
    (caller, !claims.is_empty())
}

/// Talks to them, unless the run was stopped before; one that is stopped here is partial as well. `see` gets what
/// is known of each.
pub(super) async fn talk(
    callers: Vec<Caller>,
    how: &How,
    clock: Clock,
    ran: &mut Ran,
    see: &mut dyn FnMut(Endpoint, Portrait),
) -> Result<(), CliError> {
    if ran.stop != Stop::Complete || callers.is_empty() {
        return Ok(());
    }
    let random = provenance::random_octets()
        .map_err(|error| CliError::environment(format!("the system gives no random numbers: {error}")))?;
    let began = clock.now();
    let mut stops = Stops::new(how.deadline.map(|deadline| deadline.saturating_sub(ran.took)))?;
    let (total, mut known) = (callers.len(), 0);
    let line = Callers::new(clock, how.origin.clone(), how.rate, raise_descriptor_limit());
    let mut count_and_see = |endpoint, portrait| {
        known += 1;
        see(endpoint, portrait);
    };
    {
        let talking = line.talk(callers, random, &mut count_and_see);
        tokio::pin!(talking);
        tokio::select! {
            connections = &mut talking => ran.connections = connections,
            stop = stops.wait() => {
                ran.stop = stop;
                line.stop();
                ran.connections = talking.await;
            }
        }
    }
    if known < total && ran.stop == Stop::Complete {
        let lost = count(u64::try_from(total - known).unwrap_or(u64::MAX), "endpoint", "endpoints");
        output::say(&format!("{lost} could not be talked to: an error of this program"));
    }
    let ended = clock.now();
    ran.took += ended - began;
    ran.ended = ended;
    Ok(())
}
