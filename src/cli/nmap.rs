//! Fingers know nmap's flags. They are answered with the equivalent; nothing is guessed silently.

use std::ffi::OsString;

/// nmap's flags that mean something else here, and what to type instead.
const ANSWERS: &[(&str, &str)] = &[
    ("-sS", "--scan syn"),
    ("-sT", "--scan connect"),
    ("-sU", "-u PORTS (and -p none, for UDP alone)"),
    ("-Pn", "nothing: every address is asked, whether or not it answers a ping"),
    ("-n", "nothing: addresses are never looked up backwards"),
    ("-oX", "--format json; nmap's XML comes with a later version"),
    ("-oA", "--format json"),
    ("-oN", "nothing: text is what standard output gets"),
    ("-oG", "--format ndjson"),
    ("-sV", "--identify"),
    ("-A", "--identify"),
    ("-F", "-p common"),
    ("--top-ports", "-p common"),
    ("--open", "nothing: only open ports are printed unless --states all"),
];

/// What to type instead of nmap's flags, if `scan` was given any.
pub(super) fn equivalent(argv: &[OsString]) -> Option<String> {
    let words = scan_words(argv)?;
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word = word.to_string_lossy();
        let known = ANSWERS.iter().find(|(flag, _)| {
            word == *flag || word.strip_prefix(flag).is_some_and(|rest| rest.starts_with('='))
        });
        if let Some((flag, answer)) = known {
            lines.push(format!("  {flag:<12} {answer}"));
        } else if let Some(level @ '0'..='5') = word.strip_prefix("-T").and_then(|level| level.chars().next())
        {
            let rate = if level >= '4' {
                "--rate max, or a number"
            } else {
                "--rate N (default 10000 a second, 1000 to one address)"
            };
            lines.push(format!("  -T{level:<10} {rate}"));
        }
    }
    (!lines.is_empty()).then(|| format!("error: these are nmap's flags; here write\n{}", lines.join("\n")))
}

/// nmap's `-iL FILE` as `--input-list FILE`: it can mean nothing else.
pub(super) fn translated(argv: &[OsString]) -> Vec<OsString> {
    let is_scan = scan_words(argv).is_some();
    argv.iter()
        .map(|word| if is_scan && word == "-iL" { "--input-list".into() } else { word.clone() })
        .collect()
}

/// The words after `scan`, up to a `--`.
fn scan_words(argv: &[OsString]) -> Option<impl Iterator<Item = &OsString>> {
    let at = argv.iter().skip(1).position(|word| !word.to_string_lossy().starts_with('-'))? + 1;
    (argv.get(at)? == "scan").then(|| argv.iter().skip(at + 1).take_while(|word| *word != "--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &str) -> Vec<OsString> {
        words.split(' ').map(Into::into).collect()
    }

    #[test]
    fn nmaps_flags_are_answered_in_scan_only() {
        let answer = equivalent(&argv("portproof scan -sS -T4 -Pn 192.0.2.1")).unwrap();
        assert!(
            answer.contains("--scan syn") && answer.contains("--rate max") && answer.contains("-Pn"),
            "{answer}"
        );
        assert_eq!(equivalent(&argv("portproof scan -p- 192.0.2.1")), None);
        assert_eq!(equivalent(&argv("portproof verify -A EXP001")), None);
        assert_eq!(translated(&argv("portproof scan -iL hosts")), argv("portproof scan --input-list hosts"));
    }
}
