//! What must be there before a run can support a control at all, in words that a policy writes. A need that is not
//! met leaves the control undetermined, whatever else is in order.

use crate::spec::keys;

/// One such thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// `declared`: the manifest uses one of the fields that bear on the control.
    Declared,
    /// `tcp`: every TCP port was asked of each target.
    Tcp,
    /// `udp`: UDP was asked of each target, beyond the ports that the manifest names there.
    Udp,
    /// `previous`: the report follows an earlier one, as one run shows no watching over time.
    Previous,
    /// `outside`: the vantage is named, and is not the scanned machine itself.
    Outside,
    /// `expose.insecure`: the manifest uses this field.
    Field(String),
}

/// The needs that are no field.
const WORDS: [(&str, Need); 5] = [
    ("declared", Need::Declared),
    ("tcp", Need::Tcp),
    ("udp", Need::Udp),
    ("previous", Need::Previous),
    ("outside", Need::Outside),
];

impl Need {
    /// As a policy writes it.
    pub fn word(&self) -> &str {
        match self {
            Self::Field(field) => field,
            other => WORDS.iter().find(|(_, need)| need == other).map_or("", |(word, _)| word),
        }
    }

    /// What it means, as a clause.
    pub fn says(&self) -> String {
        match self {
            Self::Declared => "the manifest uses one of these fields".to_owned(),
            Self::Tcp => "every TCP port was asked".to_owned(),
            Self::Udp => "UDP was asked beyond the ports that the manifest names".to_owned(),
            Self::Previous => "the report follows an earlier one (--baseline)".to_owned(),
            Self::Outside => "the vantage is named and is not the scanned machine".to_owned(),
            Self::Field(field) => format!("the manifest uses {field}"),
        }
    }

    /// The need of this name. A field of `policy` is a limit, which the policy itself may set: it shows nothing.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Some((_, need)) = WORDS.iter().find(|(word, _)| *word == name) {
            return Some(need.clone());
        }
        fields().any(|field| field == name).then(|| Self::Field(name.to_owned()))
    }

    /// Every name.
    pub(super) fn names() -> impl Iterator<Item = String> {
        WORDS.iter().map(|(word, _)| (*word).to_owned()).chain(fields())
    }
}

fn fields() -> impl Iterator<Item = String> {
    keys::fields().filter(|field| !field.starts_with("policy."))
}
