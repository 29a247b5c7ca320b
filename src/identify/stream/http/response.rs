//! The frame of an HTTP/1 response (RFC 9112): status line, headers, and as much of the body as matters.

use crate::identify::{
    octets::find,
    stream::{Less, after, need, only},
    text,
};

/// Octets of headers, at most.
const HEAD: usize = 16_384;
/// Octets of the body that are looked at; more are not waited for.
const BODY: usize = 16_384;
/// Headers, at most.
const HEADERS: usize = 100;

/// A response, or its beginning.
pub(in crate::identify::stream) struct Response {
    pub(super) status: u16,
    pub(super) status_line: String,
    headers: Vec<(String, String)>,
    /// Without the marks of its chunks.
    pub(super) body: Vec<u8>,
    /// Nothing of it is to come that would tell more.
    pub(super) complete: bool,
}

impl Response {
    /// The first such header, by its name in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

/// The head has to be there (RFC 9112 section 4).
pub(super) fn parse(octets: &[u8]) -> Result<Response, Less> {
    let rest = after(octets, b"HTTP/1.")?;
    let status = rest.get(2..5).unwrap_or_default();
    only(rest.first().is_none_or(u8::is_ascii_digit) && rest.get(1).is_none_or(|octet| *octet == b' '))?;
    only(status.iter().all(u8::is_ascii_digit))?;
    let looked = octets.get(..HEAD).unwrap_or(octets);
    let ends = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().filter_map(|end| Some(find(looked, end)? + end.len()));
    let Some(end) = ends.min() else {
        only(octets.len() < HEAD)?;
        return Err(Less::Unfinished);
    };
    let status = need(text(status))?.parse().map_err(|_| Less::Foreign)?;
    let mut lines = octets.get(..end).unwrap_or_default().split(|octet| *octet == b'\n');
    let status_line = lines.next().and_then(text).unwrap_or_default();
    let headers = lines.take(HEADERS).filter_map(header).collect();
    let mut response = Response { status, status_line, headers, body: Vec::new(), complete: false };
    let raw = octets.get(end..).unwrap_or_default();
    (response.body, response.complete) = body(&response, raw);
    Ok(response)
}

fn header(line: &[u8]) -> Option<(String, String)> {
    let at = line.iter().position(|octet| *octet == b':')?;
    let name = text(line.get(..at)?)?.to_ascii_lowercase();
    Some((name, text(line.get(at + 1..)?).unwrap_or_default()))
}

/// The body and whether it is all there (RFC 9112 section 6.3).
fn body(response: &Response, raw: &[u8]) -> (Vec<u8>, bool) {
    if matches!(response.status, 100..200 | 204 | 304) {
        return (Vec::new(), true);
    }
    let chunked = response.header("transfer-encoding").is_some_and(|coding| {
        let coding = coding.to_ascii_lowercase();
        coding.contains("chunked")
    });
    if chunked {
        return chunks(raw);
    }
    let length = response.header("content-length").and_then(|length| length.parse::<usize>().ok());
    let wanted = length.unwrap_or(usize::MAX).min(BODY);
    (raw.get(..wanted).unwrap_or(raw).to_vec(), raw.len() >= wanted)
}

/// The data of all chunks so far, and whether the last was among them (RFC 9112 section 7.1).
fn chunks(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(end) = find(raw, b"\n") {
        let size = raw.get(..end).unwrap_or_default();
        let size = size.split(|octet| *octet == b';').next().and_then(text).unwrap_or_default();
        // What is no number ends it: nothing behind it can be found.
        let size = usize::from_str_radix(&size, 16).unwrap_or(0);
        let data = raw.get(end + 1..).unwrap_or_default();
        if size == 0 || body.len() >= BODY {
            return (body, true);
        }
        let Some(whole) = data.get(..size) else {
            body.extend_from_slice(data.get(..BODY).unwrap_or(data));
            break;
        };
        body.extend_from_slice(whole.get(..BODY).unwrap_or(whole));
        let next = data.get(size..).unwrap_or_default();
        raw = next.strip_prefix(b"\r\n").or_else(|| next.strip_prefix(b"\n")).unwrap_or(next);
    }
    let complete = body.len() >= BODY;
    (body, complete)
}
