//! What stops a command, with its exit code and the cure.

use std::{fmt, process::ExitCode};

/// Why a command could not do what was asked. Network failure is not among them: that is data.
#[derive(Debug)]
pub(super) struct CliError {
    code: Code,
    message: String,
    hint: Option<String>,
}

/// Exit codes, one meaning each (the README lists them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// What was asked was done, and nothing is wrong or in doubt.
    Fine = 0,
    /// At least one failing finding at or above `--fail-on`; lint: warnings.
    Wrong = 1,
    /// Usage, or a manifest that can't be used. Nothing was sent.
    Usage = 2,
    /// Nothing failing, something undetermined.
    Unsure = 3,
    /// Privilege, interface, output path, resolver.
    Environment = 4,
    /// SIGINT.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

impl CliError {
    /// The command line or the manifest can't be used.
    pub(super) fn usage(message: impl fmt::Display) -> Self {
        Self { code: Code::Usage, message: message.to_string(), hint: None }
    }

    /// This machine lacks something.
    pub(super) fn environment(message: impl fmt::Display) -> Self {
        Self { code: Code::Environment, message: message.to_string(), hint: None }
    }

    /// Adds what to do about it.
    pub(super) fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Diagnostics of the manifest come rendered, with their own head line.
        let head = if self.message.starts_with("error") { "" } else { "error: " };
        write!(f, "{head}{}", self.message.trim_end())?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n\nhint: {hint}"))
    }
}
