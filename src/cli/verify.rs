//! tmp
use super::{args::*, error::CliError};
pub(super) fn run(_: &VerifyArgs, _: Color, _: &[String]) -> Result<std::process::ExitCode, CliError> {
    Err(CliError::usage("tmp"))
}
