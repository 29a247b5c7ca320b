//! Everything before the first probe: manifest, selection, names, plan. Shared by `verify` and `plan`,
//! so that the plan is what verify does.

use jiff::civil::Date;
use tokio::runtime::Runtime;

use super::{
    args::{HowArgs, SelectArgs},
    datagrams::payloads,
    error::CliError,
    how::{self, How},
    inputs::Input,
    lint::{still_authorized, today},
    load,
    memory::Memory,
    output::{self, Wanted},
    run::runtime,
};
use crate::{
    drive::resolve,
    model::Refusal,
    probe::udp::Payloads,
    spec::{
        manifest::{Manifest, Target},
        plan::{self, Plan, Selection},
        profile::Profiles,
        resolution::Resolution,
    },
};

/// The manifest that verify looks for when none is named.
pub(super) const DEFAULT: &str = "portproof.yaml";

/// A run that could begin.
pub(super) struct Prepared {
    pub(super) profiles: Profiles,
    pub(super) manifest: Manifest,
    pub(super) selection: Selection,
    pub(super) how: How,
    pub(super) at: Date,
    pub(super) resolution: Resolution,
    pub(super) plan: Plan,
    /// What is said over UDP.
    pub(super) payloads: Payloads,
    pub(super) runtime: Runtime,
    pub(super) memory: Memory,
}

impl Prepared {
    /// Reads, checks, resolves and plans. Nothing but DNS is sent.
    pub(super) fn new(
        what: &[String],
        expect: Option<&str>,
        how: &HowArgs,
        select: &SelectArgs,
        wanted: &[Wanted],
        (colour, quiet): (bool, bool),
    ) -> Result<Self, CliError> {
        let profiles = load::profiles(select.profile_dir.as_deref())?;
        let manifest = named(what, expect, select, &profiles, wanted, colour)?;
        still_authorized(&manifest, today())?;
        let memory = Memory::open(how, quiet)?;
        let mut how = How::new(how)?;
        how.seed = memory.seed(how.seed);
        how.rate.run = [how.rate.run, manifest.authorization.max_rate].into_iter().flatten().min();
        let mut selection = how::selection(select, how.families.clone(), how.vantage.clone(), &profiles)?;
        selection.interface.clone_from(&how.origin.interface);
        let at = how::day(select.at.as_deref(), today())?;
        let runtime = runtime(&how)?;
        let names = plan::names(&manifest, &selection).map_err(CliError::usage)?;
        let resolution = match memory.resolution(&names)? {
            Some(known) => known,
            None => {
                runtime.block_on(resolve::resolve(&names, &how.resolvers)).map_err(CliError::environment)?
            }
        };
        if resolution.is_dead() {
            let servers = resolution.servers.join(", ");
            let error = CliError::environment(format!("no name server answered anything ({servers})"));
            return Err(error.hint("check the network, or name a server with --resolver ADDRESS"));
        }
        let plan = planned(&manifest, &resolution, &selection, &profiles)?;
        how.find_links(&plan.zones)?;
        let payloads = payloads(&manifest, &profiles);
        Ok(Self { profiles, manifest, selection, how, at, resolution, plan, payloads, runtime, memory })
    }
}

/// The manifest that was named, or that `--expect` means. No report may take the place of what it includes.
pub(super) fn named(
    what: &[String],
    expect: Option<&str>,
    select: &SelectArgs,
    profiles: &Profiles,
    wanted: &[Wanted],
    colour: bool,
) -> Result<Manifest, CliError> {
    let (mut manifest, included) = match (expect, what) {
        (Some(ports), hosts) => (load::expected(ports, hosts, profiles, colour)?, Vec::new()),
        (None, []) => load::manifest(DEFAULT, profiles, colour)?,
        (None, [path]) => load::manifest(path, profiles, colour)?,
        (None, [_, second, ..]) => {
            let error = CliError::usage(format!("one manifest at a time: what is `{second}`?"));
            return Err(error.hint("to verify hosts without a manifest, say --expect PORTS HOST..."));
        }
    };
    let included: Vec<Input> =
        included.into_iter().map(|path| Input::new("what the manifest reads", path)).collect();
    output::spare(wanted, &included)?;
    load::replace_hosts(&mut manifest, &select.hosts)?;
    Ok(manifest)
}

/// The plan, in which there is something to verify.
pub(super) fn planned(
    manifest: &Manifest,
    resolution: &Resolution,
    selection: &Selection,
    profiles: &Profiles,
) -> Result<Plan, CliError> {
    let forbidden = |target: &Target, protocol| load::denied_by_roles(profiles, &target.profiles, protocol);
    let plan = plan::plan(manifest, resolution, selection, &forbidden).map_err(CliError::usage)?;
    something_to_verify(&plan, resolution, selection)?;
    Ok(plan)
}

/// A run without an endpoint shows nothing. Where DNS is why, the findings say so; anything else is a
/// slip of who asked, and must not look like a result.
fn something_to_verify(plan: &Plan, resolution: &Resolution, selection: &Selection) -> Result<(), CliError> {
    let answers = &resolution.answers;
    let unresolved = !answers.is_empty() && answers.iter().all(|answer| answer.addresses.is_empty());
    let led_astray = plan.refused.iter().any(|refused| !matches!(refused.why, Refusal::Excluded(_)));
    if plan.groups.iter().any(|group| group.planned() > 0) || unresolved || led_astray {
        return Ok(());
    }
    let flags: Vec<&str> = [
        ("--tcp", selection.tcp.is_some()),
        ("--udp", selection.udp.is_some()),
        ("--families", selection.families.is_some()),
        ("--exclude", !selection.exclude.is_empty()),
        ("--only", !selection.only.is_empty()),
    ]
    .into_iter()
    .filter_map(|(flag, given)| given.then_some(flag))
    .collect();
    let what = if plan.groups.is_empty() { "no address" } else { "no port" };
    let error = CliError::usage(format!("nothing to verify: {what} is left to ask"));
    Err(if flags.is_empty() {
        error.hint("say under `tcp:` or `expose:` which ports to ask, and check `authorization.exclude`")
    } else {
        error.hint(format!("{} left nothing of the manifest; ask for more", flags.join(" and ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Family,
        spec::resolution::{DnsOutcome, NameAnswer},
    };

    #[test]
    fn a_plan_without_endpoints_is_refused_unless_dns_is_why() {
        let (plan, everything) = (Plan::default(), Selection::default());
        let silent = Resolution::default();
        let narrowed = Selection { families: Some(vec![Family::Ipv6]), ..Selection::default() };
        let said = something_to_verify(&plan, &silent, &narrowed).unwrap_err().to_string();
        assert!(said.contains("nothing to verify") && said.contains("--families"), "{said}");
        assert!(something_to_verify(&plan, &silent, &everything).is_err());
        let gone = NameAnswer {
            name: "gone.example".to_owned(),
            family: Family::Ipv4,
            outcome: DnsOutcome::NxDomain,
            addresses: vec![],
            chain: vec![],
            ttl: None,
        };
        let unresolved = Resolution { servers: vec![], answers: vec![gone] };
        assert!(something_to_verify(&plan, &unresolved, &everything).is_ok(), "a finding will say it");
    }
}
