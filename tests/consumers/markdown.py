"""The comments as GitHub's own parser (cmark-gfm) and markdown-it render them, raw HTML let through: only the page's
own tags are there, whatever the texts asked for, and nothing that GitHub or GitLab would link on the finished page."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

MOST = 65_536  # what GitHub takes
OURS = {"h3", "p", "strong", "code", "ul", "li", "details", "summary"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}
LINKED = re.compile(
    r"@\w|(?<!\w)[#!$%&~^]\w|[#!]\d|\w://|www\.\w|\bGH-\d|mailto:\w|:[a-z0-9_+-]+:|\S@\w+\.", re.IGNORECASE
)


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []
        self.cells = None
        self.rows = 0

    def handle_starttag(self, tag, attributes):
        assert tag in OURS | TABLE, f"<{tag}>"
        assert not attributes, f"<{tag}> has {attributes}"
        if tag == "details":
            assert self.open == [], f"<details> inside {self.open}"
        if tag == "tr":
            self.cells, self.rows = 0, self.rows + 1
        if tag in ("td", "th"):
            self.cells += 1
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"
        assert tag != "tr" or self.cells == 5, f"a row of {self.cells} cells"

    def handle_data(self, text):
        if "code" not in self.open:
            found = LINKED.search(text)
            assert not found, f"would be linked: {text[max(found.start() - 20, 0):found.end() + 20]!r}"

    def handle_comment(self, text):
        assert text.strip() == "portproof", f"<!--{text}-->"

    def handle_decl(self, text):
        raise AssertionError(f"<!{text}>")

    handle_pi = unknown_decl = handle_decl


def of_github(text):
    return cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)


def of_markdown_it(text):
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    parser.linkify.set({"fuzzy_link": False})  # GitHub links no bare names
    return parser.render(text)


def check(path):
    text = path.read_text(encoding="utf-8")
    assert len(text) < MOST, "longer than GitHub takes"
    for line in text.splitlines():
        assert not line.startswith("|") or line.count("|") == 6, f"a bar too much: {line}"
    rows = set()
    for render in (of_github, of_markdown_it):
        page = Page()
        page.feed(render(text))
        page.close()
        assert page.open == [], f"{page.open} stay open"
        rows.add(page.rows)
    assert len(rows) == 1, f"rows of tables: {rows}"


folder = Path(sys.argv[1])
paths = sorted(folder.glob("*.md"))
assert paths, "no report to read"
for path in paths:
    try:
        check(path)
    except AssertionError as error:
        sys.exit(f"{path.name}: {error}")
