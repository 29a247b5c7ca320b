//! Controls: random high ports that are not planned, asked of each address where something is open. Where
//! they are open as well, something answers on everything, and an open port proves nothing.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use siphasher::sip::SipHasher13;

use super::{
    batch::{Answer, Probe},
    window::GRACE,
};
use crate::model::{AddressRange, ControlCount, Endpoint, Evidence, Moment, PortSet, Protocol, State};

/// The controls of a run.
#[derive(Debug, Default)]
pub(super) struct Controls {
    /// How many an address gets.
    each: u8,
    seed: u64,
    /// What they are chosen from, in the order of the addresses.
    spare: Vec<Spare>,
    open: HashMap<IpAddr, Control>,
    known: HashMap<IpAddr, ControlCount>,
    /// When the next of an address is due, and when its last can no longer be answered.
    due: BinaryHeap<Reverse<(Moment, IpAddr)>>,
}

/// Ports of some addresses that are not planned, and may be asked.
#[derive(Clone, Debug)]
pub(super) struct Spare {
    pub(super) range: AddressRange,
    pub(super) ports: Arc<PortSet>,
}

/// The controls of an address, while they are asked.
#[derive(Debug)]
struct Control {
    /// In the order in which they are asked, and of each whether its end is known.
    ports: Vec<(u16, bool)>,
    sent: usize,
    count: ControlCount,
    over: Moment,
}

/// So many planned ports show as well as controls that something answers on everything.
const MANY: u32 = 1024;
/// Nothing below is asked: where much is listening, one may be open.
const HIGH: (u16, u16) = (10_000, u16::MAX);
/// Between two controls of an address: they go beside its own probes.
const SPACING: Duration = Duration::from_millis(200);
/// Addresses that get any.
const MOST: usize = 1 << 16;

impl Spare {
    /// What is left of the high ports besides those that are planned; `None` where these are enough.
    pub(super) fn beside(range: AddressRange, named: &PortSet, rest: &PortSet) -> Option<Self> {
        let ports = PortSet::from_ranges([HIGH]).difference(named).difference(rest);
        (rest.len() < MANY && !ports.is_empty()).then(|| Self { range, ports: Arc::new(ports) })
    }
}

impl Controls {
    /// Controls of addresses with spare ports, so many an address. The seed chooses them.
    pub(super) fn new(mut spare: Vec<Spare>, each: u8, seed: u64) -> Self {
        spare.sort_by_key(|spare| spare.range.first());
        Self { each, seed, spare: if each > 0 { spare } else { Vec::new() }, ..Self::default() }
    }

    /// Takes in that something is open at an address.
    pub(super) fn begin(&mut self, now: Moment, address: IpAddr) {
        if self.spare.is_empty() || self.open.contains_key(&address) || self.known.contains_key(&address) {
            return;
        }
        let after = self.spare.partition_point(|spare| spare.range.first() <= address);
        let spare = after.checked_sub(1).and_then(|at| self.spare.get(at));
        let Some(spare) = spare.filter(|spare| spare.range.rank(address).is_some()) else { return };
        if self.open.len() + self.known.len() >= MOST {
            return;
        }
        let mut ports: Vec<(u16, bool)> = Vec::new();
        for n in 0..u64::from(self.each) * 4 {
            let at = choice(self.seed, address, n) % u64::from(spare.ports.len().max(1));
            let port = u32::try_from(at).ok().and_then(|at| spare.ports.nth(at));
            if let Some(port) = port.filter(|port| ports.iter().all(|(known, _)| known != port)) {
                ports.push((port, false));
            }
            if ports.len() == usize::from(self.each) {
                break;
            }
        }
        let control = Control { ports, sent: 0, count: ControlCount::default(), over: now };
        self.open.insert(address, control);
        self.due.push(Reverse((now, address)));
    }

    /// The next control that is due. `hears_silence`: the driver reports its end. `patience` tells how long
    /// to wait for an answer of an address.
    pub(super) fn next(
        &mut self,
        now: Moment,
        hears_silence: bool,
        patience: impl Fn(IpAddr) -> Duration,
    ) -> Option<Probe> {
        while let Some(Reverse((_, address))) =
            self.due.peek().copied().filter(|Reverse((due, _))| *due <= now)
        {
            self.due.pop();
            let Some(control) = self.open.get_mut(&address) else { continue };
            let Some(&(port, _)) = control.ports.get(control.sent) else {
                if control.over <= now {
                    self.end(address);
                } else {
                    self.due.push(Reverse((control.over, address)));
                }
                continue;
            };
            let wait = patience(address);
            control.sent += 1;
            control.count.asked += 1;
            control.over = control.over.max(now + wait + if hears_silence { GRACE } else { Duration::ZERO });
            let is_last = control.sent == control.ports.len();
            self.due.push(Reverse((if is_last { control.over } else { now + SPACING }, address)));
            let endpoint = Endpoint { address, protocol: Protocol::Tcp, port };
            return Some(Probe { endpoint, attempt: 1, patience: wait, handshake: false });
        }
        None
    }

    /// Takes in what came of a control. `None`: it is none.
    pub(super) fn hear(&mut self, answer: &Answer) -> Option<()> {
        let Endpoint { address, protocol, port } = answer.endpoint;
        if protocol != Protocol::Tcp || answer.attempt != 1 {
            return None;
        }
        let control = self.open.get_mut(&address)?;
        let asked = control.ports.iter_mut().take(control.sent);
        let (_, ended) = asked.into_iter().find(|(of, ended)| *of == port && !ended)?;
        *ended = true;
        match answer.evidence {
            Evidence::Local(_) => control.count.asked = control.count.asked.saturating_sub(1),
            evidence => control.count.open += u8::from(evidence.state() == Some(State::Open)),
        }
        if control.ports.iter().all(|(_, ended)| *ended) {
            self.end(address);
        }
        Some(())
    }

    fn end(&mut self, address: IpAddr) {
        if let Some(control) = self.open.remove(&address) {
            self.known.insert(address, control.count);
        }
    }

    /// What came of the controls of an address.
    pub(super) fn of(&self, address: IpAddr) -> Option<ControlCount> {
        let open = || self.open.get(&address).map(|control| control.count);
        self.known.get(&address).copied().or_else(open).filter(|count| count.asked > 0)
    }

    /// Whether those of any of some addresses are still asked.
    pub(super) fn are_open(&self, of: impl Fn(IpAddr) -> bool) -> bool {
        self.open.keys().any(|address| of(*address))
    }

    /// When there is something to do next.
    pub(super) fn due(&self) -> Option<Moment> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }
}

/// Which port the `n`th is: not to be foreseen by whoever does not know the seed.
fn choice(seed: u64, address: IpAddr, n: u64) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = SipHasher13::new_with_keys(seed, n);
    address.hash(&mut hasher);
    hasher.finish()
}
