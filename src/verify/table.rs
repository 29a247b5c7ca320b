//! The table of CONTRACT §7: expectation x state = verdict. Nothing else in the program decides this.

use crate::model::{Protocol, State};

/// What the manifest expects of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Expected {
    Required,
    Optional,
    Denied,
    Undeclared,
}

/// A cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Open as declared; a pass once everything declared about it was checked.
    OpenAsDeclared,
    /// Not open, seen to be so, and it need not be.
    NotOpen,
    /// UDP silence where that is what conforming looks like.
    Silence,
    /// EXP002.
    ForbiddenOpen,
    /// EXP001.
    UnexpectedOpen,
    /// EXP003, certain.
    Missing,
    /// EXP003, in doubt: UDP silence of a required port.
    MaybeMissing,
    /// UDP silence of a denied port that would not answer what we send.
    MaybeForbidden,
    /// Not determined.
    Unknown,
}

/// One cell. `payload`: a server on this UDP port would answer what we send.
pub(super) fn cell(protocol: Protocol, expected: Expected, state: State, payload: bool) -> Cell {
    // TCP silence is `filtered`; `unanswered` of TCP, or any state we can't place, proves nothing.
    match (expected, state) {
        (_, State::Unknown) => Cell::Unknown,
        (_, State::Unanswered) if protocol == Protocol::Tcp => Cell::Unknown,
        (Expected::Required | Expected::Optional, State::Open) => Cell::OpenAsDeclared,
        (Expected::Denied, State::Open) => Cell::ForbiddenOpen,
        (Expected::Undeclared, State::Open) => Cell::UnexpectedOpen,
        (Expected::Required, State::Closed | State::Filtered) => Cell::Missing,
        (Expected::Required, State::Unanswered) => Cell::MaybeMissing,
        (Expected::Denied, State::Unanswered) if !payload => Cell::MaybeForbidden,
        (_, State::Closed | State::Filtered) => Cell::NotOpen,
        (_, State::Unanswered) => Cell::Silence,
    }
}
