//! Whether a certificate speaks for a name (RFC 9525 section 6, which replaces RFC 6125).

use std::{fmt, net::IpAddr};

use super::hello::host;
use crate::identify::bounded;

/// Whom a certificate should speak for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// A host by its name in lower case, without the final dot. International names as they are in DNS.
    Host(String),
    /// An address.
    Address(IpAddr),
}

impl Name {
    /// From a name or an address as it is written, in brackets or not. `None`: neither.
    pub fn of(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        host(text).map(|name| Self::Host(name.to_ascii_lowercase()))
    }

    /// Whether a name of a certificate is meant to be this host: the same, or with a `*` for its whole first
    /// label. A `*` within a label, or for a whole top level, stands for nothing.
    pub(super) fn is_covered_by(&self, pattern: &str) -> bool {
        let Self::Host(name) = self else { return false };
        let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
        let Some(rest) = pattern.strip_prefix("*.") else { return pattern.eq_ignore_ascii_case(name) };
        let Some((label, below)) = name.split_once('.') else { return false };
        !label.is_empty() && rest.contains('.') && !rest.contains('*') && rest.eq_ignore_ascii_case(below)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => f.write_str(&bounded(name)),
            Self::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_the_standard_has_it() {
        for (wanted, pattern, covered) in [
            ("www.example.org", "www.example.org", true),
            ("WWW.Example.Org.", "www.example.ORG", true),
            ("www.example.org", "www.example.org.", true),
            ("www.example.org", "*.example.org", true),
            ("www.example.org", "*.EXAMPLE.org", true),
            ("example.org", "*.example.org", false),
            ("a.www.example.org", "*.example.org", false),
            ("www.example.org", "*.org", false),
            ("example.org", "*.org", false),
            ("www.example.org", "w*.example.org", false),
            ("www.example.org", "*w.example.org", false),
            ("www.example.org", "www.*.org", false),
            ("www.example.org", "*.*.org", false),
            ("www.example.org", "*", false),
            ("www.example.org", "", false),
            ("www.example.org", "www.example.org\\u{0}.evil.example", false),
            ("192.0.2.1", "192.0.2.1", false),
            ("192.0.2.1", "*.0.2.1", false),
        ] {
            let name = Name::of(wanted).unwrap();
            assert_eq!(name.is_covered_by(pattern), covered, "{wanted} by {pattern}");
        }
    }

    #[test]
    fn an_address_is_no_name() {
        assert_eq!(Name::of("[2001:db8::1]"), Some(Name::Address("2001:db8::1".parse().unwrap())));
        assert_eq!(Name::of("::ffff:192.0.2.1"), Name::of("192.0.2.1"));
        assert_eq!(Name::of("bad name"), None);
        assert_eq!(Name::of("münchen.example"), None);
        assert_eq!(Name::of(""), None);
        assert_eq!(Name::of("."), None);
    }
}
