//! Service names: port to name, name or alias to ports, and the nearest name to a misspelled one.
//! A name is what usually listens there, never proof of what does.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{ProfileError, read};
use crate::model::{PortSet, Protocol};

/// One row of the list: what usually listens on these ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// One port, or a range with one meaning.
    pub ports: PortSet,
    /// The field's usual name, lower case. Several rows may share it.
    pub name: String,
    /// What it is, in a few words.
    pub title: String,
}

/// The whole list, with its indexes.
#[derive(Clone, Debug, Default)]
pub(super) struct Services {
    rows: Vec<Service>,
    by_port: HashMap<(Protocol, u16), usize>,
    by_name: BTreeMap<String, Vec<(Protocol, u16)>>,
    aliases: BTreeMap<String, String>,
}

impl Services {
    pub(super) fn read(path: &str, text: &str) -> Result<Self, ProfileError> {
        let file: read::ServicesFile = read::parse(path, text)?;
        let mut services = Self::default();
        let mut once = read::Once::default();
        for row in file.services {
            let endpoints = once.take(path, &row.port)?;
            let name = row.name.to_ascii_lowercase();
            services.by_port.extend(endpoints.iter().map(|endpoint| (*endpoint, services.rows.len())));
            services.by_name.entry(name.clone()).or_default().extend(endpoints);
            let read::Port { protocol, ports } = row.port.value;
            services.rows.push(Service { protocol, ports, name, title: row.title });
        }
        for (alias, name) in file.aliases {
            let place = read::place(path, name.referenced);
            let alias = alias.to_ascii_lowercase();
            if services.by_name.contains_key(&alias) {
                return Err(ProfileError::AliasIsName { place, alias });
            }
            if !services.by_name.contains_key(&name.value) {
                let nearest = services.nearest(&name.value).map(str::to_owned);
                return Err(ProfileError::UnknownService { place, name: name.value, nearest });
            }
            services.aliases.insert(alias, name.value);
        }
        Ok(services)
    }

    pub(super) fn rows(&self) -> &[Service] {
        &self.rows
    }

    pub(super) fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.aliases.iter().map(|(alias, name)| (alias.as_str(), name.as_str()))
    }

    pub(super) fn at(&self, protocol: Protocol, port: u16) -> Option<&Service> {
        self.by_port.get(&(protocol, port)).and_then(|row| self.rows.get(*row))
    }

    pub(super) fn canonical<'s>(&'s self, name: &'s str) -> &'s str {
        let known = self.aliases.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
        known.map_or(name, |(_, name)| name.as_str())
    }

    pub(super) fn ports(&self, name: &str) -> &[(Protocol, u16)] {
        let name = name.to_ascii_lowercase();
        let name = self.aliases.get(&name).unwrap_or(&name);
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// Of several equally near ones: the one with the same first letter, which is seldom mistyped; a
    /// name rather than an alias; the first.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let first = name.chars().next();
        let known = self.by_name.keys().chain(self.aliases.keys());
        let (distance, _, nearest) = known
            .map(|known| (distance(&name, known), known.chars().next() != first, known))
            .min_by_key(|(distance, other_letter, _)| (*distance, *other_letter))?;
        (distance <= name.chars().count().div_ceil(3)).then_some(nearest)
    }
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string
/// alignment).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, a) in a.chars().enumerate() {
        let mut row = Vec::with_capacity(above.len());
        let mut left = i + 1;
        row.push(left);
        let mut passed = None;
        for (j, b) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX);
            let mut cost = (left + 1).min(at(&above, j + 1) + 1).min(at(&above, j) + usize::from(a != *b));
            if previous == Some(*b) && passed == Some(a) && j > 0 {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
            left = cost;
            passed = Some(*b);
        }
        before = std::mem::replace(&mut above, row);
        previous = Some(a);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_slips_of_the_hand() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("https", "https", 0),
            ("htps", "https", 1),
            ("htpts", "https", 1), // a swap
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }
}
