//! YAML text to a tree of nodes that know where they stand. The only place that knows the parser;
//! never lets an input cost more than its own size (no bombs, no endless nesting).

use std::{collections::HashMap, fmt};

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{
    Error, Location, Spanned,
    budget::BudgetBreach,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

/// The largest text that is parsed: twenty thousand targets. Larger fleets are split by `include`.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// A manifest is five levels deep.
const MAX_DEPTH: usize = 32;
/// What aliases may add to the tree, all in all, in parser events.
const MAX_REPLAYED: usize = 50_000;
/// As many as 4 MiB of addresses in flow style hold.
const MAX_NODES: usize = 600_000;

/// Where something stands in a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Which source, as the caller numbered it.
    pub(crate) source: u32,
    /// From 1.
    pub(crate) line: u32,
    /// From 1, in characters.
    pub(crate) column: u32,
    /// In bytes.
    pub(crate) start: u32,
    /// In bytes, exclusive. A collection is marked by its first character only.
    pub(crate) end: u32,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    /// Where it is used: for an aliased value, the alias.
    pub(crate) at: Mark,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A decimal, hexadecimal or octal number, and how it is spelled.
    Int(i64, String),
    /// A number with a fraction or exponent, as spelled.
    Float(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// The key of a map entry.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) at: Mark,
}

/// Why a text is not a tree.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) at: Mark,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => format!("`{value}`"),
            Self::Int(_, spelled) | Self::Float(spelled) => format!("the number `{spelled}`"),
            Self::Text(text) => format!("the text `{text}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
        }
    }
}

/// Parses one document. `source` goes into every mark.
pub(crate) fn parse(text: &str, source: u32) -> Result<Node, Vec<Problem>> {
    let start = Mark { source, line: 1, column: 1, ..Mark::default() };
    if text.len() > MAX_BYTES {
        return Err(vec![Problem {
            at: start,
            message: format!("{} MiB are too much for one file; at most 4 MiB are read", text.len() >> 20),
            help: Some(
                "split it: `include: [teams/*.yaml]` for targets, `hosts: [{file: fleet.txt}]` for hosts"
                    .to_owned(),
            ),
        }]);
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 3 * MAX_NODES,
            max_documents: 1,
            max_total_scalar_bytes: 4 * MAX_BYTES,
            max_anchors: 5_000,
            max_merge_keys: 5_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED,
            max_replay_stack_depth: 4,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough, // reported here, all of them
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        strict_booleans: true, // `no` is Norway
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    let tree: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| vec![explain(&error, text, source)])?;
    let mut grow = Grow { text, source, problems: Vec::new() };
    let root = grow.node(tree);
    if grow.problems.is_empty() { Ok(root) } else { Err(grow.problems) }
}

/// The tree as the parser hands it over.
enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float,
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    // No number of a manifest is that large; its spelling is kept for the message.
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Float)
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
            if map.len() > MAX_NODES {
                return Err(A::Error::custom("too many keys"));
            }
        }
        Ok(Raw::Map(map))
    }
}

/// Turns the parser's tree into ours, and finds keys written twice.
struct Grow<'t> {
    text: &'t str,
    source: u32,
    problems: Vec<Problem>,
}

impl Grow<'_> {
    fn node(&mut self, raw: Spanned<Raw>) -> Node {
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Int(value) => Value::Int(value, self.spelling(raw.defined)),
            Raw::Float => Value::Float(self.spelling(raw.defined)),
            Raw::Text(text) => Value::Text(text),
            Raw::List(items) => Value::List(items.into_iter().map(|item| self.node(item)).collect()),
            Raw::Map(entries) => Value::Map(self.map(entries)),
        };
        Node { value, at: mark(raw.referenced, self.text, self.source) }
    }

    fn map(&mut self, entries: Vec<(Spanned<String>, Spanned<Raw>)>) -> Vec<(Key, Node)> {
        let mut map: Vec<(Key, Node)> = Vec::with_capacity(entries.len());
        // Most maps are small enough to be looked through.
        let mut seen: Option<HashMap<String, Mark>> = (entries.len() > 16).then(HashMap::new);
        for (key, value) in entries {
            let at = mark(key.referenced, self.text, self.source);
            let first = match &mut seen {
                Some(seen) => seen.insert(key.value.clone(), at),
                None => map.iter().find(|(known, _)| known.text == key.value).map(|(known, _)| known.at),
            };
            if let Some(first) = first {
                self.problems.push(Problem {
                    at,
                    message: format!("key `{}` is written twice in one map", key.value),
                    help: Some(format!("it already stands at line {}; keep one of them", first.line)),
                });
            }
            map.push((Key { text: key.value, at }, self.node(value)));
        }
        map
    }

    /// The source text of a scalar: a number is quoted as the user wrote it.
    fn spelling(&self, location: Location) -> String {
        let at = mark(location, self.text, self.source);
        self.text.get(at.start as usize..at.end as usize).unwrap_or_default().trim().to_owned()
    }
}

fn mark(location: Location, text: &str, source: u32) -> Mark {
    let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let (line, column) = (narrow(location.line().max(1)), narrow(location.column().max(1)));
    let span = location.span();
    let start = span.byte_offset().unwrap_or_else(|| offset(text, line, column) as u64);
    let end = start.saturating_add(span.byte_len().unwrap_or_default());
    let (start, end) = (narrow(start), narrow(end));
    Mark { source, line, column, start, end }
}

/// The byte at a line and column, for the errors of the scanner, which carry no bytes.
fn offset(text: &str, line: u32, column: u32) -> usize {
    let before: usize = text.split_inclusive('\n').take(line as usize - 1).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    before + rest.char_indices().nth(column as usize - 1).map_or(rest.len(), |(i, _)| i)
}

/// The parser's errors in our words, where ours say more.
fn explain(error: &Error, text: &str, source: u32) -> Problem {
    let error = error.without_snippet();
    let at = mark(error.location().unwrap_or(Location::UNKNOWN), text, source);
    let (message, help) = match error {
        Error::Budget { breach, .. } => match breach {
            BudgetBreach::Depth { .. } => too_deep(),
            BudgetBreach::Documents { .. } => several_documents(),
            BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => (
                "too many values for one file".to_owned(),
                Some(
                    "split it: `include: [teams/*.yaml]` for targets, `hosts: [{file: fleet.txt}]` for hosts",
                ),
            ),
            _ => too_many_aliases(),
        },
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::RecursiveReferencesRequireWeakTypes { .. } => too_many_aliases(),
        Error::AliasError { error, .. } => {
            return Problem { at, ..explain(error, text, source) };
        }
        Error::MultipleDocuments { .. } => several_documents(),
        Error::UnknownAnchor { .. } => (
            "an alias without its anchor".to_owned(),
            Some("quote a text that begins with `*` or `&`: \"*.example.com\""),
        ),
        Error::NullIntoString { .. } => ("a key is missing before the colon".to_owned(), None),
        Error::UnsupportedTag { tag, .. } => {
            (format!("the tag `{tag}` has no meaning here"), Some("remove the tag, or quote the text"))
        }
        other => (plain(other), None),
    };
    let help = help.map(str::to_owned).or_else(|| hint(&message).map(str::to_owned));
    let (message, help) = if ["nesting", "depth", "recursion limit"].iter().any(|word| message.contains(word))
    {
        let (message, help) = too_deep();
        (message, help.map(str::to_owned))
    } else {
        (message, help)
    };
    Problem { at, message, help }
}

fn too_deep() -> (String, Option<&'static str>) {
    (format!("nested deeper than {MAX_DEPTH} levels"), Some("a manifest needs five or six"))
}

fn too_many_aliases() -> (String, Option<&'static str>) {
    (
        "aliases (`*name`) blow this document up beyond measure".to_owned(),
        Some("use `defaults` and `services` to share settings between targets"),
    )
}

fn several_documents() -> (String, Option<&'static str>) {
    ("more than one document in the file (`---`)".to_owned(), Some("one file holds one manifest"))
}

/// The parser's own sentence without the place, which is shown anyway.
fn plain(error: &Error) -> String {
    let whole = error.to_string();
    let line = whole.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let sentence = match line.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
        Some((_, sentence)) => sentence,
        None => line,
    };
    let sentence = sentence.split(" at line ").next().unwrap_or(sentence);
    let sentence = if sentence == "expected string scalar" { "a key is a text" } else { sentence };
    format!("not valid YAML: {sentence}")
}

/// What usually lies behind a scanner error.
fn hint(message: &str) -> Option<&'static str> {
    if message.contains("tab") {
        Some("YAML is indented with spaces")
    } else if message.contains("':'") || message.contains("mapping values") || message.contains("flow") {
        Some(
            "look for an unclosed bracket, brace or quote above; quote texts that hold `: `, `#`, `*` or `&`",
        )
    } else {
        None
    }
}
