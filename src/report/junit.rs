//! JUnit XML, for the test reports of GitLab, Jenkins, GitHub and others: a suite a target, a case for each entry of
//! the manifest at each address, and one for each finding that belongs to none of these. Says what the report says in
//! the words of a test run: `fail` is a failure, doubt an error, an exception a skipped case.
//!
//! The names are stable, and none occurs twice: GitLab knows a case by `classname` and `name`, and drops a second one.
//! It takes files of up to 30 MB; where there are very many cases, each says less.

mod cases;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    io::{self, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use self::cases::{Case, Outcome, Suite, Told};
use super::{
    Report, Statement,
    words::{bounded, visible},
};

/// All cases together stay below this, in octets: GitLab takes 30 MB.
const MOST_OCTETS: usize = 28_000_000;
/// A case's tags and attributes without their values.
const TAGS: usize = 120;
/// The most that one case takes.
const MOST_A_CASE: usize = 12_000;
/// The longest class name and name, in octets as written.
const CLASS: usize = 80;
const NAME: usize = 150;

/// Writes the test run.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let said = Statement::of(report);
    let suites = cases::suites(report, &said);
    let all = suites.iter().map(|suite| suite.cases.len()).sum::<usize>();
    let purse = (MOST_OCTETS / all.max(1)).min(MOST_A_CASE).saturating_sub(TAGS);
    let xml = Writer::new_with_indent(&mut *out as &mut dyn Write, b' ', 1);
    let mut page = Page { xml, report, said: &said, purse, named: HashSet::new(), numbers: HashMap::new() };
    page.xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", "portproof"));
    Totals::of(suites.iter().flat_map(|suite| &suite.cases)).push(&mut root);
    root.push_attribute(("time", format!("{:.3}", report.coverage.duration_s).as_str()));
    page.xml.write_event(Event::Start(root))?;
    for suite in &suites {
        page.suite(suite)?;
    }
    page.end("testsuites")?;
    page.xml.get_mut().write_all(b"\n")
}

/// How many cases came out how.
#[derive(Default)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Totals {
    fn of<'a>(cases: impl Iterator<Item = &'a Case<'a>>) -> Self {
        let mut totals = Self::default();
        for case in cases {
            totals.tests += 1;
            match case.outcome() {
                Outcome::Failed => totals.failures += 1,
                Outcome::Unsure => totals.errors += 1,
                Outcome::Accepted => totals.skipped += 1,
                Outcome::Passed => {}
            }
        }
        totals
    }

    fn push(&self, element: &mut BytesStart<'_>) {
        for (name, n) in [
            ("tests", self.tests),
            ("failures", self.failures),
            ("errors", self.errors),
            ("skipped", self.skipped),
        ] {
            element.push_attribute((name, n.to_string().as_str()));
        }
    }
}

struct Page<'a> {
    xml: Writer<&'a mut dyn Write>,
    report: &'a Report,
    said: &'a Statement<'a>,
    /// What each case may take, in octets as written.
    purse: usize,
    named: HashSet<(String, String)>,
    /// The number that the next case of a class and name may have.
    numbers: HashMap<(String, String), u64>,
}

impl Page<'_> {
    fn suite(&mut self, suite: &Suite<'_>) -> io::Result<()> {
        let mut element = BytesStart::new("testsuite");
        let class = fitted(suite.name, CLASS).into_owned();
        element.push_attribute(("name", class.as_str()));
        Totals::of(suite.cases.iter()).push(&mut element);
        element.push_attribute(("timestamp", visible(&self.report.run.started_at).as_ref()));
        self.xml.write_event(Event::Start(element))?;
        if suite.is_run {
            self.properties()?;
        }
        for case in &suite.cases {
            self.case(&class, case)?;
        }
        self.end("testsuite")
    }

    /// What a reader of the suite wants to know of the run.
    fn properties(&mut self) -> io::Result<()> {
        let run = &self.report.run;
        let headline = self.said.headline();
        self.xml.write_event(Event::Start(BytesStart::new("properties")))?;
        for (name, value) in [
            ("headline", Some(headline.as_str())),
            ("result", Some(self.said.outcome().word())),
            ("run.id", Some(&run.id)),
            ("manifest.path", run.manifest.path.as_deref()),
            ("manifest.sha256", run.manifest.sha256.as_deref()),
            ("portproof.version", Some(&self.report.tool.version)),
        ] {
            let Some(value) = value else { continue };
            let mut property = BytesStart::new("property");
            property.push_attribute(("name", name));
            property.push_attribute(("value", fitted(value, 2000).as_ref()));
            self.xml.write_event(Event::Empty(property))?;
        }
        self.end("properties")
    }

    fn case(&mut self, class: &str, case: &Case<'_>) -> io::Result<()> {
        let mut purse = self.purse;
        let name = self.unique(class, &case.name);
        let mut element = BytesStart::new("testcase");
        element.push_attribute(("classname", class));
        element.push_attribute(("name", name.as_str()));
        purse = purse.saturating_sub(cost(class) + cost(&name));
        let Told { kind, message, place, body } = case.told(self.report);
        let message = paid(&message, &mut purse, 600);
        if let Some(place) = place
            && cost(&visible(&place.path)) <= purse
        {
            element.push_attribute(("file", paid(&place.path, &mut purse, usize::MAX).as_ref()));
            element.push_attribute(("line", place.line.to_string().as_str()));
        }
        if case.outcome() == Outcome::Passed && body.is_empty() {
            return self.xml.write_event(Event::Empty(element));
        }
        self.xml.write_event(Event::Start(element))?;
        let mut text = String::new();
        for line in &body {
            if purse <= 1 {
                break;
            }
            text.push_str(&paid(line, &mut purse, usize::MAX));
            text.push('\n');
            purse = purse.saturating_sub(1);
        }
        let tag = match case.outcome() {
            Outcome::Failed => "failure",
            Outcome::Unsure => "error",
            Outcome::Accepted => "skipped",
            Outcome::Passed => "system-out",
        };
        let mut result = BytesStart::new(tag);
        if case.outcome() != Outcome::Passed {
            result.push_attribute(("message", message.as_ref()));
        }
        if matches!(case.outcome(), Outcome::Failed | Outcome::Unsure) {
            result.push_attribute(("type", bounded(&visible(kind), 40).as_ref()));
        }
        self.xml.write_event(Event::Start(result))?;
        self.xml.write_event(Event::Text(BytesText::new(text.trim_end())))?;
        self.end(tag)?;
        self.end("testcase")
    }

    /// The name, and a number where the suite has it already.
    fn unique(&mut self, class: &str, name: &str) -> String {
        let name = fitted(name, NAME).into_owned();
        // From where the last of this name got its number: a suite may have thousands of it.
        let next = self.numbers.entry((class.to_owned(), name.clone())).or_insert(1);
        let numbered =
            (*next..).map(|n| if n == 1 { (n, name.clone()) } else { (n, format!("{name} ({n})")) });
        for (n, unique) in numbered {
            if self.named.insert((class.to_owned(), unique.clone())) {
                *next = n + 1;
                return unique;
            }
        }
        name
    }

    fn end(&mut self, name: &str) -> io::Result<()> {
        self.xml.write_event(Event::End(BytesEnd::new(name)))
    }
}

/// A text with nothing in it that XML can't hold, as much of it as the purse pays for.
fn paid<'a>(text: &'a str, purse: &mut usize, most: usize) -> Cow<'a, str> {
    let text = fitted(text, most.min(*purse));
    *purse = purse.saturating_sub(cost(&text));
    text
}

/// A text with nothing in it that XML can't hold, of at most so many octets once it is escaped.
fn fitted(text: &str, octets: usize) -> Cow<'_, str> {
    // What is far too long is cut before it is looked at.
    let text = match text.char_indices().nth(octets + 1) {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    let text = visible(text);
    if cost(&text) <= octets {
        return text;
    }
    let mut room = octets.saturating_sub('…'.len_utf8());
    let kept = text.chars().take_while(|&c| {
        let fits = cost_of(c) <= room;
        room = room.saturating_sub(cost_of(c));
        fits
    });
    let mut kept: String = kept.collect();
    if octets >= '…'.len_utf8() {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// What a text takes in the file.
fn cost(text: &str) -> usize {
    text.chars().map(cost_of).sum()
}

fn cost_of(c: char) -> usize {
    match c {
        '<' | '>' => 4,
        '&' => 5,
        '"' | '\'' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_what_it_takes_once_escaped() {
        assert_eq!(fitted("plain", 5), "plain");
        assert_eq!(fitted("plain", 4), "p…");
        assert_eq!(fitted("\"\"", 12), "\"\"");
        assert_eq!(fitted("\"\"", 11), "\"…");
        assert_eq!(fitted("\u{0}", 100), "\\u{0}");
        assert_eq!(fitted("\u{ffff}]]>", 100), "\\u{ffff}]]>");
        assert_eq!(fitted("x", 0), "");
        let mut purse = 9;
        assert_eq!((paid("abc", &mut purse, 100), purse), (Cow::Borrowed("abc"), 6));
    }
}
