//! Windows and what speaks like it: RDP, SMB, RPC. Negotiates and goes no further.

use crate::identify::{
    octets::{little_double, little_word, octet, slice, word},
    stream::{Guard, Less, Question, Shown, is, need, only, told},
};

/// TLS, `CredSSP`, and `CredSSP` with an early answer are all welcome.
pub(super) const RDP: Question = Question {
    service: "ms-wbt-server",
    ports: &[3389],
    say: |_| vec![3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 0x0b, 0, 0, 0],
    read: |octets| told(rdp(octets)),
    source: "MS-RDPBCGR section 2.2.1.1",
};

/// A connection confirm, with what it chose (MS-RDPBCGR section 2.2.1.2).
fn rdp(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[3, 0, 0])?;
    let length = need(octet(octets, 3))?;
    only(matches!(length, 11 | 19))?;
    is(octets, 4, &[length - 5, 0xd0, 0, 0])?;
    need(slice(octets, 0, length.into()))?;
    let shown = Shown::service("ms-wbt-server");
    let Some(kind) = octet(octets, 11).filter(|_| length == 19) else {
        return Ok(shown.detail(Some("standard RDP security only".to_owned())));
    };
    let number = little_double(octets, 15).unwrap_or_default();
    only(matches!(kind, 2 | 3) && little_word(octets, 13) == Some(8))?;
    let (words, guard) = match (kind, number) {
        (2, 0) => ("standard RDP security", Guard::Untold),
        (2, 1) => ("TLS without network-level authentication", Guard::Upgradable),
        (2, 2 | 8) => ("network-level authentication", Guard::Upgradable),
        (3, 2 | 3) => ("standard RDP security only", Guard::Untold),
        (3, 1 | 5 | 6) => ("wants another security", Guard::Upgradable),
        _ => ("unknown security", Guard::Untold),
    };
    Ok(shown.detail(Some(words.to_owned())).guarded(guard))
}

/// Dialects 2.0.2, 2.1, 3.0 and 3.0.2: 3.1.1 would need contexts and tells no more.
pub(super) const SMB: Question = Question {
    service: "microsoft-ds",
    ports: &[445],
    say: |_| {
        let mut head = [0; 64];
        head[..8].copy_from_slice(&[0xfe, b'S', b'M', b'B', 64, 0, 0, 0]);
        // One credit is asked for.
        head[14] = 1;
        let mut body = [0; 36];
        body[..5].copy_from_slice(&[36, 0, 4, 0, 1]);
        // A client's GUID, which is nobody's.
        body[12..21].copy_from_slice(b"portproof");
        let dialects = [2, 2, 0x10, 2, 0, 3, 2, 3];
        [&[0, 0, 0, 108][..], &head, &body, &dialects].concat()
    },
    read: |octets| told(smb(octets)),
    source: "MS-SMB2 section 2.2.3",
};

/// For servers that know nothing else.
pub(super) const SMB1: Question = Question {
    service: "microsoft-ds",
    ports: &[445],
    say: |_| {
        let mut head = [0; 32];
        head[..5].copy_from_slice(b"\xffSMB\x72");
        head[9..14].copy_from_slice(&[0x18, 1, 0x28, 0, 0]);
        let dialect = b"\x02NT LM 0.12\0";
        [&[0, 0, 0, 47][..], &head, &[0, 12, 0], dialect].concat()
    },
    read: |octets| told(smb(octets)),
    source: "MS-CIFS section 2.2.4.52.1",
};

/// What both answer: MS-SMB2 section 2.2.4, MS-CIFS section 2.2.4.52.2.
fn smb(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0, 0])?;
    let version = need(octet(octets, 4))?;
    only(matches!(version, 0xfe | 0xff))?;
    is(octets, 5, b"SMB")?;
    let length = usize::from(need(word(octets, 2))?);
    only((35..=8192).contains(&length))?;
    let message = need(slice(octets, 4, length))?;
    let shown = Shown::service("microsoft-ds");
    if version == 0xff {
        only(octet(message, 4) == Some(0x72))?;
        // A dialect that does not exist is the answer of those that have switched SMB 1 off.
        let speaks = little_word(message, 33).is_some_and(|dialect| dialect != 0xffff);
        let signing = octet(message, 35).filter(|_| speaks && octet(message, 32) == Some(17));
        let dialect = if speaks { "SMB 1" } else { "no SMB 1" };
        return Ok(shown.detail(Some(described(dialect, signing.map(|mode| mode & 8 != 0)))));
    }
    only(little_word(message, 4) == Some(64) && little_word(message, 12) == Some(0))?;
    let dialect = little_word(message, 68).filter(|_| little_word(message, 64) == Some(65));
    let Some(dialect) = dialect else {
        return Ok(shown.detail(little_double(message, 8).map(|status| format!("status {status:08x}"))));
    };
    let name = match dialect {
        0x0202 => "SMB 2.0.2",
        0x0210 => "SMB 2.1",
        0x0300 => "SMB 3.0",
        0x0302 => "SMB 3.0.2",
        0x0311 => "SMB 3.1.1",
        _ => "SMB 2",
    };
    Ok(shown.detail(Some(described(name, octet(message, 66).map(|mode| mode & 2 != 0)))))
}

fn described(dialect: &str, signing: Option<bool>) -> String {
    match signing {
        Some(true) => format!("{dialect}, signing required"),
        Some(false) => format!("{dialect}, signing not required"),
        None => dialect.to_owned(),
    }
}

/// A session to the server that answers to any (RFC 1002 section 4.3.2).
pub(super) const NETBIOS: Question = Question {
    service: "netbios-ssn",
    ports: &[139],
    say: |_| {
        let called = b"\x20CKFDENECFDEFFCFGEFFCCACACACACACA\0";
        let calling = b"\x20FAEPFCFEFAFCEPEPEGCACACACACACAAA\0";
        [&[0x81, 0, 0, 68][..], called, calling].concat()
    },
    read: |octets| told(netbios(octets)),
    source: "RFC 1002 section 4.3; *SMBSERVER is of MS-SMB section 2.1",
};

/// Yes, or no and why (RFC 1002 sections 4.3.3 and 4.3.4).
fn netbios(octets: &[u8]) -> Result<Shown, Less> {
    let kind = need(octet(octets, 0))?;
    only(matches!(kind, 0x82 | 0x83))?;
    let length = u8::from(kind == 0x83);
    is(octets, 1, &[0, 0, length])?;
    let shown = Shown::service("netbios-ssn");
    if kind == 0x82 {
        only(octets.len() == 4)?;
        return Ok(shown);
    }
    let code = need(octet(octets, 4))?;
    only(matches!(code, 0x80..=0x83 | 0x8f) && octets.len() == 5)?;
    Ok(shown.detail(Some(format!("error {code:02x}"))))
}

/// A bind to the endpoint mapper, over NDR.
pub(super) const RPC: Question = Question {
    service: "msrpc",
    ports: &[135, 593],
    say: |_| {
        let head = [5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0, 0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0];
        let context = [1, 0, 0, 0, 0, 0, 1, 0];
        let mapper = [
            0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa,
            3, 0, 0, 0,
        ];
        let ndr = [
            0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60,
            2, 0, 0, 0,
        ];
        [&head[..], &context, &mapper, &ndr].concat()
    },
    read: |octets| told(rpc(octets)),
    source: "C706 section 12.6.4.3, MS-RPCE section 2.2.2.13; ept: C706 appendix O",
};

/// `bind_ack`, `bind_nak` or a fault (C706 sections 12.6.4.4, 12.6.4.5 and 12.6.4.7).
fn rpc(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[5, 0])?;
    let kind = need(octet(octets, 2))?;
    only(matches!(kind, 3 | 12 | 13))?;
    let representation = need(octet(octets, 4))?;
    only(matches!(representation, 0 | 0x10))?;
    is(octets, 5, &[0, 0, 0])?;
    let length = if representation == 0x10 { little_word(octets, 8) } else { word(octets, 8) };
    let length = need(length)?;
    only((18..=1024).contains(&length))?;
    need(slice(octets, 0, length.into()))?;
    let words = match kind {
        12 => None,
        13 => Some("bind refused"),
        _ => Some("fault"),
    };
    Ok(Shown::service("msrpc").detail(words.map(str::to_owned)))
}
