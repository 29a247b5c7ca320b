//! Elements with attributes, and nothing else of XML 1.0: no text, no entity of our own. Whatever an attribute holds
//! stays inside it.

use std::io::{self, Write};

use crate::report::exchange::text;

/// A document being written, indented by depth.
pub(super) struct Xml<'w> {
    out: &'w mut dyn Write,
    depth: usize,
}

/// Names and values; one without a value is not written.
type Attributes<'a> = [(&'a str, &'a str)];

impl<'w> Xml<'w> {
    /// Begins a document.
    pub(super) fn begin(out: &'w mut dyn Write, root: &str) -> io::Result<Self> {
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE {root}>")?;
        Ok(Self { out, depth: 0 })
    }

    /// An element that holds others.
    pub(super) fn open(&mut self, name: &str, attributes: &Attributes<'_>) -> io::Result<()> {
        self.start(name, attributes, ">")?;
        self.depth += 1;
        Ok(())
    }

    /// Its end.
    pub(super) fn close(&mut self, name: &str) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        self.indent()?;
        writeln!(self.out, "</{name}>")
    }

    /// An element that holds nothing.
    pub(super) fn empty(&mut self, name: &str, attributes: &Attributes<'_>) -> io::Result<()> {
        self.start(name, attributes, "/>")
    }

    fn start(&mut self, name: &str, attributes: &Attributes<'_>, end: &str) -> io::Result<()> {
        self.indent()?;
        write!(self.out, "<{name}")?;
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            write!(self.out, " {name}=\"{}\"", escaped(value))?;
        }
        writeln!(self.out, "{end}")
    }

    fn indent(&mut self) -> io::Result<()> {
        write!(self.out, "{:1$}", "", 2 * self.depth)
    }
}

/// A value as an attribute holds it. XML 1.0 has no way to write most control characters, not even escaped
/// (section 2.2), so they are shown as text.
fn escaped(value: &str) -> String {
    let value = text(value);
    let mut escaped = String::with_capacity(value.len() + 16);
    for c in value.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_attribute() {
        assert_eq!(
            escaped("\"/><a b='&]]>\0\u{ffff}\u{202e}\n"),
            "&quot;/&gt;&lt;a b=&apos;&amp;]]&gt;\\u{0}\\u{ffff}\\u{202e}"
        );
    }

    #[test]
    fn elements_are_nested_as_they_are_opened() {
        let mut out = Vec::new();
        let mut xml = Xml::begin(&mut out, "a").expect("written");
        xml.open("a", &[("x", "1")]).expect("written");
        xml.empty("b", &[]).expect("written");
        xml.close("a").expect("written");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.ends_with("<!DOCTYPE a>\n<a x=\"1\">\n  <b/>\n</a>\n"), "{text}");
    }
}
