//! Hosts and scope entries as written to values: names, addresses, CIDR blocks. Never lets one
//! address have two spellings: an exclusion could be evaded by the other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::manifest::Host;
use crate::model::{AddressRange, NamePattern, ScopeEntry};

/// More addresses than anybody writes as one block by accident.
const MANY_ADDRESSES: u128 = 65_536;

/// Why a text is no host, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// Without full stop.
    pub message: String,
    /// The cure.
    pub help: Option<String>,
}

/// Where the IPv4-mapped addresses lie (RFC 4291 2.5.5.2).
const MAPPED: IpNet = IpNet::V6(ipnet::Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96));

/// Reads a host: a name, an address (IPv6 with or without brackets) or a CIDR block.
pub fn host(text: &str) -> Result<Host, HostError> {
    let text = text.trim();
    if text.contains('*') {
        return error(
            format!("a wildcard is no host: `{text}` names no machine that could be asked"),
            "write out each name; wildcards belong in `authorization.scope`",
        );
    }
    if let Some((head, _)) = text.split_once('%').filter(|_| !text.contains("://")) {
        return local(text, head);
    }
    match numeric(text)? {
        Some(block) if block.prefix_len() == block.max_prefix_len() => Ok(Host::Address(block.addr())),
        Some(block) => Ok(Host::Block(block)),
        None => Ok(Host::Name(name(text)?)),
    }
}

/// Reads an entry of `authorization.scope` or `exclude`: a host, or `*.example.com`.
pub fn scope_entry(text: &str) -> Result<ScopeEntry, HostError> {
    let text = text.trim();
    if let Some(apex) = text.strip_prefix("*.")
        && !apex.contains('*')
    {
        return Ok(ScopeEntry::Name(NamePattern::Below(name(apex)?)));
    }
    if text.contains('*') {
        return error(
            format!("`{text}` is no wildcard that can be used"),
            "a wildcard stands for whole labels, in front: `*.example.com`",
        );
    }
    Ok(match host(text)? {
        Host::Name(name) => ScopeEntry::Name(NamePattern::Exact(name)),
        Host::Address(address) => ScopeEntry::Block(address.into()),
        Host::Local { address, .. } => {
            return error(
                format!("`{text}`: a scope holds for an address on every link, so it takes no zone"),
                &format!("write `{address}`"),
            );
        }
        Host::Block(block) => ScopeEntry::Block(block),
    })
}

/// Reads one address, as in `expect_dns`.
pub fn address(text: &str) -> Result<IpAddr, HostError> {
    match host(text)? {
        Host::Address(address) => Ok(address),
        _ => error(format!("`{}` is not an address", text.trim()), "write an IPv4 or IPv6 address"),
    }
}

impl Host {
    /// The literal address, with or without a zone.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Local { address, .. } => Some((*address).into()),
            Self::Name(_) | Self::Block(_) => None,
        }
    }

    /// How many addresses it covers; `None` for a name, which only DNS can tell.
    pub fn address_count(&self) -> Option<u128> {
        match self {
            Self::Name(_) => None,
            Self::Address(_) | Self::Local { .. } => Some(1),
            Self::Block(block) => Some(AddressRange::of(*block).count()),
        }
    }

    /// Whether it is a block so wide that planning asks for `--i-know-this-is-large`: wider than an
    /// IPv4 /16 or an IPv6 /112.
    pub fn is_large(&self) -> bool {
        self.address_count().is_some_and(|count| count > MANY_ADDRESSES)
    }

    /// The entry of an implied scope: exactly this host.
    pub(crate) fn as_scope(&self) -> ScopeEntry {
        match self {
            Self::Name(name) => ScopeEntry::Name(NamePattern::Exact(name.clone())),
            Self::Address(address) => ScopeEntry::Block((*address).into()),
            Self::Local { address, .. } => ScopeEntry::Block(IpAddr::from(*address).into()),
            Self::Block(block) => ScopeEntry::Block(*block),
        }
    }
}

/// An address or a block, an address as the block of itself; `None` for what looks like a name.
fn numeric(text: &str) -> Result<Option<IpNet>, HostError> {
    if text.contains("://") {
        return error(format!("`{text}` is a URL"), "write the host alone, and the port under `expose`");
    }
    if let Some((head, length)) = text.split_once('/') {
        return block(text, head, length).map(Some);
    }
    if let Ok(address) = unbracketed(text).parse::<IpAddr>() {
        return Ok(Some(address.to_canonical().into()));
    }
    without_port(text)?;
    if text.contains(':') || text.starts_with('[') {
        return error(format!("`{text}` is not an IPv6 address"), "write it like 2001:db8::10");
    }
    if let Some((first, last)) = text.split_once('-')
        && first.parse::<Ipv4Addr>().is_ok()
        && (last.parse::<Ipv4Addr>().is_ok() || last.parse::<u8>().is_ok())
    {
        return error(
            format!("`{text}`: ranges of addresses are not supported"),
            "write CIDR blocks: 203.0.113.32/27",
        );
    }
    // A name never ends in a number (RFC 3696 2), so this was meant to be an address.
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("0x"))
        && last.get(2..).is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if hexadecimal || !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()) {
        return error(
            format!("`{text}` is not an IPv4 address"),
            "write four numbers from 0 to 255 without leading zeros: 203.0.113.9",
        );
    }
    Ok(None)
}

/// A link-local address with its zone. `head`: what stands before the first `%`.
fn local(text: &str, head: &str) -> Result<Host, HostError> {
    without_port(text)?;
    let head = head.strip_prefix('[').unwrap_or(head);
    if text.contains('/') {
        return error(
            format!("`{text}`: a block takes no zone"),
            "write the addresses one by one, or the block alone and its link as --interface",
        );
    }
    let Some(address) = head.parse::<Ipv6Addr>().ok().filter(Ipv6Addr::is_unicast_link_local) else {
        return error(
            format!("`{text}`: only a link-local address (fe80::/10) is on one link and takes a zone"),
            &format!("write `{head}` without the `%` and what is behind it"),
        );
    };
    let zone = unbracketed(text).split_once('%').map_or("", |(_, zone)| zone);
    // What the kernel takes as a name (`dev_valid_name`).
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | ':' | '%' | '[' | ']');
    if zone.is_empty() || zone.len() > 15 || zone.contains(odd) || matches!(zone, "." | "..") {
        return error(
            format!("`{text}`: no interface can be called `{zone}`"),
            &format!("write its name or its number: {address}%eth0"),
        );
    }
    Ok(Host::Local { address, zone: zone.to_owned() })
}

/// Refuses a host with a port behind it.
fn without_port(text: &str) -> Result<(), HostError> {
    let with_port = text.rsplit_once(':').filter(|(host, port)| {
        (!host.contains(':') || host.starts_with('[') && host.ends_with(']'))
            && !host.is_empty()
            && port.parse::<u16>().is_ok()
    });
    with_port.map_or(Ok(()), |(host, port)| {
        error(
            format!("`{text}` is a host and a port"),
            &format!("write the host `{host}`, and {port} under `expose`"),
        )
    })
}

fn block(text: &str, head: &str, length: &str) -> Result<IpNet, HostError> {
    let Ok(address) = unbracketed(head).parse::<IpAddr>() else {
        return error(
            format!("`{text}` is not a CIDR block"),
            "write it like 203.0.113.0/24 or 2001:db8::/112",
        );
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    let Some(prefix) = length.parse::<u8>().ok().filter(|prefix| digits && *prefix <= most) else {
        return error(
            format!("`{text}`: the prefix length is a number from 0 to {most}"),
            "write it like 203.0.113.0/24 or 2001:db8::/112",
        );
    };
    let wrong = || HostError { message: format!("`{text}` is not a CIDR block"), help: None };
    let block = IpNet::new(address, prefix).map_err(|_| wrong())?;
    if block.trunc() != block {
        return error(
            format!("`{text}` has bits set behind the prefix: it is an address of {}", block.trunc()),
            &format!("write `{}` for the whole block, or `{address}` for the one address", block.trunc()),
        );
    }
    if MAPPED.contains(&block)
        && let IpAddr::V4(v4) = block.network().to_canonical()
    {
        return Ok(IpNet::V4(Ipv4Net::new(v4, block.prefix_len() - 96).map_err(|_| wrong())?));
    }
    if block.contains(&MAPPED) {
        return error(
            format!(
                "`{text}` contains the IPv4-mapped addresses (::ffff:0:0/96), so it would mean all of IPv4 as well"
            ),
            "write the IPv4 and the IPv6 blocks that are meant",
        );
    }
    Ok(block)
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .filter(|inner| inner.contains(':'))
        .unwrap_or(text)
}

/// A DNS name, lower case, without the final dot (RFC 1123 2.1, and the underscore that people use).
fn name(text: &str) -> Result<String, HostError> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() {
        return error("a host without a name".to_owned(), "write a name, an address or a CIDR block");
    }
    if super::decode::is_todo(name) {
        return error(
            format!("`{text}` is still to be filled in"),
            "write a name, an address or a CIDR block",
        );
    }
    if !name.is_ascii() {
        return error(
            format!("`{text}`: names are written in ASCII"),
            "write the A-label that DNS knows, which begins with `xn--` (`idn2` or `host` shows it)",
        );
    }
    if let Some(odd) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        return error(
            format!("`{text}`: a name can't hold `{odd}`"),
            "names are made of letters, digits, `-`, `_` and dots",
        );
    }
    if name.len() > 253 {
        return error(
            format!("a name of {} characters; DNS allows 253", name.len()),
            "check for a missing separator",
        );
    }
    for label in name.split('.') {
        let problem = match label.len() {
            0 => "an empty label (two dots, or one in front)".to_owned(),
            1..=63 if label.starts_with('-') || label.ends_with('-') => {
                format!("`{label}` begins or ends with `-`")
            }
            1..=63 => continue,
            long => format!("a label of {long} characters; DNS allows 63"),
        };
        return error(
            format!("`{text}` is not a name: {problem}"),
            "write a name, an address or a CIDR block",
        );
    }
    Ok(name.to_ascii_lowercase())
}

fn error<T>(message: String, help: &str) -> Result<T, HostError> {
    Err(HostError { message, help: Some(help.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        host(text).unwrap().to_string()
    }

    fn refused(text: &str) -> HostError {
        host(text).expect_err(text)
    }

    #[test]
    fn one_address_has_one_spelling() {
        for spelling in [
            "203.0.113.9",
            "::ffff:203.0.113.9",
            "[::ffff:203.0.113.9]",
            "::ffff:cb00:7109",
            "203.0.113.9/32",
            "::ffff:203.0.113.9/128",
        ] {
            assert_eq!(host(spelling).unwrap(), Host::Address("203.0.113.9".parse().unwrap()), "{spelling}");
        }
        for spelling in ["2001:db8::10", "[2001:DB8::10]", "2001:db8:0:0::0010", "2001:db8::10/128"] {
            assert_eq!(shown(spelling), "2001:db8::10", "{spelling}");
        }
        for spelling in ["www.example.com", "WWW.Example.COM", "www.example.com."] {
            assert_eq!(host(spelling).unwrap(), Host::Name("www.example.com".to_owned()), "{spelling}");
        }
        assert_eq!(shown("::ffff:203.0.113.0/120"), "203.0.113.0/24");
        assert_eq!(shown("_dmarc.example.com"), "_dmarc.example.com");
    }

    #[test]
    fn what_is_no_host_says_what_to_write() {
        let help = |text: &str| refused(text).help.unwrap_or_default();
        assert!(help("203.0.113.9/24").contains("`203.0.113.0/24`"));
        assert!(help("203.0.113.9/24").contains("`203.0.113.9`"));
        assert!(help("2001:db8::1/64").contains("`2001:db8::/64`"));
        assert!(help("*.example.com").contains("authorization.scope"));
        assert!(help("https://www.example.com/").contains("host alone"));
        assert!(help("www.example.com:8443").contains("8443 under `expose`"));
        assert!(help("[2001:db8::1]:443").contains("443 under `expose`"));
        assert!(help("bücher.example").contains("xn--"));
        assert!(refused("10.0.0.1-20").message.contains("ranges"));
        assert!(refused("::/0").message.contains("IPv4-mapped"));
        for bad in [
            "",
            ".",
            "a..b",
            "-a.b",
            "203.0.113.256",
            "0x7f000001",
            "127.0.0.0x1",
            "010.0.0.1",
            "1.2.3",
            "12345",
            "a b",
            "a/24",
            "1.2.3.4/33",
            "1.2.3.4/+8",
            "TODO",
            "2001:db8::g",
            "[1.2.3.4]",
            "exa\u{202e}mple.com",
        ] {
            refused(bad);
        }
        refused(&"a".repeat(64));
        refused(&"a.".repeat(127).repeat(2));
    }

    #[test]
    fn a_zone_belongs_to_a_link_local_address_and_to_nothing_else() {
        let eth0 = Host::Local { address: "fe80::1".parse().unwrap(), zone: "eth0".to_owned() };
        for spelling in ["fe80::1%eth0", "[fe80::1%eth0]", "FE80:0::1%eth0", " fe80::1%eth0 "] {
            assert_eq!(host(spelling).unwrap(), eth0, "{spelling}");
        }
        for text in ["fe80::1%eth0", "febf::2%7", "fe80::1%wg-home.3"] {
            assert_eq!(shown(text), text);
        }
        let help = |text: &str| refused(text).help.unwrap_or_default();
        assert!(refused("2001:db8::1%eth0").message.contains("link-local"));
        assert!(help("2001:db8::1%eth0").contains("`2001:db8::1`"));
        assert!(help("www.example.com%eth0").contains("`www.example.com`"));
        assert!(help("203.0.113.9%eth0").contains("`203.0.113.9`"));
        assert!(help("fe80::1%").contains("fe80::1%eth0"));
        assert!(help("[fe80::1%eth0]:80").contains("80 under `expose`"));
        for block in ["fe80::/120%eth0", "fe80::%eth0/120", "fe80::1%eth0/128"] {
            assert!(help(block).contains("--interface"), "{block}");
        }
        for bad in ["fe80::1%a name", "fe80::1%a%b", "fe80::1%sixteen-letters-", "%eth0", "[fe80::1]%eth0"] {
            refused(bad);
        }
        assert!(scope_entry("fe80::1%eth0").unwrap_err().help.unwrap().contains("`fe80::1`"));
        assert_eq!(scope_entry("fe80::1").unwrap().to_string(), "fe80::1");
        assert!(address("fe80::1%eth0").is_err());
        assert_eq!(eth0.as_scope().to_string(), "fe80::1");
    }

    #[test]
    fn scope_entries() {
        assert_eq!(scope_entry("*.Example.com.").unwrap().to_string(), "*.example.com");
        assert_eq!(scope_entry("203.0.113.9").unwrap().to_string(), "203.0.113.9");
        for bad in ["*", "*.", "www.*.com", "*.*.com", "*example.com"] {
            assert!(scope_entry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn wide_blocks_are_counted() {
        assert_eq!(host("203.0.113.32/27").unwrap().address_count(), Some(32));
        assert_eq!(host("2001:db8::/64").unwrap().address_count(), Some(1 << 64));
        assert_eq!(host("www.example.com").unwrap().address_count(), None);
        let large = |text: &str| host(text).unwrap().is_large();
        assert!(large("10.0.0.0/15") && large("2001:db8::/111"));
        assert!(!large("10.0.0.0/16") && !large("2001:db8::/112") && !large("www.example.com"));
    }
}
