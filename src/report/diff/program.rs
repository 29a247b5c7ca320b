//! Which program answers, as two sightings of one service name it. Of what it says only a name and a numbered version
//! count: no host name, time or session in a greeting makes another program of it.

use crate::{
    identify::stream::{Reading, greeting},
    report::{ObservationRecord, PortraitRecord},
};

/// A program, as far as it says who it is.
pub(super) struct Program {
    /// In lower case, without what may be a counter or a host; `None`: it is not known.
    name: Option<String>,
    /// `None`: it is not known.
    version: Option<String>,
    /// Both in its own words.
    pub(super) said: String,
}

impl Program {
    /// `None`: nothing says who it is.
    pub(super) fn of(seen: &ObservationRecord) -> Option<Self> {
        let told = |portrait: &PortraitRecord| (portrait.product.clone(), portrait.version.clone());
        let (product, version) = identified(seen)
            .or_else(|| seen.portrait.as_ref().map(told))
            .filter(|told| *told != (None, None))?;
        let said = [product.as_deref(), version.as_deref()].into_iter().flatten().collect::<Vec<_>>();
        Some(Self {
            said: said.join(" "),
            name: product.as_deref().and_then(name),
            version: version.filter(|version| is_numbered(version)),
        })
    }

    /// What is not the same of two, `product` or `version`. What one of them does not say is no change.
    pub(super) fn differs(&self, after: &Self) -> Option<&'static str> {
        let other = |one: &Option<String>, other: &Option<String>| {
            one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one != other)
        };
        if other(&self.name, &after.name) {
            return Some("product");
        }
        (self.name == after.name && other(&self.version, &after.version)).then_some("version")
    }
}

/// An SSH identification line says nothing but who it is (RFC 4253 section 4.2).
fn identified(seen: &ObservationRecord) -> Option<(Option<String>, Option<String>)> {
    let line = seen.banner.as_deref().filter(|banner| banner.starts_with("SSH-"))?;
    let (Reading::Shown(shown) | Reading::Ask(shown, _)) = greeting(format!("{line}\r\n").as_bytes()) else {
        return None;
    };
    shown.identity.filter(|_| shown.service == "ssh").map(|identity| (identity.product, identity.version))
}

/// The words of a name: none with a digit, which may be a machine's number or a session, no host name, and nothing
/// of a remark in parentheses.
fn name(product: &str) -> Option<String> {
    let product = product.split('(').next().unwrap_or_default().to_lowercase();
    let is_name = |word: &&str| {
        !word.is_empty() && !word.contains(|c: char| c.is_ascii_digit()) && word.matches('.').count() < 2
    };
    let words: Vec<&str> = product.split([' ', '-', '_', '/', ',', ';']).filter(is_name).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// `9.2p1`: a number alone may count anything.
fn is_numbered(version: &str) -> bool {
    let version = version.strip_prefix(['v', 'V']).unwrap_or(version);
    let rest = version.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    digits(version) && rest.strip_prefix('.').is_some_and(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(product: &str, version: &str) -> Program {
        let version = Some(version.to_owned()).filter(|version| is_numbered(version));
        Program { name: name(product), version, said: String::new() }
    }

    #[test]
    fn another_name_is_another_product_and_another_number_another_version() {
        let ssh = program("OpenSSH", "9.2p1");
        assert_eq!(ssh.differs(&program("dropbear", "2012.55")), Some("product"));
        assert_eq!(ssh.differs(&program("OpenSSH", "9.7p1")), Some("version"));
        assert_eq!(ssh.differs(&program("openssh", "9.2p1")), None);
    }

    #[test]
    fn what_one_does_not_say_and_what_changes_with_each_connection_is_no_change() {
        for [(old, was), (new, is)] in [
            [("OpenSSH", "9.2p1"), ("OpenSSH", "")],
            [("OpenSSH", "9.2p1"), ("", "1.18.0")],
            [("ECS (nyb", "1D2E)"), ("ECS (dcb", "7F84)")],
            [("web", "01"), ("web", "02")],
            [("web01", ""), ("mail02", "")],
            [("a.edge.example.com", ""), ("b.edge.example.com", "")],
            [("ip", "10-0-0-1"), ("ip", "10-0-0-2")],
        ] {
            assert_eq!(program(old, was).differs(&program(new, is)), None, "{old} {was}, {new} {is}");
        }
    }
}
