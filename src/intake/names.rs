//! What names resolve to where nobody asks DNS: what the files say, else what the manifest expects, else nothing.

use std::{collections::BTreeSet, net::IpAddr};

use super::{Format, Source};
use crate::{
    model::Family,
    spec::{
        manifest::{Host, Manifest},
        resolution::{DnsOutcome, NameAnswer, Resolution},
    },
};

impl Source {
    /// Adds an address that a name leads to.
    pub(super) fn learn(&mut self, name: &str, address: IpAddr) {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() || name.parse::<IpAddr>().is_ok() {
            return;
        }
        let family = Family::of(address);
        let known = self
            .answers
            .entry((name.clone(), family))
            .or_insert_with(|| answer(&name, family, vec![], DnsOutcome::Answered));
        if let Err(at) = known.addresses.binary_search(&address) {
            known.addresses.insert(at, address);
        }
    }
}

/// Other tools write down which address they scanned for a name, and nmap takes the first of several.
const PART: &str = "only scanned addresses are known, and not whether the name has more";

/// What the latest report says of a name, and what other tools scanned under it since.
fn told<'a>(sources: &[&'a Source], key: &(String, Family)) -> (Option<&'a NameAnswer>, BTreeSet<IpAddr>) {
    let mut scanned = BTreeSet::new();
    for source in sources.iter().rev() {
        let Some(answer) = source.answers.get(key) else { continue };
        if source.format == Format::Report {
            return (Some(answer), scanned);
        }
        scanned.extend(&answer.addresses);
    }
    (None, scanned)
}

/// An answer for each of these names and families, and what a reader should know of it. The later of two reports
/// counts, since it asked DNS; files of other tools add to it. They come in the order of time.
pub fn resolution(
    manifest: &Manifest,
    names: &[(String, Vec<Family>)],
    sources: &[&Source],
) -> (Resolution, Vec<(String, String)>) {
    let mut resolution = Resolution::default();
    let mut remarks = Vec::new();
    for (name, families) in names {
        let mut assumed: BTreeSet<IpAddr> = BTreeSet::new();
        for &family in families {
            let key = (name.clone(), family);
            let (told, scanned) = told(sources, &key);
            let expected = expected(manifest, name, family);
            let all = scanned.union(&expected).copied().collect();
            resolution.answers.push(match told {
                // What was scanned later under the name is its address as well.
                Some(told) => {
                    let mut told = told.clone();
                    let known: BTreeSet<IpAddr> = told.addresses.iter().copied().collect();
                    told.addresses.extend(scanned.difference(&known));
                    if known.is_empty() && !scanned.is_empty() && told.outcome.is_definite() {
                        told.outcome = DnsOutcome::Answered;
                    }
                    told
                }
                None if !expected.is_empty() => {
                    assumed.extend(expected.difference(&scanned));
                    answer(name, family, all, DnsOutcome::Answered)
                }
                None if !scanned.is_empty() => answer(name, family, all, DnsOutcome::Other(PART.to_owned())),
                None => {
                    let nobody = "nothing that is judged says what it resolves to";
                    answer(name, family, vec![], DnsOutcome::Other(nobody.to_owned()))
                }
            });
        }
        if !assumed.is_empty() {
            let addresses: Vec<String> = assumed.iter().map(ToString::to_string).collect();
            let why = "no file says what it resolves to; `expect_dns` of the manifest is taken for it";
            remarks.push((format!("DNS of {name} ({})", addresses.join(", ")), why.to_owned()));
        }
    }
    (resolution, remarks)
}

/// What the targets that have this name list for it.
fn expected(manifest: &Manifest, name: &str, family: Family) -> BTreeSet<IpAddr> {
    let has = |host: &Host| matches!(host, Host::Name(own) if own == name);
    let targets = manifest.targets.iter().filter(|target| target.hosts.iter().any(|entry| has(&entry.host)));
    targets
        .flat_map(|target| target.expect_dns.iter().copied())
        .filter(|address| Family::of(*address) == family)
        .collect()
}

fn answer(name: &str, family: Family, addresses: Vec<IpAddr>, outcome: DnsOutcome) -> NameAnswer {
    NameAnswer { name: name.to_owned(), family, outcome, addresses, chain: Vec::new(), ttl: None }
}
