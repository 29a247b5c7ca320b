//! The binary. What it does is in `portproof::cli`; how it is built, in the library's front page.

use std::process::ExitCode;

fn main() -> ExitCode {
    portproof::cli::main(&std::env::args_os().collect::<Vec<_>>())
}
