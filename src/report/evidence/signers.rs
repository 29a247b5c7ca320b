//! Whose keys may sign: the `allowed_signers` file of OpenSSH (ssh-keygen(1), ALLOWED SIGNERS), read as ssh-keygen
//! reads it. Certificates are not understood; what is not understood vouches for nobody.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use ssh_key::PublicKey;
use thiserror::Error;

use super::seal::{NAMESPACE, Seal};

/// Those who may sign.
#[derive(Clone, Debug)]
pub struct Signers(Vec<Signer>);

#[derive(Clone, Debug)]
struct Signer {
    /// As written.
    principals: String,
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
    key: PublicKey,
}

/// What is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct SignersError {
    line: usize,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum What {
    #[error("no key; write PRINCIPALS [OPTIONS] ssh-ed25519 KEY")]
    NoKey,
    #[error("the key can't be read: {0}")]
    Key(ssh_key::Error),
    #[error("a quote is not closed")]
    Quote,
    #[error("the option `{0}` is not known")]
    Option(String),
    #[error("the time `{0}` can't be read; write YYYYMMDD or YYYYMMDDHHMM[SS], with Z for UTC")]
    Time(String),
}

/// Why nobody vouches for a signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotVouched {
    /// No line holds the key.
    #[error("its key is none of the allowed signers'")]
    Unknown,
    /// The key is somebody else's.
    #[error("its key is that of {0}")]
    Other(String),
    /// The key may not sign reports.
    #[error("the key of {0} may not sign for `{NAMESPACE}`")]
    Namespace(String),
    /// The key's time has not come.
    #[error("the key of {0} is valid only after {1}")]
    Early(String, Timestamp),
    /// The key's time is over.
    #[error("the key of {0} was valid only until {1}")]
    Late(String, Timestamp),
}

impl Signers {
    /// Reads the file. `zone`: of times that do not say UTC.
    pub fn read(text: &str, zone: &TimeZone) -> Result<Self, SignersError> {
        let mut signers = Vec::new();
        for (line, entry) in (1..).zip(text.lines()) {
            let entry = entry.trim();
            if !entry.is_empty() && !entry.starts_with('#') {
                signers.extend(signer(entry, zone).map_err(|what| SignersError { line, what })?);
            }
        }
        Ok(Self(signers))
    }

    /// Who signed, as the file writes it. `identity`: it must be this one. `at`: the keys must be valid then.
    pub fn vouch(&self, seal: &Seal, identity: Option<&str>, at: Timestamp) -> Result<&str, NotVouched> {
        let mut refusal = NotVouched::Unknown;
        for signer in self.0.iter().filter(|signer| seal.is_by(&signer.key)) {
            let name = || signer.principals.clone();
            let named = |list: &String| matches(list, NAMESPACE);
            refusal = match (signer.valid_after, signer.valid_before) {
                _ if !identity.is_none_or(|identity| matches(&signer.principals, identity)) => {
                    NotVouched::Other(name())
                }
                _ if !signer.namespaces.as_ref().is_none_or(named) => NotVouched::Namespace(name()),
                (Some(after), _) if at < after => NotVouched::Early(name(), after),
                (_, Some(before)) if at > before => NotVouched::Late(name(), before),
                _ => return Ok(&signer.principals),
            };
        }
        Err(refusal)
    }
}

/// One line; `None` where it speaks of a key that can't have made any signature that is checked here.
fn signer(entry: &str, zone: &TimeZone) -> Result<Option<Signer>, What> {
    let (principals, rest) = word(entry)?;
    let (first, after_first) = word(rest)?;
    let (options, key) = if is_kind(first) { ("", rest) } else { (first, after_first) };
    let kind = key.split_whitespace().next().filter(|kind| is_kind(kind)).ok_or(What::NoKey)?;
    let mut signer_options = Options::default();
    for option in split(options) {
        signer_options.take(option, zone)?;
    }
    if signer_options.authority || !matches!(kind, "ssh-ed25519" | "sk-ssh-ed25519@openssh.com") {
        return Ok(None);
    }
    let key = PublicKey::from_openssh(key).map_err(What::Key)?;
    let Options { namespaces, valid_after, valid_before, .. } = signer_options;
    let principals = principals.trim_matches('"').to_owned();
    Ok(Some(Signer { principals, namespaces, valid_after, valid_before, key }))
}

/// How the names of kinds of keys begin.
fn is_kind(word: &str) -> bool {
    ["ssh-", "sk-ssh-", "ecdsa-sha2-", "sk-ecdsa-sha2-"].iter().any(|start| word.starts_with(start))
}

#[derive(Default)]
struct Options {
    authority: bool,
    namespaces: Option<String>,
    valid_after: Option<Timestamp>,
    valid_before: Option<Timestamp>,
}

impl Options {
    fn take(&mut self, option: &str, zone: &TimeZone) -> Result<(), What> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "cert-authority" => self.authority = true,
            "namespaces" => self.namespaces = Some(value.to_owned()),
            "valid-after" => self.valid_after = Some(time(value, zone)?),
            "valid-before" => self.valid_before = Some(time(value, zone)?),
            _ => return Err(What::Option(crate::model::clean(name))),
        }
        Ok(())
    }
}

/// The first word, which ends at a blank outside quotes, and what follows it.
fn word(text: &str) -> Result<(&str, &str), What> {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        !quoted && c.is_whitespace()
    });
    match end {
        None if quoted => Err(What::Quote),
        None => Ok((text, "")),
        Some(end) => {
            let (word, rest) = text.split_at(end);
            Ok((word, rest.trim_start()))
        }
    }
}

/// The parts between commas outside quotes.
fn split(options: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = options.split(move |c: char| {
        quoted ^= c == '"';
        !quoted && c == ','
    });
    parts.filter(|option| !option.is_empty())
}

/// `YYYYMMDD[Z]` or `YYYYMMDDHHMM[SS][Z]`.
fn time(text: &str, zone: &TimeZone) -> Result<Timestamp, What> {
    let wrong = || What::Time(crate::model::clean(text));
    let (digits, zone) = match text.strip_suffix(['Z', 'z']) {
        Some(digits) => (digits, &TimeZone::UTC),
        None => (text, zone),
    };
    if !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(wrong());
    }
    let format = match digits.len() {
        8 => "%Y%m%d",
        12 => "%Y%m%d%H%M",
        14 => "%Y%m%d%H%M%S",
        _ => return Err(wrong()),
    };
    let at = if digits.len() == 8 {
        jiff::civil::Date::strptime(format, digits).map(|day| day.at(0, 0, 0, 0))
    } else {
        DateTime::strptime(format, digits)
    };
    at.and_then(|at| at.to_zoned(zone.clone())).map(|at| at.timestamp()).map_err(|_| wrong())
}

/// Whether a list of patterns takes a word: one of them must, and none that begins with `!` may (`ssh_config(5)`,
/// PATTERNS).
fn matches(list: &str, word: &str) -> bool {
    let mut taken = false;
    for pattern in list.split(',').map(str::trim) {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches_one(pattern.as_bytes(), word.as_bytes()) => return false,
            Some(_) => {}
            None => taken |= matches_one(pattern.as_bytes(), word.as_bytes()),
        }
    }
    taken
}

/// `*` stands for any characters, `?` for one. The last `*` alone is ever gone back to, so that no pattern takes
/// long.
fn matches_one(pattern: &[u8], word: &[u8]) -> bool {
    let (mut p, mut w, mut retry) = (0, 0, None);
    while let Some(&octet) = word.get(w) {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p + 1, w));
                p += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == octet => (p, w) = (p + 1, w + 1),
            _ => match retry {
                Some((after_star, from)) => {
                    (p, w) = (after_star, from + 1);
                    retry = Some((after_star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|&octet| octet == b'*')
}

#[cfg(test)]
mod tests {
    use super::{
        super::seal::tests::{key, public},
        *,
    };

    fn seal() -> Seal {
        Seal::check(b"report", key().sign(b"report").unwrap().as_bytes()).unwrap()
    }

    fn vouched(before_key: &str, identity: Option<&str>) -> Result<String, NotVouched> {
        let text = format!("# who may sign\n\n{before_key} {} a comment\n", public(&key()));
        let signers = Signers::read(&text, &TimeZone::UTC).unwrap();
        let at = "2026-11-28T12:00:00Z".parse().unwrap();
        signers.vouch(&seal(), identity, at).map(str::to_owned)
    }

    #[test]
    fn a_signer_is_vouched_for_by_name_and_pattern() {
        assert_eq!(vouched("audit@example.com", None).unwrap(), "audit@example.com");
        for (line, identity, is_fine) in [
            ("audit@example.com", "audit@example.com", true),
            ("audit@example.com", "root@example.com", false),
            ("*@example.com,!root@example.com", "audit@example.com", true),
            ("*@example.com,!root@example.com", "root@example.com", false),
            ("\"audit@example.com,noc@*\"", "noc@example.org", true),
        ] {
            let vouched = vouched(line, Some(identity));
            assert_eq!(vouched.is_ok(), is_fine, "{line} {identity}");
            assert!(is_fine || matches!(vouched, Err(NotVouched::Other(_))));
        }
    }

    #[test]
    fn options_restrict_what_a_key_may_sign_and_when() {
        let who = "a@b".to_owned();
        assert_eq!(vouched("a@b namespaces=\"file,portproof-*\"", None).unwrap(), who);
        assert_eq!(vouched("a@b namespaces=\"file\"", None), Err(NotVouched::Namespace(who.clone())));
        let day = |text: &str| text.parse().unwrap();
        let early = NotVouched::Early(who.clone(), day("2026-12-01T00:00:00Z"));
        assert_eq!(vouched("a@b valid-after=\"20261201\"", None), Err(early));
        let late = NotVouched::Late(who.clone(), day("2026-11-27T10:30:00Z"));
        assert_eq!(vouched("a@b namespaces=\"*\",valid-before=\"202611271030Z\"", None), Err(late));
        assert_eq!(vouched("a@b valid-after=20261101,valid-before=20261201", None).unwrap(), who);
        assert_eq!(vouched("a@b cert-authority", None), Err(NotVouched::Unknown));
    }

    #[test]
    fn other_kinds_of_keys_are_passed_over_and_nonsense_is_named_by_its_line() {
        let rsa = "a@b ssh-rsa AAAAB3NzaC1yc2E=\nc@d ecdsa-sha2-nistp256 AAAA\n";
        assert!(Signers::read(rsa, &TimeZone::UTC).unwrap().0.is_empty());
        for (text, words) in [
            ("a@b", "line 1: no key"),
            ("\na@b ssh-ed25519 AAAA", "line 2: the key can't be read"),
            ("\"a@b ssh-ed25519 AAAA", "line 1: a quote"),
            ("a@b no-touch ssh-ed25519 AAAA", "line 1: the option `no-touch`"),
            ("a@b valid-after=\"soon\" ssh-ed25519 AAAA", "line 1: the time `soon`"),
            ("a@b valid-after=\"20261399\" ssh-ed25519 AAAA", "line 1: the time `20261399`"),
        ] {
            let error = Signers::read(text, &TimeZone::UTC).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_time() {
        let pattern = "a*".repeat(40) + "b";
        assert!(!matches(&pattern, &"a".repeat(4000)));
        assert!(matches("*", "") && matches("a?c*", "abcd") && !matches("a?c", "ac"));
    }
}
