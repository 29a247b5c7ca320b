//! Proof of exactly-once coverage, for the walk as a whole: in spaces of every size class each endpoint
//! that says nothing is asked exactly as often as planned, and nothing else is asked.

use portproof::{
    model::{PortSet, Protocol},
    scan::WINDOW,
};

use super::cover::{Space, cover};

#[test]
fn every_endpoint_of_every_small_space_is_asked_exactly_as_often_as_planned() {
    for size in 1..=600 {
        // All on one address; one port each; and rectangles with a rest.
        for ports in [600, 1, 7] {
            cover(&Space::of(size, ports), 2, WINDOW, size);
        }
    }
}

#[test]
fn every_endpoint_of_spaces_around_every_power_of_two_is_asked_exactly_as_often_as_planned() {
    for bits in 10..=20 {
        for size in [(1 << bits) - 1, 1 << bits, (1 << bits) + 1, 3 << (bits - 1)] {
            cover(&Space::of(size, 4096), 2, WINDOW, bits);
        }
    }
    for bits in 10..=16 {
        for size in [(1 << bits) - 1, 1 << bits, (1 << bits) + 1] {
            cover(&Space { is_ipv6: bits % 2 == 0, ..Space::of(size, 3) }, 3, WINDOW, bits);
        }
    }
}

#[test]
fn every_endpoint_of_spaces_around_sixteen_million_is_asked_exactly_once() {
    for size in [1 << 24, (1 << 24) + 1] {
        cover(&Space::of(size, 65_535), 1, WINDOW, size);
    }
}

#[test]
fn neither_windows_nor_names_nor_scattered_ports_change_how_often_an_endpoint_is_asked() {
    let scattered = PortSet::parse("1,3,22,80-90,443,1024,8000-8100,65535").unwrap();
    for window in [1, 2, 7, 64, 512, 1000, 4097, 70_000] {
        for addresses in [1, 2, 3, 17, 255] {
            for (named, protocol) in
                [("none", Protocol::Tcp), ("22,443", Protocol::Udp), ("1-65535", Protocol::Tcp)]
            {
                let named = PortSet::parse(named).unwrap();
                let (ports, last) = (scattered.clone(), PortSet::parse("1,3").unwrap());
                let space = Space { addresses, ports, last, named, protocol, is_ipv6: addresses == 3 };
                cover(&space, 2, window, addresses ^ window);
            }
        }
    }
    for window in [65_536, 1 << 17, 300_000] {
        cover(&Space::of(10 * 65_535 + 13, 65_535), 2, window, window);
    }
}
