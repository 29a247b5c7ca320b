//! `render`: a saved report again, as text or in other formats. Years later it still gives what the run gave.

use std::process::ExitCode;

use super::{
    args::{Color, RenderArgs},
    error::{CliError, Code},
    inputs::Input,
    load,
    output::{self, Wanted},
};
use crate::{model::clean, report::contradiction};

/// Shows a saved report and writes what was asked for. Exit 0: done, whatever the report says.
pub(super) fn run(args: &RenderArgs, color: Color) -> Result<ExitCode, CliError> {
    let evidence = Input::new("the report that is rendered", &args.from);
    let wanted = Wanted::all(&args.report, args.template.as_deref(), &[evidence])?;
    let report = load::report(&args.from)?;
    if let Some(why) = contradiction(&report) {
        output::say(&format!("note: {}: {}", load::shown(&args.from), clean(&why)));
    }
    output::publish(&report, &wanted, color, args.quiet)?;
    Ok(Code::Fine.into())
}
