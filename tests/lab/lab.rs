//! The lab: a scanner's namespace (the one this process is in), a far namespace with every host, and
//! one wire between them. It knows the truth; it never asks a scanner for it.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    net::{IpAddr, SocketAddr, SocketAddrV6},
    process::Command,
};

use super::{
    address::{FAR4, FAR6, GATEWAY4, GATEWAY6, SCANNER4, SCANNER6},
    host::{Host, Port},
    isolate::{DIR, run, sh},
    listeners, servers,
};

/// Hosts to be, and then hosts that are.
pub(crate) struct Lab {
    hosts: Vec<Host>,
    zone: Option<(String, String)>,
    witness: bool,
    loss: u8,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self { hosts: Vec::new(), zone: None, witness: false, loss: 0 }
    }

    /// One more host on the far side.
    pub(crate) fn host(mut self, host: Host) -> Self {
        self.hosts.push(host);
        self
    }

    /// A DNS server at this address with this zone (see [`servers::dns`]).
    pub(crate) fn dns(mut self, address: &str, zone: &str) -> Self {
        self.zone = Some((address.to_owned(), zone.to_owned()));
        self
    }

    /// Writes down every endpoint that a SYN or a datagram was sent to; see [`Self::touched`].
    pub(crate) fn witness(mut self) -> Self {
        self.witness = true;
        self
    }

    /// Of a hundred packets, so many get lost on the way there, each by itself.
    pub(crate) fn lossy(mut self, percent: u8) -> Self {
        self.loss = percent;
        self
    }

    /// Makes it so. Returns when every server answers.
    pub(crate) fn start(self) -> Self {
        self.lay_the_wire();
        self.raise_the_firewall();
        listeners::start(&self.hosts);
        servers::start(&self.hosts);
        if let Some((address, zone)) = &self.zone {
            servers::dns(address, zone);
        }
        self
    }

    /// The truth about one endpoint; `None` where no host has the address, and so nothing answers.
    pub(crate) fn truth(&self, address: IpAddr, port: u16) -> Option<Port> {
        self.hosts.iter().find(|host| host.addresses.contains(&address)).map(|host| host.port(port))
    }

    /// Every address and port that a SYN or a datagram arrived for, as the far side's kernel counted them on the wire.
    pub(crate) fn touched(&self) -> BTreeSet<(IpAddr, u16)> {
        assert!(self.witness, "this lab has no witness; build it with `.witness()`");
        let mut touched = BTreeSet::new();
        for set in ["v4", "v6"] {
            let text = run(&mut far(&["nft", "-j", "list", "set", "inet", "witness", set]));
            let json: serde_json::Value = serde_json::from_str(&text).expect("nft writes JSON");
            for item in json["nftables"].as_array().expect("nft lists objects") {
                for elem in item["set"]["elem"].as_array().into_iter().flatten() {
                    let pair = elem["concat"].as_array().expect("the set holds pairs");
                    let address = pair[0].as_str().expect("an address").parse().expect("an address");
                    let port = u16::try_from(pair[1].as_u64().expect("a port")).expect("a port");
                    touched.insert((address, port));
                }
            }
        }
        touched
    }

    fn lay_the_wire(&self) {
        sh("ip netns add far");
        sh("ip link add wire type veth peer name wire netns far");
        for (name, value) in [
            ("net/ipv6/conf/all/accept_dad", "0"),
            ("net/ipv6/conf/default/accept_dad", "0"),
            // The truth about a rejected port is the same each time it is asked only if the kernel
            // answers each time: by default Linux sends at most one ICMP error a second to one
            // destination (and 1,000 a second to all), and drops the rest, which is then silence. An
            // empty mask of the limited types lifts both limits; unlike icmp_msgs_per_sec it can be set
            // in a namespace on every kernel. A lab test about limiters sets its own.
            ("net/ipv4/icmp_ratelimit", "0"),
            ("net/ipv4/icmp_ratemask", "0"),
            ("net/ipv6/icmp/ratelimit", "0"),
            // ICMPv6's mask can't be empty; 128 is the echo request, which no kernel sends as an answer.
            ("net/ipv6/icmp/ratemask", "128"),
            // A server without privilege may take 22 and 80.
            ("net/ipv4/ip_unprivileged_port_start", "0"),
        ] {
            run(&mut far(&["sh", "-c", &format!("echo {value} > /proc/sys/{name}")]));
        }
        for (side, v4, v6) in [("ip", SCANNER4, SCANNER6), ("ip -n far", GATEWAY4, GATEWAY6)] {
            sh(&format!("{side} address add {v4}/24 dev wire"));
            sh(&format!("{side} address add {v6}/64 dev wire nodad"));
            sh(&format!("{side} link set wire up"));
        }
        sh("ip -n far link set lo up");
        sh(&format!("ip route add {FAR4} via {GATEWAY4}"));
        sh(&format!("ip route add {FAR6} via {GATEWAY6}"));
        // A host drops what is for nobody; over IPv6 Linux would say that it has no route there.
        sh(&format!("ip -n far route add blackhole {FAR6}"));
        for address in self.hosts.iter().flat_map(|host| &host.addresses) {
            // A link-local address is on a link. Even on the loopback device an address can't be taken until the
            // kernel has come to see that nobody else has it, unless it is told not to look.
            let place = match address {
                address if is_link_local(*address) => format!("{address}/64 dev wire nodad"),
                IpAddr::V6(address) => format!("{address} dev lo nodad"),
                IpAddr::V4(address) => format!("{address} dev lo"),
            };
            sh(&format!("ip -n far address add {place}"));
        }
        if let Some((address, _)) = &self.zone {
            sh(&format!("ip -n far address add {address} dev lo"));
        }
    }

    fn raise_the_firewall(&self) {
        let mut jumps = String::new();
        let mut chains = String::new();
        for (i, host) in self.hosts.iter().enumerate() {
            for address in &host.addresses {
                let family = if address.is_ipv4() { "ip" } else { "ip6" };
                writeln!(jumps, "{family} daddr {address} jump host{i}").unwrap();
            }
            writeln!(chains, "chain host{i} {{\n{}}}", host.rules()).unwrap();
        }
        let mut text = format!(
            "table inet lab {{\n{chains}chain input {{\ntype filter hook input priority 0; policy accept;\n{jumps}}}\n}}\n"
        );
        if self.loss > 0 {
            writeln!(
                text,
                "table inet loss {{
                    chain way {{
                        type filter hook prerouting priority -200; policy accept;
                        iifname \"wire\" meta l4proto tcp numgen random mod 100 < {} drop
                    }}
                }}",
                self.loss
            )
            .unwrap();
        }
        if self.witness {
            text.push_str(
                "table inet witness {
                    set v4 { type ipv4_addr . inet_service; size 1000000; flags dynamic; }
                    set v6 { type ipv6_addr . inet_service; size 1000000; flags dynamic; }
                    chain arrivals {
                        type filter hook prerouting priority -300; policy accept;
                        iifname \"wire\" tcp flags & (syn | ack) == syn update @v4 { ip daddr . tcp dport }
                        iifname \"wire\" tcp flags & (syn | ack) == syn update @v6 { ip6 daddr . tcp dport }
                        iifname \"wire\" meta l4proto udp update @v4 { ip daddr . udp dport }
                        iifname \"wire\" meta l4proto udp update @v6 { ip6 daddr . udp dport }
                    }
                }\n",
            );
        }
        let path = format!("{DIR}/firewall.nft");
        fs::write(&path, text).expect("the lab's directory takes files");
        run(&mut far(&["nft", "-f", &path]));
    }
}

/// An address of the far side as a socket there takes it: a link-local one is on the wire.
pub(crate) fn far_end(address: IpAddr, port: u16) -> SocketAddr {
    match address {
        IpAddr::V6(v6) if is_link_local(address) => {
            let text = run(&mut far(&["ip", "-json", "link", "show", "dev", "wire"]));
            let json: serde_json::Value = serde_json::from_str(&text).expect("ip writes JSON");
            let link = json[0]["ifindex"].as_u64().and_then(|link| u32::try_from(link).ok());
            SocketAddrV6::new(v6, port, 0, link.expect("the number of the wire")).into()
        }
        _ => SocketAddr::new(address, port),
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// A command on the far side.
pub(crate) fn far(argv: &[&str]) -> Command {
    let mut command = Command::new("nsenter");
    command.arg("--net=/run/netns/far").args(argv);
    command
}
