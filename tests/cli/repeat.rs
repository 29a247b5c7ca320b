//! The same seed over the same world says the same: what differs between two reports is time and counts
//! of packets, nothing else.

use serde_json::Value;

use crate::{
    desk::Desk,
    doors::{Door, Wall},
};

/// Takes out what a clock, a random key or the load of the machine decides.
fn timeless(mut report: Value) -> Value {
    const VARYING: [&str; 17] = [
        "id",
        "argv",
        "started_at",
        "finished_at",
        "at",
        "duration_s",
        "rate_pps",
        "rtt_ms",
        "attempt",
        "attempts",
        "first_seen_at",
        "source_port",
        "probes_sent",
        "retransmitted",
        "connections",
        "replies",
        "strays",
    ];
    fn strip(value: &mut Value, inside_run: bool) {
        match value {
            Value::Object(object) => {
                // The id of a finding or a target is stable; that of the run is not.
                object.retain(|key, _| !VARYING.contains(&key.as_str()) || (key == "id" && !inside_run));
                object.iter_mut().for_each(|(key, value)| strip(value, key == "run"));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| strip(item, false)),
            _ => {}
        }
    }
    // The headline tells the time it took.
    report["summary"]["headline"] = Value::Null;
    strip(&mut report, false);
    report
}

#[test]
fn the_same_seed_tells_the_same() {
    let desk = Desk::new();
    let (doors, walls) = ([Door::open(), Door::open(), Door::open()], [Wall::new(), Wall::new()]);
    let ports = doors.iter().map(|door| door.port).chain(walls.iter().map(|wall| wall.port));
    let ports: Vec<String> = ports.map(|port| port.to_string()).collect();
    let text = format!(
        "portproof: 1\ntargets: [{{hosts: [127.0.0.1], tcp: \"{}\", udp: none, expose: [{}, {}], deny: [{}]}}]\n",
        ports.join(","),
        doors[0].port,
        walls[0].port,
        doors[1].port
    );
    desk.file("portproof.yaml", text);
    let mut reports = [(); 2].map(|()| desk.verify(&["--seed", "42"]).ends(1).report.unwrap());
    assert_ne!(reports[0]["run"]["id"], reports[1]["run"]["id"]);
    assert_eq!(reports[0]["run"]["seed"], 42);
    let [first, second] = reports.each_mut().map(|report| timeless(report.take()));
    assert_eq!(format!("{first:#}"), format!("{second:#}"));
    // The seed decides the order of the probes and nothing that is reported.
    let mut other = timeless(desk.verify(&["--seed", "43"]).ends(1).report.unwrap());
    other["run"]["seed"] = 42.into();
    assert_eq!(format!("{first:#}"), format!("{other:#}"));
}
