//! Services that speak first. Waits for no more than the end of what they say by themselves, and reads no
//! word as meant for us.

mod base;
mod lines;
mod mail;
mod mailbox;
mod peers;
mod screen;
mod ssh;

use super::{Reading, is_tls, told};

/// What they may be, what is surer before what is vaguer.
const READERS: &[fn(&[u8]) -> Reading] = &[
    |octets| told(ssh::ssh(octets)),
    |octets| told(lines::known(octets)),
    |octets| told(mail::reply(octets)),
    |octets| told(mailbox::pop3(octets)),
    |octets| told(mailbox::imap(octets)),
    |octets| told(mailbox::nntp(octets)),
    |octets| told(mailbox::sieve(octets)),
    |octets| told(base::mysql(octets)),
    |octets| told(base::mysqlx(octets)),
    |octets| told(base::nats(octets)),
    |octets| told(base::svn(octets)),
    |octets| told(base::openwire(octets)),
    |octets| told(screen::vnc(octets)),
    |octets| told(screen::ica(octets)),
    |octets| told(peers::bgp(octets)),
    |octets| told(peers::irc(octets)),
    |octets| told(peers::varnish(octets)),
    |octets| told(peers::daytime(octets)),
    |octets| told(peers::chargen(octets)),
    |octets| told(screen::telnet(octets)),
];

/// What the first octets from somebody are, to whom nothing was said.
pub fn greeting(octets: &[u8]) -> Reading {
    if is_tls(octets) {
        return Reading::Foreign;
    }
    let mut reading = if octets.is_empty() { Reading::Unfinished } else { Reading::Foreign };
    for read in READERS {
        match read(octets) {
            Reading::Foreign => {}
            Reading::Unfinished => reading = Reading::Unfinished,
            known => return known,
        }
    }
    reading
}
