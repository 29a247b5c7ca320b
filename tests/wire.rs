//! Our octets against two strangers, pnet and etherparse: what we write they read as we meant it, and
//! what they read from random and broken packets is what we read.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pnet::packet::{Packet as _, ipv4::Ipv4Packet, ipv6::Ipv6Packet, tcp};
use portproof::{
    model::{Endpoint, Evidence, Moment, Protocol, Unreachable},
    probe::syn::{FALSE_ACCEPT, Heard, Link, PortBlock, ROOM, Reply, Syn, Template},
    wire::{arp, ethernet, icmp, ip, nd, tcp::Segment},
};
use proptest::prelude::*;

const PORTS: PortBlock = PortBlock { first: 61_184, count: 256 };
const NOW: Moment = Moment::from_millis(40_000);
const US4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 4));
const US6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 4));

fn syn() -> Syn {
    Syn::new([7; 16], PORTS)
}

fn endpoint(address: IpAddr, port: u16) -> Endpoint {
    Endpoint { address, protocol: Protocol::Tcp, port }
}

fn us(them: IpAddr) -> IpAddr {
    if them.is_ipv4() { US4 } else { US6 }
}

/// The SYN of an attempt, with an Ethernet header.
fn probe(endpoint: Endpoint, attempt: u8, sent: Moment) -> (Vec<u8>, u32) {
    let link = Link { source: [2, 0, 0, 0, 0, 1], destination: [2, 0, 0, 0, 0, 2] };
    let template = Template::new(Some(link), us(endpoint.address));
    let mut frame = [0; ROOM];
    let sequence = syn().sequence(sent, endpoint, attempt);
    let length = template.write(&mut frame, endpoint, syn().source_port(attempt).unwrap(), sequence);
    (frame[..length].to_vec(), sequence)
}

/// A packet to us, from its network header on.
fn packet(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let mut packet = match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            ip::ipv4(source, destination, protocol, 57, length).to_vec()
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            ip::ipv6(source, destination, protocol, 57, length).to_vec()
        }
        _ => unreachable!("one family"),
    };
    packet.extend(payload);
    packet
}

/// An answer to an attempt: flags and acknowledgement number as given.
fn answer(endpoint: Endpoint, attempt: u8, flags: u8, acknowledgement: u32) -> Vec<u8> {
    let mut segment = vec![0; 20];
    segment[0..2].copy_from_slice(&endpoint.port.to_be_bytes());
    segment[2..4].copy_from_slice(&(PORTS.first + u16::from(attempt)).to_be_bytes());
    segment[8..12].copy_from_slice(&acknowledgement.to_be_bytes());
    segment[12] = 0x50;
    segment[13] = flags;
    packet(endpoint.address, us(endpoint.address), 6, &segment)
}

fn reply(heard: Heard) -> Reply {
    match heard {
        Heard::Reply(reply) => reply,
        other => panic!("no reply: {other:?}"),
    }
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<Ipv4Addr>().prop_map(IpAddr::V4), any::<Ipv6Addr>().prop_map(IpAddr::V6)]
}

#[test]
fn a_syn_is_an_ordinary_clients() {
    let (frame, sequence) = probe(endpoint([203, 0, 113, 7].into(), 443), 1, NOW);
    let mut expected = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
    // IPv4: 52 octets, no identification, don't fragment, 64 hops, TCP, its checksum, the addresses.
    expected.extend([0x45, 0, 0, 52, 0, 0, 0x40, 0, 64, 6, frame[24], frame[25]]);
    expected.extend([198, 51, 100, 4, 203, 0, 113, 7]);
    // TCP: from the block's second port to 443; SYN; window 65535; MSS 1460, scale 8, SACK.
    expected.extend([0xef, 0x01, 0x01, 0xbb]);
    expected.extend(sequence.to_be_bytes());
    expected.extend([0, 0, 0, 0, 0x80, 2, 0xff, 0xff, frame[50], frame[51], 0, 0]);
    expected.extend([2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2]);
    assert_eq!(frame, expected);
}

proptest! {
    #[test]
    fn pnet_and_etherparse_read_what_we_write(them in address(), port: u16, attempt: u8, at in 0u64..1 << 50) {
        let (frame, sequence) = probe(endpoint(them, port), attempt, Moment::from_nanos(at));
        let sliced = SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(TransportSlice::Tcp(theirs)) = sliced.transport else { panic!("no TCP: {sliced:?}") };
        let ours = PORTS.first + u16::from(attempt);
        prop_assert_eq!((theirs.source_port(), theirs.destination_port()), (ours, port));
        prop_assert_eq!((theirs.sequence_number(), theirs.syn(), theirs.ack()), (sequence, true, false));
        prop_assert_eq!((theirs.window_size(), theirs.options_iterator().count()), (65_535, 6));
        let expected = match sliced.net.unwrap() {
            NetSlice::Ipv4(ip) => {
                let header = ip.header().to_header();
                prop_assert_eq!(header.calc_header_checksum(), header.header_checksum);
                prop_assert_eq!((IpAddr::from(header.source), IpAddr::from(header.destination)), (US4, them));
                theirs.calc_checksum_ipv4(ip.header().source(), ip.header().destination()).unwrap()
            }
            NetSlice::Ipv6(ip) => {
                prop_assert_eq!(IpAddr::from(ip.header().destination_addr()), them);
                theirs.calc_checksum_ipv6(ip.header().source(), ip.header().destination()).unwrap()
            }
            other @ NetSlice::Arp(_) => panic!("{other:?}"),
        };
        prop_assert_eq!(theirs.checksum(), expected);
        // The second stranger.
        let network = &frame[ethernet::LENGTH..];
        match them {
            IpAddr::V4(them) => {
                let packet = Ipv4Packet::new(network).unwrap();
                prop_assert_eq!(packet.get_checksum(), pnet::packet::ipv4::checksum(&packet));
                let segment = tcp::TcpPacket::new(packet.payload()).unwrap();
                let (IpAddr::V4(us), mine) = (US4, segment.get_checksum()) else { panic!() };
                prop_assert_eq!(mine, tcp::ipv4_checksum(&segment, &us, &them));
            }
            IpAddr::V6(them) => {
                let packet = Ipv6Packet::new(network).unwrap();
                let segment = tcp::TcpPacket::new(packet.payload()).unwrap();
                let (IpAddr::V6(us), mine) = (US6, segment.get_checksum()) else { panic!() };
                prop_assert_eq!(mine, tcp::ipv6_checksum(&segment, &us, &them));
            }
        }
    }

    #[test]
    fn we_and_etherparse_read_the_same_of_any_packet(octets in proptest::collection::vec(any::<u8>(), 0..120), six: bool) {
        let mut octets = octets;
        if let Some(first) = octets.first_mut() {
            *first = if six { 0x60 | *first & 15 } else { 0x40 | (*first & 15).max(5) };
        }
        if let (Ok(theirs), Some(ours)) = (SlicedPacket::from_ip(&octets), ip::parse(&octets)) {
            if let (Some(TransportSlice::Tcp(theirs)), Some(ours)) = (&theirs.transport, Segment::parse(ours.payload)) {
                prop_assert_eq!(theirs.source_port(), ours.source);
                prop_assert_eq!(theirs.acknowledgment_number(), ours.acknowledgement);
                prop_assert_eq!(theirs.window_size(), ours.window);
            }
            if let Some(NetSlice::Ipv4(theirs)) = theirs.net {
                prop_assert_eq!(IpAddr::from(theirs.header().source_addr()), ours.source);
                prop_assert_eq!(theirs.payload().payload.len(), ours.payload.len());
            }
        }
    }

    #[test]
    fn any_octets_are_understood_or_refused(octets: Vec<u8>, at: u64) {
        let _ = syn().understand(Moment::from_nanos(at), &octets);
        let _ = (arp::announced(&octets), nd::advertised(&octets), Segment::parse(&octets));
        let _ = (icmp::parse(1, &octets), icmp::parse(58, &octets), ip::quoted(&octets));
    }

    #[test]
    fn an_answer_is_known_with_its_attempt_and_its_time(them in address(), port: u16, attempt: u8, late in 0u64..9_900) {
        let asked = endpoint(them, port);
        let (_, sequence) = probe(asked, attempt, NOW);
        let later = NOW + std::time::Duration::from_millis(late);
        for (flags, back) in [(Segment::SYN | Segment::ACK, 1), (Segment::RST | Segment::ACK, 1), (Segment::RST, 0)] {
            let packet = answer(asked, attempt, flags, sequence.wrapping_add(back));
            let reply = reply(syn().understand(later, &packet));
            prop_assert_eq!((reply.endpoint, reply.attempt, reply.ttl), (asked, attempt, 57));
            let error = reply.sent_at(later).nanos().abs_diff(NOW.nanos());
            prop_assert!(error <= 67_200_000, "{} ns", error);
            let is_open = matches!(reply.evidence, Evidence::SynAck { window: 0, options: false });
            prop_assert_eq!(is_open, flags & Segment::SYN != 0);
        }
    }

    #[test]
    fn an_error_is_understood_from_eight_octets(them in address(), port: u16, attempt: u8, hops: u8) {
        let asked = endpoint(them, port);
        let (mut frame, _) = probe(asked, attempt, NOW);
        // What the router saw: fewer hops to go.
        frame[ethernet::LENGTH + if them.is_ipv4() { 8 } else { 7 }] = hops;
        let header = if them.is_ipv4() { 20 } else { 40 };
        let quote = &frame[ethernet::LENGTH..][..header + 8];
        let (router, protocol, kind) = match them {
            IpAddr::V4(_) => (IpAddr::from([192, 0, 2, 1]), 1, [3, 13]),
            IpAddr::V6(_) => (IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), 58, [1, 1]),
        };
        let mut message = vec![kind[0], kind[1], 0, 0, 0, 0, 0, 0];
        message.extend(quote);
        let reply = reply(syn().understand(NOW, &packet(router, us(them), protocol, &message)));
        prop_assert_eq!((reply.endpoint, reply.attempt), (asked, attempt));
        let what = Unreachable::AdminProhibited;
        prop_assert_eq!(reply.evidence, Evidence::Unreachable { what, sender: Some(router) });
        // One octet less is too little, and one bit of the number is somebody else's.
        message.pop();
        prop_assert_eq!(syn().understand(NOW, &packet(router, us(them), protocol, &message)), Heard::Foreign);
        message.push(quote[header + 7] ^ 1);
        prop_assert_eq!(syn().understand(NOW, &packet(router, us(them), protocol, &message)), Heard::Stray);
    }
}

#[test]
fn too_old_an_answer_and_one_with_senseless_flags_are_strays() {
    let asked = endpoint([203, 0, 113, 7].into(), 80);
    let (_, sequence) = probe(asked, 1, NOW);
    let back = sequence.wrapping_add(1);
    let later = NOW + std::time::Duration::from_millis(10_300);
    assert_eq!(syn().understand(later, &answer(asked, 1, 0x12, back)), Heard::Stray);
    // The eight bits of time come round every 17.2 s; an answer that comes a round late is too old as well.
    let a_round = NOW + std::time::Duration::from_nanos(256 << 26);
    assert_eq!(syn().understand(a_round, &answer(asked, 1, 0x12, back)), Heard::Stray);
    assert_eq!(syn().understand(NOW, &answer(asked, 1, 0x13, back)), Heard::Stray);
    for flags in [0, Segment::ACK, Segment::SYN, Segment::SYN | Segment::RST | Segment::ACK, Segment::FIN] {
        assert_eq!(syn().understand(NOW, &answer(asked, 1, flags, back)), Heard::Stray, "{flags:#x}");
    }
    // The right number at another attempt's port, from another port, from another host.
    assert_eq!(syn().understand(NOW, &answer(asked, 2, 0x12, back)), Heard::Stray);
    for other in [endpoint(asked.address, 81), endpoint([203, 0, 113, 8].into(), 80)] {
        assert_eq!(syn().understand(NOW, &answer(other, 1, 0x12, back)), Heard::Stray);
    }
}

/// A million packets that look as much like answers as they can without knowing the key. One in fifteen
/// million is believed; three of a million would be a one in a hundred thousand chance.
#[test]
fn a_packet_without_our_cookie_settles_nothing() {
    let (syn, mut random) = (syn(), 1u64);
    let mut believed = 0;
    for n in 0..1_000_000u64 {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let number = u32::try_from(random >> 32).unwrap();
        let asked =
            endpoint(Ipv4Addr::from_bits(number ^ 0x0a00_0000).into(), u16::try_from(n & 0xffff).unwrap());
        let flags = if n & 1 == 0 { 0x12 } else { 0x14 };
        let heard = syn.understand(NOW, &answer(asked, u8::try_from(n & 0xff).unwrap(), flags, number));
        assert_ne!(heard, Heard::Foreign);
        believed += u32::from(heard != Heard::Stray);
    }
    assert!(believed <= 2, "{believed} believed, {} expected", FALSE_ACCEPT * 1e6);
}

#[test]
fn neighbours_are_asked_in_words_that_others_understand() {
    let mac = [2, 0, 0, 0, 0, 1];
    let frame = arp::request(mac, [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let sliced = SlicedPacket::from_ethernet(&frame).unwrap();
    let Some(NetSlice::Arp(asked)) = sliced.net else { panic!("{sliced:?}") };
    assert_eq!((asked.target_protocol_addr(), asked.sender_hw_addr()), (&[10, 0, 0, 2][..], &mac[..]));
    // The reply is the same with the sides exchanged.
    let mut reply = frame[14..].to_vec();
    reply[7] = 2;
    assert_eq!(arp::announced(&reply), Some(([10, 0, 0, 1].into(), mac)));
    assert_eq!(arp::announced(&frame[14..]), None, "a question announces nothing");

    let (us, them): (Ipv6Addr, Ipv6Addr) =
        ("2001:db8::1".parse().unwrap(), "2001:db8::aa:bbcc".parse().unwrap());
    let frame = nd::solicitation(mac, us, them);
    assert_eq!(frame[..6], [0x33, 0x33, 0xff, 0xaa, 0xbb, 0xcc]);
    let Some(TransportSlice::Icmpv6(asked)) = SlicedPacket::from_ethernet(&frame).unwrap().transport else {
        panic!()
    };
    let group: Ipv6Addr = "ff02::1:ffaa:bbcc".parse().unwrap();
    assert!(asked.is_checksum_valid(us.octets(), group.octets()));
    let mut message = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
    message.extend(them.octets());
    message.extend([2, 1, 2, 0, 0, 0, 0, 9]);
    let mut packet = ip::ipv6(them, us, 58, 255, 32).to_vec();
    packet.extend(&message);
    assert_eq!(nd::advertised(&packet), Some((them, [2, 0, 0, 0, 0, 9])));
    packet[7] = 254;
    assert_eq!(nd::advertised(&packet), None, "it came from beyond the link");
}
