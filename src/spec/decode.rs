//! Typed access to the maps of a document. Collects every error instead of stopping at the first,
//! and never takes a key that it doesn't know or a value of the wrong kind.

use jiff::civil::Date;

use super::{
    diagnostic::Diagnostics,
    keys::{Keys, homes},
    nearest::nearest,
    yaml::{Key, Mark, Node, Value},
};
use crate::model::{MAX_TEXT, clean};

/// A map of the document with a known set of keys.
pub(crate) struct Table<'n> {
    keys: &'static Keys,
    /// Where it begins.
    pub(crate) at: Mark,
    entries: &'n [(Key, Node)],
}

impl<'n> Table<'n> {
    /// The map in `node`; says so when it is none, and reports the keys that `keys` doesn't have.
    pub(crate) fn open(node: &'n Node, keys: &'static Keys, out: &mut Diagnostics) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            let help = format!("its keys are {}", listed(keys.list));
            out.error(
                node.at,
                format!("{} is a map, not {}", keys.what, node.value.describe()),
                help.as_str(),
            );
            return None;
        };
        for (key, _) in entries {
            if out.is_full() {
                break;
            }
            if !keys.list.contains(&key.text.as_str()) {
                out.error(
                    key.at,
                    format!("unknown key `{}` in {}", key.text, keys.what),
                    stray(&key.text, keys).as_str(),
                );
            }
        }
        let at = entries.first().map_or(node.at, |(key, _)| key.at);
        Some(Self { keys, at, entries })
    }

    /// The value of a key, where it is there. A key without a value is an error: it may mean anything.
    pub(crate) fn take(&self, key: &str, out: &mut Diagnostics) -> Option<&'n Node> {
        debug_assert!(self.keys.list.contains(&key), "{key} is not in the key list of {}", self.keys.what);
        let (key, node) = self.entries.iter().find(|(name, _)| name.text == key)?;
        if matches!(node.value, Value::Null) {
            let message = format!("`{}` has no value", key.text);
            out.error(key.at, message, "write a value (`[]` for an empty list), or remove the key");
            return None;
        }
        Some(node)
    }

    /// Whether the key is written, with or without a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name.text == key)
    }

    /// Where a key stands, or the map where it doesn't.
    pub(crate) fn place_of(&self, key: &str) -> Mark {
        self.entries.iter().find(|(name, _)| name.text == key).map_or(self.at, |(name, _)| name.at)
    }

    pub(crate) fn text(&self, key: &str, out: &mut Diagnostics) -> Option<String> {
        text(self.take(key, out)?, key, out)
    }

    pub(crate) fn flag(&self, key: &str, out: &mut Diagnostics) -> Option<bool> {
        let node = self.take(key, out)?;
        match &node.value {
            Value::Bool(value) => Some(*value),
            other => {
                let message = format!("`{key}` is `true` or `false`, not {}", other.describe());
                out.error(node.at, message, "write `true` or `false`");
                None
            }
        }
    }

    /// A whole number of at least 1.
    pub(crate) fn count(&self, key: &str, out: &mut Diagnostics) -> Option<u64> {
        let node = self.take(key, out)?;
        match &node.value {
            Value::Int(value, _) if (1..=i64::from(u32::MAX)).contains(value) => u64::try_from(*value).ok(),
            other => {
                let message = format!("`{key}` is a whole number from 1, not {}", other.describe());
                out.error(node.at, message, None);
                None
            }
        }
    }

    /// A day, or nothing where the manifest says `TODO`.
    pub(crate) fn date(&self, key: &str, out: &mut Diagnostics) -> Option<Date> {
        let node = self.take(key, out)?;
        match &node.value {
            Value::Text(text) if is_todo(text) => None,
            Value::Text(text) => match super::calendar::date(text) {
                Ok(date) => Some(date),
                Err(message) => {
                    out.error(
                        node.at,
                        format!("`{key}`: {message}"),
                        "write the day as YYYY-MM-DD: 2026-09-30",
                    );
                    None
                }
            },
            other => {
                let message = format!("`{key}` is a day, not {}", other.describe());
                out.error(node.at, message, "write the day as YYYY-MM-DD: 2026-09-30");
                None
            }
        }
    }

    /// One word of a few.
    pub(crate) fn word<T: Copy>(&self, key: &str, words: &[(&str, T)], out: &mut Diagnostics) -> Option<T> {
        word(self.take(key, out)?, key, words, out)
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str, out: &mut Diagnostics) -> Option<Vec<String>> {
        let items = list(self.take(key, out)?, key, out)?;
        Some(items.iter().filter_map(|item| text(item, key, out)).collect())
    }

    /// A list of words of a few.
    pub(crate) fn words<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
        out: &mut Diagnostics,
    ) -> Option<Vec<T>> {
        let items = list(self.take(key, out)?, key, out)?;
        Some(items.iter().filter_map(|item| word(item, key, words, out)).collect())
    }

    /// A list of anything.
    pub(crate) fn list(&self, key: &str, out: &mut Diagnostics) -> Option<&'n [Node]> {
        list(self.take(key, out)?, key, out)
    }
}

/// The entries of a map whose keys the user names.
pub(crate) fn named<'n>(node: &'n Node, what: &str, out: &mut Diagnostics) -> &'n [(Key, Node)] {
    if let Value::Map(entries) = &node.value {
        return entries;
    }
    out.error(node.at, format!("`{what}` is a map of names, not {}", node.value.describe()), None);
    &[]
}

/// The items of a list.
pub(crate) fn list<'n>(node: &'n Node, key: &str, out: &mut Diagnostics) -> Option<&'n [Node]> {
    if let Value::List(items) = &node.value {
        return Some(items);
    }
    let help = match &node.value {
        Value::Text(text) | Value::Int(_, text) | Value::Float(text) => Some(format!("write `[{text}]`")),
        _ => None,
    };
    out.error(node.at, format!("`{key}` is a list, not {}", node.value.describe()), help.as_deref());
    None
}

/// A text; numbers are texts as they are spelled (a ticket, an id). Cleaned, on one line, bounded.
pub(crate) fn text(node: &Node, key: &str, out: &mut Diagnostics) -> Option<String> {
    let text = match &node.value {
        Value::Text(text) | Value::Int(_, text) | Value::Float(text) => text,
        other => {
            out.error(node.at, format!("`{key}` is a text, not {}", other.describe()), None);
            return None;
        }
    };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = line.chars().count();
    if length > MAX_TEXT {
        let message = format!("`{key}` is {length} characters long; at most {MAX_TEXT} are kept");
        out.error(node.at, message, "shorten it, or refer to a document");
        return None;
    }
    if line.is_empty() {
        out.error(node.at, format!("`{key}` is empty"), "write a text, or remove it");
        return None;
    }
    Some(clean(&line))
}

fn word<T: Copy>(node: &Node, key: &str, words: &[(&str, T)], out: &mut Diagnostics) -> Option<T> {
    let known = words.iter().map(|(word, _)| *word);
    if let Value::Text(text) = &node.value
        && let Some((_, value)) = words.iter().find(|(word, _)| word == text)
    {
        return Some(*value);
    }
    let near = match &node.value {
        Value::Text(text) => nearest(text, known.clone()),
        _ => None,
    };
    let all: Vec<&str> = known.collect();
    let help = near
        .map_or_else(|| format!("it is one of {}", listed(&all)), |near| format!("did you mean `{near}`?"));
    out.error(node.at, format!("`{key}` can't be {}", node.value.describe()), help.as_str());
    None
}

/// Whether a text only holds a place: `TODO`, `todo: ask the team`. It counts as missing.
pub(crate) fn is_todo(text: &str) -> bool {
    let text = text.trim();
    let head = text.get(..4);
    head.is_some_and(|head| head.eq_ignore_ascii_case("todo"))
        && !text.chars().nth(4).is_some_and(char::is_alphanumeric)
}

/// The cure for an unknown key.
fn stray(key: &str, keys: &Keys) -> String {
    if let Some(known) = keys.list.iter().find(|known| known.eq_ignore_ascii_case(&key.replace('-', "_"))) {
        return format!("it is spelled `{known}`");
    }
    match key {
        "protocol" | "proto" if keys.list.contains(&"port") => {
            return "write it with the port: `port: 53/udp`".to_owned();
        }
        "ports" if keys.list.contains(&"port") => {
            return "write `port`; it takes a range or a list as well".to_owned();
        }
        "ports" if keys.list.contains(&"expose") => {
            return "the ports that may be open stand under `expose`".to_owned();
        }
        "host" | "address" | "ip" if keys.list.contains(&"hosts") => {
            return "write `hosts: [...]`".to_owned();
        }
        _ => {}
    }
    if let Some(near) = nearest(key, keys.list) {
        return format!("did you mean `{near}`?");
    }
    let homes = homes(key);
    if homes.is_empty() {
        format!("known keys: {}", keys.list.join(", "))
    } else {
        format!("`{key}` belongs in {}", or(&homes))
    }
}

/// `a`, `b` or `c`.
pub(crate) fn listed(words: &[&str]) -> String {
    or(&words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>())
}

fn or<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todo_counts_as_missing_and_names_do_not() {
        for todo in ["TODO", "todo", " Todo: ask", "TODO(who?)", "TODO"] {
            assert!(is_todo(todo), "{todo}");
        }
        for name in ["Todorov", "to do", "todo2", "", "web team TODO"] {
            assert!(!is_todo(name), "{name}");
        }
    }
}
