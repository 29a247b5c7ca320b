//! What the authorization covers. Nothing outside it can be planned, because a plan is made of
//! [`Permit`]s and only [`Scope`] makes them.

use std::{fmt, net::IpAddr};

use ipnet::{IpNet, Ipv6Net};
use thiserror::Error;

use super::{AddressRange, PortSet};

/// A name of the scope: written out, or `*.example.com` for any depth below, the apex excepted.
/// Names are lower case, without the final dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NamePattern {
    /// This name.
    Exact(String),
    /// Every name below this one, not itself.
    Below(String),
}

impl NamePattern {
    /// Whether a name (lower case, no final dot) is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Below(apex) => {
                name.strip_suffix(apex.as_str()).is_some_and(|head| head.len() > 1 && head.ends_with('.'))
            }
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(apex) => write!(f, "*.{apex}"),
        }
    }
}

/// One entry of `authorization.scope` or `authorization.exclude`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ScopeEntry {
    /// A CIDR block, or a literal address as a block of one.
    Block(IpNet),
    /// A name or a wildcard.
    Name(NamePattern),
}

impl fmt::Display for ScopeEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) if block.prefix_len() == block.max_prefix_len() => block.addr().fmt(f),
            Self::Block(block) => block.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// What may be probed. `exclude` always wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// What is authorized.
    pub entries: Vec<ScopeEntry>,
    /// What is not, whatever else says so.
    pub exclude: Vec<ScopeEntry>,
}

/// Which ports of an address a permit covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Authority {
    /// Only the ports that the manifest declares: the address was reached by a wildcard, or through
    /// names that the scope does not hold.
    DeclaredPorts,
    /// Every port.
    AllPorts,
}

/// Why an address is covered; said in plans and reports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// It lies in this block of the scope.
    Block(IpNet),
    /// A name of the scope resolves to it.
    Name(NamePattern),
    /// A name of the scope resolves to it, through names that are not in the scope.
    LeavingChain(String),
    /// It is listed in the target's `expect_dns`.
    Expected,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => ScopeEntry::Block(*block).fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::LeavingChain(name) => {
                write!(f, "declared ports only: the alias chain leaves the scope at {name}")
            }
            Self::Expected => f.write_str("expect_dns"),
        }
    }
}

/// Why an address may not be probed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)] // the message says it
pub enum Refusal {
    #[error("excluded by `{0}`")]
    Excluded(ScopeEntry),
    #[error("outside authorization.scope")]
    OutOfScope,
    #[error("a {0} address, which only a CIDR block or an address in authorization.scope may authorize")]
    Special(&'static str),
    #[error("IPv4 inside of an IPv6 answer (IPv4-mapped), and IPv4 is not among the families asked")]
    Mapped,
}

/// Leave to probe a run of addresses. Only [`Scope`] makes one, and it can only be narrowed.
///
/// ```
/// use portproof::model::{Scope, ScopeEntry};
/// let scope = Scope { entries: vec![ScopeEntry::Block("192.0.2.0/24".parse().unwrap())], exclude: vec![] };
/// let (permits, outside, _) = scope.authorize_block("192.0.2.0/25".parse().unwrap());
/// assert_eq!((permits.len(), outside.len()), (1, 0));
/// ```
/// Without a scope there is none, and a plan takes nothing else:
/// ```compile_fail,E0451
/// use portproof::model::{AddressRange, Authority, Basis, Permit};
/// let anywhere = AddressRange::of("0.0.0.0/0".parse().unwrap());
/// let forged = Permit { range: anywhere, authority: Authority::AllPorts, basis: Basis::Expected };
/// ```
/// ```compile_fail,E0308
/// use portproof::{model::{AddressRange, PortSet, Protocol}, scan::Plan};
/// let anywhere = AddressRange::of("0.0.0.0/0".parse().unwrap());
/// Plan::default().add(&anywhere, Protocol::Tcp, PortSet::all(), PortSet::NONE, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    range: AddressRange,
    authority: Authority,
    basis: Basis,
}

impl Permit {
    /// The addresses.
    pub fn range(&self) -> AddressRange {
        self.range
    }

    /// Which of their ports.
    pub fn authority(&self) -> Authority {
        self.authority
    }

    /// Why.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The same leave for fewer addresses.
    #[must_use]
    pub fn narrow(&self, to: AddressRange) -> Option<Self> {
        Some(Self { range: self.range.intersection(to)?, ..self.clone() })
    }

    /// What of `named` (ports the manifest declares) and `rest` (ports it only sweeps) is allowed.
    pub fn allow(&self, named: PortSet, rest: PortSet) -> (PortSet, PortSet) {
        match self.authority {
            Authority::AllPorts => (named, rest),
            Authority::DeclaredPorts => (named, PortSet::NONE),
        }
    }
}

impl Scope {
    /// Leave for the parts of a block, written as a target, that the scope's blocks cover. The second
    /// list is what they do not cover, the third what `exclude` takes out.
    pub fn authorize_block(&self, block: IpNet) -> (Vec<Permit>, Vec<AddressRange>, Vec<AddressRange>) {
        let mut outside = vec![AddressRange::of(block)];
        let mut permits = Vec::new();
        let mut excluded = Vec::new();
        for allowed in Self::blocks(&self.entries) {
            let mut still_outside = Vec::new();
            for part in outside {
                if let Some(inside) = part.intersection(AddressRange::of(allowed)) {
                    let basis = Basis::Block(allowed);
                    let (kept, cut) = self.without_excluded(inside);
                    excluded.extend(cut);
                    permits.extend(kept.into_iter().map(|range| Permit {
                        range,
                        authority: Authority::AllPorts,
                        basis: basis.clone(),
                    }));
                }
                still_outside.extend(part.difference(AddressRange::of(allowed)));
            }
            outside = still_outside;
        }
        let mut refused = Vec::new();
        for part in outside {
            let (kept, cut) = self.without_excluded(part);
            refused.extend(kept);
            excluded.extend(cut);
        }
        permits.sort_by_key(|permit| permit.range);
        excluded.sort_unstable();
        (permits, refused, excluded)
    }

    /// Leave for one address that `name` resolved to through `chain` (every alias after `name`, names
    /// lower case without final dot). `expected`: the address is listed in the target's `expect_dns`.
    pub fn authorize_resolved(
        &self,
        address: IpAddr,
        name: &str,
        chain: &[String],
        expected: bool,
    ) -> Result<Permit, Refusal> {
        let range = AddressRange::single(address);
        if let Some(entry) =
            self.exclusion(address, std::iter::once(name).chain(chain.iter().map(String::as_str)))
        {
            return Err(Refusal::Excluded(entry));
        }
        let permit = |authority, basis| Permit { range, authority, basis };
        if let Some(block) = Self::blocks(&self.entries).find(|block| block.contains(&address)) {
            return Ok(permit(Authority::AllPorts, Basis::Block(block)));
        }
        let pattern = self.pattern_for(name).ok_or(Refusal::OutOfScope)?;
        if let Some(kind) = special(address) {
            return Err(Refusal::Special(kind));
        }
        if expected {
            return Ok(permit(Authority::AllPorts, Basis::Expected));
        }
        if let Some(stranger) = chain.iter().find(|alias| self.pattern_for(alias).is_none()) {
            return Ok(permit(Authority::DeclaredPorts, Basis::LeavingChain(stranger.clone())));
        }
        let authority = match pattern {
            NamePattern::Exact(_) => Authority::AllPorts,
            NamePattern::Below(_) => Authority::DeclaredPorts,
        };
        Ok(permit(authority, Basis::Name(pattern.clone())))
    }

    /// Whether a name may be a target at all: it is in the scope, or the scope holds blocks that its
    /// addresses may turn out to lie in.
    pub fn covers_name(&self, name: &str) -> bool {
        (self.has_blocks() || self.pattern_for(name).is_some())
            && self.name_exclusion([name].into_iter()).is_none()
    }

    /// Whether any entry authorizes addresses as such.
    pub fn has_blocks(&self) -> bool {
        Self::blocks(&self.entries).next().is_some()
    }

    /// The exact entry for a name if there is one, else a wildcard: the exact one authorizes more.
    fn pattern_for(&self, name: &str) -> Option<&NamePattern> {
        let patterns = || {
            self.entries.iter().filter_map(|entry| match entry {
                ScopeEntry::Name(pattern) if pattern.matches(name) => Some(pattern),
                _ => None,
            })
        };
        patterns().find(|pattern| matches!(pattern, NamePattern::Exact(_))).or_else(|| patterns().next())
    }

    fn exclusion<'a>(&self, address: IpAddr, names: impl Iterator<Item = &'a str>) -> Option<ScopeEntry> {
        let holds = |block: &IpNet| spellings(*block).any(|block| block.contains(&address));
        let block = Self::blocks(&self.exclude).find(holds).map(ScopeEntry::Block);
        block.or_else(|| self.name_exclusion(names))
    }

    fn name_exclusion<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<ScopeEntry> {
        let names: Vec<&str> = names.collect();
        self.exclude.iter().find(|entry| matches!(entry, ScopeEntry::Name(pattern) if names.iter().any(|name| pattern.matches(name)))).cloned()
    }

    /// A range without its excluded parts, and those parts.
    fn without_excluded(&self, range: AddressRange) -> (Vec<AddressRange>, Vec<AddressRange>) {
        let mut kept = vec![range];
        let mut cut = Vec::new();
        for block in Self::blocks(&self.exclude).flat_map(spellings) {
            let hole = AddressRange::of(block);
            cut.extend(kept.iter().filter_map(|part| part.intersection(hole)));
            kept = kept.into_iter().flat_map(|part| part.difference(hole)).collect();
        }
        (kept, cut)
    }

    fn blocks(entries: &[ScopeEntry]) -> impl Iterator<Item = IpNet> + '_ {
        entries.iter().filter_map(|entry| match entry {
            ScopeEntry::Block(block) => Some(*block),
            ScopeEntry::Name(_) => None,
        })
    }
}

/// A block, and for IPv4 the IPv6 blocks through which translators lead to the same hosts: IPv4-mapped
/// (RFC 4291 2.5.5.2), NAT64 (RFC 6052) and 6to4 (RFC 3056). An exclusion holds for all of them.
fn spellings(block: IpNet) -> impl Iterator<Item = IpNet> {
    let through = |bits: u128, shift: u8| {
        let IpNet::V4(v4) = block else { return None };
        let bits = bits | u128::from(u32::from(v4.network())) << shift;
        Ipv6Net::new(bits.into(), 96 - shift + v4.prefix_len()).ok().map(IpNet::V6)
    };
    let translated = [through(0xffff << 32, 0), through(0x0064_ff9b << 96, 0), through(0x2002 << 112, 80)];
    std::iter::once(block).chain(translated.into_iter().flatten())
}

/// Addresses that a name must not be able to point us at (RFC 6890 and its registries): a hostile or
/// careless DNS answer would make portproof scan the scanner's own networks.
fn special(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            match (a, b) {
                _ if v4.is_loopback() => Some("loopback"),
                (0, _) => Some("\"this network\""),
                _ if v4.is_private() => Some("private"),
                (100, 64..=127) => Some("carrier-private"),
                _ if v4.is_link_local() => Some("link-local"),
                _ if v4.is_multicast() => Some("multicast"),
                (240.., _) => Some("reserved"),
                _ => None,
            }
        }
        IpAddr::V6(v6) => match v6.segments() {
            _ if v6.is_loopback() => Some("loopback"),
            _ if v6.is_unspecified() => Some("unspecified"),
            _ if v6.is_multicast() => Some("multicast"),
            [first, ..] if first & 0xfe00 == 0xfc00 => Some("private"),
            [first, ..] if first & 0xffc0 == 0xfe80 => Some("link-local"),
            // Translators carry an IPv4 address inside; the address that counts is that one.
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                special(IpAddr::from(std::net::Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))))
            }
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(entries: &[&str], exclude: &[&str]) -> Scope {
        let read =
            |text: &&str| match (text.parse::<IpNet>(), text.parse::<IpAddr>(), text.strip_prefix("*.")) {
                (Ok(block), _, _) => ScopeEntry::Block(block),
                (_, Ok(address), _) => ScopeEntry::Block(address.into()),
                (_, _, Some(apex)) => ScopeEntry::Name(NamePattern::Below(apex.to_owned())),
                _ => ScopeEntry::Name(NamePattern::Exact((*text).to_owned())),
            };
        Scope { entries: entries.iter().map(read).collect(), exclude: exclude.iter().map(read).collect() }
    }

    fn resolved(scope: &Scope, address: &str, name: &str, chain: &[&str]) -> Result<Authority, Refusal> {
        let chain: Vec<String> = chain.iter().map(|&name| name.to_owned()).collect();
        scope
            .authorize_resolved(address.parse().unwrap(), name, &chain, false)
            .map(|permit| permit.authority())
    }

    #[test]
    fn exclude_always_wins() {
        let scope = scope(&["203.0.113.0/24", "www.example.com"], &["203.0.113.9", "old.example.com"]);
        let (permits, refused, excluded) = scope.authorize_block("203.0.113.8/30".parse().unwrap());
        assert_eq!(permits.iter().map(|p| p.range().count()).sum::<u128>(), 3);
        assert!(refused.is_empty());
        assert_eq!(excluded, [AddressRange::single("203.0.113.9".parse().unwrap())]);
        assert!(matches!(resolved(&scope, "203.0.113.9", "www.example.com", &[]), Err(Refusal::Excluded(_))));
        assert!(matches!(
            resolved(&scope, "198.51.100.1", "www.example.com", &["old.example.com"]),
            Err(Refusal::Excluded(_))
        ));
    }

    #[test]
    fn a_translator_is_no_way_around_an_exclusion() {
        let scope = scope(&["0.0.0.0/0", "::/0", "www.example.com"], &["192.0.2.0/24"]);
        for address in ["64:ff9b::c000:201", "2002:c000:201::1", "::ffff:192.0.2.1", "192.0.2.1"] {
            let refused = resolved(&scope, address, "www.example.com", &[]);
            let entry = ScopeEntry::Block("192.0.2.0/24".parse().unwrap());
            assert_eq!(refused, Err(Refusal::Excluded(entry)), "{address}");
            let (permits, ..) = scope.authorize_block(address.parse::<IpAddr>().unwrap().into());
            assert!(permits.is_empty(), "{address}");
        }
        for address in ["64:ff9b::c000:301", "2002:c000:301::1", "192.0.3.1"] {
            assert!(resolved(&scope, address, "www.example.com", &[]).is_ok(), "{address}");
        }
    }

    #[test]
    fn what_no_block_covers_is_refused() {
        let scope = scope(&["203.0.113.0/25"], &[]);
        let (permits, refused, _) = scope.authorize_block("203.0.113.0/24".parse().unwrap());
        assert_eq!(permits.len(), 1);
        assert_eq!(refused, [AddressRange::of("203.0.113.128/25".parse().unwrap())]);
    }

    #[test]
    fn a_name_covers_all_ports_a_wildcard_or_a_leaving_chain_the_declared_ones() {
        let scope = scope(&["www.example.com", "*.example.com"], &[]);
        assert_eq!(resolved(&scope, "198.51.100.1", "www.example.com", &[]), Ok(Authority::AllPorts));
        assert_eq!(
            resolved(&scope, "198.51.100.1", "www.example.com", &["lb.example.com"]),
            Ok(Authority::AllPorts)
        );
        assert_eq!(
            resolved(&scope, "198.51.100.1", "www.example.com", &["x.cdn.test"]),
            Ok(Authority::DeclaredPorts)
        );
        assert_eq!(resolved(&scope, "198.51.100.1", "a.b.example.com", &[]), Ok(Authority::DeclaredPorts));
        assert_eq!(resolved(&scope, "198.51.100.1", "example.com", &[]), Err(Refusal::OutOfScope));
        assert_eq!(resolved(&scope, "198.51.100.1", "badexample.com", &[]), Err(Refusal::OutOfScope));
    }

    #[test]
    fn a_name_never_leads_to_a_special_address() {
        let scope = scope(&["www.example.com"], &[]);
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
        ] {
            assert!(
                matches!(resolved(&scope, address, "www.example.com", &[]), Err(Refusal::Special(_))),
                "{address}"
            );
        }
        let with_block = self::scope(&["www.example.com", "10.0.0.0/8"], &[]);
        assert_eq!(resolved(&with_block, "10.1.2.3", "www.example.com", &[]), Ok(Authority::AllPorts));
    }
}
