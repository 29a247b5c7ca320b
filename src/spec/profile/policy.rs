//! One edition of a standard as data: what each control asks, what of a run and of the manifest bears
//! on it, and what the manifest must hold. Never says that anything conforms to the standard.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_saphyr::Spanned;

use super::{Need, ProfileError, read};
use crate::{
    model::{Kind, RULES, Rule, rule},
    spec::{calendar, keys, nearest::nearest},
};

/// The longest text of a policy, in characters: it goes into every report made under it.
const MAX_WORDS: usize = 600;

/// One edition of a standard, or a house's own policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyProfile {
    /// As manifests name it: `pci-dss-4.0.1`.
    pub name: String,
    /// What `controls` of the manifest call the standard, whatever the edition: `pci-dss`.
    pub framework: String,
    /// The standard's name.
    pub title: String,
    /// Its edition.
    pub edition: String,
    /// In two or three sentences.
    pub description: String,
    /// What a reader must know of it, a sentence or two each.
    pub notes: Vec<String>,
    /// Fields that every `expose` entry must have.
    pub require: Vec<String>,
    /// The longest that an exception may last.
    pub max_exception_days: Option<u32>,
    /// The longest from one review of the manifest, or of an entry, to the next.
    pub max_review_days: Option<u32>,
    /// Exceptions need an approver who is not the requester.
    pub four_eyes: bool,
    /// How long after a run the next one is due.
    pub max_age: Option<Duration>,
    /// At least one.
    pub controls: Vec<Control>,
}

/// One control of a standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// As the standard numbers it: `1.2.5`.
    pub id: String,
    /// What it asks, in the project's own words.
    pub asks: String,
    /// The rules that bear on it. Every doubt of a run bears on a control that names a rule of exposure.
    pub rules: Vec<&'static Rule>,
    /// The fields of the manifest that bear on it: `expose.owner`.
    pub fields: Vec<String>,
    /// What must be there before a run supports it at all.
    pub needs: Vec<Need>,
    /// How far a run can support it.
    pub support: Support,
    /// The targets that it is about.
    pub only: Option<Only>,
    /// What else whoever assesses it needs.
    pub also: String,
}

/// How far a run can support a control.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Support {
    /// What it asks of the exposure seen from a vantage, and of its paperwork, is all in the report.
    Full,
    /// A part of it.
    Partial,
    /// Not at all: it stands here so that nobody takes it for covered.
    None,
}

impl Support {
    /// The word used in every format.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::None => "none",
        }
    }
}

/// The targets that a control is about, where it is not about all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// Those marked with `stores_cardholder_data`.
    StoresCardholderData,
}

impl Control {
    /// Whether it rests on what a run observes, and not on paperwork alone.
    pub fn observes(&self) -> bool {
        self.rules.iter().any(|rule| rule.kind != Kind::Governance)
    }
}

impl PolicyProfile {
    /// Title and edition in one.
    pub fn heading(&self) -> String {
        format!("{} {}", self.title, self.edition)
    }

    /// What `controls` of the manifest call one of its controls: `pci-dss:1.2.5`.
    pub fn name_of(&self, control: &Control) -> String {
        format!("{}:{}", self.framework, control.id)
    }

    pub(super) fn read(path: &str, text: &str, file: &str) -> Result<Self, ProfileError> {
        let read: PolicyFile = read::parse(path, text)?;
        if read.policy.value != file {
            let place = read::place(path, read.policy.referenced);
            return Err(ProfileError::PolicyName { place, file: file.to_owned(), policy: read.policy.value });
        }
        let require = read.require.iter().map(|field| required(path, field)).collect::<Result<_, _>>()?;
        let mut controls: Vec<Control> = Vec::with_capacity(read.controls.len());
        for row in read.controls {
            let place = read::place(path, row.id.referenced);
            let control = row.check(path)?;
            if controls.iter().any(|known| known.id == control.id) {
                return Err(ProfileError::ControlTwice { place, id: control.id });
            }
            controls.push(control);
        }
        if controls.is_empty() {
            return Err(ProfileError::NoControl(read::place(path, read.policy.referenced)));
        }
        Ok(Self {
            name: read.policy.value,
            framework: read.framework,
            title: read.title,
            edition: read.edition,
            description: read.description,
            notes: read.notes.into_iter().map(|note| note.text).collect(),
            require,
            max_exception_days: read.max_exception_days.map(NonZeroU32::get),
            max_review_days: read.max_review_days.map(NonZeroU32::get),
            four_eyes: read.four_eyes,
            max_age: read.max_age.map(|span| span.time),
            controls,
        })
    }
}

/// `policies/NAME.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    policy: Spanned<String>,
    #[serde(deserialize_with = "words")]
    framework: String,
    #[serde(deserialize_with = "words")]
    title: String,
    #[serde(deserialize_with = "words")]
    edition: String,
    #[serde(deserialize_with = "words")]
    description: String,
    #[serde(default)]
    notes: Vec<Note>,
    #[serde(default)]
    require: Vec<Spanned<String>>,
    #[serde(default)]
    max_exception_days: Option<NonZeroU32>,
    #[serde(default)]
    max_review_days: Option<NonZeroU32>,
    #[serde(default)]
    four_eyes: bool,
    #[serde(default)]
    max_age: Option<Span>,
    controls: Vec<ControlRow>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Note {
    #[serde(deserialize_with = "words")]
    text: String,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Span {
    #[serde(deserialize_with = "span")]
    time: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ControlRow {
    id: Spanned<String>,
    #[serde(deserialize_with = "words")]
    asks: String,
    #[serde(default)]
    rules: Vec<Spanned<String>>,
    #[serde(default)]
    fields: Vec<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    support: Support,
    #[serde(default)]
    only: Option<Only>,
    #[serde(deserialize_with = "words")]
    also: String,
}

impl ControlRow {
    fn check(self, path: &str) -> Result<Control, ProfileError> {
        let place = || read::place(path, self.id.referenced);
        let id = self.id.value.trim().to_owned();
        if id.is_empty() || id.chars().count() > 64 || id.chars().any(char::is_control) {
            return Err(ProfileError::ControlId(place()));
        }
        if (self.support == Support::None) != self.rules.is_empty() {
            return Err(ProfileError::SupportAndRules { place: place(), id });
        }
        if self.support == Support::None && !self.needs.is_empty() {
            return Err(ProfileError::SupportAndNeeds { place: place(), id });
        }
        Ok(Control {
            id,
            asks: self.asks,
            rules: self.rules.iter().map(|name| known_rule(path, name)).collect::<Result<_, _>>()?,
            fields: self.fields.iter().map(|name| known_field(path, name)).collect::<Result<_, _>>()?,
            needs: self.needs.iter().map(|name| known_need(path, name)).collect::<Result<_, _>>()?,
            support: self.support,
            only: self.only,
            also: self.also,
        })
    }
}

fn known_rule(path: &str, name: &Spanned<String>) -> Result<&'static Rule, ProfileError> {
    rule(&name.value).filter(|rule| rule.id == name.value).ok_or_else(|| ProfileError::UnknownRule {
        place: read::place(path, name.referenced),
        name: name.value.clone(),
        nearest: nearest(&name.value, RULES.iter().map(|rule| rule.id)),
    })
}

fn known_field(path: &str, name: &Spanned<String>) -> Result<String, ProfileError> {
    if keys::fields().any(|known| known == name.value) {
        return Ok(name.value.clone());
    }
    Err(ProfileError::UnknownField {
        place: read::place(path, name.referenced),
        name: name.value.clone(),
        nearest: nearest(&name.value, keys::fields()),
    })
}

fn known_need(path: &str, name: &Spanned<String>) -> Result<Need, ProfileError> {
    Need::named(&name.value).ok_or_else(|| ProfileError::UnknownNeed {
        place: read::place(path, name.referenced),
        name: name.value.clone(),
        nearest: nearest(&name.value, Need::names()),
    })
}

fn required(path: &str, name: &Spanned<String>) -> Result<String, ProfileError> {
    if keys::REQUIRABLE.iter().any(|(known, _)| *known == name.value) {
        return Ok(name.value.clone());
    }
    Err(ProfileError::UnknownField {
        place: read::place(path, name.referenced),
        name: name.value.clone(),
        nearest: nearest(&name.value, keys::REQUIRABLE.iter().map(|(known, _)| (*known).to_owned())),
    })
}

/// Text that says something, on one line, and not too much of it.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = read::text(deserializer)?;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = text.chars().count();
    if length > MAX_WORDS {
        return Err(D::Error::custom(format!("a text of {length} characters; at most {MAX_WORDS} are kept")));
    }
    Ok(text)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    calendar::duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests;
