//! Where an administrator sits: a folder of its own, the binary, and what it said. Every report that a
//! run leaves is held to its schema and its sums, whatever the test is about.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command as Process,
    sync::OnceLock,
    time::Duration,
};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A run that hangs is ended and fails.
const LIMIT: Duration = Duration::from_mins(1);
/// Where [`Desk::verify`] puts the report.
pub(crate) const REPORT: &str = "report.json";

/// A folder, and the binary run in it.
pub(crate) struct Desk(TempDir);

/// What a run said and left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// The JSON report, if there is one.
    pub(crate) report: Option<Value>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file and returns its name.
    pub(crate) fn file<'a>(&self, name: &'a str, text: impl AsRef<[u8]>) -> &'a str {
        let path = self.place(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).expect("a temporary folder takes files");
        name
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The binary, to be run here in a plain environment.
    pub(crate) fn process(&self, args: &[&str]) -> Process {
        let mut process = Process::new(env!("CARGO_BIN_EXE_portproof"));
        process.args(args).current_dir(self.path()).env_remove("NO_COLOR");
        process
    }

    /// Runs the binary with nothing on standard input.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.typed(args, "")
    }

    /// The same with this on standard input.
    pub(crate) fn typed(&self, args: &[&str], input: &str) -> Run {
        let mut command = Command::from_std(self.process(args));
        let output = command.timeout(LIMIT).write_stdin(input.to_owned()).output().expect("portproof runs");
        let text = |bytes| String::from_utf8(bytes).expect("portproof writes UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(!err.contains("panicked at"), "portproof {args:?} panicked:\n{err}");
        let code = output.status.code();
        let code = code.unwrap_or_else(|| panic!("portproof {args:?} did not end by itself:\n{out}{err}"));
        Run { code, out, err, report: None }
    }

    /// OpenSSH's ssh-keygen, in this folder.
    pub(crate) fn keygen(&self, args: &[&str], input: &str) -> Run {
        let mut process = Process::new("ssh-keygen");
        process.args(args).current_dir(self.path());
        let mut command = Command::from_std(process);
        let output = command.timeout(LIMIT).write_stdin(input.to_owned()).output().expect("ssh-keygen runs");
        let text = |bytes| String::from_utf8(bytes).expect("ssh-keygen writes UTF-8");
        let code = output.status.code().expect("ssh-keygen ends by itself");
        Run { code, out: text(output.stdout), err: text(output.stderr), report: None }
    }

    /// `verify` with a report, which is read and checked.
    pub(crate) fn verify(&self, args: &[&str]) -> Run {
        self.judge(&[&["--rate", "max"], args].concat())
    }

    /// The same without a flag of sending, as `--from` wants it.
    pub(crate) fn judge(&self, args: &[&str]) -> Run {
        let _ = fs::remove_file(self.place(REPORT));
        let report = format!("json={REPORT}");
        let asked = ["verify", "--report", report.as_str()];
        let mut run = self.run(&[&asked, args].concat());
        run.report = fs::read_to_string(self.place(REPORT)).ok().map(|text| checked(&text));
        if let Some(report) = &run.report {
            assert_eq!(report["summary"]["exit_code"], run.code, "the report names the exit code");
        }
        run
    }

    /// [`Self::verify`] over a manifest.
    pub(crate) fn verify_text(&self, manifest: &str, args: &[&str]) -> Run {
        self.file("portproof.yaml", manifest);
        self.verify(args)
    }

    /// Whether any part of a file is left here.
    pub(crate) fn crumbs(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter_map(|name| name.into_string().ok()).filter(|name| name.contains(".part")).collect()
    }
}

impl Run {
    /// Fails unless the run ended so; shows what it said.
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }

    /// Fails unless standard error says this.
    pub(crate) fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "`{word}` is missing in:\n{}", self.err);
        }
        self
    }

    pub(crate) fn report(&self) -> &Value {
        self.report.as_ref().unwrap_or_else(|| panic!("no report was written:\n{}", self.err))
    }

    pub(crate) fn result(&self) -> &str {
        self.report()["summary"]["result"].as_str().unwrap()
    }

    /// The last line of the summary.
    pub(crate) fn headline(&self) -> &str {
        self.out.trim_end().lines().next_back().unwrap_or_default()
    }

    /// Each finding as `RULE verdict PORT`, or without a port where it speaks of none.
    pub(crate) fn findings(&self) -> Vec<String> {
        let findings = self.report()["findings"].as_array().unwrap().iter();
        let told = |finding: &Value| {
            let subject = finding["port"].as_u64().map_or_else(String::new, |port| format!(" {port}"));
            format!("{} {}{subject}", finding["rule"].as_str().unwrap(), finding["verdict"].as_str().unwrap())
        };
        let mut told: Vec<String> = findings.map(told).collect();
        told.sort();
        told
    }

    /// The same without remarks, which fail nothing.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.findings().into_iter().filter(|finding| !finding.contains(" pass")).collect()
    }
}

/// Reads a report, and holds it to the published schema and to its own sums.
pub(crate) fn checked(text: &str) -> Value {
    let report: Value = serde_json::from_str(text).expect("one JSON document");
    if let Some(error) = schema().iter_errors(&report).next() {
        panic!("the report breaks its own schema at {}: {error}", error.instance_path());
    }
    let planned = report["coverage"]["planned"].as_u64().unwrap();
    assert_eq!(states(&report["coverage"]), planned, "each endpoint ends in one state");
    let verdicts = report["summary"]["verdicts"].as_object().unwrap();
    let sum: u64 = verdicts.values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(sum, planned, "each endpoint gets one verdict: {verdicts:?}");
    let targets = report["targets"].as_array().unwrap();
    let addresses = targets.iter().flat_map(|target| target["addresses"].as_array().unwrap());
    let mut seen = std::collections::BTreeMap::new();
    for place in addresses {
        seen.insert(place["address"].to_string(), states(&place["states"]));
    }
    // Addresses of a block of which nothing is known are counted for the run alone.
    let unlisted = planned - seen.values().sum::<u64>();
    assert!(
        unlisted <= report["coverage"]["unknown"].as_u64().unwrap(),
        "the addresses' states make the total"
    );
    report
}

/// The sum of the five states.
pub(crate) fn states(counts: &Value) -> u64 {
    ["open", "closed", "filtered", "unanswered", "unknown"]
        .iter()
        .map(|state| counts[state].as_u64().unwrap_or_else(|| panic!("{state} in {counts}")))
        .sum()
}

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let printed = Desk::new().run(&["schema", "report"]).ends(0).out;
        jsonschema::validator_for(&serde_json::from_str(&printed).unwrap()).expect("a usable schema")
    })
}
