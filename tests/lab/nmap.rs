//! nmap as the independent second opinion: it shares no line of code with portproof.

use std::{collections::BTreeMap, net::IpAddr, process::Command};

use super::isolate::run;

/// What `nmap -sT` says about each of these ports of one address.
pub(crate) fn connect_scan(address: IpAddr, ports: &[u16]) -> BTreeMap<u16, String> {
    states(address, ports, "-sT")
}

/// What `nmap -sS` says about each of these ports of one address.
pub(crate) fn syn_scan(address: IpAddr, ports: &[u16]) -> BTreeMap<u16, String> {
    states(address, ports, "-sS")
}

fn states(address: IpAddr, ports: &[u16], how: &str) -> BTreeMap<u16, String> {
    let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let mut command = Command::new("nmap");
    command.args([how, "-n", "-Pn", "-T4", "-oX", "-", "-p", &list.join(",")]);
    // Over IPv6 Linux loses an ICMP error that arrives while connect() still holds the socket, which on
    // a veth is every one; the SYN's retransmission a second later brings it again. nmap must wait for it.
    command.args(["--min-rtt-timeout", "1500ms"]);
    // Level 3 of debugging makes nmap list each port by itself, whatever its state.
    command.arg("-ddd");
    if address.is_ipv6() {
        command.arg("-6");
    }
    let xml = run(command.arg(address.to_string()));
    let mut states = BTreeMap::new();
    for port in xml.split("<port protocol=\"tcp\"").skip(1) {
        let number = attribute(port, "portid").parse().expect("nmap writes port numbers");
        states.insert(number, attribute(port, "state").to_owned());
    }
    assert_eq!(states.len(), ports.len(), "nmap answers for every port it was asked:\n{xml}");
    states
}

/// What `nmap -sV` says of who answers on these ports of one address: its name for the service, with `ssl/` before
/// it where that is inside TLS.
pub(crate) fn versions(address: IpAddr, ports: &[u16]) -> BTreeMap<u16, String> {
    let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let mut command = Command::new("nmap");
    command.args(["-sT", "-sV", "-n", "-Pn", "-T4", "-oX", "-", "-p", &list.join(",")]);
    let xml = run(command.arg(address.to_string()));
    let mut versions = BTreeMap::new();
    for port in xml.split("<port protocol=\"tcp\"").skip(1) {
        let number = attribute(port, "portid").parse().expect("nmap writes port numbers");
        let service = port.split("<service ").nth(1).map(|service| {
            let inside = if service.split('>').next().is_some_and(|tag| tag.contains("tunnel=\"ssl\"")) {
                "ssl/"
            } else {
                ""
            };
            format!("{inside}{}", attribute(service, "name"))
        });
        versions.insert(number, service.unwrap_or_default());
    }
    versions
}

fn attribute<'a>(xml: &'a str, name: &str) -> &'a str {
    let start = xml.find(&format!("{name}=\"")).expect("nmap writes the attribute") + name.len() + 2;
    let length = xml[start..].find('"').expect("an attribute ends");
    &xml[start..start + length]
}
