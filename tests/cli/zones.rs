//! Zone ids (RFC 4007): what can't be meant is refused before anything is sent, with the cure.

use crate::desk::Desk;

#[test]
fn an_address_without_the_link_it_needs_and_a_zone_that_nothing_has_end_with_2() {
    let desk = Desk::new();
    for (hosts, said) in [
        (&["fe80::1"][..], &["fe80::1%eth0", "--interface"][..]),
        (&["fe80::/126"], &["--interface"]),
        (&["2001:db8::1%lo"], &["only a link-local address", "`2001:db8::1`"]),
        (&["192.0.2.1%lo"], &["only a link-local address", "`192.0.2.1`"]),
        (&["fe80::/126%lo"], &["a block takes no zone", "--interface"]),
        (&["fe80::1%"], &["no interface can be called", "fe80::1%eth0"]),
        (&["fe80::1%lo", "fe80::1%1"], &["two zones, lo and 1", "one link"]),
    ] {
        let run = desk.run(&[&["scan", "-p", "80"], hosts].concat()).ends(2).complains(said);
        assert_eq!(run.out, "");
        desk.run(&[&["verify", "--expect", "80"], hosts].concat()).ends(2).complains(said);
        desk.file("hosts.txt", hosts.join("\n"));
        desk.run(&["scan", "-p", "80", "-iL", "hosts.txt"]).ends(2).complains(said);
        let list = format!("{hosts:?}");
        desk.verify_text(&format!("portproof: 1\ntargets: [{{hosts: {list}, expose: [80]}}]\n"), &[])
            .ends(2)
            .complains(said);
        let other = "portproof: 1\ntargets: [{id: a, hosts: [127.0.0.1], expose: [80]}]\n";
        desk.verify_text(other, &["--hosts", "a=@hosts.txt"]).ends(2).complains(said);
    }
    let text = "portproof: 1\nauthorization: {scope: [\"fe80::1%lo\"]}\ntargets: [{hosts: [\"fe80::1%lo\"], expose: [80]}]\n";
    desk.verify_text(text, &[]).ends(2).complains(&["takes no zone", "`fe80::1`"]);
}

#[test]
fn an_interface_that_is_not_there_ends_with_4() {
    let desk = Desk::new();
    for zone in ["fe80::1%no-such-link", "fe80::1%4000000000"] {
        let said = format!("behind which {zone} is");
        desk.run(&["scan", "-p", "80", zone]).ends(4).complains(&[&said, "ip link"]);
        desk.run(&["verify", "--expect", "80", zone]).ends(4).complains(&[&said]);
        desk.run(&["plan", "--expect", "80", zone]).ends(4).complains(&[&said]);
    }
}

#[test]
fn a_plan_shows_the_link_and_the_scope_that_the_host_implies() {
    let desk = Desk::new();
    let plan = desk.run(&["plan", "--expect", "80", "fe80::1%lo"]).ends(0);
    assert!(plan.out.contains("address        fe80::1%lo"), "{}", plan.out);
    assert!(plan.out.contains("(scope: fe80::1"), "{}", plan.out);
    let text = "portproof: 1\nauthorization: {scope: [\"2001:db8::/64\"]}\ntargets: [{hosts: [\"fe80::1%lo\"], expose: [80]}]\n";
    desk.verify_text(text, &[]).ends(2).complains(&["fe80::1%lo", "scope"]);
}
