//! What begins with `220`: mail and files. Says who is asking and asks what is offered; sends no mail and no
//! user's name.

use crate::identify::{
    Identity,
    octets::find,
    stream::{Follow, Guard, Less, Reading, Shown, line, only, product, told},
    text,
};

/// Sent to those that may speak SMTP: a name that cannot exist (RFC 2606 section 2).
const EHLO: &[u8] = b"EHLO portproof.invalid\r\n";
/// The same to a local one (RFC 2033 section 4.1).
const LHLO: &[u8] = b"LHLO portproof.invalid\r\n";
/// Lists what an FTP server can (RFC 2389 section 3).
const FEAT: &[u8] = b"FEAT\r\n";
/// For servers that list nothing to strangers: a yes begins TLS (RFC 4217 section 4), which nobody continues.
const AUTH: &[u8] = b"AUTH TLS\r\n";

/// Words by which FTP servers are known that do not say FTP.
const FILES: &[&str] = &["FTP", "FILEZILLA", "SERV-U", "FILE TRANSFER"];
/// The same of mail.
const MAIL: &[&str] = &["SMTP", "POSTFIX", "EXIM", "SENDMAIL", "MAIL", "MX "];

/// A greeting of SMTP (RFC 5321 section 4.2), LMTP (RFC 2033) or FTP (RFC 959 section 5.4).
pub(super) fn reply(octets: &[u8]) -> Result<Reading, Less> {
    let code = octets.get(..3).unwrap_or(octets);
    only([b"220", b"421", b"554"].iter().any(|known| known.starts_with(code)))?;
    let (code, words) = lines(octets)?;
    let upper = text(words).unwrap_or_default().to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
    let (lmtp, smtp, ftp) = (has(&["LMTP"]), has(&["SMTP"]), has(FILES));
    let (service, follow) = match (lmtp, smtp || (!ftp && has(MAIL)), ftp) {
        (true, ..) => ("lmtp", Follow { say: LHLO, read: extensions }),
        (_, true, _) => ("smtp", Follow { say: EHLO, read: extensions }),
        (_, _, true) => ("ftp", Follow { say: FEAT, read: features }),
        // SMTP has a host's name come first; nothing is sure before it answers.
        _ if host_first(words) => ("smtp", Follow { say: EHLO, read: either }),
        _ => ("ftp", Follow { say: EHLO, read: either }),
    };
    only(code == 220 || lmtp || smtp || ftp || code == 554)?;
    // 554 is of SMTP alone.
    let service = if code == 554 && !lmtp { "smtp" } else { service };
    let shown = Shown::service(service).by(program(words, service)).saying(words);
    // Whoever turns us away answers nothing more.
    Ok(if code == 220 { Reading::Ask(shown, follow) } else { Reading::Shown(shown) })
}

fn host_first(words: &[u8]) -> bool {
    let first = words.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    first.contains(&b'.') && first.iter().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(octet))
}

/// Programs that say their name, in whatever place.
const PROGRAMS: &[&str] = &[
    "Postfix",
    "Exim",
    "Sendmail",
    "Microsoft ESMTP MAIL Service",
    "OpenSMTPD",
    "Haraka",
    "Dovecot",
    "MailEnable",
    "hMailServer",
    "Zimbra",
    "MDaemon",
    "Kerio Connect",
    "qmail",
    "vsFTPd",
    "ProFTPD",
    "Pure-FTPd",
    "FileZilla Server",
    "Serv-U",
    "Microsoft FTP Service",
    "Wing FTP Server",
    "pyftpdlib",
    "bftpd",
    "MikroTik",
];

/// The program, and its version where that follows at once: `(vsFTPd 3.0.5)`, `ESMTP Exim 4.96 Mon`.
fn program(words: &[u8], service: &str) -> Identity {
    let words = text(words).unwrap_or_default();
    let lower = words.to_ascii_lowercase();
    let known = PROGRAMS.iter().find_map(|name| Some((*name, lower.find(&name.to_ascii_lowercase())?)));
    let Some((name, at)) = known else { return Identity::default() };
    // Lower case in ASCII moves nothing.
    let next = words.get(at + name.len()..).unwrap_or_default().trim_start_matches([' ', '/', '-', ',']);
    let next = next.strip_prefix("Version: ").unwrap_or(next);
    let version = next.split([' ', ')', ';', ',', ']']).next().unwrap_or_default();
    let version = version.trim_start_matches('v');
    // A date after a name is no version.
    let is_version = version.starts_with(|c: char| c.is_ascii_digit()) && version.contains('.');
    let version = is_version.then(|| version.to_owned());
    product(name, version.or_else(|| build(&words, name, service)))
}

/// Microsoft's has its version behind the word.
fn build(words: &str, name: &str, service: &str) -> Option<String> {
    let (_, rest) =
        words.split_once("Version: ").filter(|_| service == "smtp" && name.starts_with("Micro"))?;
    rest.split(' ').next().map(str::to_owned)
}

/// Code and words of a reply, when its last line is there: the only one without a dash behind the code
/// (RFC 5321 section 4.2.1, RFC 959 section 4.2).
pub(super) fn lines(octets: &[u8]) -> Result<(u16, &[u8]), Less> {
    let (first, mut rest) = line(octets)?;
    let code = first.get(..3).ok_or(Less::Foreign)?;
    only(code.iter().all(u8::is_ascii_digit))?;
    let words = first.get(4..).unwrap_or_default();
    let number = code.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match first.get(3) {
        None | Some(b' ') => return Ok((number, words)),
        Some(b'-') => {}
        Some(_) => return Err(Less::Foreign),
    }
    let mut best = words;
    loop {
        let (next, behind) = line(rest)?;
        let is_last = next.starts_with(code) && next.get(3).is_none_or(|octet| *octet == b' ');
        let said = next.strip_prefix(code).and_then(|rest| rest.get(1..)).unwrap_or(next);
        if text(best).is_none() {
            best = said;
        }
        if is_last {
            return Ok((number, best));
        }
        rest = behind;
    }
}

/// What the reply to `EHLO` lists (RFC 5321 section 4.1.1.1, RFC 3207 section 4).
fn extensions(shown: &Shown, octets: &[u8]) -> Reading {
    let (code, _) = match lines(octets) {
        Ok(reply) => reply,
        Err(less) => return told(Err::<Shown, _>(less)),
    };
    let upper = octets.to_ascii_uppercase();
    let guard = match code {
        250 if find(&upper, b"STARTTLS").is_some() => Guard::Upgradable,
        // Whoever does not know the word has no extensions.
        250 | 500 | 502 => Guard::Cleartext("offers no STARTTLS"),
        _ => Guard::Untold,
    };
    Reading::Shown(shown.clone().guarded(guard))
}

/// SMTP knows `EHLO`. FTP does not, or wants a user first (RFC 959 section 5.4).
fn either(shown: &Shown, octets: &[u8]) -> Reading {
    let (code, words) = match lines(octets) {
        Ok(reply) => reply,
        Err(less) => return told(Err::<Shown, _>(less)),
    };
    let upper = words.to_ascii_uppercase();
    let is_ftp = code == 530 || (matches!(code, 500 | 502 | 503) && find(&upper, b"MAIL").is_none());
    if is_ftp {
        return Reading::Ask(Shown { service: "ftp", ..shown.clone() }, Follow { say: FEAT, read: features });
    }
    if code == 250 {
        extensions(&Shown { service: "smtp", ..shown.clone() }, octets)
    } else {
        shown.clone().into()
    }
}

/// What `FEAT` lists (RFC 2389 section 3.2, RFC 4217 section 6).
fn features(shown: &Shown, octets: &[u8]) -> Reading {
    let (code, _) = match lines(octets) {
        Ok(reply) => reply,
        Err(less) => return told(Err::<Shown, _>(less)),
    };
    let upper = octets.to_ascii_uppercase();
    if code != 211 {
        return Reading::Ask(shown.clone(), Follow { say: AUTH, read: agreed });
    }
    let has_tls = [&b"AUTH TLS"[..], b"AUTH SSL"].iter().any(|feature| find(&upper, feature).is_some());
    let guard = if has_tls { Guard::Upgradable } else { Guard::Cleartext("offers no TLS") };
    Reading::Shown(shown.clone().guarded(guard))
}

/// 234 is a yes; 500, 502 and 504 know no such thing (RFC 4217 section 4).
fn agreed(shown: &Shown, octets: &[u8]) -> Reading {
    match lines(octets) {
        Ok((234, _)) => Reading::Shown(shown.clone().guarded(Guard::Upgradable)),
        Ok((500 | 502 | 504, _)) => Reading::Shown(shown.clone().guarded(Guard::Cleartext("offers no TLS"))),
        Ok(_) => Reading::Shown(shown.clone()),
        Err(less) => told(Err::<Shown, _>(less)),
    }
}
