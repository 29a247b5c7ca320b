//! What the parts do together, against answers of real servers that were recorded: `tls10.bin`, `tls12.bin`,
//! `tls13.bin`, `retry.bin` and `alert.bin` are from OpenSSL 3.0, and so are the certificates.

#![allow(clippy::cast_possible_truncation)] // lengths of our own making

mod answer;
mod certificate;
mod datagram;
mod hello;
mod profile;
mod starttls;
mod survey;

use super::*;

const TLS10: &[u8] = include_bytes!("tls10.bin");
const TLS12: &[u8] = include_bytes!("tls12.bin");
const TLS13: &[u8] = include_bytes!("tls13.bin");
const RETRY: &[u8] = include_bytes!("retry.bin");
const ALERT: &[u8] = include_bytes!("alert.bin");
const RSA: &[u8] = include_bytes!("rsa.der");
const DSA: &[u8] = include_bytes!("dsa.der");
const PSS: &[u8] = include_bytes!("pss.der");

fn chosen(octets: &[u8]) -> Chosen {
    match answer(octets) {
        Answer::Chosen(chosen) => *chosen,
        other => panic!("{other:?}"),
    }
}
