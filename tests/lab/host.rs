//! A far host and the truth about each of its ports. What is declared here is what the kernel is
//! then told to do, so a scan that differs is wrong.

use std::{collections::BTreeMap, fmt::Write as _, net::IpAddr, ops::RangeInclusive};

use super::address::address;

/// What happens to a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Port {
    /// Something accepts.
    Open,
    /// Nothing listens; the kernel answers RST.
    Closed,
    /// A firewall drops it.
    Dropped,
    /// A firewall answers RST: from outside nothing tells it from `Closed`.
    Reset,
    /// A firewall answers ICMP communication administratively prohibited.
    Prohibited,
    /// A firewall answers ICMP port unreachable, which is what nftables' `reject` does by itself.
    Unreachable,
}

impl Port {
    /// The state that every scan must report.
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed | Self::Reset => "closed",
            Self::Dropped | Self::Prohibited | Self::Unreachable => "filtered",
        }
    }

    /// The reasons that may stand behind it: connect sees a refusal where a raw scan sees the RST.
    pub(crate) fn reasons(self) -> &'static [&'static str] {
        match self {
            Self::Open => &["syn-ack"],
            Self::Closed | Self::Reset => &["conn-refused", "reset"],
            Self::Dropped => &["no-response"],
            Self::Prohibited => &["admin-prohibited"],
            Self::Unreachable => &["port-unreach"],
        }
    }

    /// What `nmap -sT` makes of it. Linux turns an ICMP port unreachable into ECONNREFUSED, and nmap
    /// reads only the error number, so there it says closed.
    pub(crate) fn seen_by_nmap_connect(self) -> &'static str {
        match self {
            Self::Unreachable => "closed",
            other => other.state(),
        }
    }

    fn rule(self) -> Option<&'static str> {
        match self {
            Self::Open | Self::Closed => None,
            Self::Dropped => Some("drop"),
            Self::Reset => Some("reject with tcp reset"),
            Self::Prohibited => Some("reject with icmpx admin-prohibited"),
            Self::Unreachable => Some("reject with icmpx port-unreachable"),
        }
    }
}

/// One far host: its addresses, and each of its 65,535 TCP ports.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) addresses: Vec<IpAddr>,
    ports: Vec<Port>,
    /// Everything but TCP is dropped too.
    silent: bool,
    /// Rules for what is no TCP, as nftables wants them.
    extra: Vec<String>,
    /// Ports that the lab's own listeners hold; the other open ones belong to real servers.
    pub(crate) listeners: Vec<u16>,
    pub(crate) nginx: Vec<u16>,
    pub(crate) nginx_tls: Vec<u16>,
    pub(crate) sshd: Vec<u16>,
}

impl Host {
    /// A host at this address: nothing listens and no firewall stands before it.
    pub(crate) fn at(text: &str) -> Self {
        Self {
            addresses: vec![address(text)],
            ports: vec![Port::Closed; 65_536],
            silent: false,
            extra: Vec::new(),
            listeners: Vec::new(),
            nginx: Vec::new(),
            nginx_tls: Vec::new(),
            sshd: Vec::new(),
        }
    }

    /// The same host, the same rules, a further address.
    pub(crate) fn also(mut self, text: &str) -> Self {
        self.addresses.push(address(text));
        self
    }

    /// A firewall drops everything that is not declared open after this.
    pub(crate) fn default_drop(self) -> Self {
        let mut host = self.drop(1..=65_535);
        host.silent = true;
        host
    }

    /// A firewall has this rule as well, before its others.
    pub(crate) fn rule(mut self, rule: &str) -> Self {
        self.extra.push(rule.to_owned());
        self
    }

    /// Something accepts here and closes at once.
    pub(crate) fn listen(self, ports: impl IntoIterator<Item = u16>) -> Self {
        let ports: Vec<u16> = ports.into_iter().collect();
        let mut host = self.set(Port::Open, ports.iter().copied());
        host.listeners.extend(ports);
        host
    }

    /// nginx serves HTTP here.
    pub(crate) fn nginx(self, ports: impl IntoIterator<Item = u16>) -> Self {
        let ports: Vec<u16> = ports.into_iter().collect();
        let mut host = self.set(Port::Open, ports.iter().copied());
        host.nginx.extend(ports);
        host
    }

    /// nginx serves HTTPS here, with a certificate that it signed itself.
    pub(crate) fn nginx_tls(self, ports: impl IntoIterator<Item = u16>) -> Self {
        let ports: Vec<u16> = ports.into_iter().collect();
        let mut host = self.set(Port::Open, ports.iter().copied());
        host.nginx_tls.extend(ports);
        host
    }

    /// OpenSSH serves here.
    pub(crate) fn sshd(self, ports: impl IntoIterator<Item = u16>) -> Self {
        let ports: Vec<u16> = ports.into_iter().collect();
        let mut host = self.set(Port::Open, ports.iter().copied());
        host.sshd.extend(ports);
        host
    }

    /// Something is open here that the test starts itself.
    pub(crate) fn open_elsewhere(self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.set(Port::Open, ports)
    }

    /// A firewall drops what comes here.
    pub(crate) fn drop(self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.set(Port::Dropped, ports)
    }

    /// A firewall says that it is prohibited.
    pub(crate) fn admin_prohibited(self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.set(Port::Prohibited, ports)
    }

    /// A firewall says that the port is unreachable.
    pub(crate) fn port_unreachable(self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.set(Port::Unreachable, ports)
    }

    /// A firewall answers with a RST.
    pub(crate) fn reject_rst(self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.set(Port::Reset, ports)
    }

    /// The truth about one port.
    pub(crate) fn port(&self, port: u16) -> Port {
        self.ports[usize::from(port)]
    }

    /// The nftables rules that make the truth true, without the part that says for which addresses.
    pub(crate) fn rules(&self) -> String {
        let mut by_class: BTreeMap<Port, Vec<RangeInclusive<u16>>> = BTreeMap::new();
        for port in 1..=65_535 {
            let ranges = by_class.entry(self.port(port)).or_default();
            match ranges.last_mut() {
                Some(last) if *last.end() == port - 1 => *last = *last.start()..=port,
                _ => ranges.push(port..=port),
            }
        }
        let mut rules = self.extra.join("\n") + "\n";
        for (class, ranges) in by_class {
            let Some(rule) = class.rule() else { continue };
            let ports: Vec<String> =
                ranges.iter().map(|ports| format!("{}-{}", ports.start(), ports.end())).collect();
            writeln!(rules, "tcp dport {{ {} }} {rule}", ports.join(", ")).unwrap();
        }
        if self.silent {
            rules.push_str("meta l4proto != tcp drop\n");
        }
        rules
    }

    fn set(mut self, class: Port, ports: impl IntoIterator<Item = u16>) -> Self {
        for port in ports {
            assert!(port != 0, "there is no port 0");
            assert!(!self.listeners.contains(&port), "port {port} was declared open before");
            self.ports[usize::from(port)] = class;
        }
        self
    }
}
