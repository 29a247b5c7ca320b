//! tmp
use super::{args::*, error::CliError};
pub(super) fn run(_: &std::path::Path, _: Color) -> Result<std::process::ExitCode, CliError> {
    Err(CliError::usage("tmp"))
}
