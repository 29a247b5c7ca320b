//! A far side that bans a scanner: what it hides afterwards is not the truth about its ports.

use super::{
    address::{twin, with_twins},
    host::Host,
    isolate::{DIR, isolated, run},
    lab::{Lab, far},
    portproof::{MOUTHS, verify_by},
};

const HOST: &str = "203.0.113.10";

/// As an intrusion prevention system does: whoever sends more than 20 SYNs within a second is dropped
/// for an hour, whatever it asks.
const BAN: &str = "table inet ips {
    set banned { type ipv4_addr; flags dynamic, timeout; timeout 1h; }
    set banned6 { type ipv6_addr; flags dynamic, timeout; timeout 1h; }
    set eager6 { type ipv6_addr; flags dynamic, timeout; timeout 1m; }
    set eager { type ipv4_addr; flags dynamic, timeout; timeout 1m; }
    chain way {
        type filter hook prerouting priority -250; policy accept;
        ip saddr @banned drop
        ip6 saddr @banned6 drop
        tcp flags & (syn | ack) == syn update @eager { ip saddr limit rate over 1/hour burst 20 packets } add @banned { ip saddr } drop
        tcp flags & (syn | ack) == syn update @eager6 { ip6 saddr limit rate over 1/hour burst 20 packets } add @banned6 { ip6 saddr } drop
    }
}
";

#[test]
fn a_ban_in_the_middle_is_never_read_as_conforming() {
    isolated(|| {
        // 8080 is open and nobody declared it; behind the ban it looks as if a firewall dropped it.
        let _lab =
            Lab::new().host(Host::at(HOST).also(twin(HOST)).default_drop().listen([22, 443, 8080])).start();
        let path = format!("{DIR}/ban.nft");
        std::fs::write(&path, BAN).expect("the lab's directory takes files");
        run(&mut far(&["nft", "-f", &path]));
        // At this rate one worker asks: of two, the one with the rest of the ports may be the first, and the
        // ban then hides what was declared as well.
        for host in with_twins(&[HOST]) {
            let pace = ["--rate", "40000", "--per-host-rate", "max"];
            let what = ["--udp", "none", "--tcp", "1-9000", "--expect", "22,443", host];
            let verified = verify_by("connect", &[&pace[..], &what].concat());
            assert_eq!(verified.output.status, 3, "{}", verified.output.stdout);
            assert_eq!(verified.complaints(), [format!("EXP011 inconclusive fell_silent {host} -")]);
            let [pass, silent] = [verified.verdict("pass"), verified.verdict("inconclusive")];
            assert_eq!((pass, silent), (2, 8998), "what answered stands, silence proves nothing");
            verified.reconciles();
        }
    });
}

/// A load balancer, a scrubbing centre or a tarpit: whatever is asked is accepted.
const ACCEPTS_ALL: &str = "table ip6 accepts {
    chain way { type nat hook prerouting priority -100; ip6 daddr 2001:db8:10::10 tcp dport 1-65535 dnat to [2001:db8:10::10]:443; }
}
table ip accepts {
    chain way { type nat hook prerouting priority -100; ip daddr 203.0.113.10 tcp dport 1-65535 dnat to 203.0.113.10:443; }
}
";

#[test]
fn what_accepts_on_every_port_is_found_where_only_the_declared_are_asked() {
    isolated(|| {
        let plain = "203.0.113.20";
        let _lab = Lab::new()
            .host(Host::at(HOST).also(twin(HOST)).listen([443]))
            .host(Host::at(plain).also(twin(plain)).default_drop().listen([443]))
            .start();
        let path = format!("{DIR}/accepts.nft");
        std::fs::write(&path, ACCEPTS_ALL).expect("the lab's directory takes files");
        run(&mut far(&["nft", "-f", &path]));
        let declared = ["--udp", "none", "--tcp", "declared"];
        for mouth in MOUTHS {
            for (host, plain) in [(HOST, plain), (twin(HOST), twin(plain))] {
                let verified = verify_by(mouth, &[&declared[..], &["--expect", "80,443", host]].concat());
                assert_eq!(verified.output.status, 3, "{mouth}: {}", verified.output.stdout);
                assert_eq!(
                    verified.complaints(),
                    [format!("EXP011 inconclusive answers_everything {host} -")]
                );
                let verified = verify_by(mouth, &[&declared[..], &["--expect", "443", plain]].concat());
                assert_eq!(verified.output.status, 0, "{mouth}: {}", verified.output.stdout);
            }
        }
    });
}
