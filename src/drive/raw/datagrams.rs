//! The sender's way with datagrams: fewer than SYNs and longer, so that each is sent by itself.

use super::{super::udp::Datagrams, line::Line, send::Sender};
use crate::{
    model::{Evidence, LocalError, Moment},
    probe::udp::{Said, frame},
    scan::{Answer, Probe},
};

impl Sender {
    /// Sends the datagrams of a probe.
    pub(super) fn send_datagrams(
        &mut self,
        now: Moment,
        probe: Probe,
        datagrams: &Datagrams,
        lines: &[Line],
    ) -> Result<(), Evidence> {
        let source_port = self.source_port(probe)?;
        let way = self.way(probe)?;
        let source = (way.source, source_port);
        let line = lines.get(way.line).ok_or(Evidence::Local(LocalError::NoRoute))?;
        let (mut payload, mut octets) = (Vec::new(), Vec::new());
        for nth in 0.. {
            payload.clear();
            if datagrams.udp.write(probe.endpoint, probe.attempt, nth, &mut payload).is_none() {
                break;
            }
            frame::write(way.template.link_header(), source, probe.endpoint, &payload, &mut octets)
                .ok_or(Evidence::Local(LocalError::NoFamily))?;
            line.send_frame(&octets).map_err(Evidence::Local)?;
        }
        self.said.note(datagrams.udp.number(probe.endpoint, probe.attempt), now);
        Ok(())
    }

    /// Keeps what was said, and makes of it what the scan wants to know.
    pub(super) fn heard(&self, at: Moment, datagrams: &Datagrams, said: &Said) -> Answer {
        let Said { endpoint, attempt, source, ttl, evidence, ref octets } = *said;
        if let Evidence::Reply { payload } = evidence {
            datagrams.keep(endpoint, payload, octets);
        }
        // When it left is remembered for a while; then nobody knows.
        let sent_at = self.said.at(datagrams.udp.number(endpoint, attempt)).unwrap_or(at);
        Answer { endpoint, attempt, sent_at, source: Some(source), ttl: Some(ttl), evidence }
    }
}
