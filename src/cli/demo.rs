//! `demo`: the main job on local listeners, with a manifest that has drifted from them.

use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::ExitCode,
    thread,
};

use clap::Parser as _;
use jiff::ToSpan as _;

use super::{
    args::{Cli, Color, Command},
    error::{CliError, Code},
    lint::today,
    output,
    verify::{Asked, verified},
};

const MANIFEST: &str = include_str!("demo.yaml");

/// What runs here, the port it prefers, and whether it really listens.
const SERVICES: [(&str, u16, bool); 5] = [
    ("web", 18_080, true),
    ("mail", 10_025, false),
    ("database", 15_432, true),
    ("old", 18_081, true),
    ("debug", 19_229, true),
];

/// Starts the listeners, verifies the manifest, and says where the reports are.
pub(super) fn run(folder: &Path, color: Color) -> Result<ExitCode, CliError> {
    let unwritable =
        |error: io::Error| CliError::environment(format!("can't write to {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut manifest = MANIFEST.to_owned();
    let mut ports = Vec::new();
    for (name, preferred, listens) in SERVICES {
        let listener = bind(preferred)?;
        let port = listener.local_addr().map_err(no_loopback)?.port();
        if listens {
            serve(listener);
        }
        ports.push(port.to_string());
        manifest = manifest.replace(&format!("{{{{{name}}}}}"), &port.to_string());
    }
    let today = today();
    let dates = [
        ("long_ago", today.saturating_sub(200.days())),
        ("recently", today.saturating_sub(10.days())),
        ("last_week", today.saturating_sub(7.days())),
        ("next_month", today.saturating_add(30.days())),
        ("next_year", today.saturating_add(300.days())),
    ];
    for (name, date) in dates {
        manifest = manifest.replace(&format!("{{{{{name}}}}}"), &date.to_string());
    }
    manifest = manifest.replace("{{ports}}", &ports.join(","));
    let path = folder.join("portproof.yaml");
    output::write_whole(&path, manifest.as_bytes())?;
    output::say(&format!(
        "demo: five ports of 127.0.0.1, four of them with a listener of ours; the manifest is {}",
        path.display()
    ));
    let code = verify(folder, &path, color)?;
    output::say(&format!(
        "open {} in a browser; read the manifest beside it",
        folder.join("report.html").display()
    ));
    // It has drifted on purpose: finding that is what was asked for.
    Ok(if code == Code::Wrong as u8 { Code::Fine.into() } else { ExitCode::from(code) })
}

fn verify(folder: &Path, manifest: &Path, color: Color) -> Result<u8, CliError> {
    let report =
        |format: &str| format!("--report={format}={}", folder.join(format!("report.{format}")).display());
    let path = manifest.display().to_string();
    let typed: Vec<String> =
        ["portproof", "verify", &path, "--rate=max", "--no-progress", &report("html"), &report("json")]
            .iter()
            .map(ToString::to_string)
            .collect();
    let cli = Cli::try_parse_from(&typed).map_err(CliError::usage)?;
    let Command::Verify(args) = cli.command else { return Err(CliError::usage("the demo verifies")) };
    let what = std::slice::from_ref(&path);
    let (how, select, result, talk) = (&args.how, &args.select, &args.result, &args.talk);
    verified(&Asked { what, expect: None, how, select, result, talk, color, argv: &typed })
}

/// The port it prefers, or any other that is free.
fn bind(preferred: u16) -> Result<TcpListener, CliError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, preferred))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .map_err(no_loopback)
}

/// Accepts and closes until the program ends.
fn serve(listener: TcpListener) {
    thread::spawn(move || listener.incoming().for_each(drop));
}

#[allow(clippy::needless_pass_by_value)] // the shape that map_err wants
fn no_loopback(error: io::Error) -> CliError {
    CliError::environment(format!("can't listen on 127.0.0.1: {error}"))
}
