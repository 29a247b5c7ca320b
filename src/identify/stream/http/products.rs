//! Products that speak HTTP, as a table of what gives them away. A row is there only if nobody else answers so.

mod clusters;
mod consoles;

use super::response::Response;
use crate::identify::{Identity, octets::find, octets::json};

/// All of them; the first row that fits is believed.
pub(super) const PRODUCTS: &[&[Product]] = &[clusters::TABLE, consoles::TABLE];

/// A product and its signs.
pub(in crate::identify::stream) struct Product {
    /// Its name in `profiles/ports/services.yaml`; `http` for those without one.
    pub(in crate::identify::stream) service: &'static str,
    /// Its own name.
    pub(in crate::identify::stream) name: &'static str,
    /// All of them have to be there.
    pub(in crate::identify::stream) signs: &'static [Sign],
    /// Where its version is.
    pub(in crate::identify::stream) version: Version,
    /// It answers what only users should be told. What shows it, as a clause.
    pub(in crate::identify::stream) open: Option<&'static str>,
}

/// What gives a product away.
pub(in crate::identify::stream) enum Sign {
    /// This status.
    Status(u16),
    /// A header of this name.
    Header(&'static str),
    /// A header with these words in it, whether great or small.
    Says(&'static str, &'static str),
    /// The body has these words.
    Body(&'static str),
    /// The body begins so.
    Begins(&'static str),
    /// The body is a JSON in which this key holds this.
    Json(&'static str, &'static str),
}

/// Where a version is.
pub(in crate::identify::stream) enum Version {
    /// Nowhere.
    Untold,
    /// Behind the name in the header `Server`.
    Server,
    /// The whole of a header.
    Header(&'static str),
    /// In the JSON, by this key.
    Json(&'static str),
}

impl Product {
    /// With neither a version nor an open door.
    pub(in crate::identify::stream) const fn new(
        service: &'static str,
        name: &'static str,
        signs: &'static [Sign],
    ) -> Self {
        Self { service, name, signs, version: Version::Untold, open: None }
    }

    /// Its version is there.
    pub(in crate::identify::stream) const fn version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    /// Whoever answers so is open.
    pub(in crate::identify::stream) const fn open(self, why: &'static str) -> Self {
        Self { open: Some(why), ..self }
    }

    pub(super) fn fits(&self, response: &Response) -> bool {
        self.signs.iter().all(|sign| sign.is_in(response))
    }
}

impl Sign {
    fn is_in(&self, response: &Response) -> bool {
        match self {
            Self::Status(status) => response.status == *status,
            Self::Header(name) => response.header(name).is_some(),
            Self::Says(name, words) => response.header(name).is_some_and(|value| {
                let (value, words) = (value.to_ascii_lowercase(), words.to_ascii_lowercase());
                value.contains(&words)
            }),
            Self::Body(words) => find(&response.body, words.as_bytes()).is_some(),
            Self::Begins(words) => response.body.starts_with(words.as_bytes()),
            Self::Json(key, value) => json(&response.body, key).as_deref() == Some(*value),
        }
    }
}

impl Version {
    pub(super) fn of(&self, response: &Response) -> Option<String> {
        match self {
            Self::Untold => None,
            Self::Server => Identity::named(response.header("server")?).version,
            Self::Header(name) => response.header(name).map(str::to_owned),
            Self::Json(key) => json(&response.body, key),
        }
    }
}
