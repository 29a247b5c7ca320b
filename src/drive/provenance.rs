//! Where a report comes from: machine, operator, binary, clock, version control. Facts or nothing.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use sha2::{Digest as _, Sha256};

use super::sys;

/// Lower-case hex of the SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The digest of the binary that runs.
pub fn own_sha256() -> Option<String> {
    std::env::current_exe().ok().and_then(|path| fs::read(path).ok()).map(|bytes| sha256(&bytes))
}

/// The machine's name.
pub fn host_name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Who runs this, as the machine knows them: behind sudo, the one who typed it.
pub fn operator() -> Option<String> {
    let user = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    user.or_else(|| {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let id = sys::user_id().to_string();
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == id).then(|| name.to_owned())
        })
    })
}

/// What the kernel says of its clock: synchronized or not, and by how much it may be wrong, in
/// milliseconds (adjtimex(2)).
pub fn clock() -> (Option<bool>, Option<f64>) {
    sys::clock_error().map_or((None, None), |(synchronized, micros)| {
        (Some(synchronized), synchronized.then_some(micros as f64 / 1000.0))
    })
}

/// The commit that a file's repository stands at, and whether the file differs from it.
pub fn git(file: &Path) -> Option<(String, bool)> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let ask = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let name = file.file_name()?.to_str()?;
    ask(&["ls-files", "--error-unmatch", "--", name])?;
    let commit = ask(&["rev-parse", "HEAD"])?;
    let dirty = !ask(&["status", "--porcelain", "--", name])?.is_empty();
    Some((commit, dirty))
}

/// 64 random bits from the system, for the order of a run and its id; from the clock where it has none.
pub fn random() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_ne_bytes(bytes),
        Err(_) => jiff::Timestamp::now().as_microsecond().unsigned_abs(),
    }
}

/// Octets that nobody can guess.
pub fn random_octets() -> std::io::Result<[u8; 32]> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(std::io::Error::other)?;
    Ok(octets)
}

/// A key that nobody can guess. Unlike an order, it has no second best.
pub fn key() -> std::io::Result<[u8; 16]> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(std::io::Error::other)?;
    Ok(key)
}
