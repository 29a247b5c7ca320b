//! Any octets off the wire: understood or refused, never a panic; and what is believed is what a probe
//! with that number would have been answered with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use portproof::{
    model::{Evidence, Moment},
    probe::syn::{Heard, PortBlock, Syn},
    wire::{arp, icmp, ip, nd, tcp::Segment},
};

const NOW: Moment = Moment::from_millis(100_000);

fuzz_target!(|octets: &[u8]| {
    let syn = Syn::new([0; 16], PortBlock { first: 61_184, count: 256 });
    if let Heard::Reply(reply) = syn.understand(NOW, octets) {
        let sent = reply.sent_at(NOW);
        assert!(sent <= NOW && NOW - sent <= std::time::Duration::from_millis(10_100));
        assert_eq!(syn.sequence(sent, reply.endpoint, reply.attempt), reply.sequence);
        assert!(!matches!(reply.evidence, Evidence::Silence | Evidence::Local(_) | Evidence::Connected));
    }
    if let Some(packet) = ip::parse(octets) {
        assert!(packet.payload.len() < octets.len());
    }
    let _ = (arp::announced(octets), nd::advertised(octets), Segment::parse(octets));
    let _ = (icmp::parse(icmp::ICMPV4, octets), icmp::parse(icmp::ICMPV6, octets), ip::quoted(octets));
});
