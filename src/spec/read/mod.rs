//! A manifest's text to a [`Manifest`]: every default applied, every name looked up. Reports all
//! errors at once; never returns a manifest that has any.

mod exception;
mod expose;
mod paper;
mod target;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use sha2::{Digest, Sha256};

use self::expose::Service;
pub(super) use self::{exception::MarkedException, paper::implied, target::MarkedTarget};
use super::{
    check,
    decode::{Table, named, text},
    diagnostic::Diagnostics,
    keys, lint,
    manifest::{Manifest, Place},
    nearest::nearest,
    profile::PolicyProfile,
    yaml::{self, MAX_BYTES, Mark, Node, Value},
};
use crate::model::{PortSet, Protocol};

/// How many files one manifest may include.
const MAX_FILES: usize = 1_000;

/// What the reader must know of the profiles.
pub trait Names {
    /// The role profiles that exist.
    fn roles(&self) -> Vec<String>;
    /// The policies that exist.
    fn policies(&self) -> Vec<String>;
    /// The policy of that name.
    fn policy(&self, name: &str) -> Option<PolicyProfile>;
    /// The services that have a name here.
    fn services(&self) -> Vec<String>;
    /// The ports that a service usually listens on; `None` for an unknown service.
    fn service_ports(&self, service: &str, protocol: Protocol) -> Option<PortSet>;
    /// The set called `common`.
    fn common(&self, protocol: Protocol) -> PortSet;
    /// The ports that a role says must never be exposed.
    fn role_denies(&self, role: &str, protocol: Protocol) -> PortSet;
}

/// The files that a manifest may point at. Paths are as written, relative to the manifest's folder.
pub trait Files {
    /// The whole text of a file, or why it can't be read.
    fn read(&self, path: &str) -> Result<String, String>;
    /// The paths that a pattern (`teams/*.yaml`) matches, or why that can't be said.
    fn list(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// Reads a manifest. `path` is what places and messages call it.
pub fn read(path: &str, text: &str, names: &dyn Names, files: &dyn Files) -> Result<Manifest, Diagnostics> {
    let mut reader = Reader::new(names, files);
    let root = reader.parse(path, text);
    let manifest = root.and_then(|root| reader.document(&root, path));
    match manifest {
        Some(mut manifest) if reader.out.is_empty() => {
            manifest.sha256 = hex(&Sha256::digest(text.as_bytes()));
            manifest.lints = lint::paperwork(&manifest, names, &reader.unused());
            Ok(manifest)
        }
        _ => Err(reader.out.sorted()),
    }
}

/// The state of reading one manifest and the files it names.
struct Reader<'a> {
    names: &'a dyn Names,
    files: &'a dyn Files,
    out: Diagnostics,
    roles: HashSet<String>,
    services: HashMap<String, Service>,
    /// The names under `vantages`, where that map exists.
    vantages: Option<BTreeSet<String>>,
    /// The ids of the targets, once they are read.
    targets: BTreeSet<String>,
    /// Files of hosts that were read, by path.
    lists: HashMap<String, (u32, Arc<str>)>,
}

impl<'a> Reader<'a> {
    fn new(names: &'a dyn Names, files: &'a dyn Files) -> Self {
        Self {
            names,
            files,
            out: Diagnostics::default(),
            roles: names.roles().into_iter().collect(),
            services: HashMap::new(),
            vantages: None,
            targets: BTreeSet::new(),
            lists: HashMap::new(),
        }
    }

    fn parse(&mut self, path: &str, text: &str) -> Option<Node> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // A text that is too large is not kept: its size is the message.
        let source = self.out.add_source(path, if text.len() > MAX_BYTES { "" } else { text });
        match yaml::parse(text, source) {
            Ok(root) if matches!(root.value, Value::Null) => {
                let help = "the smallest manifest is `portproof: 1` and `targets: [{hosts: [www.example.com], expose: [443]}]`";
                self.out.error(root.at, "the document is empty", help);
                None
            }
            Ok(root) => Some(root),
            Err(problems) => {
                for problem in &problems {
                    self.out.problem(problem);
                }
                None
            }
        }
    }

    fn document(&mut self, root: &Node, path: &str) -> Option<Manifest> {
        // A later format may have other keys: what they mean is not ours to say.
        if let Value::Map(_) = &root.value
            && !self.version(root, true)
        {
            return None;
        }
        let doc = Table::open(root, &keys::DOCUMENT, &mut self.out)?;
        let included = self.included(&doc);
        let mut parts = vec![doc];
        for node in &included {
            self.version(node, false);
            parts.extend(Table::open(node, &keys::INCLUDED, &mut self.out));
        }
        let doc = parts.first()?;

        let metadata = self.metadata(doc);
        let vantages = self.vantages(doc);
        let vantage = doc.take("vantage", &mut self.out).and_then(|node| self.vantage_name(node, "vantage"));
        let policy = self.policy(doc);
        let defaults = self.defaults(doc);
        for part in &parts {
            self.read_services(part);
        }
        let mut targets = Vec::new();
        for part in &parts {
            let nodes = part.list("targets", &mut self.out).unwrap_or_default();
            for node in nodes {
                if !self.out.is_full() {
                    targets.extend(self.target(node, &defaults));
                }
            }
        }
        self.targets = targets.iter().map(|marked| marked.target.id.clone()).collect();
        if targets.is_empty() && self.out.is_empty() {
            let at = doc.place_of("targets");
            self.out.error(
                at,
                "the manifest has no targets",
                "add `targets: [{hosts: [www.example.com], expose: [443]}]`",
            );
        }
        let authorization = self.authorization(doc, &targets);
        let mut exceptions = Vec::new();
        for part in &parts {
            let nodes = part.list("exceptions", &mut self.out).unwrap_or_default();
            for node in nodes {
                if !self.out.is_full() {
                    exceptions.extend(self.exception(node));
                }
            }
        }
        check::run(&targets, &authorization, &exceptions, &mut self.out);
        Some(Manifest {
            path: Some(PathBuf::from(path)),
            sha256: String::new(),
            metadata,
            authorization,
            vantage,
            vantages,
            targets: targets.into_iter().map(|marked| marked.target).collect(),
            policy,
            exceptions: exceptions.into_iter().map(|marked| marked.exception).collect(),
            lints: Vec::new(),
        })
    }

    /// Whether the format's number is ours.
    fn version(&mut self, root: &Node, required: bool) -> bool {
        let Value::Map(entries) = &root.value else { return false };
        let Some((key, node)) = entries.iter().find(|(key, _)| key.text == "portproof") else {
            if required {
                let at = entries.first().map_or(root.at, |(key, _)| key.at);
                self.out.error(
                    at,
                    "`portproof: 1` is missing",
                    "begin the manifest with the line `portproof: 1`",
                );
            }
            return !required;
        };
        match &node.value {
            Value::Int(1, _) => true,
            other => {
                let at = if matches!(other, Value::Null) { key.at } else { node.at };
                let message =
                    format!("the manifest's format is {}, which is not known here", other.describe());
                self.out.error(at, message, "this portproof reads `portproof: 1`");
                false
            }
        }
    }

    /// The documents under `include`, each file once.
    fn included(&mut self, doc: &Table<'_>) -> Vec<Node> {
        let Some(patterns) = doc.list("include", &mut self.out) else { return Vec::new() };
        let mut seen = HashSet::new();
        let mut roots = Vec::new();
        for node in patterns {
            let Some(pattern) = text(node, "include", &mut self.out) else { continue };
            let mut paths = match self.files.list(&pattern) {
                Ok(paths) => paths,
                Err(why) => {
                    self.out.error(
                        node.at,
                        format!("can't include `{pattern}`: {why}"),
                        "paths are relative to the manifest's folder",
                    );
                    continue;
                }
            };
            if paths.is_empty() {
                self.out.error(
                    node.at,
                    format!("`{pattern}` matches no file"),
                    "paths are relative to the manifest's folder",
                );
            }
            paths.sort();
            for path in paths {
                if !seen.insert(path.clone()) {
                    continue;
                }
                if seen.len() > MAX_FILES {
                    self.out.error(node.at, format!("more than {MAX_FILES} included files"), None);
                    return roots;
                }
                match self.files.read(&path) {
                    Ok(text) => roots.extend(self.parse(&path, &text)),
                    Err(why) => self.out.error(node.at, format!("can't read `{path}`: {why}"), None),
                }
            }
        }
        roots
    }

    fn read_services(&mut self, part: &Table<'_>) {
        let Some(node) = part.take("services", &mut self.out) else { return };
        for (key, node) in named(node, "services", &mut self.out) {
            if self.out.is_full() {
                return;
            }
            let Some(service) = self.service(key, node) else { continue };
            if let Some(first) = self.services.get(&key.text) {
                let help = format!("the other one is at {}", self.out.place(first.at));
                self.out.error(key.at, format!("two services are called `{}`", key.text), help.as_str());
                continue;
            }
            self.services.insert(key.text.clone(), service);
        }
    }

    /// Services that nothing uses, with their places.
    fn unused(&self) -> Vec<(String, Place)> {
        let unused = self.services.iter().filter(|(_, service)| !service.used);
        unused.map(|(name, service)| (name.clone(), self.out.place(service.at))).collect()
    }

    /// The name of a vantage; where `vantages` exists, one of it.
    fn vantage_name(&mut self, node: &Node, key: &str) -> Option<String> {
        let name = text(node, key, &mut self.out)?;
        if let Some(known) = &self.vantages
            && !known.contains(&name)
        {
            let help = match nearest(&name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "`vantages` has {}",
                    super::decode::listed(&known.iter().map(String::as_str).collect::<Vec<_>>())
                ),
            };
            self.out.error(
                node.at,
                format!("`{key}` names the vantage `{name}`, which `vantages` doesn't have"),
                help.as_str(),
            );
            return None;
        }
        Some(name)
    }

    /// The text of a file of hosts and its source's number; read once.
    fn hosts_file(&mut self, path: &str, at: Mark) -> Option<(u32, Arc<str>)> {
        if let Some(known) = self.lists.get(path) {
            return Some(known.clone());
        }
        let content = match self.files.read(path) {
            Ok(content) if content.len() > MAX_BYTES => Err("larger than 4 MiB; split it".to_owned()),
            other => other,
        };
        match content {
            Ok(content) => {
                let source = self.out.add_source(path, &content);
                let entry = (source, Arc::from(content.as_str()));
                self.lists.insert(path.to_owned(), entry.clone());
                Some(entry)
            }
            Err(why) => {
                self.out.error(
                    at,
                    format!("can't read `{path}`: {why}"),
                    "paths are relative to the manifest's folder",
                );
                None
            }
        }
    }
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
