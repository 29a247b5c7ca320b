//! What is wrong with a manifest, where, and how to mend it; shown like rustc's. The only place that
//! knows the renderer; never prints text of the manifest that could steer a terminal.

use std::{collections::HashMap, fmt, ops::Range, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use super::{
    manifest::{Lint, Place},
    yaml::{Mark, Problem},
};
use crate::model::{clean, rule};

/// How many are shown; the rest is counted.
const SHOWN: usize = 20;
/// How many are kept.
const KEPT: usize = 200;
/// How many characters of a line are shown on either side of what is marked.
const MARGIN: usize = 120;

/// Whether the manifest can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// It can't, or a run fails by it.
    Error,
    /// It can, and no run fails.
    Warning,
}

/// One thing that is wrong, its place and its cure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the manifest can be used in spite of it.
    pub severity: Gravity,
    /// The rule, for lints.
    pub rule: Option<&'static str>,
    /// What is wrong, without full stop; cleaned.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Which bytes of that file.
    pub span: Range<usize>,
    /// How to mend it; cleaned.
    pub help: Option<String>,
}

/// Everything that is wrong, with the texts it is wrong in. Displayed without colour.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    sources: Vec<Source>,
    list: Vec<(u32, Diagnostic)>,
    hidden: usize,
}

#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: Arc<str>,
}

impl Diagnostics {
    /// Each, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter().map(|(_, diagnostic)| diagnostic)
    }

    /// How many there are, including those that were only counted.
    pub fn count(&self) -> usize {
        self.list.len() + self.hidden
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether so much is wrong that looking further helps nobody.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= KEPT
    }

    /// Lints, as grave as they are under the policy, shown in the texts that they are about: `text_of` finds a file's
    /// text by its path.
    pub fn of_lints(
        lints: &[Lint],
        severity: Gravity,
        mut text_of: impl FnMut(&str) -> Option<String>,
    ) -> Self {
        let mut all = Self::default();
        let mut known: HashMap<String, u32> = HashMap::new();
        for lint in lints {
            let source = *known.entry(lint.place.path.clone()).or_insert_with(|| {
                all.add_source(&lint.place.path, &text_of(&lint.place.path).unwrap_or_default())
            });
            let span = all.word_at(source, &lint.place);
            all.push(
                source,
                Diagnostic {
                    severity,
                    rule: Some(lint.rule),
                    message: clean(&lint.message),
                    place: lint.place.clone(),
                    span,
                    help: rule(lint.rule).map(|rule| rule.remedy.to_owned()),
                },
            );
        }
        all
    }

    /// As a terminal shows them: message, place, the line itself, the cure.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut shown: Vec<String> = self
            .list
            .iter()
            .take(SHOWN)
            .map(|(source, one)| self.render_one(*source, one, &renderer))
            .collect();
        if self.count() > SHOWN {
            let least = if self.is_full() { "at least " } else { "" };
            shown.push(format!("... and {least}{} more", self.count() - SHOWN));
        }
        shown.join("\n\n")
    }

    pub(crate) fn add_source(&mut self, path: &str, text: &str) -> u32 {
        self.sources.push(Source { path: path.to_owned(), text: text.into() });
        u32::try_from(self.sources.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn place(&self, at: Mark) -> Place {
        let path = self.sources.get(at.source as usize).map(|source| source.path.clone()).unwrap_or_default();
        Place { path, line: at.line.into(), column: at.column.into() }
    }

    /// Notes an error; many errors are counted rather than kept.
    pub(crate) fn error<'h>(&mut self, at: Mark, message: impl AsRef<str>, help: impl Into<Option<&'h str>>) {
        let place = self.place(at);
        let diagnostic = Diagnostic {
            severity: Gravity::Error,
            rule: None,
            message: clean(message.as_ref()),
            place,
            span: at.start as usize..at.end as usize,
            help: help.into().map(clean),
        };
        self.push(at.source, diagnostic);
    }

    pub(crate) fn problem(&mut self, problem: &Problem) {
        self.error(problem.at, &problem.message, problem.help.as_deref());
    }

    /// In the order of the files, each thing once (an aliased map says everything twice).
    pub(crate) fn sorted(mut self) -> Self {
        self.list.sort_by_key(|(source, one)| (*source, one.span.start));
        self.list.dedup();
        self
    }

    fn push(&mut self, source: u32, diagnostic: Diagnostic) {
        if self.list.len() < KEPT { self.list.push((source, diagnostic)) } else { self.hidden += 1 }
    }

    /// The bytes of the word that begins at a place.
    fn word_at(&self, source: u32, place: &Place) -> Range<usize> {
        let text = self.sources.get(source as usize).map_or("", |source| &source.text);
        let lines = usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX);
        let columns = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let before: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
        let line = text.get(before..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = line.char_indices().nth(columns).map_or(line.len(), |(i, _)| i);
        let word = line.get(column..).unwrap_or_default();
        let len = word.find([' ', ',', '}', ']', ':']).unwrap_or(word.len());
        before + column..before + column + len
    }

    fn render_one(&self, source: u32, one: &Diagnostic, renderer: &Renderer) -> String {
        let text = self.sources.get(source as usize).map_or("", |source| &source.text);
        let level = match one.severity {
            Gravity::Error => Level::ERROR,
            Gravity::Warning => Level::WARNING,
        };
        let path = clean(&one.place.path);
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let title = match one.rule {
            Some(rule) => level.primary_title(&one.message).id(rule),
            None => level.primary_title(&one.message),
        };
        let (line, marked, whole) = excerpt(text, &one.span);
        let snippet = Snippet::source(line.as_str())
            .line_start(number(one.place.line))
            .annotation(AnnotationKind::Primary.span(marked));
        // The renderer counts the column in the line it shows; a shortened line needs to be told.
        let mut group = match (line.is_empty(), whole) {
            (false, true) => title.element(snippet.path(path)),
            (shown, _) => {
                let origin =
                    Origin::path(path).line(number(one.place.line)).char_column(number(one.place.column));
                let group = title.element(origin);
                if shown { group } else { group.element(snippet) }
            }
        };
        if let Some(help) = &one.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// The line that holds the beginning of a span, shortened around it and cleaned; the span in it; and
/// whether the line is shown as it stands.
fn excerpt(text: &str, span: &Range<usize>) -> (String, Range<usize>, bool) {
    let (Some(before), Some(rest)) = (text.get(..span.start), text.get(span.start..)) else {
        return (String::new(), 0..0, false);
    };
    let head = before.rsplit('\n').next().unwrap_or_default();
    let rest = rest.lines().next().unwrap_or_default();
    let marked = rest.get(..span.len().min(rest.len())).unwrap_or(rest).trim_end();
    let tail = rest.get(marked.len()..).unwrap_or_default();
    let cut = head.char_indices().rev().nth(MARGIN - 1).map_or(0, |(i, _)| i);
    let shown = |text: &str| {
        let short: String = text.chars().take(MARGIN).map(|c| if c == '\t' { ' ' } else { c }).collect();
        clean(&short)
    };
    let (left, middle) = (shown(head.get(cut..).unwrap_or_default()), shown(marked));
    let whole = left.chars().count() == head.chars().count();
    let span = left.len()..left.len() + middle.len();
    (format!("{left}{middle}{}", shown(tail)), span, whole)
}
