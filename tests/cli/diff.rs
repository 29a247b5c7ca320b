//! Two runs compared: what appeared, vanished or changed, and apart from it what the second run did not look at.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::{
    desk::{Desk, Run},
    doors::Door,
};

/// Scans loopback and leaves the report.
fn scan(desk: &Desk, report: &str, tcp: &str, more: &[&str]) -> Run {
    let to = format!("json={report}");
    let args =
        ["verify", "--expect", "none", "--tcp", tcp, "--udp", "none", "--rate", "max", "--report", &to];
    desk.run(&[&args[..], more, &["127.0.0.1"]].concat())
}

fn diff(desk: &Desk, old: &str, new: &str, code: i32) -> (Run, Value) {
    let told = desk.run(&["diff", old, new]).ends(code);
    let json = desk.run(&["diff", old, new, "--format", "json"]).ends(code);
    let value: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(value["exit_code"], code);
    assert_eq!(value["headline"], told.headline(), "text and JSON agree");
    let page = desk.run(&["diff", old, new, "--format", "html"]).ends(code);
    assert!(page.out.starts_with("<!doctype html>") && page.out.contains("</html>"));
    (told, value)
}

fn ports(diff: &Value, list: &str) -> Vec<u64> {
    let list = diff["endpoints"][list].as_array().unwrap().iter();
    list.map(|endpoint| endpoint["port"].as_u64().unwrap()).collect()
}

#[test]
fn a_full_and_a_partial_scan_differ_in_what_was_looked_at_and_nothing_has_vanished() {
    let (desk, a, b) = (Desk::new(), Door::open(), Door::open());
    let both = format!("{},{}", a.port, b.port);
    scan(&desk, "full.json", &both, &[]).ends(1);
    scan(&desk, "some.json", &a.port.to_string(), &[]).ends(1);
    let (told, less) = diff(&desk, "full.json", "some.json", 3);
    assert_eq!(ports(&less, "vanished"), [0; 0]);
    assert_eq!(ports(&less, "not_looked_at"), [u64::from(b.port)]);
    assert_eq!(less["endpoints"]["same"], 1);
    assert!(
        told.headline().starts_with("NOT COVERED  nothing open appeared, vanished or changed"),
        "{}",
        told.out
    );
    assert!(told.out.contains("the port was not asked (--tcp "), "{}", told.out);
    let (_, more) = diff(&desk, "some.json", "full.json", 3);
    assert_eq!(
        (ports(&more, "appeared"), ports(&more, "not_looked_at_before")),
        (vec![], vec![u64::from(b.port)])
    );

    // The same ports, of which each part of the run asks its own.
    let mut unlooked = Vec::new();
    for part in ["1/2", "2/2"] {
        scan(&desk, "part.json", &both, &["--shard", part]);
        let (_, part) = diff(&desk, "full.json", "part.json", 3);
        assert_eq!(ports(&part, "vanished"), [0; 0]);
        unlooked.extend(ports(&part, "not_looked_at"));
    }
    unlooked.sort_unstable();
    assert_eq!(unlooked, [u64::from(a.port.min(b.port)), u64::from(a.port.max(b.port))]);
    let (told, same) = diff(&desk, "full.json", "full.json", 0);
    assert_eq!(same["result"], "same");
    assert!(told.headline().starts_with("SAME  "));
}

#[test]
fn a_port_that_opened_appeared_and_seen_from_the_other_side_it_vanished() {
    let (desk, other) = (Desk::new(), Door::open());
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let both = format!("{port},{}", other.port);
    scan(&desk, "1.json", &both, &[]).ends(1);
    socket.listen(8).unwrap();
    let listener = TcpListener::from(socket);
    thread::spawn(move || listener.incoming().for_each(drop));
    scan(&desk, "2.json", &both, &[]).ends(1);
    let (told, opened) = diff(&desk, "1.json", "2.json", 1);
    assert_eq!((ports(&opened, "appeared"), ports(&opened, "vanished")), (vec![u64::from(port)], vec![]));
    assert_eq!(opened["findings"]["new"][0]["port"], port);
    assert!(told.out.contains("was closed"), "{}", told.out);
    let (told, closed) = diff(&desk, "2.json", "1.json", 1);
    assert_eq!((ports(&closed, "appeared"), ports(&closed, "vanished")), (vec![], vec![u64::from(port)]));
    assert_eq!(closed["findings"]["resolved"][0]["port"], port);
    assert!(told.out.contains("order"), "the new report is the older one:\n{}", told.out);
}

#[test]
fn another_service_on_the_same_port_is_a_change() {
    let desk = Desk::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let greeting = Arc::new(Mutex::new("SSH-2.0-OpenSSH_9.2p1\r\n"));
    let said = Arc::clone(&greeting);
    thread::spawn(move || {
        for mut visitor in listener.incoming().flatten() {
            let _ = visitor.write_all(said.lock().unwrap().as_bytes());
        }
    });
    scan(&desk, "1.json", &port.to_string(), &[]).ends(1);
    *greeting.lock().unwrap() = "220 (vsFTPd 3.0.3)\r\n";
    scan(&desk, "2.json", &port.to_string(), &[]).ends(1);
    let (told, changed) = diff(&desk, "1.json", "2.json", 1);
    let change = &changed["endpoints"]["changed"][0]["changes"][0];
    assert_eq!(
        (&change["what"], &change["old"], &change["new"]),
        (&"service".into(), &"ssh".into(), &"ftp".into())
    );
    assert!(told.out.contains("was ssh") && told.out.contains("now ftp"), "{}", told.out);
}

#[test]
fn a_diff_keeps_its_schema_and_what_is_no_report_is_usage() {
    let (desk, door) = (Desk::new(), Door::open());
    scan(&desk, "1.json", &door.port.to_string(), &[]).ends(1);
    let (_, value) = diff(&desk, "1.json", "1.json", 0);
    let schema: Value = serde_json::from_str(&desk.run(&["schema", "diff"]).ends(0).out).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&value));
    desk.file("none.json", "{}");
    desk.run(&["diff", "1.json", "none.json"]).ends(2).complains(&["none.json", "no report of portproof"]);
    let forged =
        std::fs::read_to_string(desk.place("1.json")).unwrap().replace("\"deviates\"", "\"conforms\"");
    desk.file("forged.json", forged);
    for (pair, which) in [(["1.json", "forged.json"], "new"), (["forged.json", "1.json"], "old")] {
        let run = desk.run(&["diff", pair[0], pair[1]]).ends(3);
        let said = format!("NOT VALID  of the {which} one, the report contradicts itself");
        assert!(run.headline().starts_with(&said), "{}", run.out);
        let page = desk.run(&["diff", "--format", "html", pair[0], pair[1]]).ends(3).out;
        assert!(page.contains(&said), "{page}");
    }
    desk.run(&["diff", "-", "-"]).ends(2);
    desk.run(&["diff", "1.json"]).ends(2);
}
