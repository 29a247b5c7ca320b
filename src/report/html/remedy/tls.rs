//! What a server is told about TLS: the setting that the finding is about, and none that is in order already.

use super::{Endpoint, Recipe, explained, is_name, server};
use crate::{
    identify::tls::Profile,
    model::Protocol,
    report::{Finding, index::Index},
};

/// The suites that profile `intermediate` allows in TLS 1.2, as OpenSSL names them.
const INTERMEDIATE: &str = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";
/// What `old` allows besides.
const OLD: &str = "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA256:DHE-RSA-AES256-SHA256:AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA:DES-CBC3-SHA";
/// Those of TLS 1.3, which every profile allows.
const NEWEST: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/// What of it falls short, as far as a setting of the server mends it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Faults {
    versions: bool,
    /// Suites of TLS 1.2 and before.
    suites: bool,
    /// Suites of TLS 1.3, which are set apart.
    newest: bool,
}

impl Faults {
    /// By the clauses of the finding. Where some are left out of it, everything may be at fault.
    fn of(observed: &str) -> Self {
        let mut faults = Self::default();
        for clause in observed.split("; ") {
            // Where several addresses are concerned, each is named before its clauses.
            let (_, clause) = clause.rsplit_once(": ").unwrap_or(("", clause));
            if let Some(suite) = clause.strip_prefix("accepts ") {
                let is_newest = suite.starts_with("TLS_") && !suite.contains("_WITH_");
                faults.newest |= is_newest;
                faults.suites |= !is_newest;
            }
            let is_version = |start: &str| clause.starts_with(start);
            faults.versions |= ["offers ", "does not offer "].into_iter().any(is_version);
            if clause.starts_with("and ") && clause.ends_with(" more") {
                (faults.versions, faults.suites) = (true, true);
            }
        }
        faults
    }
}

/// What to type about the versions, suites and certificates of an endpoint.
pub(super) fn recipes(at: &Endpoint, finding: &Finding, index: &Index<'_>) -> Vec<Recipe> {
    let name = finding.host.as_deref().filter(|host| is_name(host));
    let servername = name.map_or_else(String::new, |name| format!(" -servername {name}"));
    let look = format!(
        "openssl s_client -connect {}{servername} </dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName",
        at.written()
    );
    if finding.rule == "EXP006" {
        return vec![
            Recipe::new("See what is offered", vec![look]),
            Recipe::new(
                "Where certbot keeps the certificate: renew it, and make the server read it",
                explained(&[
                    ("certbot certificates".to_owned(), "which there are, and until when"),
                    ("certbot renew --cert-name NAME".to_owned(), "leaves alone what is not due"),
                    ("systemctl reload UNIT".to_owned(), "an old certificate is served until then"),
                ]),
            ),
        ];
    }
    let mut recipes = vec![Recipe::new("See which versions and suites it takes", survey(at, name, look))];
    let profile = declared(&finding.expected);
    if let Some(profile) = profile.filter(|_| finding.cause.is_none()) {
        recipes.extend(settings(profile, &Faults::of(&finding.observed), (at, at.service(index))));
    }
    recipes
}

/// nmap asks for every version and suite, STARTTLS included; it knows no TLS over datagrams.
fn survey(at: &Endpoint, name: Option<&str>, look: String) -> Vec<String> {
    if at.protocol == Protocol::Udp {
        return vec![look];
    }
    let six = if at.address.is_ipv6() { " -6" } else { "" };
    let named = name.map_or_else(String::new, |name| format!(" --script-args tls.servername={name}"));
    vec![format!("nmap{six} -Pn -p {} --script ssl-enum-ciphers{named} {}", at.port, at.address)]
}

/// `TLS profile intermediate (Mozilla Server Side TLS 5.7)`.
fn declared(expected: &str) -> Option<Profile> {
    Profile::named(expected.strip_prefix("TLS profile ")?.split(' ').next()?)
}

/// The settings of the server that is there: what is at fault, by the profile.
fn settings(profile: Profile, faults: &Faults, (at, service): (&Endpoint, Option<&str>)) -> Option<Recipe> {
    let (nginx, least) = match profile {
        Profile::Modern => ("TLSv1.3", "TLSv1.3"),
        Profile::Intermediate => ("TLSv1.2 TLSv1.3", "TLSv1.2"),
        Profile::Old => ("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", "TLSv1"),
    };
    // Where no version but TLS 1.3 is allowed, no suite of another one is.
    let suites = match profile {
        Profile::Modern => None,
        Profile::Intermediate => Some(INTERMEDIATE.to_owned()),
        Profile::Old => Some(format!("{INTERMEDIATE}:{OLD}")),
    };
    let suites = suites.filter(|_| faults.suites);
    let (title, lines) = match server::family(at, service) {
        Some("smtp") => ("Postfix 3.6 or later", postfix(faults, least, suites)),
        Some("imap") => ("Dovecot", dovecot(faults, least, suites)),
        Some("nginx") | None => ("nginx or Apache", web(faults, nginx, suites)),
        Some(_) => return None,
    };
    let what = match (faults.versions, faults.suites || faults.newest) {
        (true, true) => "the versions and suites",
        (true, false) => "the versions",
        (false, _) => "the suites",
    };
    (!lines.is_empty())
        .then(|| Recipe::new(&format!("{title}: take {what} of profile {profile} only"), lines))
}

fn postfix(faults: &Faults, least: &str, suites: Option<String>) -> Vec<String> {
    let mut lines = Vec::new();
    if faults.versions {
        lines.push(format!(
            "postconf -e 'smtpd_tls_protocols = >={least}' 'smtpd_tls_mandatory_protocols = >={least}'"
        ));
    }
    lines.extend(suites.map(|suites| {
        format!(
            "postconf -e 'smtpd_tls_ciphers = medium' 'smtpd_tls_mandatory_ciphers = medium' 'tls_medium_cipherlist = {suites}'"
        )
    }));
    if !lines.is_empty() {
        lines.push("systemctl reload postfix".to_owned());
    }
    lines
}

fn dovecot(faults: &Faults, least: &str, suites: Option<String>) -> Vec<String> {
    let mut lines = Vec::new();
    if faults.versions {
        lines.push(format!("ssl_min_protocol = {least}"));
    }
    lines.extend(suites.map(|suites| format!("ssl_cipher_list = {suites}")));
    if !lines.is_empty() {
        lines.push("systemctl restart dovecot".to_owned());
    }
    lines
}

fn web(faults: &Faults, versions: &str, suites: Option<String>) -> Vec<String> {
    let (mut nginx, mut apache) = (Vec::new(), Vec::new());
    if faults.versions {
        nginx.push(format!("ssl_protocols {versions};"));
        let plus: Vec<String> = versions.split(' ').map(|version| format!("+{version}")).collect();
        apache.push(format!("SSLProtocol -all {}", plus.join(" ")));
    }
    if let Some(suites) = suites {
        nginx.push(format!("ssl_ciphers {suites};"));
        apache.push(format!("SSLCipherSuite {suites}"));
    }
    if faults.newest {
        nginx.push(format!("ssl_conf_command Ciphersuites {NEWEST};"));
        apache.push(format!("SSLCipherSuite TLSv1.3 {NEWEST}"));
    }
    if nginx.is_empty() {
        return nginx;
    }
    let mut lines = vec!["# nginx".to_owned()];
    lines.extend(nginx);
    lines.push("# Apache".to_owned());
    lines.extend(apache);
    lines.push(
        "nginx -t && systemctl reload nginx    # apachectl configtest && systemctl reload apache2".to_owned(),
    );
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::tls::{Suite, Version, Weak, Weakness};

    fn faults(of: &[Weak]) -> Faults {
        let said = of.iter().map(|what| Weakness { profile: Profile::Intermediate, what: what.clone() });
        Faults::of(&said.map(|weakness| weakness.to_string()).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn what_is_at_fault_is_read_off_the_words_of_the_finding() {
        let none = Faults::default();
        assert_eq!(faults(&[Weak::Version(Version::Tls10)]), Faults { versions: true, ..Faults::default() });
        assert_eq!(faults(&[Weak::Missing(Version::Tls13)]), Faults { versions: true, ..Faults::default() });
        assert_eq!(faults(&[Weak::Missing(Version::Tls12)]), Faults { versions: true, ..Faults::default() });
        assert_eq!(faults(&[Weak::Suite(0xc027)]), Faults { suites: true, ..Faults::default() });
        assert_eq!(faults(&[Weak::Suite(0x1304)]), Faults { newest: true, ..Faults::default() });
        assert_eq!(faults(&[Weak::Dh(1024), Weak::Explicit, Weak::Export(512), Weak::Compression]), none);
        let at = "203.0.113.1: accepts TLS_RSA_WITH_RC4_128_MD5, which profile old does not allow";
        assert_eq!(Faults::of(at), Faults { suites: true, ..Faults::default() });
        let cut =
            Faults::of("accepts TLS_RSA_WITH_RC4_128_MD5, which profile old does not allow; and 3 more");
        assert!(cut.versions && cut.suites, "what is not said may be at fault as well");
    }

    #[test]
    fn the_suites_that_a_server_is_told_are_those_of_the_profile() {
        let words = |suites: &str| suites.split(':').count();
        let allowed = |profile: Profile| (0..=u16::MAX).filter(|suite| profile.allows(*suite)).count();
        assert_eq!(words(NEWEST), allowed(Profile::Modern));
        assert_eq!(words(NEWEST) + words(INTERMEDIATE), allowed(Profile::Intermediate));
        assert_eq!(words(NEWEST) + words(INTERMEDIATE) + words(OLD), allowed(Profile::Old));
        assert!(NEWEST.split(':').all(|name| (0x1301..=0x1303).any(|n| Suite::label(n) == name)));
    }
}
