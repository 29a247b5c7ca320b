//! HTTP/1 responses: what the server says of itself, and which product is behind it. Follows no redirect and
//! runs no script.

mod products;
mod response;

pub(super) use products::{Product, Sign};

use super::{Guard, Less, Reading, Shown, product, told};
use crate::identify::{Identity, octets::find, text};
use response::Response;

/// Complaints of servers that want TLS, in words of nginx, Apache, Go and Tomcat.
const WANTS: &[&[u8]] = &[
    b"plain HTTP request was sent to HTTPS port",
    b"speaking plain HTTP to an SSL-enabled server port",
    b"Client sent an HTTP request to an HTTPS server",
    b"This combination of host and port requires TLS",
];

/// Is this the complaint, in the clear, of a server that wants TLS?
pub fn wants_tls(octets: &[u8]) -> bool {
    octets.starts_with(b"HTTP/1.") && WANTS.iter().any(|words| find(octets, words).is_some())
}

/// A response that is complete.
pub(super) fn read(octets: &[u8]) -> Reading {
    read_as(octets, &[])
}

/// The same; products of the question that was asked come before all others.
pub(super) fn read_as(octets: &[u8], own: &[Product]) -> Reading {
    told(response::parse(octets).and_then(|response| {
        if response.complete { Ok(shown(octets, &response, own)) } else { Err(Less::Unfinished) }
    }))
}

/// A response of which nothing more comes: its status line is enough.
pub(super) fn cut(octets: &[u8]) -> Reading {
    let response = response::parse(octets).or_else(|less| match less {
        Less::Unfinished => response::parse(&[octets, b"\r\n\r\n"].concat()),
        Less::Foreign => Err(less),
    });
    told(response.map(|response| shown(octets, &response, &[])))
}

fn shown(octets: &[u8], response: &Response, own: &[Product]) -> Shown {
    let server = response.header("server");
    let detail = Some(detail(response, wants_tls(octets)));
    let known =
        own.iter().chain(products::PRODUCTS.iter().copied().flatten()).find(|product| product.fits(response));
    let shown = match known {
        Some(known) => {
            let identity = product(known.name, known.version.of(response));
            Shown::service(known.service).by(identity).guarded(known.open.map_or(Guard::Untold, Guard::Open))
        }
        None => Shown::service("http").by(server.map(Identity::named).unwrap_or_default()),
    };
    shown.detail(detail).saying(response.status_line.as_bytes())
}

/// Status, title, where it sends to, what it asks for, what it wants.
fn detail(response: &Response, wants_tls: bool) -> String {
    let parts = [
        wants_tls.then(|| "wants TLS".to_owned()),
        Some(format!("status {}", response.status)),
        title(&response.body).map(|title| format!("title {title}")),
        response.header("location").map(|place| format!("sends to {place}")),
        response.header("www-authenticate").map(|scheme| format!("asks for {scheme}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The text of a page's title, its blanks made one.
fn title(body: &[u8]) -> Option<String> {
    let lower = body.to_ascii_lowercase();
    let at = find(&lower, b"<title")?;
    let begin = at + find(lower.get(at..)?, b">")? + 1;
    let end = begin + find(lower.get(begin..)?, b"</title")?;
    let title = String::from_utf8_lossy(body.get(begin..end)?);
    text(title.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes())
}
