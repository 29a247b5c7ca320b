//! The report's own sentences, in which a word between backticks is set as code.

use serde::Serialize;

/// Text, or a word that is set as code.
#[derive(Serialize)]
pub(super) struct Piece {
    code: bool,
    text: String,
}

/// A text in pieces. One with a backtick too many was not written by us, and stays as it is.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    if text.matches('`').count() % 2 == 1 {
        return vec![Piece { code: false, text: text.to_owned() }];
    }
    let parts =
        text.split('`').enumerate().map(|(i, part)| Piece { code: i % 2 == 1, text: part.to_owned() });
    parts.filter(|piece| !piece.text.is_empty()).collect()
}
