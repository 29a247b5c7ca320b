//! Where results go: standard output is data, files are written whole or not at all, and never over what is read.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use super::{
    args::Color,
    error::CliError,
    inputs::{Identity, Input, overwritten},
    load,
};
use crate::report::{self, Format, NoFormat, Report, html::HtmlError, summary::Style};

/// As many links as the kernel follows (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// One report that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    format: Format,
    to: Destination,
    /// The user's own, in place of the built-in page.
    template: Option<(PathBuf, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Destination {
    Stdout,
    File(PathBuf),
}

impl Wanted {
    /// Reads what was typed after each `--report`, and proves before anything is sent that it can be written, and
    /// that none of what is read would be lost by it.
    pub(super) fn all(
        typed: &[String],
        template: Option<&Path>,
        inputs: &[Input],
    ) -> Result<Vec<Self>, CliError> {
        let mut wanted: Vec<Self> = typed.iter().map(|text| Self::parse(text)).collect::<Result<_, _>>()?;
        if wanted.iter().filter(|wanted| wanted.is_stdout()).count() > 1 {
            let error = CliError::usage("only one report fits on standard output");
            return Err(error.hint("write the others to files"));
        }
        if let Some(path) = template {
            let text = own_template(path)?;
            let mut pages = wanted.iter_mut().filter(|wanted| wanted.format == Format::Html).peekable();
            if pages.peek().is_none() {
                return Err(CliError::usage("--template has no page to write").hint("add --report html=PATH"));
            }
            for page in pages {
                page.template = Some((path.to_path_buf(), text.clone()));
            }
        }
        let mut places = BTreeMap::new();
        for (report, path) in wanted.iter().filter_map(|wanted| Some((wanted, wanted.file()?))) {
            let Some(identity) = Identity::of(path) else { continue };
            if let Some(other) = places.insert(identity, report.format) {
                let both = format!("{other} and {} would both be {}", report.format, path.display());
                return Err(CliError::usage(both).hint("give each report a file of its own"));
            }
        }
        spare(&wanted, inputs)?;
        spare(
            &wanted,
            &template.map(|path| Input::new("the template", path)).into_iter().collect::<Vec<_>>(),
        )?;
        wanted.iter().try_for_each(Self::check)?;
        Ok(wanted)
    }

    /// Reads `json=PATH`, `html=-`, `html`.
    fn parse(text: &str) -> Result<Self, CliError> {
        let (name, path) = text.split_once('=').map_or((text, None), |(name, path)| (name, Some(path)));
        let format: Format = name.parse().map_err(|NoFormat| {
            let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            let error = CliError::usage(format!("`{name}` is no report format"));
            error.hint(crate::spec::nearest(name, names.iter().copied()).map_or_else(
                || format!("--report FORMAT=PATH, as in json=PATH; the formats are {}", names.join(", ")),
                |near| format!("did you mean {near}?"),
            ))
        })?;
        let to = match path {
            Some("-" | "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => Destination::Stdout,
            Some("") => {
                return Err(CliError::usage(format!("--report {text} names no file"))
                    .hint("write FORMAT=PATH, or - for standard output"));
            }
            Some(path) => Destination::File(path.into()),
            None => Destination::File(format.default_file().into()),
        };
        Ok(Self { format, to, template: None })
    }

    /// Whether it takes standard output.
    pub(super) fn is_stdout(&self) -> bool {
        self.to == Destination::Stdout
    }

    /// The file it goes to.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.to {
            Destination::File(path) => Some(path),
            Destination::Stdout => None,
        }
    }

    /// Proves that the file can be written, before a probe is sent.
    fn check(&self) -> Result<(), CliError> {
        let Destination::File(path) = &self.to else { return Ok(()) };
        if path.is_dir() {
            return Err(
                CliError::environment(format!("{} is a directory", path.display())).hint("name a file")
            );
        }
        let real = behind(path).map_err(|error| cannot_write(path, &error))?;
        if is_stream(&real) {
            // Opening a FIFO would wait for its reader, so only the right to write is looked at.
            return Ok(());
        }
        let probe = beside(&real);
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(|error| cannot_write(path, &error))
    }

    fn write(&self, report: &Report) -> Result<(), CliError> {
        let mut bytes = Vec::new();
        match &self.template {
            Some((path, template)) => {
                let written = report::html::write_with(report, template, &mut bytes);
                written.map_err(|error| misfit(path, &error))?;
            }
            None => self.format.write(report, &mut bytes).map_err(CliError::environment)?,
        }
        match &self.to {
            Destination::Stdout => print(&bytes),
            Destination::File(path) => write_whole(path, &bytes),
        }
    }
}

/// Refuses reports that would take the place of what is read: evidence that is gone can't be had again.
pub(super) fn spare(wanted: &[Wanted], inputs: &[Input]) -> Result<(), CliError> {
    for (format, path) in wanted.iter().filter_map(|wanted| Some((wanted.format, wanted.file()?))) {
        if let Some(input) = overwritten(path, inputs) {
            let lost = format!("--report {format}={} would overwrite {input}", path.display());
            return Err(CliError::usage(lost).hint("give the report a file of its own"));
        }
    }
    Ok(())
}

/// A template of the user's, read and looked through.
fn own_template(path: &Path) -> Result<String, CliError> {
    let text = load::text_of(path).map_err(CliError::usage)?;
    report::html::check(&text).map_err(|error| misfit(path, &error))?;
    Ok(text)
}

/// That a template of the user's does not fit.
fn misfit(path: &Path, error: &HtmlError) -> CliError {
    let told = CliError::usage(format!("{}: {error}", path.display()));
    match error {
        HtmlError::Unknown { known, .. } => told.hint(format!("there are {}", known.join(", "))),
        _ => told,
    }
}

/// The summary on standard output, unless a report was asked for there; the others where they belong.
/// One that can't be written takes none of the others with it: the run can't be had again.
pub(super) fn publish(report: &Report, wanted: &[Wanted], color: Color, quiet: bool) -> Result<(), CliError> {
    let mut failed = Vec::new();
    if !wanted.iter().any(Wanted::is_stdout) {
        let style = Style { color: colours(color, &io::stdout()), ..Style::default() };
        let mut text = Vec::new();
        let written = report::summary::write(report, style, &mut text).map_err(CliError::environment);
        failed.extend(written.and_then(|()| print(&text)).err());
    }
    for wanted in wanted {
        match (wanted.write(report), wanted.file()) {
            (Err(error), _) => failed.push(error),
            (Ok(()), Some(path)) if !quiet => say(&format!("wrote {}", path.display())),
            (Ok(()), _) => {}
        }
    }
    let Some(last) = failed.pop() else { return Ok(()) };
    for error in &failed {
        say(&error.to_string());
    }
    Err(last)
}

/// Writes a file beside its place and moves it there: a reader sees the old one or the new one. A
/// link stays, and what it leads to is replaced. Devices, pipes and sockets are written to and never
/// replaced.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |error: io::Error| cannot_write(path, &error);
    let real = behind(path).map_err(failed)?;
    if is_stream(&real) {
        let open = OpenOptions::new().write(true).open(&real);
        return match open.and_then(|mut stream| stream.write_all(bytes)) {
            // A reader that went away has what it wanted.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error)),
            _ => Ok(()),
        };
    }
    let part = beside(&real);
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&part, &real)).map_err(|error| {
        let _ = fs::remove_file(&part);
        failed(error)
    })
}

/// The place that a path leads to, every link followed, be there a file yet or not. What only the
/// kernel can follow (`/dev/fd/3`, `/proc/self/fd/3`) stays as it is.
pub(super) fn behind(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_path_buf();
    if is_stream(&place) {
        return Ok(place);
    }
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.file_type().is_symlink() => {
                let target = fs::read_link(&place)?;
                place = place.parent().unwrap_or_else(|| Path::new("")).join(target);
            }
            Ok(_) => return Ok(place),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(place),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether something is there that is written to and can't be replaced.
fn is_stream(path: &Path) -> bool {
    let descriptor = ["/dev/fd/", "/proc/self/fd/"].iter().any(|folder| path.starts_with(folder));
    descriptor || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// The folder of a file, as it was named.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    let told = CliError::environment(format!("can't write {}: {error}", path.display()));
    let folder = folder_of(path).display();
    match error.kind() {
        io::ErrorKind::NotFound => told.hint(format!(
            "there is no folder {folder}: make it first, mkdir -p {folder}, or name another place"
        )),
        io::ErrorKind::NotADirectory => told.hint(format!("{folder} is no folder: name another place")),
        io::ErrorKind::PermissionDenied => told.hint(format!(
            "this user may not write to {folder}: name another place, or have the right given"
        )),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::StorageFull => {
            told.hint("name a place on another disk")
        }
        _ => told.hint("name another place"),
    }
}

/// Writes data to standard output. A reader that went away is no error: it has what it wanted.
pub(super) fn print(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::environment(format!("can't write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says something on standard error.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether to colour a stream: as asked, else on a terminal unless `NO_COLOR` says no (no-color.org).
pub(super) fn colours(color: Color, stream: &impl IsTerminal) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::fs as unix, thread};

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("portproof-output-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let folder = folder("link");
        fs::create_dir_all(folder.join("real")).unwrap();
        let (link, real) = (folder.join("report.json"), folder.join("real/report.json"));
        unix::symlink("real/report.json", &link).unwrap();
        for text in ["first", "second"] {
            write_whole(&link, text.as_bytes()).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
            assert_eq!(fs::read_to_string(&real).unwrap(), text);
        }
        let circle = folder.join("circle");
        unix::symlink("circle", &circle).unwrap();
        assert!(write_whole(&circle, b"x").is_err());
        assert!(fs::symlink_metadata(&circle).unwrap().file_type().is_symlink());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        let folder = folder("pipe");
        let pipe = folder.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || {
                let mut text = String::new();
                File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                text
            }
        });
        let wanted = Wanted::parse(&format!("json={}", pipe.display())).unwrap();
        wanted.check().unwrap();
        write_whole(&pipe, b"report").unwrap();
        assert_eq!(reader.join().unwrap(), "report");
        let kind = fs::symlink_metadata(&pipe).unwrap().file_type();
        assert!(!kind.is_file() && !kind.is_symlink());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn standard_output_has_several_names() {
        for path in ["-", "/dev/stdout", "/dev/fd/1"] {
            assert!(Wanted::parse(&format!("json={path}")).unwrap().is_stdout(), "{path}");
        }
        assert!(is_stream(Path::new("/dev/fd/7")), "never replaced, whatever it is");
    }
}
