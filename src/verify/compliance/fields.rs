//! Whether a manifest uses a field that a policy names. A field that is not used shows nothing; one of `policy` is a
//! limit, and shows nothing either.

use crate::spec::{
    is_todo,
    manifest::{
        Authorization, ClosedState, Criticality, Exception, Expose, Manifest, Metadata, Target, Unlisted,
        Vantage,
    },
};

/// Whether one of the targets, or the manifest as a whole, uses `map.key`.
pub(super) fn used(field: &str, manifest: &Manifest, targets: &[(usize, &Target)]) -> bool {
    let Some((map, key)) = field.split_once('.') else { return false };
    match map {
        "metadata" => of_metadata(key, &manifest.metadata),
        "authorization" => of_authorization(key, &manifest.authorization),
        "vantages" => manifest.vantages.values().any(|vantage| of_vantage(key, vantage)),
        // What is inherited is written at the entry by now, and nobody knows from where.
        "defaults" | "services" | "targets" | "expose" => targets
            .iter()
            .any(|(_, target)| of_target(key, target) || target.expose.iter().any(|it| of_entry(key, it))),
        "deny" => targets.iter().flat_map(|(_, target)| &target.deny).any(|deny| match key {
            "port" => true,
            "reason" => written(deny.reason.as_ref()),
            "severity" => deny.severity.is_some(),
            _ => false,
        }),
        "exceptions" => manifest.exceptions.iter().any(|exception| {
            targets.iter().any(|(_, target)| target.id == exception.target) && of_exception(key, exception)
        }),
        _ => false,
    }
}

fn written(text: Option<&String>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty() && !is_todo(text))
}

fn of_metadata(key: &str, metadata: &Metadata) -> bool {
    match key {
        "name" => written(metadata.name.as_ref()),
        "owner" => written(metadata.owner.as_ref()),
        "contact" => written(metadata.contact.as_ref()),
        "environment" => written(metadata.environment.as_ref()),
        "review" => metadata.last_review.is_some() && metadata.review_every.is_some(),
        _ => false,
    }
}

fn of_authorization(key: &str, authorization: &Authorization) -> bool {
    match key {
        "reference" => written(authorization.reference.as_ref()),
        "authorized_by" => written(authorization.authorized_by.as_ref()),
        "valid_until" => authorization.valid_until.is_some(),
        "scope" => !authorization.implied,
        "exclude" => !authorization.scope.exclude.is_empty(),
        "max_rate" => authorization.max_rate.is_some(),
        _ => false,
    }
}

fn of_vantage(key: &str, vantage: &Vantage) -> bool {
    match key {
        "sources" => !vantage.sources.is_empty(),
        "families" => !vantage.families.is_empty(),
        "blind" => !vantage.blind.is_empty(),
        _ => false,
    }
}

fn of_target(key: &str, target: &Target) -> bool {
    match key {
        "id" | "hosts" | "families" => true,
        "expect_dns" => !target.expect_dns.is_empty(),
        "profiles" => !target.profiles.is_empty(),
        "tags" => !target.tags.is_empty(),
        "owner" => written(target.owner.as_ref()),
        "expose" => !target.expose.is_empty(),
        "deny" => !target.deny.is_empty(),
        "tcp" => !target.tcp.is_empty(),
        "udp" => !target.udp.is_empty(),
        "unlisted" => target.unlisted == Unlisted::Deny,
        "rate" => target.rate.is_some(),
        "expect_dark" => target.hosts.iter().any(|entry| target.expects_dark(&entry.host)),
        "closed_state" => target.closed_state != ClosedState::Any,
        "criticality" => target.criticality != Criticality::Normal,
        "stores_cardholder_data" => target.stores_cardholder_data,
        "controls" => !target.controls.is_empty(),
        _ => false,
    }
}

fn of_entry(key: &str, entry: &Expose) -> bool {
    match key {
        "port" | "presence" => true,
        "from" => !entry.from.is_empty(),
        "service" => written(entry.service.as_ref()),
        "tls" => entry.tls.is_some(),
        "banner" => written(entry.banner.as_ref()),
        "owner" => written(entry.owner.as_ref()),
        "justification" => written(entry.justification.as_ref()),
        "approved_by" => written(entry.approved_by.as_ref()),
        "approved_on" => entry.approved_on.is_some(),
        "ticket" => written(entry.ticket.as_ref()),
        "review_by" => entry.review_by.is_some(),
        "insecure" => entry.insecure,
        "security_features" => written(entry.security_features.as_ref()),
        "controls" => !entry.controls.is_empty(),
        _ => false,
    }
}

fn of_exception(key: &str, exception: &Exception) -> bool {
    match key {
        "id" | "match" | "expires" => true,
        "reason" => !is_todo(&exception.reason),
        "requested_by" => written(exception.requested_by.as_ref()),
        "requested_on" => exception.requested_on.is_some(),
        "approved_by" => written(exception.approved_by.as_ref()),
        "approved_on" => exception.approved_on.is_some(),
        "ticket" => written(exception.ticket.as_ref()),
        "compensating_control" => written(exception.compensating_control.as_ref()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, profile::Profiles};

    struct NoFiles;
    impl spec::Files for NoFiles {
        fn read(&self, path: &str) -> Result<String, String> {
            Err(path.to_owned())
        }
        fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
            Err(pattern.to_owned())
        }
    }

    const ALL: &str = "portproof: 1
metadata: {name: n, owner: o, contact: c, environment: e, review: {last: 2026-09-01, every: 180d}}
authorization: {reference: R, authorized_by: a, valid_until: 2027-01-01, scope: [192.0.2.0/24], exclude: [192.0.2.9], max_rate: 9}
vantage: internet
vantages: {internet: {sources: [198.51.100.4], blind: [25/tcp]}}
targets:
  - id: a
    hosts: [192.0.2.0/30]
    expect_dns: [192.0.2.1]
    profiles: [web-server]
    owner: me
    closed_state: closed
    expect_dark: true
    stores_cardholder_data: true
    deny: [3306]
    expose:
      - {port: 443, presence: optional, from: [internet], service: https, tls: {profile: modern}, banner: b, justification: j, approved_by: b, approved_on: 2026-09-01, ticket: T, review_by: 2026-12-01, insecure: true, security_features: f, controls: ['x:1']}
exceptions:
  - {id: E, match: {target: a, rule: EXP010}, reason: r, requested_by: a, requested_on: 2026-09-01, approved_by: b, approved_on: 2026-09-01, ticket: T, compensating_control: c, expires: 2026-10-01}
";

    #[test]
    fn every_field_that_a_policy_names_can_be_used_and_none_is_used_by_a_bare_manifest() {
        let profiles = Profiles::builtin().unwrap();
        let read = |text: &str| {
            spec::read("m.yaml", text, &profiles, &NoFiles).unwrap_or_else(|wrong| panic!("{wrong}"))
        };
        let full = read(ALL);
        let bare = read("portproof: 1\ntargets: [{hosts: [192.0.2.1], udp: none, owner: TODO, deny: []}]\n");
        let all = |manifest: &Manifest, field: &str| {
            let targets: Vec<(usize, &Target)> = manifest.targets.iter().enumerate().collect();
            used(field, manifest, &targets)
        };
        let controls = profiles.policies().flat_map(|policy| &policy.controls);
        for field in controls.flat_map(|control| &control.fields) {
            assert_eq!(all(&full, field), !field.starts_with("policy."), "{field}");
            // These have a value though nobody writes one.
            let given = ["targets.hosts", "defaults.tcp", "defaults.unlisted"].contains(&field.as_str());
            assert_eq!(all(&bare, field), given, "{field}");
        }
    }
}
