//! Services that speak in lines: mail, news, files.

use super::{Next, foreign, refused, without};

/// Where the conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Greeting,
    Features,
    Asked,
}

#[derive(Clone, Debug)]
pub(super) struct Lines {
    dialect: Dialect,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// RFC 3207, RFC 2033: the word that asks for features.
    Mail(&'static str),
    /// RFC 4217.
    Ftp,
    /// RFC 4642.
    News,
    /// RFC 2595 section 4.
    Pop,
    /// RFC 9051 section 6.2.1.
    Imap,
    /// RFC 5804 section 2.2.
    Sieve,
}

/// One answer, complete.
enum Said<'a> {
    Yes(&'a [u8]),
    No(&'a [u8]),
    Strange(&'a [u8]),
}

impl Lines {
    pub(super) fn of(service: &str) -> Option<Self> {
        let dialect = match service {
            "smtp" | "smtp-alt" | "submission" => Dialect::Mail("EHLO"),
            "lmtp" => Dialect::Mail("LHLO"),
            "ftp" => Dialect::Ftp,
            "nntp" => Dialect::News,
            "pop3" => Dialect::Pop,
            "imap" => Dialect::Imap,
            "sieve" => Dialect::Sieve,
            _ => return None,
        };
        Some(Self { dialect, at: At::Greeting })
    }

    pub(super) fn next(&mut self, heard: &[u8]) -> Next {
        let Some(said) = self.said(heard) else { return Next::More };
        match (self.at, said) {
            (_, Said::Strange(words)) => foreign(words),
            (_, Said::No(words)) => refused(words),
            (At::Greeting, Said::Yes(words)) => match self.dialect {
                // A name of the reserved kind (RFC 6761): mail servers want one, and need not believe it.
                Dialect::Mail(hello) => self.say(At::Features, format!("{hello} portproof.invalid\r\n")),
                Dialect::Sieve if !names(words, "STARTTLS") => without(),
                _ => self.ask(),
            },
            (At::Features, Said::Yes(words)) if names(words, "STARTTLS") => self.ask(),
            (At::Features, Said::Yes(_)) => without(),
            (At::Asked, Said::Yes(_)) => Next::Ready,
        }
    }

    fn ask(&mut self) -> Next {
        let words = match self.dialect {
            Dialect::Ftp => "AUTH TLS\r\n",
            Dialect::Pop => "STLS\r\n",
            Dialect::Imap => "p1 STARTTLS\r\n",
            Dialect::Mail(_) | Dialect::News | Dialect::Sieve => "STARTTLS\r\n",
        };
        self.say(At::Asked, words.to_owned())
    }

    fn say(&mut self, at: At, words: String) -> Next {
        self.at = at;
        Next::Say(words.into_bytes())
    }

    /// The answer that was waited for; `None`: it goes on.
    fn said<'a>(&self, heard: &'a [u8]) -> Option<Said<'a>> {
        let mut lines = heard.split_inclusive(|octet| *octet == b'\n').filter(|line| line.ends_with(b"\n"));
        match self.dialect {
            Dialect::Mail(_) => {
                lines.find_map(|line| coded(heard, line, self.at, &["220"], &["250"], &["220"]))
            }
            Dialect::Ftp => lines.find_map(|line| coded(heard, line, self.at, &["220"], &[], &["234"])),
            Dialect::News => {
                lines.find_map(|line| coded(heard, line, self.at, &["200", "201"], &[], &["382"]))
            }
            Dialect::Pop => lines.next().map(|line| match line {
                line if line.starts_with(b"+OK") => Said::Yes(line),
                line if line.starts_with(b"-ERR") => Said::No(line),
                line => Said::Strange(line),
            }),
            Dialect::Imap => lines.find_map(|line| imap(line, self.at)),
            Dialect::Sieve => lines.find_map(|line| match line {
                line if begins(line, "OK") => Some(Said::Yes(heard)),
                line if begins(line, "NO") || begins(line, "BYE") => Some(Said::No(line)),
                line if line.starts_with(b"\"") => None,
                line => Some(Said::Strange(line)),
            }),
        }
    }
}

/// A line with a code of three digits; a dash behind it says that more lines follow (RFC 5321 section 4.2.1,
/// RFC 959 section 4.2). Within the lines of FTP there may be any text.
fn coded<'a>(
    heard: &'a [u8],
    line: &'a [u8],
    at: At,
    greeting: &[&str],
    features: &[&str],
    asked: &[&str],
) -> Option<Said<'a>> {
    let code = heard.first_chunk::<3>().filter(|code| code.iter().all(u8::is_ascii_digit));
    let Some(code) = code else { return Some(Said::Strange(line)) };
    if !line.starts_with(code) || line.get(3) == Some(&b'-') {
        return None;
    }
    let wanted = match at {
        At::Greeting => greeting,
        At::Features => features,
        At::Asked => asked,
    };
    let is_wanted = wanted.iter().any(|wanted| wanted.as_bytes() == code);
    Some(if is_wanted { Said::Yes(heard) } else { Said::No(line) })
}

fn imap(line: &[u8], at: At) -> Option<Said<'_>> {
    let rest = |with: &str| begins(line, with);
    if at == At::Greeting {
        return Some(match line {
            _ if rest("* OK") => Said::Yes(line),
            _ if rest("* BYE") || rest("* PREAUTH") => Said::No(line),
            _ => Said::Strange(line),
        });
    }
    match line {
        _ if rest("p1 OK") => Some(Said::Yes(line)),
        _ if rest("p1 ") || rest("* BYE") => Some(Said::No(line)),
        _ if line.starts_with(b"*") => None,
        _ => Some(Said::Strange(line)),
    }
}

fn begins(line: &[u8], with: &str) -> bool {
    line.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with.as_bytes()))
}

/// Whether a word stands somewhere in an answer, however it is written.
fn names(words: &[u8], name: &str) -> bool {
    words.windows(name.len().max(1)).any(|window| window.eq_ignore_ascii_case(name.as_bytes()))
}
