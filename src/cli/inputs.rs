//! What a command reads, and whether something that it writes would take its place. Files are told apart by what they
//! are, never by how they are written.

use std::{
    fmt, fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{
    error::CliError,
    output::{behind, folder_of},
    prepare::DEFAULT,
    verify::Asked,
};
use crate::model::clean;

/// A file that is read.
#[derive(Clone, Debug)]
pub(super) struct Input {
    /// What it is to the command: `the manifest`.
    what: String,
    path: PathBuf,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_stdin() {
            return write!(f, "{}, which standard input is", self.what);
        }
        write!(f, "{}, {}", self.what, clean(&self.path.display().to_string()))
    }
}

impl Input {
    /// A file by its name; `-` is standard input.
    pub(super) fn new(what: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { what: what.into(), path: path.into() }
    }

    fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// A shell may have redirected standard input from a file, which can be lost like any other.
    fn identity(&self) -> Option<Identity> {
        Identity::of(if self.is_stdin() { Path::new("/dev/stdin") } else { &self.path })
    }
}

/// Which file a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    /// One that is there: its device and its inode, whatever link led to it.
    Node(u64, u64),
    /// One that is not there yet.
    Place(PathBuf),
}

impl Identity {
    /// `None`: a device, a pipe, a socket or a folder, none of which is ever replaced.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Some(Self::Node(metadata.dev(), metadata.ino())),
            Ok(_) => None,
            Err(_) => {
                let place = behind(path).unwrap_or_else(|_| path.to_path_buf());
                let folder = fs::canonicalize(folder_of(&place)).ok();
                let whole = folder.and_then(|folder| Some(folder.join(place.file_name()?)));
                Some(Self::Place(whole.unwrap_or(place)))
            }
        }
    }
}

/// What would be lost if this path were written to.
pub(super) fn overwritten<'a>(to: &Path, inputs: &'a [Input]) -> Option<&'a Input> {
    let identity = Identity::of(to)?;
    inputs.iter().find(|input| input.identity().as_ref() == Some(&identity))
}

/// Everything that a verification is told to read. What its manifest includes is known once that is read.
pub(super) fn of_verify(asked: &Asked<'_>) -> Result<Vec<Input>, CliError> {
    let mut inputs = Vec::new();
    if asked.expect.is_none() {
        inputs.push(Input::new("the manifest", asked.what.first().map_or(DEFAULT, String::as_str)));
    }
    inputs.extend(asked.select.from.iter().map(|from| Input::new("what --from judges", from)));
    inputs.extend(asked.result.baseline.iter().map(|from| Input::new("the report of --baseline", from)));
    inputs.extend(asked.select.hosts.iter().filter_map(|replacement| {
        let (_, from) = replacement.split_once('=')?;
        Some(Input::new("the list of --hosts", from.strip_prefix('@').unwrap_or(from)))
    }));
    inputs.extend(asked.how.resume.iter().map(|path| Input::new("the state file of --resume", path)));
    inputs.extend(asked.how.state.iter().map(|path| Input::new("the state file of --state", path)));
    read_once(&inputs)?;
    Ok(inputs)
}

/// Refuses to read standard input twice: the second time nothing is left of it.
pub(super) fn read_once(inputs: &[Input]) -> Result<(), CliError> {
    let mut piped = inputs.iter().filter(|input| input.is_stdin()).map(|input| input.what.as_str());
    match (piped.next(), piped.next()) {
        (Some(one), Some(other)) => {
            let both = format!("standard input can be read once, and is to be {one} and {other}");
            Err(CliError::usage(both).hint("save one of them to a file, and name that"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_name_of_a_file_is_that_file() {
        let folder = std::env::temp_dir().join(format!("portproof-inputs-{}", std::process::id()));
        fs::create_dir_all(folder.join("inner")).unwrap();
        let file = folder.join("a.json");
        fs::write(&file, "evidence").unwrap();
        symlink(&file, folder.join("soft")).unwrap();
        fs::hard_link(&file, folder.join("hard")).unwrap();
        symlink(&folder, folder.join("loop")).unwrap();
        fs::write(folder.join("copy"), "evidence").unwrap();
        let inputs = [Input::new("the evidence", &file), Input::new("one to come", folder.join("later"))];
        for (name, is_same) in [
            ("a.json", true),
            ("./inner/../a.json", true),
            ("soft", true),
            ("hard", true),
            ("loop/a.json", true),
            ("copy", false),
            ("b.json", false),
            ("loop/inner/../later", true),
            ("inner", false),
        ] {
            assert_eq!(overwritten(&folder.join(name), &inputs).is_some(), is_same, "{name}");
        }
        assert!(Identity::of(Path::new("/dev/null")).is_none(), "never replaced");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn standard_input_is_read_once() {
        let piped = |n| vec![Input::new("this", "-"); n];
        assert!(read_once(&piped(1)).is_ok());
        assert!(
            read_once(&piped(2)).unwrap_err().to_string().contains("read once, and is to be this and this")
        );
    }
}
