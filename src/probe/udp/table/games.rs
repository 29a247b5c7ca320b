//! Games. Asks for what their server browsers ask for.

use super::{Echo, PLAIN, Payload, Shape, hex, is, octets};

/// Payloads of this kind.
pub(super) const TABLE: &[Payload] = &[
    Payload {
        service: "srcds",
        ports: &[27015],
        octets: b"\xff\xff\xff\xffTSource Engine Query\0",
        // Information (I, of old servers m), or a challenge (A) first.
        reply: Shape {
            least: 9,
            is: &[is(0, 0xff), is(1, 0xff), is(2, 0xff), is(3, 0xff), (4, 0xd3, 0x41)],
            ..Shape::ANY
        },
        source: "Valve developer wiki, Server queries: A2S_INFO",
        ..PLAIN
    },
    Payload {
        service: "quake3",
        ports: &[27960],
        octets: b"\xff\xff\xff\xffgetinfo c0c0c0c0c0c0c0c0\n",
        cookie: &[hex(12, 8)],
        reply: Shape {
            least: 20,
            is: &[is(0, 0xff), is(1, 0xff), is(2, 0xff), is(3, 0xff), is(4, b'i')],
            has: b"infoResponse",
            echo: Echo::Within,
            ..Shape::ANY
        },
        source: "Quake III Arena, sv_main.c: SVC_Info; dpmaster protocol notes",
        ..PLAIN
    },
    Payload {
        service: "minecraft-bedrock",
        ports: &[19132],
        octets: b"\x01\xc0\xc0\xc0\xc0\xc0\xc0\xc0\xc0\0\xff\xff\0\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78prtproof",
        cookie: &[octets(1, 8)],
        reply: Shape {
            least: 33,
            is: &[is(0, 0x1c), is(17, 0), is(18, 0xff), is(19, 0xff), is(20, 0), is(21, 0xfe)],
            echo: Echo::At(1),
            ..Shape::ANY
        },
        source: "RakNet, unconnected ping and pong",
        ..PLAIN
    },
    Payload {
        service: "minecraft-query",
        ports: &[25565],
        // Handshake: answered with a challenge.
        octets: &[0xfe, 0xfd, 9, 0, 0, 0, 1],
        reply: Shape {
            least: 7,
            most: 32,
            is: &[is(0, 9), is(1, 0), is(2, 0), is(3, 0), is(4, 1)],
            ..Shape::ANY
        },
        source: "Minecraft wiki, Query protocol: handshake",
        ..PLAIN
    },
];
