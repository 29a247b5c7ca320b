//! The kernel's filter on what is received (classic BPF; kernel documentation `networking/filter`):
//! answers to our ports, and ICMP errors. Everything else never leaves the kernel. What passes is
//! judged by `probe::syn`; the filter may let too much through, and must never let too little.

use std::io;

use socket2::{SockFilter, Socket};

/// One instruction of the kernel's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    code: u16,
    yes: u8,
    no: u8,
    value: u32,
}

/// One instruction, its jumps named.
#[derive(Clone, Copy)]
struct Step {
    code: u16,
    value: u32,
    yes: To,
    no: To,
}

#[derive(Clone, Copy)]
enum To {
    Next,
    Accept,
    Reject,
    Step(u8),
}

// linux/bpf_common.h
const LOAD_16: u16 = 0x28;
const LOAD_8: u16 = 0x30;
const LOAD_16_AT_X: u16 = 0x48;
const LOAD_8_AT_X: u16 = 0x50;
/// X = 4 * (octet & 15): the length of an IPv4 header.
const HEADER_TO_X: u16 = 0xb1;
const SUBTRACT: u16 = 0x14;
const AND: u16 = 0x54;
const IS: u16 = 0x15;
const IS_AT_LEAST: u16 = 0x35;
const HAS_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

const TCP: u32 = 6;
const UDP: u32 = 17;
const SYN_ACK: u32 = 0x12;
const RST: u32 = 0x04;

const fn load(code: u16, value: u32) -> Step {
    Step { code, value, yes: To::Next, no: To::Next }
}

const fn jump(code: u16, value: u32, yes: To, no: To) -> Step {
    Step { code, value, yes, no }
}

/// Lets only what passes the program reach a socket.
pub(super) fn attach(socket: &Socket, program: &[Instruction]) -> io::Result<()> {
    let program: Vec<SockFilter> =
        program.iter().map(|step| SockFilter::new(step.code, step.yes, step.no, step.value)).collect();
    socket.attach_filter(&program)
}

/// Whose answers are to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ear {
    /// Those to SYNs.
    Segments,
    /// Those to datagrams, whole.
    Datagrams,
}

impl Ear {
    fn protocol(self) -> u32 {
        match self {
            Self::Segments => TCP,
            Self::Datagrams => UDP,
        }
    }

    /// What else has to be true when the port is ours: of TCP, SYN-ACK and RST alone pass; the flags are read
    /// by this step.
    fn flags(self, load_flags: Step) -> Vec<Step> {
        match self {
            Self::Segments => vec![
                load_flags,
                jump(HAS_BIT, RST, To::Accept, To::Next),
                load(AND, SYN_ACK),
                jump(IS, SYN_ACK, To::Accept, To::Reject),
            ],
            Self::Datagrams => Vec::new(),
        }
    }
}

/// For IPv4 packets from their header on: answers to our ports, and ICMP errors.
pub(super) fn ipv4(ear: Ear, first: u16, count: u16) -> Vec<Instruction> {
    let flags = ear.flags(load(LOAD_8_AT_X, 13));
    let errors = step(9 + flags.len());
    let ports = [
        load(LOAD_8, 9),
        jump(IS, 1, errors, To::Next),
        jump(IS, ear.protocol(), To::Next, To::Reject),
        load(LOAD_16, 6),
        jump(HAS_BIT, 0x1fff, To::Reject, To::Next), // a later fragment has no ports
        load(HEADER_TO_X, 0),
        load(LOAD_16_AT_X, 2),
        load(SUBTRACT, first.into()), // what is below the block wraps, and is far above it
        jump(IS_AT_LEAST, count.into(), To::Reject, if flags.is_empty() { To::Accept } else { To::Next }),
    ];
    let icmp = [
        load(HEADER_TO_X, 0), // unreachable or time exceeded
        load(LOAD_8_AT_X, 0),
        jump(IS, 3, To::Accept, To::Next),
        jump(IS, 11, To::Accept, To::Reject),
    ];
    assemble(&[&ports[..], &flags, &icmp].concat())
}

/// For IPv6 packets from their header on. Those with extension headers pass: they are few, and a chain
/// of headers is beyond this language.
pub(super) fn ipv6(ear: Ear, first: u16, count: u16) -> Vec<Instruction> {
    let flags = ear.flags(load(LOAD_8, 53));
    let errors = step(11 + flags.len());
    let ports = [
        load(LOAD_8, 6),
        jump(IS, ear.protocol(), To::Step(8), To::Next),
        jump(IS, 58, errors, To::Next),
        jump(IS, 0, To::Accept, To::Next),
        jump(IS, 43, To::Accept, To::Next),
        jump(IS, 44, To::Accept, To::Next),
        jump(IS, 51, To::Accept, To::Next),
        jump(IS, 60, To::Accept, To::Reject),
        load(LOAD_16, 42), // 8: the ports
        load(SUBTRACT, first.into()),
        jump(IS_AT_LEAST, count.into(), To::Reject, if flags.is_empty() { To::Accept } else { To::Next }),
    ];
    let icmp = [
        load(LOAD_8, 40), // unreachable, time exceeded or parameter problem
        jump(IS, 1, To::Accept, To::Next),
        jump(IS, 3, To::Accept, To::Next),
        jump(IS, 4, To::Accept, To::Reject),
    ];
    assemble(&[&ports[..], &flags, &icmp].concat())
}

fn step(at: usize) -> To {
    To::Step(u8::try_from(at).unwrap_or(u8::MAX))
}

/// For nothing at all.
pub(super) fn nothing() -> Vec<Instruction> {
    vec![Instruction { code: RETURN, yes: 0, no: 0, value: 0 }]
}

/// For neighbour advertisements (RFC 4861 section 4.4).
pub(super) fn advertisements() -> Vec<Instruction> {
    assemble(&[
        load(LOAD_8, 6),
        jump(IS, 58, To::Next, To::Reject),
        load(LOAD_8, 40),
        jump(IS, 136, To::Accept, To::Reject),
    ])
}

/// Puts the two ends behind the steps and counts the jumps.
fn assemble(steps: &[Step]) -> Vec<Instruction> {
    let end = u8::try_from(steps.len()).unwrap_or(u8::MAX);
    let distance = |from: usize, to: To| {
        let from = u8::try_from(from).unwrap_or(u8::MAX);
        let to = match to {
            To::Next => from + 1,
            To::Reject => end,
            To::Accept => end + 1,
            To::Step(step) => step,
        };
        to - from - 1
    };
    let instruction = |code, yes, no, value| Instruction { code, yes, no, value };
    let mut program: Vec<Instruction> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| instruction(step.code, distance(at, step.yes), distance(at, step.no), step.value))
        .collect();
    program.extend([instruction(RETURN, 0, 0, 0), instruction(RETURN, 0, 0, u32::from(u16::MAX))]);
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ip, tcp::Segment};

    /// What the kernel would do, for the instructions used here.
    fn passes(program: &[Instruction], packet: &[u8]) -> bool {
        let word = |at: u32, size: usize| {
            let octets = packet.get(at as usize..at as usize + size)?;
            Some(octets.iter().fold(0u32, |value, octet| value << 8 | u32::from(*octet)))
        };
        let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
        loop {
            let Instruction { code, yes, no, value: k } = program[at];
            let jump = |taken: bool| 1 + usize::from(if taken { yes } else { no });
            let mut next = 1;
            let loaded = match code {
                LOAD_16 => word(k, 2).map(|value| a = value),
                LOAD_8 => word(k, 1).map(|value| a = value),
                LOAD_16_AT_X => word(x + k, 2).map(|value| a = value),
                LOAD_8_AT_X => word(x + k, 1).map(|value| a = value),
                HEADER_TO_X => word(k, 1).map(|value| x = 4 * (value & 15)),
                SUBTRACT => {
                    a = a.wrapping_sub(k);
                    Some(())
                }
                AND => {
                    a &= k;
                    Some(())
                }
                IS => {
                    next = jump(a == k);
                    Some(())
                }
                IS_AT_LEAST => {
                    next = jump(a >= k);
                    Some(())
                }
                HAS_BIT => {
                    next = jump(a & k != 0);
                    Some(())
                }
                RETURN => return k > 0,
                other => panic!("{other:#x}"),
            };
            if loaded.is_none() {
                return false;
            }
            at += next;
        }
    }

    fn segment(port: u16, flags: u8) -> Vec<u8> {
        let mut segment = vec![0; 20];
        segment[2..4].copy_from_slice(&port.to_be_bytes());
        (segment[12], segment[13]) = (0x50, flags);
        segment
    }

    #[test]
    fn answers_to_our_ports_and_errors_pass_and_nothing_else() {
        let segments = Ear::Segments;
        let (four, six) = (ipv4(segments, 61_184, 256), ipv6(segments, 61_184, 256));
        let packets = |protocol: u8, payload: &[u8]| {
            let length = u16::try_from(payload.len()).unwrap();
            let mut v4 = ip::ipv4([1, 2, 3, 4].into(), [5, 6, 7, 8].into(), protocol, 60, length).to_vec();
            let mut v6 = ip::ipv6([1; 16].into(), [2; 16].into(), protocol, 60, length).to_vec();
            v4.extend(payload);
            v6.extend(payload);
            (v4, v6)
        };
        let (syn_ack, rst) = (Segment::SYN | Segment::ACK, Segment::RST);
        for port in [0, 1, 61_183, 61_184, 61_439, 61_440, u16::MAX] {
            for flags in 0..=0x3f {
                let (v4, v6) = packets(6, &segment(port, flags));
                let wanted =
                    (61_184..61_440).contains(&port) && (flags & syn_ack == syn_ack || flags & rst != 0);
                assert_eq!((passes(&four, &v4), passes(&six, &v6)), (wanted, wanted), "{port} {flags:#x}");
            }
        }
        for kind in 0..=255 {
            let message = [&[kind, 0, 0, 0, 0, 0, 0, 0][..], &[0; 40]].concat();
            assert_eq!(passes(&four, &packets(1, &message).0), matches!(kind, 3 | 11), "{kind}");
            assert_eq!(passes(&six, &packets(58, &message).1), matches!(kind, 1 | 3 | 4), "{kind}");
            assert_eq!(passes(&advertisements(), &packets(58, &message).1), kind == 136);
            assert_eq!(passes(&ipv4(Ear::Datagrams, 1, 2), &packets(1, &message).0), matches!(kind, 3 | 11));
            assert_eq!(
                passes(&ipv6(Ear::Datagrams, 1, 2), &packets(58, &message).1),
                matches!(kind, 1 | 3 | 4)
            );
        }
        let ear = Ear::Datagrams;
        let datagrams = (ipv4(ear, 61_184, 256), ipv6(ear, 61_184, 256));
        for port in [0, 1, 61_183, 61_184, 61_439, 61_440, u16::MAX] {
            let ((v4, v6), ours) = (packets(17, &segment(port, 0)), (61_184..61_440).contains(&port));
            assert_eq!((passes(&datagrams.0, &v4), passes(&datagrams.1, &v6)), (ours, ours), "{port}");
        }
        let (mut v4, v6) = packets(17, &segment(61_200, syn_ack));
        assert!(!passes(&four, &v4) && !passes(&six, &v6), "UDP");
        assert!(!passes(&nothing(), &v4));
        (v4[9], v4[7]) = (6, 1);
        assert!(!passes(&four, &v4), "a later fragment");
        let (_, mut v6) = packets(6, &segment(1, 0));
        for extension in [0, 43, 44, 51, 60] {
            v6[6] = extension;
            assert!(passes(&six, &v6), "behind extension headers anything may be");
        }
        assert!(!passes(&four, &[0x45]) && !passes(&six, &[0x60]), "too short");
    }
}
