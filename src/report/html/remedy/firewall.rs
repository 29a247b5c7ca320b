//! One rule for one endpoint, in the words of each firewall. A rule names address, protocol and port,
//! so that none shuts or opens more than was asked.

use std::net::IpAddr;

use super::Endpoint;
use crate::model::Protocol;

/// Who may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The manifest exposes it to everybody.
    Anybody,
    /// It is exposed to some vantages only, and this is ours.
    Only(IpAddr),
    /// It is exposed to some vantages only, and their addresses are not known: a placeholder, which no
    /// firewall takes.
    Unknown,
}

impl Source {
    fn written(self) -> Option<String> {
        match self {
            Self::Anybody => None,
            Self::Only(address) => Some(address.to_string()),
            Self::Unknown => Some("SOURCE".to_owned()),
        }
    }
}

/// Nobody gets in any more.
pub(super) fn close(endpoint: &Endpoint) -> Vec<String> {
    let Endpoint { address, protocol, port } = endpoint;
    let (family, tables, zone) = family(address);
    let rich = format!(
        "rule family=\"{zone}\" destination address=\"{address}\" port port=\"{port}\" protocol=\"{protocol}\" drop"
    );
    let mut lines = vec![
        "# nftables".to_owned(),
        format!("nft insert rule inet filter input {family} daddr {address} {protocol} dport {port} drop"),
        "# iptables".to_owned(),
        format!("{tables} -I INPUT -d {address} -p {protocol} --dport {port} -j DROP"),
        "# ufw".to_owned(),
        format!("ufw prepend deny proto {protocol} from any to {address} port {port}"),
        "# firewalld, now and after a restart".to_owned(),
        format!("firewall-cmd --add-rich-rule='{rich}'"),
        format!("firewall-cmd --permanent --add-rich-rule='{rich}'"),
    ];
    lines.extend(groups(address));
    lines.push(format!(
        "aws ec2 revoke-security-group-ingress --group-id GROUP --ip-permissions '{}'",
        permission(*protocol, *port, anywhere(address))
    ));
    lines.push(
        "# takes away exactly that rule: one of a wider range or protocol has to be narrowed".to_owned(),
    );
    lines.push(behind_nat());
    lines
}

/// These get in, to this endpoint and nothing else.
pub(super) fn open(endpoint: &Endpoint, source: Source) -> Vec<String> {
    let Endpoint { address, protocol, port } = endpoint;
    let (family, tables, zone) = family(address);
    let from = source.written();
    let part = |before: &str, after: &str| {
        from.as_ref().map_or_else(String::new, |from| format!("{before}{from}{after}"))
    };
    let rich = format!(
        "rule family=\"{zone}\"{} destination address=\"{address}\" port port=\"{port}\" protocol=\"{protocol}\" accept",
        part(" source address=\"", "\"")
    );
    let block = match source {
        Source::Anybody => anywhere(address).to_owned(),
        Source::Only(ours) => format!("{ours}/{}", if ours.is_ipv6() { 128 } else { 32 }),
        Source::Unknown => "SOURCE".to_owned(),
    };
    let mut lines = Vec::new();
    if source != Source::Anybody {
        lines.push(
            "# the manifest exposes it to some vantages only: one rule for each address of theirs".to_owned(),
        );
    }
    lines.extend([
        "# nftables".to_owned(),
        format!(
            "nft insert rule inet filter input {}{family} daddr {address} {protocol} dport {port} accept",
            part(&format!("{family} saddr "), " ")
        ),
        "# iptables".to_owned(),
        format!("{tables} -I INPUT{} -d {address} -p {protocol} --dport {port} -j ACCEPT", part(" -s ", "")),
        "# ufw".to_owned(),
        format!(
            "ufw prepend allow proto {protocol} from {} to {address} port {port}",
            from.as_deref().unwrap_or("any")
        ),
        "# firewalld, now and after a restart".to_owned(),
        format!("firewall-cmd --add-rich-rule='{rich}'"),
        format!("firewall-cmd --permanent --add-rich-rule='{rich}'"),
    ]);
    lines.extend(groups(address));
    lines.push(format!(
        "aws ec2 authorize-security-group-ingress --group-id GROUP --ip-permissions '{}'",
        permission(*protocol, *port, &block)
    ));
    lines.push("# holds for every interface that the group is attached to".to_owned());
    lines.push(behind_nat());
    lines
}

fn family(address: &IpAddr) -> (&'static str, &'static str, &'static str) {
    if address.is_ipv6() { ("ip6", "ip6tables", "ipv6") } else { ("ip", "iptables", "ipv4") }
}

fn anywhere(address: &IpAddr) -> &'static str {
    if address.is_ipv6() { "::/0" } else { "0.0.0.0/0" }
}

fn permission(protocol: Protocol, port: u16, block: &str) -> String {
    let range = if block.contains(':') {
        format!("Ipv6Ranges=[{{CidrIpv6={block}}}]")
    } else {
        format!("IpRanges=[{{CidrIp={block}}}]")
    };
    format!("IpProtocol={protocol},FromPort={port},ToPort={port},{range}")
}

/// How to find the security groups that guard an address.
fn groups(address: &IpAddr) -> Vec<String> {
    let filter = match address {
        IpAddr::V4(address) if address.is_private() => "addresses.private-ip-address",
        IpAddr::V4(_) => "association.public-ip",
        IpAddr::V6(_) => "ipv6-addresses.ipv6-address",
    };
    vec![
        "# AWS security group: find the GROUP, then change it".to_owned(),
        format!(
            "aws ec2 describe-network-interfaces --filters Name={filter},Values={address} --query 'NetworkInterfaces[].Groups[]'"
        ),
    ]
}

fn behind_nat() -> String {
    "# behind NAT, use the inner address; nft and iptables rules last until a restart unless saved".to_owned()
}
