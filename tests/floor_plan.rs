//! The house rules that no lint can hold: imports look down, each outside crate lives in one place,
//! every file says what it is, none grows past 400 lines of code. All violations are listed at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Lines that hold code, the tests at a file's end apart.
const CEILING: usize = 400;

/// Where in `src/` an outside crate may be named: anywhere whose path begins so. Crates that are not
/// here are vocabulary (serde, thiserror, ipnet ...) and may be named anywhere.
const PLACES: &[(&str, &[&str])] = &[
    ("annotate_snippets", &["spec/diagnostic"]),
    ("axum", &["serve/"]),
    ("clap", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("csv", &["report/"]),
    ("data_encoding", &["intake/", "report/"]),
    ("hickory_resolver", &["drive/resolve"]),
    ("indicatif", &["cli/progress"]),
    ("libc", &["drive/"]),
    ("minijinja", &["report/html", "serve/"]),
    ("pnet", &["drive/"]),
    ("quick_xml", &["report/", "intake/nmap"]),
    ("rusqlite", &["store/"]),
    ("rustls", &["drive/identify"]),
    ("serde_saphyr", &["spec/yaml.rs", "spec/profile"]),
    ("socket2", &["drive/"]),
    ("ssh_key", &["report/evidence"]),
    ("tokio_rustls", &["drive/identify"]),
    ("webpki_roots", &["drive/identify"]),
    ("x509_parser", &["identify/tls"]),
    ("tokio", &["drive/", "serve/", "cli/"]),
];

/// The only places that may read a clock, and the types whose `now` reads one.
const CLOCKS: (&[&str], &[&str]) =
    (&["drive/", "serve/", "cli/"], &["Instant", "SystemTime", "Timestamp", "Zoned"]);

/// The only file that may speak to the kernel without the compiler's protection.
const UNSAFE: &str = "drive/sys.rs";

#[test]
fn the_house_stands_as_planned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    read(&root.join("src"), "", &mut files);
    assert!(files.contains_key("lib.rs"), "src/ was read");
    let floors = floors(&files["lib.rs"]);
    assert!(floors.len() >= 2, "src/lib.rs holds the table of floors");
    let mut wrong: Vec<String> =
        files.iter().flat_map(|(path, text)| violations(path, text, &floors)).collect();
    let lock = fs::read_to_string(root.join("Cargo.lock")).expect("Cargo.lock is committed");
    // The Unicode tables of ICU4X are megabytes that a host name in ASCII doesn't need.
    if lock.contains("name = \"icu_normalizer\"") {
        wrong.push(
            "Cargo.lock: icu_normalizer came back: `cargo update -p idna_adapter --precise 1.1.0`".into(),
        );
    }
    assert!(wrong.is_empty(), "{} violations of the floor plan:\n{}\n", wrong.len(), wrong.join("\n"));
}

/// Every Rust file below `dir`, by its path below `src/`.
fn read(dir: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).expect("src/ can be read") {
        let entry = entry.expect("src/ can be read");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a file has a type").is_dir() {
            read(&entry.path(), &format!("{name}/"), files);
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            files.insert(name, fs::read_to_string(entry.path()).expect("source is text"));
        }
    }
}

/// Module and floor, from the table in the documentation of `src/lib.rs`: there is one plan, not two.
fn floors(lib: &str) -> BTreeMap<String, u8> {
    lib.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
            let floor = cells.next()?.parse().ok()?;
            Some((cells.next()?.trim_matches(['[', ']', '`']).to_owned(), floor))
        })
        .collect()
}

/// Everything that is wrong with one file, each with its place.
fn violations(path: &str, text: &str, floors: &BTreeMap<String, u8>) -> Vec<String> {
    let tokens = without_tests(lex(text));
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    let mut found = BTreeSet::new();
    if !text.starts_with("//!") {
        found.insert((
            1,
            "does not open with `//!`: say what the file is, and what it must never do".to_owned(),
        ));
    }
    let lines: BTreeSet<usize> = tokens.iter().flat_map(|token| token.line..=token.last_line).collect();
    if lines.len() > CEILING && !is_test {
        found.insert((1, format!("{} lines of code; the ceiling is {CEILING}", lines.len())));
    }
    if path != UNSAFE {
        for token in tokens.iter().filter(|token| token.text == "unsafe") {
            found.insert((token.line, format!("`unsafe` outside {UNSAFE}")));
        }
    }
    let module = module_of(path);
    let top = module.first().map_or("", String::as_str);
    let floor = match (top, floors.get(top)) {
        ("", _) => u8::MAX, // lib.rs and main.rs are the roof
        (_, Some(&floor)) => floor,
        (_, None) => {
            found.insert((1, format!("`{top}` is not in the floor plan of src/lib.rs")));
            u8::MAX
        }
    };
    for Named { path: named, line, .. } in paths(&tokens, &module) {
        let shown = named.join("::");
        if let ["crate", other, ..] = named.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            let theirs = floors.get(other);
            if other != top && theirs.is_some_and(|&theirs| theirs >= floor) {
                let theirs = theirs.expect("just looked up");
                found
                    .insert((line, format!("`{shown}` looks up: floor {floor} may not name floor {theirs}")));
            }
        }
        let at_home = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
        if let Some((_, places)) = PLACES.iter().find(|(outside, _)| *outside == named[0])
            && !is_test
            && !at_home(places)
        {
            found.insert((line, format!("`{shown}`: {} belongs to {}", named[0], places.join(" or "))));
        }
        if let [.., owner, now] = &named[..]
            && now == "now"
            && CLOCKS.1.contains(&owner.as_str())
            && !is_test
            && !at_home(CLOCKS.0)
        {
            found.insert((
                line,
                format!("`{shown}` reads a clock: time is an argument below {}", CLOCKS.0.join(", ")),
            ));
        }
    }
    found.into_iter().map(|(line, what)| format!("src/{path}:{line}: {what}")).collect()
}

/// `scan/ledger.rs` is `scan::ledger`; `lib.rs` and `main.rs` are the crate itself.
fn module_of(path: &str) -> Vec<String> {
    let stem = path.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    stem.split('/').filter(|part| !matches!(*part, "lib" | "main")).map(str::to_owned).collect()
}

/// A path that the code names, from `crate` or from an outside crate on.
struct Named {
    path: Vec<String>,
    line: usize,
    /// How many `mod { }` of the file are around it.
    inside: usize,
}

/// Every path in the code: those of `use`, their groups opened, and those inside expressions and types.
fn paths(tokens: &[Token], module: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    let (mut depth, mut inline) = (0_usize, Vec::new());
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        let next = |k: usize| tokens.get(i + k).map_or("", |token| token.text.as_str());
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.retain(|&opened| opened < depth);
            }
            "mod" if next(2) == "{" => inline.push(depth),
            "use" => {
                let mut ends = Vec::new();
                i = tree(tokens, i + 1, &mut Vec::new(), &mut ends);
                found.extend(ends.into_iter().map(|named| Named { inside: inline.len(), ..named }));
                continue;
            }
            _ if token.is_name() && next(1) == "::" => {
                let mut path = vec![token.text.clone()];
                while tokens.get(i + 1).is_some_and(|t| t.text == "::")
                    && tokens.get(i + 2).is_some_and(Token::is_name)
                {
                    path.push(tokens[i + 2].text.clone());
                    i += 2;
                }
                found.push(Named { path, line: token.line, inside: inline.len() });
            }
            _ => {}
        }
        i += 1;
    }
    for named in &mut found {
        let supers = named.path.iter().take_while(|part| *part == "super").count();
        let up = supers.saturating_sub(named.inside); // the rest only leads out to the file itself
        if let Some(above) = module.len().checked_sub(up)
            && up > 0
        {
            let from_root = ["crate".to_owned()].into_iter().chain(module[..above].iter().cloned());
            named.path = from_root.chain(named.path[supers..].iter().cloned()).collect();
        }
    }
    found
}

/// One use tree from `i` on; returns where it ends.
fn tree(tokens: &[Token], mut i: usize, prefix: &mut Vec<String>, ends: &mut Vec<Named>) -> usize {
    let start = prefix.len();
    let line = tokens.get(i).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(i) {
        match token.text.as_str() {
            "{" => {
                i += 1;
                while tokens.get(i).is_some_and(|token| token.text != "}") {
                    // What ends no tree here (a `;` in a macro's body that only looks like one) is stepped over.
                    let next = tree(tokens, i, prefix, ends);
                    i = next
                        + usize::from(next == i || tokens.get(next).is_some_and(|token| token.text == ","));
                }
                prefix.truncate(start);
                return i + 1;
            }
            "," | ";" | "}" => break,
            "as" => i += 1,
            name if token.is_name() => prefix.push(name.to_owned()),
            _ => {}
        }
        i += 1;
    }
    if !prefix.is_empty() {
        ends.push(Named { path: prefix.clone(), line, inside: 0 });
    }
    prefix.truncate(start);
    i
}

/// A word, a mark, or a literal; comments and blanks are gone.
#[derive(Clone)]
struct Token {
    text: String,
    line: usize,
    last_line: usize,
}

impl Token {
    fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Enough of Rust's lexical grammar (Reference, chapter 2) to tell code from comments and strings.
fn lex(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut tokens, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let start = i;
        let mut text = None;
        if at(i).is_whitespace() {
            i += 1;
        } else if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= chars.len() {
                    break;
                }
            }
        } else if let Some(end) = string_end(&chars, i) {
            i = end;
            text = Some("\"\"".to_owned());
        } else if at(i) == '\'' {
            // A character ends with a quote; a lifetime doesn't.
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            if at(start + 1) == '\\' || at(i) == '\'' {
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            text = Some("''".to_owned());
        } else if is_word(at(i)) {
            while is_word(at(i)) {
                i += 1;
            }
            text = Some(chars[start..i].iter().collect());
        } else {
            i += if at(i) == ':' && at(i + 1) == ':' { 2 } else { 1 };
            text = Some(chars[start..i].iter().collect());
        }
        let last_line = line + chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
        if let Some(text) = text {
            tokens.push(Token { text, line, last_line });
        }
        line = last_line;
    }
    tokens
}

/// Where the string literal that begins at `i` ends, if one begins there: `"`, `b"`, `c"`, `r"`, `br#"` ...
fn string_end(chars: &[char], mut i: usize) -> Option<usize> {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    i += usize::from(matches!(at(i), 'b' | 'c') && matches!(at(i + 1), '"' | 'r'));
    let raw = at(i) == 'r' && matches!(at(i + 1), '"' | '#');
    i += usize::from(raw);
    let fence = chars[i..].iter().take_while(|c| raw && **c == '#').count();
    i += fence;
    if at(i) != '"' {
        return None;
    }
    i += 1;
    while i < chars.len() {
        if at(i) == '\\' && !raw {
            i += 1;
        } else if at(i) == '"' && chars[i + 1..].iter().take_while(|c| **c == '#').count() >= fence {
            return Some(i + 1 + fence);
        }
        i += 1;
    }
    Some(i)
}

/// The tokens without `#[cfg(test)] mod ... { ... }`.
fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let text = |i: usize| tokens.get(i).map_or("", |token: &Token| token.text.as_str());
    let Some(start) = (0..tokens.len())
        .find(|&i| (0..8).map(|k| text(i + k)).eq(["#", "[", "cfg", "(", "test", ")", "]", "mod"]))
    else {
        return tokens;
    };
    if text(start + 9) != "{" {
        return tokens; // a file of its own
    }
    let (mut depth, mut end) = (0_usize, start + 9);
    while end < tokens.len() {
        match text(end) {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        end += 1;
        if depth == 0 {
            break;
        }
    }
    [&tokens[..start], &tokens[end..]].concat()
}

/// What the rules say about one file of a house with three floors.
#[cfg(test)]
fn judge(path: &str, text: &str) -> Vec<String> {
    let plan = "//! | 0 | [`model`] | x | y |\n//! | 2 | [`scan`] | x | y |\n//! | 2 | `probe/` | x | y |\n//! | 5 | [`drive`] | | |\n";
    let plan = plan.replace("`probe/`", "[`probe`]");
    violations(path, text, &floors(&plan))
}

#[test]
fn a_sound_file_has_no_violation() {
    let text = "//! Sound.\nuse std::fmt;\nuse crate::model::{self, State as S};\nuse super::model::Moment;\n\
                // use crate::drive; Instant::now()\nconst S: &str = r#\"crate::drive::x \" unsafe\"#;\n\
                fn f<'a>(x: &'a str) -> char { '\\'' }\n#[cfg(test)]\nmod tests { use crate::drive::x; }\n";
    assert_eq!(judge("scan.rs", text), [""; 0]);
}

#[test]
fn looking_up_or_sideways_is_found_however_it_is_written() {
    for text in [
        "use crate::drive;",
        "use crate::{model::State, drive::{connect, resolve}};",
        "use super::drive::connect;",
        "fn f() { crate::drive::go(); }",
        "fn f(x: &super::drive::Socket) {}",
        "use crate::probe::connect;",
        "mod inner { use crate::{drive}; }",
        "mod inner { use super::super::drive; }",
    ] {
        let found = judge("scan/mod.rs", &format!("//! Scan.\n{text}\n"));
        assert_eq!(found.len(), 1 + usize::from(text.contains("resolve")), "{text}: {found:?}");
        assert!(found[0].starts_with("src/scan/mod.rs:2: "), "{found:?}");
    }
    assert_eq!(judge("scan/ledger.rs", "//! x\nuse super::super::drive::x;\n").len(), 1);
    assert_eq!(judge("scan/ledger.rs", "//! x\nuse super::order::x;\n"), [""; 0]);
    assert_eq!(judge("scan/mod.rs", "//! x\nmod inner { use super::drive; }\n"), [""; 0], "its own `drive`");
    assert_eq!(judge("attic/mod.rs", "//! x\n").len(), 1, "a module that no floor has");
}

#[test]
fn every_other_rule_is_found_broken() {
    let one = |path: &str, text: &str, what: &str| {
        let found = judge(path, text);
        assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
    };
    one("model/mod.rs", "fn f() {}\n", "//!");
    one("drive/raw.rs", "//! x\nfn f() { unsafe { g() } }\n", "unsafe");
    one("scan/mod.rs", "//! x\nuse socket2::Socket;\n", "socket2 belongs to drive/");
    one("scan/mod.rs", "//! x\nfn f() { tokio::spawn(g()); }\n", "tokio belongs to");
    one("scan/mod.rs", "//! x\nfn f() { std::time::Instant::now(); }\n", "reads a clock");
    one("scan/mod.rs", &format!("//! x\n{}", "fn f() {}\n\n// why\n".repeat(401)), "401 lines of code");
    assert_eq!(judge("scan/mod.rs", &format!("//! x\n{}", "fn f() {}\n\n// why\n".repeat(400))), [""; 0]);
    assert_eq!(
        judge("drive/sys.rs", "//! x\nuse libc::x;\nfn f() { unsafe { g(Instant::now()) } }\n"),
        [""; 0]
    );
}
