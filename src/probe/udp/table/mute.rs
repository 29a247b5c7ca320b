//! Services that never answer a stranger: their silence proves nothing, and nobody can be asked.

/// A service that never answers a stranger.
#[derive(Debug)]
pub struct Mute {
    /// Its name in `profiles/ports/services.yaml`.
    pub service: &'static str,
    /// Where it usually is.
    pub ports: &'static [u16],
    /// Why it does not answer, and the document that says so.
    pub why: &'static str,
}

const fn mute(service: &'static str, ports: &'static [u16], why: &'static str) -> Mute {
    Mute { service, ports, why }
}

/// Services that never answer a stranger.
pub const MUTE: &[Mute] = &[
    mute(
        "wireguard",
        &[51820],
        "a handshake that is not made with a key it knows is dropped without a word (WireGuard white paper, section 5.1)",
    ),
    mute(
        "tailscale",
        &[41641],
        "WireGuard, and discovery packets sealed for keys it knows; others are dropped (WireGuard white paper, section 5.1; Tailscale, disco)",
    ),
    mute(
        "dhcps",
        &[67],
        "answers go to port 68 of a client or to a relay that it knows, never to the port that asked (RFC 2131 section 4.1)",
    ),
    mute(
        "dhcpc",
        &[68],
        "a client takes answers to its own questions and drops all else (RFC 2131 section 4.4)",
    ),
    mute(
        "dhcpv6-client",
        &[546],
        "a client takes answers to its own questions and drops all else (RFC 8415 section 16)",
    ),
    mute(
        "dhcpv6-server",
        &[547],
        "a server drops what clients send to its own address instead of to the group (RFC 8415 sections 16 and 18.4)",
    ),
    mute(
        "netbios-dgm",
        &[138],
        "messages to mail slots; what answers them is a message of its own to port 138 (RFC 1002 sections 4.4 and 5.3, MS-BRWS section 2.1)",
    ),
    mute("snmptrap", &[162], "traps are taken and never confirmed (RFC 3416 section 4.2.6)"),
    mute("syslog", &[514], "there is no answer in the protocol (RFC 5426 section 4, RFC 5424 section 5.1)"),
    mute("ipp", &[631], "announcements of printers are taken and never confirmed (CUPS browsing protocol)"),
    mute(
        "radius-acct",
        &[1813, 1646],
        "a request that is not proved with the shared secret is dropped without a word (RFC 2866 sections 3 and 4.1)",
    ),
    mute("netflow", &[2055], "exporters send, collectors never answer (RFC 3954 section 3)"),
    mute("ipfix", &[4739], "exporters send, collectors never answer (RFC 7011 section 10.3)"),
    mute("sflow", &[6343], "agents send, collectors never answer (sFlow version 5, section 5)"),
    mute(
        "galera",
        &[4567],
        "group messages of the cluster's members; there is no answer to a stranger's (Galera Cluster, gmcast.mcast_addr)",
    ),
    mute(
        "vxlan",
        &[4789],
        "frames are taken out and passed on; the tunnel itself has no messages (RFC 7348 section 4)",
    ),
    mute(
        "vxlan-linux",
        &[8472],
        "frames are taken out and passed on; the tunnel itself has no messages (RFC 7348 section 4)",
    ),
    mute(
        "geneve",
        &[6081],
        "frames are taken out and passed on; the tunnel itself has no messages (RFC 8926 section 3)",
    ),
    mute("rtp", &[5004], "media flow one way; there is no answer in the protocol (RFC 3550 section 5)"),
    mute("rtcp", &[5005], "reports go to the members of a session (RFC 3550 section 6)"),
    mute(
        "llmnr",
        &[5355],
        "questions that do not come to the group are dropped without a word (RFC 4795 section 2.4)",
    ),
    mute(
        "weave",
        &[6783, 6784],
        "packets of peers that did not meet over TCP first are dropped (Weave Net, how it works)",
    ),
    mute(
        "swarm-gossip",
        &[7946],
        "gossip is encrypted with keys of the swarm, other packets are dropped (Docker, swarm networking)",
    ),
    mute("statsd", &[8125], "counts are taken and never confirmed (StatsD, metric types)"),
    mute("gelf", &[12201], "log messages are taken and never confirmed (GELF via UDP)"),
];
