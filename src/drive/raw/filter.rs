//! The kernel's filter on what is received (classic BPF; kernel documentation `networking/filter`):
//! answers to our ports, and ICMP errors. Everything else never leaves the kernel. What passes is
//! judged by `probe::syn`; the filter may let too much through, and must never let too little.

use socket2::SockFilter;

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
const SYN_ACK: u32 = 0x12;
const RST: u32 = 0x04;

const fn load(code: u16, value: u32) -> Step {
    Step { code, value, yes: To::Next, no: To::Next }
}

const fn jump(code: u16, value: u32, yes: To, no: To) -> Step {
    Step { code, value, yes, no }
}

/// For IPv4 packets from their header on.
pub(super) fn ipv4(first: u16, count: u16) -> Vec<SockFilter> {
    assemble(&[
        load(LOAD_8, 9),
        jump(IS, 1, To::Step(13), To::Next),
        jump(IS, TCP, To::Next, To::Reject),
        load(LOAD_16, 6),
        jump(HAS_BIT, 0x1fff, To::Reject, To::Next), // a later fragment has no ports
        load(HEADER_TO_X, 0),
        load(LOAD_16_AT_X, 2),
        load(SUBTRACT, first.into()), // what is below the block wraps, and is far above it
        jump(IS_AT_LEAST, count.into(), To::Reject, To::Next),
        load(LOAD_8_AT_X, 13),
        jump(HAS_BIT, RST, To::Accept, To::Next),
        load(AND, SYN_ACK),
        jump(IS, SYN_ACK, To::Accept, To::Reject),
        load(HEADER_TO_X, 0), // 13: ICMP, unreachable or time exceeded
        load(LOAD_8_AT_X, 0),
        jump(IS, 3, To::Accept, To::Next),
        jump(IS, 11, To::Accept, To::Reject),
    ])
}

/// For IPv6 packets from their header on. Those with extension headers pass: they are few, and a chain
/// of headers is beyond this language.
pub(super) fn ipv6(first: u16, count: u16) -> Vec<SockFilter> {
    assemble(&[
        load(LOAD_8, 6),
        jump(IS, TCP, To::Step(8), To::Next),
        jump(IS, 58, To::Step(15), To::Next),
        jump(IS, 0, To::Accept, To::Next),
        jump(IS, 43, To::Accept, To::Next),
        jump(IS, 44, To::Accept, To::Next),
        jump(IS, 51, To::Accept, To::Next),
        jump(IS, 60, To::Accept, To::Reject),
        load(LOAD_16, 42), // 8: TCP
        load(SUBTRACT, first.into()),
        jump(IS_AT_LEAST, count.into(), To::Reject, To::Next),
        load(LOAD_8, 53),
        jump(HAS_BIT, RST, To::Accept, To::Next),
        load(AND, SYN_ACK),
        jump(IS, SYN_ACK, To::Accept, To::Reject),
        load(LOAD_8, 40), // 15: ICMPv6, unreachable, time exceeded or parameter problem
        jump(IS, 1, To::Accept, To::Next),
        jump(IS, 3, To::Accept, To::Next),
        jump(IS, 4, To::Accept, To::Reject),
    ])
}

/// For neighbour advertisements (RFC 4861 section 4.4).
pub(super) fn advertisements() -> Vec<SockFilter> {
    assemble(&[
        load(LOAD_8, 6),
        jump(IS, 58, To::Next, To::Reject),
        load(LOAD_8, 40),
        jump(IS, 136, To::Accept, To::Reject),
    ])
}

/// Puts the two ends behind the steps and counts the jumps.
fn assemble(steps: &[Step]) -> Vec<SockFilter> {
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
    let mut program: Vec<SockFilter> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| {
            SockFilter::new(step.code, distance(at, step.yes), distance(at, step.no), step.value)
        })
        .collect();
    program.extend([SockFilter::new(RETURN, 0, 0, 0), SockFilter::new(RETURN, 0, 0, u32::from(u16::MAX))]);
    program
}
