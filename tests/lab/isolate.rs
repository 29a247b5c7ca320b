//! Each test in namespaces of its own, as root or not: it runs itself again under `unshare`. Nothing
//! it does can touch the machine's network, mounts or processes, and the kernel clears up after it.

use std::{
    env, fs,
    process::{Command, Stdio},
};

const INSIDE: &str = "PORTPROOF_LAB_INSIDE";
/// A hang is a failure with a name, not a build that never ends.
const LIMIT: &str = "300";
/// Hidden under the test's own tmpfs; gone with it.
pub(crate) const DIR: &str = "/run/lab";

/// Runs `test` as root of fresh user, network, mount and process namespaces.
pub(crate) fn isolated<F: FnOnce()>(test: F) {
    if env::var_os(INSIDE).is_some() {
        prepare();
        return test();
    }
    let name = name_of::<F>();
    let exe = env::current_exe().expect("the test binary knows its own path");
    let output = Command::new("timeout")
        .args(["--kill-after=5", LIMIT])
        // The test becomes process 1 of its namespace: when it ends, the kernel kills every server it started.
        .args(["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"])
        .arg(exe)
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        // Debian keeps nft, nginx and sshd out of an ordinary user's path.
        .env("PATH", format!("{}:/usr/sbin:/sbin", env::var("PATH").unwrap_or_default()))
        .stdin(Stdio::null())
        .output()
        .expect("`timeout` (coreutils) runs");
    // Indented, so that the inner run's result lines are not taken for the outer one's.
    let said: String = [output.stdout, output.stderr]
        .iter()
        .flat_map(|text| {
            String::from_utf8_lossy(text).lines().map(|l| format!("  | {l}\n")).collect::<Vec<_>>()
        })
        .collect();
    assert!(
        !said.contains("| unshare: "),
        "this machine refuses the namespaces that the lab needs, so nothing can be shown:\n{said}\
         Run as root, or allow them to ordinary users: sysctl kernel.unprivileged_userns_clone=1 (Debian), \
         kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces > 0; \
         a container needs CAP_SYS_ADMIN or a seccomp profile that lets unshare(2) through."
    );
    assert!(output.status.code() != Some(124), "{name} did not end within {LIMIT} s:\n{said}");
    assert!(output.status.success(), "{name} failed in its namespaces ({}):\n{said}", output.status);
    // A wrong name would run no test at all, and that must not look like success.
    assert!(said.contains("test result: ok. 1 passed"), "{name} did not run:\n{said}");
    print!("{said}");
}

/// `lab::module::test::{{closure}}` is where the closure stands; libtest calls it `module::test`.
fn name_of<F>() -> &'static str {
    let path = std::any::type_name::<F>().trim_end_matches("::{{closure}}");
    path.split_once("::").expect("a closure stands in a crate").1
}

/// Hides the machine's `/run` below an empty one, for namespace names, configuration and sockets.
fn prepare() {
    sh("mount -t tmpfs tmpfs /run");
    for dir in [DIR, "/run/netns"] {
        fs::create_dir_all(dir).expect("an empty tmpfs takes a directory");
    }
    // Addresses must be usable at once: duplicate address detection would hold them back for a second.
    for scope in ["all", "default"] {
        sysctl(&format!("net/ipv6/conf/{scope}/accept_dad"), "0");
    }
    sh("ip link set lo up");
}

/// Runs a command, its words split at blanks; panics with what it said when it fails.
pub(crate) fn sh(command: &str) -> String {
    let mut words = command.split_whitespace();
    run(Command::new(words.next().expect("a command has a first word")).args(words))
}

/// Runs a command to its end and returns its standard output; panics with what it said when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} does not run ({error}); `tests/run lab` installs what the lab needs")
    });
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({}):\n{stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Sets a kernel parameter of the namespace that this process is in.
fn sysctl(name: &str, value: &str) {
    fs::write(format!("/proc/sys/{name}"), value).unwrap_or_else(|error| panic!("sysctl {name}: {error}"));
}
