//! From files to values: profiles, manifests and what they include, lists of hosts.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    net::IpAddr,
    path::{Path, PathBuf},
};

use ipnet::IpNet;

use super::error::CliError;
use crate::{
    model::{PortSet, Protocol, Scope, clean},
    report::{Baseline, Declared, DeclaredKind, ReadError, Report, json},
    spec::{
        self, Diagnostics, Files,
        manifest::{Host, HostEntry, Manifest, Place},
        profile::Profiles,
    },
};

/// A file larger than this is no manifest; no more of it is read into memory.
const MAX_FILE: u64 = 16 << 20;
/// A role's range of more ports than this says "nothing here", not "ask for these": the default set
/// is asked anyway.
const WIDE: u32 = 1024;

/// A file larger than this is no report: one of 4,000 targets and 50,000 findings has a twentieth of it.
const MAX_REPORT: u64 = 2 << 30;

/// The built-in profiles, with those of a folder laid over them.
pub(super) fn profiles(folder: Option<&Path>) -> Result<Profiles, CliError> {
    let mut profiles = Profiles::builtin().map_err(CliError::usage)?;
    let Some(folder) = folder else { return Ok(profiles) };
    let mut found = 0;
    // Ports before roles, since roles name services.
    for part in ["ports", "roles", "policies"] {
        let part = folder.join(part);
        if !part.is_dir() {
            continue;
        }
        for path in
            files_of(&part).map_err(|error| CliError::usage(format!("{}: {error}", part.display())))?
        {
            let name = path.display().to_string();
            profiles.overlay(&name, &text_of(&path).map_err(CliError::usage)?).map_err(CliError::usage)?;
            found += 1;
        }
    }
    if found == 0 {
        let message = format!("{} holds no profile", folder.display());
        return Err(CliError::usage(message)
            .hint("roles/NAME.yaml, policies/NAME.yaml, ports/services.yaml, ports/common.yaml, ports/sensitive.yaml"));
    }
    Ok(profiles)
}

/// Reads and understands a manifest. The files besides are those that it names.
pub(super) fn manifest(
    path: &str,
    profiles: &Profiles,
    colour: bool,
) -> Result<(Manifest, Vec<PathBuf>), CliError> {
    let text = text_of(Path::new(path)).map_err(|message| {
        let missing = !Path::new(path).exists();
        let error = CliError::usage(message);
        if missing {
            error.hint("name the manifest, or verify without one: portproof verify --expect 80,443 HOST")
        } else {
            error
        }
    })?;
    let folder = Path::new(path).parent().map(Path::to_path_buf).unwrap_or_default();
    let folder = Folder { path: folder, read: RefCell::default() };
    let mut manifest =
        spec::read(path, &text, profiles, &folder).map_err(|wrong| diagnosed(&wrong, colour))?;
    manifest.path = Some(path.into());
    Ok((manifest, folder.read.into_inner()))
}

/// The manifest that `--expect PORTS HOST...` means.
pub(super) fn expected(
    ports: &str,
    hosts: &[String],
    profiles: &Profiles,
    colour: bool,
) -> Result<Manifest, CliError> {
    Manifest::from_expect(ports, hosts, profiles).map_err(|wrong| diagnosed(&wrong, colour))
}

/// The manifest that scanning these targets means: nothing is declared.
pub(super) fn scanned(hosts: &[String], profiles: &Profiles, colour: bool) -> Result<Manifest, CliError> {
    Manifest::from_targets(hosts, profiles).map_err(|wrong| diagnosed(&wrong, colour))
}

/// Reads a report that was saved as JSON; `-` is standard input.
pub(super) fn report(from: &str) -> Result<Report, CliError> {
    json::read(&evidence(from)?).map_err(|error| no_report(from, &error))
}

/// The report that a run follows (`--baseline`).
pub(super) fn baseline(from: &str) -> Result<Baseline, CliError> {
    Baseline::read(&evidence(from)?).map_err(|error| no_report(from, &error))
}

/// What to call a file that was named; `-` is standard input.
pub(super) fn shown(from: &str) -> String {
    if from == "-" { "standard input".to_owned() } else { clean(from) }
}

/// All of a file that holds results; `-` is standard input.
pub(super) fn evidence(from: &str) -> Result<Vec<u8>, CliError> {
    let unreadable = |error: io::Error| {
        let told = CliError::usage(format!("{}: {error}", shown(from)));
        match error.kind() {
            io::ErrorKind::NotFound => told
                .hint("check the name and the folder; a report is where `verify --report json=PATH` put it"),
            io::ErrorKind::IsADirectory => told.hint("it is a folder: name a file in it"),
            io::ErrorKind::PermissionDenied => {
                told.hint("have it made readable for this user, or name a copy")
            }
            _ => told.hint("copy it to another place, and name that"),
        }
    };
    let source: Box<dyn io::Read> = match from {
        "-" => Box::new(io::stdin().lock()),
        path => Box::new(File::open(path).map_err(unreadable)?),
    };
    let mut text = Vec::new();
    source.take(MAX_REPORT + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MAX_REPORT {
        let error = CliError::usage(format!("{}: larger than any report, 2 GiB", shown(from)));
        return Err(error.hint("name a report that verify wrote with --report json=PATH"));
    }
    Ok(text)
}

/// That a source holds no report, and what to do about it.
pub(super) fn no_report(from: &str, error: &ReadError) -> CliError {
    CliError::usage(format!("{}: {}", shown(from), clean(&error.to_string()))).hint(error.hint())
}

/// Of which targets `--hosts` replaces the hosts, and from where; what is not so written is refused elsewhere.
pub(super) fn replacements(given: &[String]) -> BTreeMap<String, String> {
    let split = given.iter().filter_map(|replacement| replacement.split_once('='));
    split.map(|(id, from)| (id.to_owned(), from.strip_prefix('@').unwrap_or(from).to_owned())).collect()
}

/// Puts the hosts of `--hosts ID=@FILE` or `ID=-` in the place of a target's own.
pub(super) fn replace_hosts(manifest: &mut Manifest, replacements: &[String]) -> Result<(), CliError> {
    for replacement in replacements {
        let usage =
            || CliError::usage(format!("--hosts {replacement}: write ID=@FILE, or ID=- for standard input"));
        let (id, from) = replacement.split_once('=').ok_or_else(usage)?;
        let source = match from.strip_prefix('@') {
            Some(file) => file,
            None if from == "-" => "-",
            None => return Err(usage()),
        };
        let hosts = host_list(source)?;
        let target = manifest.targets.iter_mut().find(|target| target.id == id);
        let target = target
            .ok_or_else(|| CliError::usage(format!("--hosts {replacement}: no target has the id `{id}`")))?;
        target.hosts = hosts;
        if let Some((entry, family)) =
            target.hosts.iter().find_map(|entry| Some((entry, target.lacks(&entry.host)?)))
        {
            let message =
                format!("{}: target `{id}` leaves {family} out, and {} needs it", entry.place, entry.host);
            return Err(CliError::usage(message).hint("add the family to the target's `families`"));
        }
        let scope = &mut manifest.authorization.scope;
        if manifest.authorization.implied {
            scope.entries.extend(target.hosts.iter().map(|entry| entry.host.as_scope()));
        }
        if let Some(stray) = target.hosts.iter().find(|entry| !covers(scope, &entry.host)) {
            return Err(CliError::usage(format!(
                "{}: {} is outside authorization.scope",
                stray.place, stray.host
            )));
        }
    }
    Ok(())
}

/// Whether a scope covers a host; what `exclude` takes out of a block is no reason to refuse it.
fn covers(scope: &Scope, host: &Host) -> bool {
    let block = match host {
        Host::Name(name) => return scope.covers_name(name),
        Host::Address(address) => IpNet::from(*address),
        Host::Local { address, .. } => IpNet::from(IpAddr::from(*address)),
        Host::Block(block) => *block,
    };
    let (_, outside, _) = scope.authorize_block(block);
    outside.is_empty()
}

/// The hosts of a file, one a line, `#` begins a comment; `-` is standard input.
pub(super) fn host_list(source: &str) -> Result<Vec<HostEntry>, CliError> {
    let text = if source == "-" {
        bounded(Ok(io::stdin()), "standard input").map_err(CliError::usage)?
    } else {
        text_of(Path::new(source)).map_err(CliError::usage)?
    };
    let mut hosts = Vec::new();
    // Windows puts a mark before the first line, and a carriage return behind each.
    for (line, entry) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let entry = entry.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        let place = Place { path: source.to_owned(), line, column: 1 };
        let host = spec::host::host(entry).map_err(|error| {
            let told = CliError::usage(format!("{place}: {}", error.message));
            error.help.into_iter().fold(told, CliError::hint)
        })?;
        hosts.push(HostEntry { host, place });
    }
    if hosts.is_empty() {
        return Err(CliError::usage(format!("{source} holds no host")));
    }
    Ok(hosts)
}

/// The text of a file that is small enough to be what it is taken for.
pub(super) fn text_of(path: &Path) -> Result<String, String> {
    let name = clean(&path.display().to_string());
    bounded(File::open(path), &name)
}

/// A whole text, or a refusal: half a list of hosts would be a scan of half the hosts. What a pipe
/// holds is known only once it is read, and a device may never end.
fn bounded(from: io::Result<impl io::Read>, name: &str) -> Result<String, String> {
    let wrong = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("there is no file {name}"),
        io::ErrorKind::IsADirectory => format!("{name} is a directory; name a file in it"),
        io::ErrorKind::InvalidData => format!("{name} is not text: it holds bytes that are not UTF-8"),
        io::ErrorKind::PermissionDenied => format!("{name} may not be read by this user"),
        _ => format!("can't read {name}: {error}"),
    };
    let mut text = String::new();
    let read = from.and_then(|from| from.take(MAX_FILE + 1).read_to_string(&mut text));
    if read.map_err(wrong)? as u64 > MAX_FILE {
        return Err(format!(
            "{name} holds more than {} MiB; split it, `include` joins several",
            MAX_FILE >> 20
        ));
    }
    Ok(text)
}

fn diagnosed(wrong: &Diagnostics, colour: bool) -> CliError {
    CliError::usage(wrong.render(colour))
}

fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    Ok(files)
}

/// The folder of a manifest, for the files that it names.
struct Folder {
    path: PathBuf,
    /// What was read of it.
    read: RefCell<Vec<PathBuf>>,
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        let path = self.path.join(path);
        let text = text_of(&path);
        self.read.borrow_mut().push(path);
        text
    }

    /// A pattern matches whole names, part by part; `*` and `?` are the only wildcards.
    fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
        let mut found = vec![String::new()];
        for part in pattern.split('/') {
            let mut next = Vec::new();
            for base in found {
                let join =
                    |name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}/{name}") };
                if !part.contains(['*', '?']) {
                    next.push(join(part));
                    continue;
                }
                let folder = self.path.join(&base);
                let entries =
                    fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
                let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
                let mut names: Vec<String> =
                    names.filter(|name| matches(part.as_bytes(), name.as_bytes())).collect();
                names.sort();
                next.extend(names.iter().map(|name| join(name)));
            }
            found = next;
        }
        found.retain(|path| self.path.join(path).is_file());
        Ok(found)
    }
}

/// Whether a name matches a pattern of `*` and `?`. A leading dot must be written out.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    fn rest(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, None) => true,
            (Some((b'*', pattern_rest)), _) => {
                rest(pattern_rest, name) || name.split_first().is_some_and(|(_, name)| rest(pattern, name))
            }
            (Some((b'?', pattern)), Some((_, name))) => rest(pattern, name),
            (Some((a, pattern)), Some((b, name))) if a == b => rest(pattern, name),
            _ => false,
        }
    }
    (pattern.first() == Some(&b'.') || name.first() != Some(&b'.')) && rest(pattern, name)
}

/// The ports that a target's roles deny and that are asked for it besides its own. None over UDP, which
/// this version can't ask: a role must not turn a run into doubt that nobody can resolve.
pub(super) fn denied_by_roles(profiles: &Profiles, roles: &[String], protocol: Protocol) -> PortSet {
    if protocol == Protocol::Udp {
        return PortSet::NONE;
    }
    let denials = roles.iter().filter_map(|role| profiles.role(role)).flat_map(|role| &role.never);
    let narrow = denials.filter(|never| never.protocol == protocol && never.ports.len() <= WIDE);
    narrow.fold(PortSet::NONE, |all, never| all.union(&never.ports))
}

/// What the roles of the planned targets deny, for the report's list of declarations.
pub(super) fn role_denials(profiles: &Profiles, manifest: &Manifest, targets: &[usize]) -> Vec<Declared> {
    let planned = targets.iter().filter_map(|&index| manifest.targets.get(index));
    let roles = planned.flat_map(|target| {
        target.profiles.iter().filter_map(move |role| Some((target, profiles.role(role)?)))
    });
    let denials = roles.flat_map(|(target, role)| role.never.iter().map(move |never| (target, role, never)));
    denials
        .map(|(target, role, never)| Declared {
            target: target.id.clone(),
            kind: DeclaredKind::Deny,
            protocol: never.protocol,
            ports: never.ports.clone(),
            presence: None,
            from: Vec::new(),
            service: None,
            owner: target.owner.clone(),
            justification: Some(never.why.clone()),
            approved_by: None,
            approved_on: None,
            ticket: None,
            review_by: None,
            controls: Vec::new(),
            profile: Some(role.name.clone()),
            manifest: Some(target.place.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, wanted) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("*.yaml", ".a.yaml", false),
            ("t?am*", "team-a", true),
            ("team", "team-a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn a_text_too_long_to_read_whole_is_refused_and_never_cut() {
        let long = || io::repeat(b'a').take(MAX_FILE + 5);
        assert!(bounded(Ok(long()), "standard input").unwrap_err().contains("more than 16 MiB"));
        assert_eq!(bounded(Ok(long().take(MAX_FILE)), "x").unwrap().len() as u64, MAX_FILE);
        assert_eq!(bounded(Ok(io::empty()), "x").unwrap(), "");
    }
}
