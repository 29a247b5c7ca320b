//! The lab's own listeners: thousands of ports on many addresses in one process, each connection
//! accepted and closed at once. The process is this test binary again, running the test below.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use super::{
    host::Host,
    lab::{far, far_end},
};

const AS_LISTENER: &str = "PORTPROOF_LAB_LISTENER";
const READY: &str = "every listener accepts";

/// Starts the listeners of all hosts on the far side; returns when all of them accept.
pub(crate) fn start(hosts: &[Host]) {
    let ends: Vec<SocketAddr> = hosts
        .iter()
        .flat_map(|host| {
            host.addresses
                .iter()
                .flat_map(|&address| host.listeners.iter().map(move |&port| far_end(address, port)))
        })
        .collect();
    if !ends.is_empty() {
        launch(far(&["sh"]), &ends);
    }
}

/// `through` is a shell, where the listeners are to live.
fn launch(mut through: Command, ends: &[SocketAddr]) -> Child {
    let mut child = through
        // The test that a listener process runs is the one at the end of this file.
        .args(["-c", "ulimit -n $(ulimit -Hn); exec \"$@\"", "sh"])
        .arg(env::current_exe().expect("the test binary knows its own path"))
        .args(["listeners::the_listeners_accept_wherever_they_were_told_to", "--exact", "--nocapture"])
        .env(AS_LISTENER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the listeners start");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    for end in ends {
        writeln!(stdin, "{end}").expect("the listeners read their orders");
    }
    drop(stdin);
    wait_for(&mut child, READY);
    child
}

/// Reads the child's standard output until the line that says that it is ready; no clock, no sleep.
fn wait_for(child: &mut Child, ready: &str) {
    let mut said = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
    for line in output.by_ref().lines() {
        let line = line.expect("the child writes text");
        if line == ready {
            // Held open: after a minute the test harness says there that this test takes long, and would
            // end over a pipe that nobody reads.
            std::mem::forget(output);
            return;
        }
        said.push_str(&line);
        said.push('\n');
    }
    panic!("the listeners ended instead of accepting:\n{said}");
}

/// The listener process: reads `address:port` lines, binds them all, says so, and serves until killed.
fn serve() -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        for line in std::io::stdin().lock().lines() {
            let end: SocketAddr = line.expect("lines").parse().expect("one address and port a line");
            let listener = TcpListener::bind(end).unwrap_or_else(|error| panic!("{end}: {error}"));
            listener.set_nonblocking(true).expect("a listener that does not block");
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener in a runtime");
            tokio::spawn(async move {
                loop {
                    // Accepting may fail for a connection that was reset in the queue: the next one counts.
                    drop(listener.accept().await);
                }
            });
        }
        println!("{READY}");
        std::future::pending().await
    })
}

#[test]
fn the_listeners_accept_wherever_they_were_told_to() {
    if env::var_os(AS_LISTENER).is_some() {
        serve();
    }
    super::isolate::isolated(|| {
        let ends: Vec<SocketAddr> = (1000..1500)
            .flat_map(|port| [SocketAddr::new([127, 0, 0, 1].into(), port), SocketAddr::new(LOCAL6, port)])
            .collect();
        let mut child = launch(Command::new("sh"), &ends);
        for end in &ends {
            let mut stream = TcpStream::connect(end).unwrap_or_else(|error| panic!("{end}: {error}"));
            assert_eq!(
                stream.read(&mut [0; 8]).expect("the end of the stream"),
                0,
                "{end} says nothing and closes"
            );
        }
        assert!(TcpStream::connect(SocketAddr::new(LOCAL6, 999)).is_err(), "nothing else listens");
        child.kill().expect("the listeners can be ended");
    });
}

const LOCAL6: std::net::IpAddr = std::net::IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
