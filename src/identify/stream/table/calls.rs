//! Calls and requests of files and repositories: ONC RPC, AFP, git, OVSDB. Calls what does nothing, or lists.

use super::web::plain;
use crate::identify::{
    Identity, datagram,
    octets::{between, double, find, json, octet, slice, word},
    stream::{Guard, LINE, Less, Question, Shown, after, is, need, only, told},
    text,
};

/// Ids by which we know which program was called.
const ID: u32 = 0x7070_0000;

/// Procedure 0 of a program, behind a record mark: it does nothing and answers that.
fn null_call(program: u32, version: u32) -> Vec<u8> {
    let fields = [0x8000_0028, ID | program & 0xffff, 0, 2, program, version, 0, 0, 0, 0, 0];
    fields.iter().flat_map(|field: &u32| field.to_be_bytes()).collect()
}

const RPC: &str = "RFC 5531 sections 9, 11 and 12.1";
const PORT_MAPPER: u32 = 100_000;
const NFS_PROGRAM: u32 = 100_003;
const MOUNT: u32 = 100_005;

pub(super) const RPCBIND: Question = Question {
    service: "rpcbind",
    ports: &[111],
    say: |_| null_call(PORT_MAPPER, 2),
    read: |octets| told(called("rpcbind", PORT_MAPPER, octets)),
    source: RPC,
};

pub(super) const NFS: Question = Question {
    service: "nfs",
    ports: &[2049],
    say: |_| null_call(NFS_PROGRAM, 3),
    read: |octets| told(called("nfs", NFS_PROGRAM, octets)),
    source: RPC,
};

pub(super) const MOUNTD: Question = Question {
    service: "mountd",
    ports: &[20048],
    say: |_| null_call(MOUNT, 3),
    read: |octets| told(called("mountd", MOUNT, octets)),
    source: RPC,
};

/// A reply to that call by somebody who has the program: done, or another version of it.
fn called(service: &'static str, program: u32, octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[0x80, 0, 0])?;
    is(octets, 4, &(ID | program & 0xffff).to_be_bytes())?;
    is(octets, 8, &[0, 0, 0, 1])?;
    let length = need(octet(octets, 3))?;
    only((20..=64).contains(&length))?;
    let reply = need(slice(octets, 4, length.into()))?;
    let shown = Shown::service(service);
    match double(reply, 8) {
        // Accepted: whether it has the program comes behind the verifier.
        Some(0) => only(matches!(double(reply, 20), Some(0 | 2)))?,
        Some(1) => {}
        _ => return Err(Less::Foreign),
    }
    let identity = datagram("rpcbind", reply);
    Ok(identity.map_or_else(|| shown.clone(), |identity| shown.clone().by(identity)))
}

/// Which server is it? Asked outside any session.
pub(super) const AFP: Question = Question {
    service: "afp",
    ports: &[548],
    say: |_| vec![0, 3, 0x70, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    read: |octets| told(afp(octets)),
    source: "Apple Filing Protocol, DSIGetStatus",
};

fn afp(octets: &[u8]) -> Result<Shown, Less> {
    is(octets, 0, &[1, 3, 0x70, 0x70])?;
    let length = need(double(octets, 8))?;
    only((24..=8192).contains(&length))?;
    let block = need(slice(octets, 16, usize::try_from(length).unwrap_or(LINE)))?;
    // Offsets of the machine's type; the server's name begins after the fixed fields. Both are counted texts.
    let counted = |at: usize| text(slice(block, at + 1, octet(block, at)?.into())?);
    let machine = word(block, 0).and_then(|at| counted(at.into()));
    let name = counted(10).map(|name| format!("server {name}"));
    let identity = Identity { product: machine, version: None, detail: name };
    Ok(Shown::service("afp").by(identity))
}

/// A repository that cannot be there.
pub(super) const GIT: Question = Question {
    service: "git",
    ports: &[9418],
    say: |whom| {
        let rest = format!("git-upload-pack /portproof.invalid\0host={}\0", plain(whom));
        format!("{:04x}{rest}", rest.len() + 4).into_bytes()
    },
    read: |octets| told(git(octets)),
    source: "Git, pack protocol: git transport; fetching writes nothing",
};

/// `ERR access denied or repository not exported`, or references, in a line with its length.
fn git(octets: &[u8]) -> Result<Shown, Less> {
    let size = octets.get(..4).unwrap_or(octets);
    only(size.iter().all(u8::is_ascii_hexdigit))?;
    is(octets, 4, b"ERR ")?;
    let size = need(text(size))?;
    let size = usize::from_str_radix(&size, 16).map_err(|_| Less::Foreign)?;
    only((8..=LINE).contains(&size))?;
    let words = need(slice(octets, 8, size - 8))?;
    Ok(Shown::service("git").detail(text(words)))
}

pub(super) const OVSDB: Question = Question {
    service: "ovsdb",
    ports: &[6640, 6641, 6642],
    say: |_| b"{\"id\":\"portproof\",\"method\":\"list_dbs\",\"params\":[]}".to_vec(),
    read: |octets| told(ovsdb(octets)),
    source: "RFC 7047 section 4.1.1",
};

fn ovsdb(octets: &[u8]) -> Result<Shown, Less> {
    let rest = after(octets, b"{")?;
    only(octets.len() < LINE)?;
    // An object with our id: no other service answers with it.
    let names = [&b"\"id\""[..], b"\"result\"", b"\"error\""];
    only(rest.first().is_none_or(|first| *first == b'"'))?;
    need(octets.ends_with(b"}").then_some(()))?;
    only(
        names.iter().all(|name| find(octets, name).is_some())
            && json(octets, "id").as_deref() == Some("portproof"),
    )?;
    let shown = Shown::service("ovsdb");
    let names = between(octets, "\"result\":[", "]").and_then(text);
    Ok(match names {
        Some(names) => {
            let names = names.replace('"', "").replace(',', ", ");
            shown.detail(Some(format!("databases {names}"))).guarded(Guard::Open("lists its databases"))
        }
        None => shown,
    })
}
