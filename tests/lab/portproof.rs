//! Running the binary in the scanner's namespace, and holding what it says against the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::IpAddr,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use super::{address::address, isolate::DIR, lab::Lab};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What `scan --format ndjson --states all` said.
pub(crate) struct Scan {
    pub(crate) output: Output,
    /// Each endpoint once: what was said of it last.
    pub(crate) seen: BTreeMap<(IpAddr, u16), Seen>,
    /// The `coverage` of the last line.
    pub(crate) coverage: Value,
}

/// One endpoint of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) state: String,
    pub(crate) reason: String,
    pub(crate) attempts: u64,
}

/// What `verify` said, on the screen and in its JSON report.
pub(crate) struct Verified {
    pub(crate) output: Output,
    pub(crate) report: Value,
}

/// Runs portproof with these arguments.
pub(crate) fn portproof(args: &[&str]) -> Output {
    limited("", args)
}

/// Runs portproof after a line of shell, such as `ulimit -n 64`. A run that hangs is ended and fails.
pub(crate) fn limited(first: &str, args: &[&str]) -> Output {
    let output = Command::new("timeout")
        .args(["--kill-after=5", "200", "sh", "-c", &format!("{first}\nexec \"$@\""), "sh"])
        .arg(env!("CARGO_BIN_EXE_portproof"))
        .args(args)
        .current_dir(DIR)
        .output()
        .expect("`timeout` (coreutils) runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("portproof writes UTF-8");
    let status = output.status.code().expect("portproof exits, no signal ends it");
    let output = Output { status, stdout: text(output.stdout), stderr: text(output.stderr) };
    assert_ne!(status, 124, "portproof {args:?} did not end:\n{output:?}");
    assert!(!output.stderr.contains("panicked at"), "portproof {args:?} panicked:\n{}", output.stderr);
    output
}

/// Writes a manifest into the directory that portproof runs in.
pub(crate) fn manifest(text: &str) -> &'static str {
    fs::write(format!("{DIR}/portproof.yaml"), text).expect("the lab's directory takes files");
    "portproof.yaml"
}

/// How a scan asks: what follows `--scan`.
pub(crate) const MOUTHS: [&str; 2] = ["connect", "syn"];

/// Scans by connect, as fast as it goes, and reads every line. The arguments end with the hosts.
pub(crate) fn scan(args: &[&str]) -> Scan {
    scan_by("connect", args)
}

/// Scans in this way, as fast as it goes, and reads every line.
pub(crate) fn scan_by(mouth: &str, args: &[&str]) -> Scan {
    scan_limited(mouth, "", args)
}

/// The same after a line of shell.
pub(crate) fn scan_limited(mouth: &str, first: &str, args: &[&str]) -> Scan {
    let asked = ["scan", "--scan", mouth, "--rate", "max", "--format", "ndjson", "--states", "all"];
    let scan = Scan::read(limited(first, &[&asked, args].concat()));
    // Who looks at packets sees a RST, who calls connect() an error number: one is not the other.
    let strange = if mouth == "syn" { "conn-refused" } else { "reset" };
    let odd = scan.seen.iter().find(|(_, seen)| seen.reason == strange);
    assert_eq!(odd, None, "a scan by {mouth} can't know this");
    scan
}

/// Runs `verify` by connect, as fast as it goes; reads the report and holds it to its schema.
pub(crate) fn verify(args: &[&str]) -> Verified {
    verify_by("connect", &[&["--rate", "max"], args].concat())
}

/// Runs `verify` in this way; reads the report and holds it to its schema.
pub(crate) fn verify_by(mouth: &str, args: &[&str]) -> Verified {
    static RUN: AtomicU32 = AtomicU32::new(0);
    let path = format!("report-{}.json", RUN.fetch_add(1, Ordering::Relaxed));
    let json = format!("json={path}");
    let asked = ["verify", "--scan", mouth, "--report", &json];
    let output = portproof(&[&asked, args].concat());
    let text = fs::read_to_string(format!("{DIR}/{path}"))
        .unwrap_or_else(|error| panic!("no report was written ({error}):\n{output:#?}"));
    let report: Value = serde_json::from_str(&text).expect("the report is JSON");
    let schema = serde_json::from_str(&portproof(&["schema", "report"]).stdout).expect("a JSON schema");
    if let Err(error) = jsonschema::validate(&schema, &report) {
        panic!("the report breaks its own schema at {}: {error}", error.instance_path());
    }
    Verified { output, report }
}

impl Lab {
    /// Compares every endpoint of a scan with the truth: each endpoint of these addresses and ports,
    /// each exactly once, nothing else, in its true state for a true reason, and totals that say the same.
    pub(crate) fn check(&self, scan: &Scan, asked: &[(&str, &[u16])]) {
        assert_eq!(
            scan.output.status, 0,
            "a scan that determined everything exits 0:\n{}",
            scan.output.stderr
        );
        let mut wrong: BTreeMap<(IpAddr, String), Vec<u16>> = BTreeMap::new();
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        let mut left: BTreeSet<(IpAddr, u16)> = scan.seen.keys().copied().collect();
        for (host, ports) in asked {
            let host = address(host);
            for &port in *ports {
                left.remove(&(host, port));
                let (state, reasons) = self.expected(host, port);
                *totals.entry(state).or_default() += 1;
                let complaint = match scan.seen.get(&(host, port)) {
                    None => format!("never mentioned, is {state}"),
                    Some(seen) if seen.state != state || !reasons.contains(&seen.reason.as_str()) => {
                        format!(
                            "said to be {} ({}), is {state} ({})",
                            seen.state,
                            seen.reason,
                            reasons.join(" or ")
                        )
                    }
                    Some(_) => continue,
                };
                wrong.entry((host, complaint)).or_default().push(port);
            }
        }
        for (host, port) in left {
            wrong.entry((host, "mentioned and never asked for".to_owned())).or_default().push(port);
        }
        let wrong: Vec<String> = wrong
            .iter()
            .map(|((host, complaint), ports)| {
                let some: Vec<String> = ports.iter().take(8).map(ToString::to_string).collect();
                format!("{host}: {} endpoints {complaint}: {} ...", ports.len(), some.join(", "))
            })
            .collect();
        assert!(wrong.is_empty(), "portproof differs from the truth:\n{}", wrong.join("\n"));
        reconcile(&scan.coverage, &totals);
    }

    /// Compares every endpoint that a report speaks of with the truth, and every total of it. `asked`
    /// is every address that was planned, with its TCP ports.
    pub(crate) fn check_report(&self, verified: &Verified, asked: &[(&str, &[u16])]) {
        let report = &verified.report;
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        let seen = verified.observations();
        for (host, ports) in asked {
            let host = address(host);
            let mut here: BTreeMap<&str, u64> = BTreeMap::new();
            for &port in *ports {
                let (state, reasons) = self.expected(host, port);
                *here.entry(state).or_default() += 1;
                *totals.entry(state).or_default() += 1;
                match seen.get(&(host, port)) {
                    Some(seen) => {
                        assert_eq!(seen.state, state, "{host} {port}/tcp");
                        assert!(
                            reasons.contains(&seen.reason.as_str()),
                            "{host} {port}/tcp: {}",
                            seen.reason
                        );
                    }
                    None => {
                        assert_ne!(
                            state, "open",
                            "{host} {port}/tcp is open, and the report is silent on it"
                        );
                    }
                }
            }
            let per_address = report["coverage"]["per_address"].as_array().expect("totals per address");
            let record = per_address
                .iter()
                .find(|record| record["address"] == host.to_string())
                .unwrap_or_else(|| panic!("no totals for {host}"));
            reconcile(record, &here);
        }
        reconcile(&report["coverage"], &totals);
        verified.reconciles();
    }

    fn expected(&self, host: IpAddr, port: u16) -> (&'static str, &'static [&'static str]) {
        // Where no host is, packets arrive and nobody answers.
        self.truth(host, port).map_or(("filtered", &["no-response"]), |port| (port.state(), port.reasons()))
    }
}

impl Scan {
    /// Reads every line; fails where one endpoint is said twice without superseding, or no summary ends it.
    pub(crate) fn read(output: Output) -> Self {
        // 3: something stayed unknown, which `check` does not allow and other tests ask for.
        assert!(matches!(output.status, 0 | 3), "the scan did not run to its end:\n{output:#?}");
        let mut seen = BTreeMap::new();
        let mut coverage = None;
        for line in output.stdout.lines() {
            assert!(coverage.is_none(), "the summary is the last line, yet after it comes: {line}");
            let json: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            if let Some(summary) = json.get("summary") {
                coverage = Some(summary["coverage"].clone());
                continue;
            }
            let (end, state) = read_endpoint(&json);
            let before = seen.insert(end, state);
            let supersedes = json["supersedes"] == true;
            assert_eq!(before.is_some(), supersedes, "an endpoint is said once, or superseded: {line}");
        }
        Self { coverage: coverage.expect("the last line is the summary"), seen, output }
    }

    /// Endpoints and their states, without what may differ from run to run.
    pub(crate) fn states(&self) -> BTreeMap<(IpAddr, u16), (&str, &str)> {
        self.seen.iter().map(|(&end, seen)| (end, (seen.state.as_str(), seen.reason.as_str()))).collect()
    }
}

impl Verified {
    /// The last line on the screen.
    pub(crate) fn headline(&self) -> &str {
        self.output.stdout.trim_end().lines().next_back().unwrap_or_default()
    }

    /// The TCP endpoints that the report speaks of.
    pub(crate) fn observations(&self) -> BTreeMap<(IpAddr, u16), Seen> {
        let records = self.report["observations"].as_array().expect("observations");
        records.iter().filter(|record| record["protocol"] == "tcp").map(read_endpoint).collect()
    }

    /// Every finding of this rule.
    pub(crate) fn findings(&self, rule: &str) -> Vec<&Value> {
        self.all_findings().iter().filter(|finding| finding["rule"] == rule).collect()
    }

    /// Every finding that fails or is in doubt: rule, verdict, cause, address, port.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.all_findings()
            .iter()
            .filter(|finding| finding["verdict"] != "pass")
            .map(|f| {
                let word = |key: &str| match &f[key] {
                    Value::String(text) => text.clone(),
                    Value::Null => "-".to_owned(),
                    other => other.to_string(),
                };
                format!(
                    "{} {} {} {} {}",
                    word("rule"),
                    word("verdict"),
                    word("cause"),
                    word("address"),
                    word("port")
                )
            })
            .collect()
    }

    /// A verdict's count.
    pub(crate) fn verdict(&self, word: &str) -> u64 {
        count(&self.report["summary"]["verdicts"], word)
    }

    /// The laws of every report: sums equal `planned`, and the exit code is the report's and the result's.
    pub(crate) fn reconciles(&self) {
        let summary = &self.report["summary"];
        let planned = count(&self.report["coverage"], "planned");
        let verdicts = ["pass", "pass_by_silence", "fail", "inconclusive", "not_covered", "waived"];
        let judged: u64 = verdicts.iter().map(|word| self.verdict(word)).sum();
        assert_eq!(judged, planned, "every planned endpoint has exactly one verdict: {summary}");
        let states = ["open", "closed", "filtered", "unanswered", "unknown"];
        let ended: u64 = states.iter().map(|state| count(&self.report["coverage"], state)).sum();
        assert_eq!(ended, planned, "every planned endpoint has exactly one state");
        assert_eq!(summary["exit_code"], self.output.status, "the report says how the process ended");
        let code = match summary["result"].as_str() {
            Some("conforms") => 0,
            Some("deviates") => 1,
            Some("inconclusive") => 3,
            other => panic!("{other:?} is no result"),
        };
        assert_eq!(self.output.status, code, "{}", self.headline());
        assert_eq!(summary["headline"], self.headline(), "the last line is the headline");
    }

    fn all_findings(&self) -> &Vec<Value> {
        self.report["findings"].as_array().expect("findings")
    }
}

fn read_endpoint(json: &Value) -> ((IpAddr, u16), Seen) {
    let text = |key: &str| json[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {json}")).to_owned();
    assert_eq!(text("protocol"), "tcp", "only TCP was asked: {json}");
    let port = json["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port number");
    let seen = Seen { state: text("state"), reason: text("reason"), attempts: count(json, "attempts") };
    ((address(&text("address")), port), seen)
}

/// Totals as they are said against totals as they are.
fn reconcile(said: &Value, totals: &BTreeMap<&str, u64>) {
    for state in ["open", "closed", "filtered", "unanswered", "unknown"] {
        let truth = totals.get(state).copied().unwrap_or_default();
        assert_eq!(count(said, state), truth, "{state} endpoints, in {said}");
    }
    assert_eq!(count(said, "planned"), totals.values().sum::<u64>(), "planned endpoints, in {said}");
}

fn count(json: &Value, key: &str) -> u64 {
    json[key].as_u64().unwrap_or_else(|| panic!("no number `{key}` in {json}"))
}
