//! `evidence sign` and `evidence verify`: reports that can be trusted years later, with or without portproof.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use jiff::{Timestamp, tz::TimeZone};

use super::{
    error::{CliError, Code},
    inputs::{self, Input, overwritten},
    load, output,
};
use crate::{
    model::clean,
    report::{
        Report, count,
        evidence::{Key, KeyError, Link, NAMESPACE, Seal, Signers, Standing, follow, imbalances},
        json,
    },
};

const WITHOUT_PORTPROOF: &str = "\
Signatures are those of OpenSSH (Ed25519, PROTOCOL.sshsig), in the namespace portproof-evidence:
  ssh-keygen -Y sign -n portproof-evidence -f KEY REPORT
  ssh-keygen -Y verify -n portproof-evidence -f SIGNERS -I WHO -s REPORT.sig < REPORT";

/// What to do about evidence.
#[derive(Debug, Subcommand)]
pub(super) enum EvidenceCommand {
    /// Sign a report with an SSH key
    #[command(after_help = WITHOUT_PORTPROOF)]
    Sign(SignArgs),
    /// Check reports: signatures, totals, and the chain that --baseline makes
    #[command(after_help = WITHOUT_PORTPROOF)]
    Verify(CheckArgs),
}

#[derive(Debug, Args)]
pub(super) struct SignArgs {
    /// A report that verify wrote as JSON; - is standard input
    report: String,
    /// The private key, ssh-ed25519 without a passphrase (ssh-keygen -t ed25519)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the signature goes; - is standard output (default REPORT.sig)
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Reports that verify wrote as JSON, in any order; several are a chain, each following the one before it
    #[arg(required = true, value_name = "REPORT")]
    reports: Vec<String>,
    /// The signature of the only report (default REPORT.sig, where it is there)
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Who may sign, as in ssh-keygen(1); every report must then be signed
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Who must have signed, as the allowed signers call them
    #[arg(long, value_name = "WHO", requires = "allowed_signers")]
    identity: Option<String>,
}

/// Signs, or checks.
pub(super) fn run(command: &EvidenceCommand) -> Result<ExitCode, CliError> {
    match command {
        EvidenceCommand::Sign(args) => sign(args),
        EvidenceCommand::Verify(args) => verify(args),
    }
}

fn sign(args: &SignArgs) -> Result<ExitCode, CliError> {
    let to = match (args.output.as_deref(), args.report.as_str()) {
        (Some("-"), _) | (None, "-") => None,
        (Some(path), _) => Some(path.to_owned()),
        (None, report) => Some(format!("{report}.sig")),
    };
    let inputs =
        [Input::new("the report that is signed", &args.report), Input::new("the key", args.key.as_path())];
    if let Some(lost) = to.as_ref().and_then(|to| overwritten(Path::new(to), &inputs)) {
        let error = CliError::usage(format!("the signature would overwrite {lost}"));
        return Err(error.hint("--output FILE gives it a file of its own; without it it goes to REPORT.sig"));
    }
    let report = load::evidence(&args.report)?;
    json::read(&report).map_err(|error| load::no_report(&args.report, &error))?;
    let key = key(&args.key)?;
    let signature = key.sign(&report).map_err(CliError::environment)?;
    match &to {
        Some(to) => output::write_whole(Path::new(to), signature.as_bytes())?,
        None => output::print(signature.as_bytes())?,
    }
    let to = to.as_deref().unwrap_or("standard output");
    output::say(&format!(
        "signed {} (SHA-256 {}) by {}: {}",
        load::shown(&args.report),
        json::sha256(&report),
        key.fingerprint(),
        clean(to)
    ));
    Ok(Code::Fine.into())
}

fn key(path: &Path) -> Result<Key, CliError> {
    let name = clean(&path.display().to_string());
    let pem = load::text_of(path).map_err(|message| {
        CliError::usage(message).hint("name the private key; ssh-keygen -t ed25519 -f FILE makes one")
    })?;
    Key::read(pem.as_bytes()).map_err(|error| {
        let told = CliError::usage(format!("{name}: {error}"));
        let anew = format!("ssh-keygen -Y sign -n {NAMESPACE} -f {name} REPORT signs with it all the same");
        match error {
            KeyError::Encrypted => told
                .hint(format!("{anew}, and asks; or take the passphrase off a copy: ssh-keygen -p -f COPY")),
            KeyError::Kind(_) => told.hint("ssh-keygen -t ed25519 makes a key for this"),
            KeyError::Foreign | KeyError::NoKey(_) | KeyError::Unusable(_) => told.hint(
                "name the private key, not the .pub file; ssh-keygen -t ed25519 makes one, and \
                 ssh-keygen -p -f FILE rewrites one of another format",
            ),
        }
    })
}

/// What is known of one report.
#[derive(Default)]
struct Checked {
    /// What is wrong with it.
    faults: Vec<String>,
    /// What is not wrong, and should be known.
    notes: Vec<String>,
    /// What it is.
    about: String,
    signed: Signed,
}

#[derive(Default, PartialEq, Eq)]
enum Signed {
    #[default]
    Not,
    /// By a key that nobody vouched for.
    Somebody,
    /// By whom, as the allowed signers call them.
    By(String),
}

fn verify(args: &CheckArgs) -> Result<ExitCode, CliError> {
    if args.signature.is_some() && args.reports.len() > 1 {
        let error = CliError::usage("--signature goes with one report");
        return Err(error.hint("beside several, each has its own: REPORT.sig"));
    }
    let named: Vec<Input> = args.reports.iter().map(|from| Input::new("a report", from)).collect();
    inputs::read_once(&named)?;
    let signers = args.allowed_signers.as_deref().map(signers).transpose()?;
    let now = Timestamp::now();
    let (mut checked, mut links) = (Vec::new(), Vec::new());
    for from in &args.reports {
        let octets = load::evidence(from)?;
        let mut about = Checked::default();
        seal(&mut about, (from, &octets), args, signers.as_ref(), now)?;
        match json::read(&octets) {
            Ok(report) => {
                about
                    .faults
                    .extend(imbalances(&report).iter().map(|off| format!("it contradicts itself: {off}")));
                about.about = described(&report);
                links.push((checked.len(), Link::of(&load::shown(from), json::sha256(&octets), &report)));
            }
            Err(error) => about.faults.push(format!("{error} ({})", error.hint())),
        }
        checked.push(about);
    }
    let chain: Vec<Link> = links.iter().map(|(_, link)| link.clone()).collect();
    let mut order: Vec<usize> = Vec::new();
    for Standing { given, faults, notes } in follow(&chain, now) {
        let Some(&(place, _)) = links.get(given) else { continue };
        order.push(place);
        if let Some(about) = checked.get_mut(place) {
            about.faults.extend(faults.iter().map(ToString::to_string));
            about.notes.extend(notes.iter().map(ToString::to_string));
        }
    }
    order.extend((0..checked.len()).filter(|place| !links.iter().any(|(known, _)| known == place)));
    let different: BTreeSet<&str> = links.iter().map(|(_, link)| link.sha256()).collect();
    print(&args.reports, &checked, &order, different.len())
}

/// Who may sign.
fn signers(path: &Path) -> Result<Signers, CliError> {
    let text = load::text_of(path).map_err(|message| {
        CliError::usage(message).hint("name the file that says who may sign: WHO KEY a line")
    })?;
    Signers::read(&text, &TimeZone::system())
        .map_err(|error| CliError::usage(format!("{}, {error}", clean(&path.display().to_string()))))
}

/// Holds a report against its signature, and the signature against those who may sign.
fn seal(
    about: &mut Checked,
    (from, octets): (&str, &[u8]),
    args: &CheckArgs,
    signers: Option<&Signers>,
    now: Timestamp,
) -> Result<(), CliError> {
    let Some(signature) = signature(from, args.signature.as_deref())? else {
        let needed = signers.is_some().then(|| "it is not signed".to_owned());
        about.faults.extend(needed);
        return Ok(());
    };
    match (Seal::check(octets, &signature), signers) {
        (Err(error), _) => about.faults.push(error.to_string()),
        (Ok(seal), None) => {
            about.signed = Signed::Somebody;
            about.notes.push(format!("signed by {}, and nobody says whose key that is", seal.fingerprint()));
        }
        (Ok(seal), Some(signers)) => match signers.vouch(&seal, args.identity.as_deref(), now) {
            Ok(who) => {
                about.signed = Signed::By(who.to_owned());
                about.notes.push(format!("signed by {who}, {}", seal.fingerprint()));
            }
            Err(why) => about.faults.push(format!("it is signed by {}: {why}", seal.fingerprint())),
        },
    }
    Ok(())
}

/// The signature beside a report, or the one that is named: that one must be there.
fn signature(from: &str, named: Option<&Path>) -> Result<Option<Vec<u8>>, CliError> {
    /// No signature is larger.
    const MOST: u64 = 1 << 20;
    let path = match named {
        Some(path) => path.to_path_buf(),
        None if from == "-" => return Ok(None),
        None => PathBuf::from(format!("{from}.sig")),
    };
    let read = fs::File::open(&path).and_then(|file| {
        let mut octets = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, MOST), &mut octets).map(|_| octets)
    });
    match read {
        Ok(octets) => Ok(Some(octets)),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::usage(format!("{}: {error}", clean(&path.display().to_string())))
            .hint("name the file that `evidence sign` wrote; without --signature it is REPORT.sig")),
    }
}

fn described(report: &Report) -> String {
    format!(
        "{}  {}, {}",
        clean(&report.run.finished_at),
        count(report.coverage.planned, "endpoint", "endpoints"),
        report.summary.result.word()
    )
}

/// One line a report, in the order of the chain, and the verdict last.
/// `different`: copies counted once.
fn print(
    names: &[String],
    checked: &[Checked],
    order: &[usize],
    different: usize,
) -> Result<ExitCode, CliError> {
    let mut text = String::new();
    for (name, about) in order.iter().filter_map(|&place| Some((names.get(place)?, checked.get(place)?))) {
        let word = if about.faults.is_empty() { "ok   " } else { "WRONG" };
        let told: Vec<String> = about.faults.iter().chain(&about.notes).map(|said| clean(said)).collect();
        let parts: Vec<String> = [load::shown(name), about.about.clone(), told.join("; ")].into();
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        text = format!("{text}{word}  {}\n", parts.join("  "));
    }
    let wrong = checked.iter().filter(|about| !about.faults.is_empty()).count() as u64;
    let all = checked.len() as u64;
    let verdict = if wrong == 0 {
        let chained = if different > 1 { ", each following the one before it" } else { "" };
        let reports = count(all, "report", "reports");
        format!("VALID  {reports}{chained} · totals reconcile · {}", signed(checked))
    } else {
        format!("NOT VALID  {wrong} of {} wrong", count(all, "report", "reports"))
    };
    output::print(format!("{text}{verdict}\n").as_bytes())?;
    Ok(if wrong == 0 { Code::Fine.into() } else { Code::Wrong.into() })
}

/// How far valid reports are signed. What is not signed could have been written anew by anybody.
fn signed(checked: &[Checked]) -> String {
    let is = |wanted: fn(&Signed) -> bool| checked.iter().filter(|about| wanted(&about.signed)).count();
    let by = is(|signed| matches!(signed, Signed::By(_)));
    let somebody = is(|signed| *signed == Signed::Somebody);
    match (by, somebody) {
        (by, _) if by == checked.len() => "signed by those who may".to_owned(),
        (0, 0) => "not signed: nothing here shows who wrote them".to_owned(),
        (_, n) if n == checked.len() => {
            "signed, and nobody says by whom: name the keys that you trust with --allowed-signers".to_owned()
        }
        (by, n) => format!("{} of {} signed", by + n, checked.len()),
    }
}
