//! Floor 2: what a reply says of who gave it. Every word of it is a stranger's claim: cleaned, bounded,
//! never believed.

mod datagram;
mod hearing;
mod inquiry;
mod octets;
mod portrait;
mod spoken;
pub mod stream;
mod talk;
pub mod tls;

pub use self::{
    datagram::{Secured, datagram},
    hearing::Hearing,
    inquiry::{Hints, Inquiry, Told},
    octets::hexadecimal,
    portrait::{Manner, Portrait, Rung, Session},
    spoken::{Spoken, spoken},
    stream::{Guard, Shown},
    talk::{Act, Ended, Talk},
};

use crate::model::clean;

/// Characters of a claim that are kept.
pub const LONGEST: usize = 200;

/// Who somebody says that they are. At least one of the three is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// What it is: a program or a device.
    pub product: Option<String>,
    /// Of which version.
    pub version: Option<String>,
    /// Whatever else the reply tells.
    pub detail: Option<String>,
}

impl Identity {
    /// Nothing but a detail.
    fn detail(text: impl Into<String>) -> Self {
        Self { detail: Some(bounded(&text.into())), ..Self::default() }
    }

    /// From a text such as `dnsmasq-2.80` or `Asterisk PBX 18.10.0`.
    fn named(text: &str) -> Self {
        let (product, version) = split(text);
        Self { product: product.map(bounded), version: version.map(bounded), detail: None }
    }

    /// With this detail as well.
    fn and(self, detail: Option<String>) -> Self {
        Self { detail: detail.map(|text| bounded(&text)).or(self.detail), ..self }
    }

    /// In one line: the name with its version, and what else is told.
    pub fn line(&self) -> String {
        let name: Vec<&str> =
            [&self.product, &self.version].into_iter().flatten().map(String::as_str).collect();
        let name = Some(name.join(" ")).filter(|name| !name.is_empty());
        name.into_iter().chain(self.detail.clone()).collect::<Vec<_>>().join("; ")
    }

    /// `None`: it says nothing.
    fn something(self) -> Option<Self> {
        let Self { product, version, detail } = self;
        let [product, version, detail] =
            [product, version, detail].map(|text| text.filter(|text| !text.is_empty()));
        let told = Self { product, version, detail };
        (told != Self::default()).then_some(told)
    }
}

/// Text from the network; `None`: there is none.
fn text(octets: &[u8]) -> Option<String> {
    let octets = octets.get(..4 * LONGEST).unwrap_or(octets);
    let text = String::from_utf8_lossy(octets);
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
    (!text.is_empty()).then(|| bounded(text))
}

/// Cleaned, and no longer than [`LONGEST`].
pub(crate) fn bounded(text: &str) -> String {
    let short: String = text.chars().take(LONGEST).collect();
    let cleaned = clean(&short);
    if cleaned.chars().count() <= LONGEST && short.len() == text.len() {
        return cleaned;
    }
    cleaned.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// A name, and the version behind it: what begins with a digit after a blank, a dash or a slash.
fn split(text: &str) -> (Option<&str>, Option<&str>) {
    let is_mark = |c: char| matches!(c, ' ' | '-' | '/' | '_');
    let begins = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let digits = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
        let before = text.get(..at).unwrap_or_default();
        digits.starts_with(|c: char| c.is_ascii_digit()) && (at == 0 || before.ends_with(is_mark))
    };
    let Some(at) = text.char_indices().map(|(at, _)| at).find(|at| begins(*at)) else {
        return (Some(text).filter(|text| !text.is_empty()), None);
    };
    let (product, rest) = text.split_at(at);
    let version = rest.split([' ', ';', ',', '(', ')']).next().filter(|version| !version.is_empty());
    (Some(product.trim_end_matches(is_mark)).filter(|product| !product.is_empty()), version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_a_name() {
        assert_eq!(split("dnsmasq-2.80"), (Some("dnsmasq"), Some("2.80")));
        assert_eq!(split("Asterisk PBX 18.10.0"), (Some("Asterisk PBX"), Some("18.10.0")));
        assert_eq!(split("9.16.1-Ubuntu"), (None, Some("9.16.1-Ubuntu")));
        assert_eq!(split("MiniUPnPd/1.9"), (Some("MiniUPnPd"), Some("1.9")));
        assert_eq!(split("ntpd 4.2.8p15@1.3728-o (1)"), (Some("ntpd"), Some("4.2.8p15@1.3728-o")));
        assert_eq!(split("none"), (Some("none"), None));
        assert_eq!(split(""), (None, None));
    }

    #[test]
    fn a_claim_is_cleaned_and_bounded() {
        assert_eq!(text(b"\0 \r\n"), None);
        assert_eq!(text(b"a\x1b[31m\n").as_deref(), Some("a\\u{1b}[31m"));
        for long in [&b"x"[..], b"\x1b", "世".as_bytes(), b"\xff"] {
            let text = text(&long.repeat(900)).unwrap();
            assert_eq!(text.chars().count(), LONGEST);
            assert!(text.ends_with('…'));
        }
    }
}
