//! What a control needs and this run or this manifest does not have, each in a sentence: as long as there is one,
//! nothing supports the control.

use std::net::IpAddr;

use super::{counted, fields, ground::Ground, trials};
use crate::{
    model::{PortSet, Protocol},
    spec::{
        plan::Group,
        profile::{Control, Need},
    },
};

/// What keeps the control from being supported.
pub(super) fn unmet(control: &Control, ground: &Ground<'_>) -> Vec<String> {
    let mut why: Vec<String> =
        control.needs.iter().filter_map(|need| missing(need, control, ground)).collect();
    // Whether or not a policy asks for it: what nobody declared is looked for on the ports that were asked.
    if !control.needs.contains(&Need::Tcp) && control.rules.iter().any(|rule| rule.id == "EXP001") {
        why.extend(missing(&Need::Tcp, control, ground));
    }
    if why.is_empty() && !declares(control, ground) && trials::told(&control.rules, ground).is_none() {
        let fields = if control.fields.is_empty() {
            String::new()
        } else {
            format!(" The manifest uses none of {}.", control.fields.join(", "))
        };
        why.push(format!("None of its rules was tried on anything.{fields}"));
    }
    why
}

/// Whether the control speaks of ports as a whole and not each UDP port was asked, as good as always: then a run shows
/// a part of it at most.
pub(super) fn is_a_part(control: &Control, ground: &Ground<'_>) -> bool {
    control.needs.contains(&Need::Udp) && ground.targets_with(|group| !is_whole(group, Protocol::Udp)) > 0
}

fn is_whole(group: &Group, protocol: Protocol) -> bool {
    PortSet::all().difference(&group.ask(protocol).planned()).is_empty()
}

fn declares(control: &Control, ground: &Ground<'_>) -> bool {
    control.fields.iter().any(|field| fields::used(field, ground.case.manifest, &ground.targets))
}

fn missing(need: &Need, control: &Control, ground: &Ground<'_>) -> Option<String> {
    match need {
        Need::Declared => (!declares(control, ground)).then(|| {
            format!(
                "The manifest uses none of {}: nothing of the kind is declared.",
                control.fields.join(", ")
            )
        }),
        Need::Field(field) => (!fields::used(field, ground.case.manifest, &ground.targets))
            .then(|| format!("The manifest does not use {field}: nothing of the kind is declared.")),
        Need::Tcp => {
            let some = ground.targets_with(|group| !is_whole(group, Protocol::Tcp));
            (some > 0)
                .then(|| format!("Not every TCP port was asked of {}.", counted(some, "target", "targets")))
        }
        Need::Udp => {
            let some = ground.targets_with(|group| group.udp.rest.is_empty());
            (some > 0).then(|| {
                let targets = counted(some, "target", "targets");
                format!("UDP was not asked of {targets}, but for ports that the manifest names.")
            })
        }
        Need::Previous => unfollowed(ground),
        Need::Outside => inside(ground),
    }
}

/// Why no earlier report shows that this was watched over time.
fn unfollowed(ground: &Ground<'_>) -> Option<String> {
    let context = ground.case.context;
    let Some(previous) = context.previous else {
        return Some(
            "This report follows no earlier one (--baseline): one run shows no watching over time."
                .to_owned(),
        );
    };
    if !previous.caveats.is_empty() {
        return Some(format!(
            "The report that this one follows is an odd one: {}.",
            previous.caveats.join("; ")
        ));
    }
    let age = ground.case.manifest.policy.max_age?;
    let late = previous.ended.checked_add(age).is_ok_and(|due| due < context.now);
    late.then(|| {
        let days = age.as_secs() / 86_400;
        format!(
            "The run before this one ended at {:.0}, longer ago than the {days} days of the policy.",
            previous.ended
        )
    })
}

/// Why this is not known to be the view from outside.
fn inside(ground: &Ground<'_>) -> Option<String> {
    let context = ground.case.context;
    let Some(vantage) = context.vantage else {
        return Some("No vantage is named: nothing says that this is seen from outside.".to_owned());
    };
    let declared = ground.case.manifest.vantages.get(vantage).map_or(&[][..], |known| &known.sources);
    let sources = if context.sources.is_empty() { declared } else { context.sources };
    if sources.is_empty() {
        return Some(format!("From which address vantage {vantage} asks is not known."));
    }
    let probed = |source: &IpAddr| ground.addresses.iter().any(|probed| probed.address == *source);
    let own = sources.iter().find(|source| source.to_canonical().is_loopback() || probed(source))?;
    Some(format!("Vantage {vantage} asked from {own}, which is the scanned machine itself and not outside."))
}
