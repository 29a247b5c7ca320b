//! Several files, one plan: of each planned endpoint the latest that any of them knows, and what is in them beside
//! the plan. What no file covers is left out, and so not covered.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{
    Source,
    source::{Part, Sighting, moment, observed},
};
use crate::{
    identify::Portrait,
    model::{Endpoint, Miss, Observation, PortSet, Protocol, Reason, State, Tally},
    spec::plan::{Group, LeftOut, Plan},
};

/// Things of one kind that are listed one by one; the others are counted.
const LISTED: usize = 100;

/// Of a file that is judged among others.
const MUTE: &str = "no host answered in it, so the silence that it tells of says nothing, and is left out";

/// What several files say of a plan.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The last word on each endpoint.
    pub observations: Vec<Observation>,
    /// Control totals by address and protocol, over what the files cover.
    pub tallies: Vec<Tally>,
    /// Who answers on open ports.
    pub portraits: BTreeMap<Endpoint, Portrait>,
    /// What services said of themselves over UDP.
    pub banners: BTreeMap<Endpoint, String>,
    /// The protocols of which anything planned is covered.
    pub covers: BTreeSet<Protocol>,
    /// Planned endpoints that have a state.
    pub determined: u128,
    /// In the files, and not in the plan.
    pub left_out: Vec<LeftOut>,
    /// What a reader should know of a file beside others, by its place: where its word contradicts another's, and
    /// that it has none.
    pub remarks: Vec<(usize, String)>,
}

/// Holds files against a plan. They are named as the reader knows them, and come in the order of time.
pub fn gather(sources: &[(&str, &Source)], plan: &Plan) -> Gathered {
    let mut parts: BTreeMap<(IpAddr, Protocol), Vec<(usize, &Part)>> = BTreeMap::new();
    let mut gathered = Gathered::default();
    for (i, (_, source)) in sources.iter().enumerate() {
        // The path from where it was made may have been dead: others that were answered do not make its silence say
        // anything.
        if sources.len() > 1 && !source.answered && !source.parts.is_empty() {
            gathered.remarks.push((i, MUTE.to_owned()));
            continue;
        }
        for (&key, part) in &source.parts {
            parts.entry(key).or_default().push((i, part));
        }
    }
    let mut desk = Desk { sources, gathered, strangers: BTreeMap::new(), unplanned: vec![] };
    for ((address, protocol), mut parts) in parts {
        match plan.group(address) {
            Some(group) if !group.missing_family => {
                parts.sort_by_key(|(i, part)| std::cmp::Reverse((part.at, *i)));
                desk.merge((address, protocol), group, &parts);
            }
            Some(_) => {}
            None => {
                for (i, _) in parts {
                    desk.strangers.entry(i).or_default().insert(address);
                }
            }
        }
    }
    desk.end()
}

struct Desk<'a> {
    sources: &'a [(&'a str, &'a Source)],
    gathered: Gathered,
    /// Addresses of which no target claims any, by file.
    strangers: BTreeMap<usize, BTreeSet<IpAddr>>,
    /// Open endpoints of planned addresses that nobody plans, and the file.
    unplanned: Vec<(usize, Endpoint)>,
}

impl Desk<'_> {
    /// One protocol of one address; the newest part comes first.
    fn merge(&mut self, key: (IpAddr, Protocol), group: &Group, parts: &[(usize, &Part)]) {
        let (address, protocol) = key;
        let ask = group.ask(protocol);
        let given = ask.planned().difference(&ask.blind);
        let mut table = Table {
            named: &ask.named,
            left: given.clone(),
            tally: Tally::empty(address, protocol),
            taken: BTreeMap::new(),
        };
        for &(i, part) in parts {
            let known = |port: &&u16| given.contains(**port);
            for (&port, sighting) in part.seen.iter().filter(|(port, _)| !known(port)) {
                if sighting.observation.state == State::Open {
                    self.unplanned.push((i, Endpoint { address, protocol, port }));
                }
            }
            let is_first = part.asked == given && table.left == given;
            // Totals that leave nothing open, unless there is nothing else to fill it from.
            let is_whole = |tally: &&Tally| {
                let complete = tally.states.unknown == 0 && tally.states.total() == u64::from(given.len());
                complete || (parts.len() == 1 && tally.states.total() > 0)
            };
            match part.tally.as_ref().filter(|_| is_first).filter(is_whole) {
                Some(tally) => table.whole(i, part, tally),
                None => table.part(i, part),
            }
        }
        table.undetermined(parts);
        for (port, i, why) in self.disputed(parts, key, &given) {
            table.doubt(port, i, parts);
            self.gathered.remarks.push((i, why));
        }
        self.contradict(&table.taken, parts, key);
        let Table { tally, taken, .. } = table;
        if tally.states.total() == 0 {
            return;
        }
        let gathered = &mut self.gathered;
        gathered.determined += u128::from(tally.states.total() - tally.states.unknown);
        if tally.states.total() > tally.states.unknown {
            gathered.covers.insert(protocol);
        }
        gathered.tallies.push(tally);
        for (port, (_, sighting)) in taken {
            let endpoint = Endpoint { address, protocol, port };
            gathered.portraits.extend(sighting.portrait.map(|portrait| (endpoint, portrait)));
            gathered.banners.extend(sighting.banner.map(|banner| (endpoint, banner)));
            gathered.observations.push(sighting.observation);
        }
    }

    /// Ports that are open by one file and not open by another, where neither was made after the other: the port, the
    /// file whose word would count, and what to say.
    fn disputed(
        &self,
        parts: &[(usize, &Part)],
        (address, protocol): (IpAddr, Protocol),
        given: &PortSet,
    ) -> Vec<(u16, usize, String)> {
        let is_open = |state: State| state == State::Open;
        let open = parts.iter().flat_map(|(_, part)| part.open()).filter(|port| given.contains(*port));
        let open: BTreeSet<u16> = open.collect();
        let mut disputed = Vec::new();
        for port in open {
            let is_doubted = |part: &Part| part.seen.get(&port).is_some_and(Sighting::is_contradicted);
            let known =
                |part: &Part| part.state(port).filter(|state| *state != State::Unknown || is_doubted(part));
            let mut words = parts.iter().filter_map(|(i, part)| Some((*i, *part, known(part)?)));
            let Some((last, newest, state)) = words.next().filter(|(_, part, _)| !is_doubted(part)) else {
                continue;
            };
            let other =
                words.find(|(_, part, other)| is_open(*other) != is_open(state) && !newest.is_after(part));
            if let Some((i, _, other)) = other {
                let name = self.called(i);
                let at = Endpoint { address, protocol, port };
                let why = format!(
                    "{at} is {state}; in {name}, which is not known to be earlier, it is {other}: in doubt"
                );
                disputed.push((port, last, why));
            }
        }
        disputed
    }

    /// Says where an older file knows better than to agree.
    fn contradict(
        &mut self,
        taken: &BTreeMap<u16, (usize, Sighting)>,
        parts: &[(usize, &Part)],
        key: (IpAddr, Protocol),
    ) {
        if parts.len() < 2 {
            return;
        }
        let settled = taken.iter().filter(|(_, (_, seen))| !seen.is_contradicted());
        for (&port, (newest, sighting)) in settled {
            let now = sighting.observation.state;
            for (i, part) in parts.iter().filter(|(i, _)| i != newest) {
                let Some(before) = part.known(port).filter(|state| *state != now) else { continue };
                let at = Endpoint { address: key.0, protocol: key.1, port };
                let older = self.called(*i);
                self.gathered
                    .remarks
                    .push((*newest, format!("{at} is {now}; in the earlier {older} it is {before}")));
            }
        }
        self.reopened(taken, parts, key);
    }

    /// Says where an older file lists a port as open that a newer one only counts, as something else.
    fn reopened(
        &mut self,
        taken: &BTreeMap<u16, (usize, Sighting)>,
        parts: &[(usize, &Part)],
        key: (IpAddr, Protocol),
    ) {
        for (place, (i, part)) in parts.iter().enumerate() {
            for port in part.open().filter(|port| !taken.contains_key(port)) {
                let newer = parts.iter().take(place).find(|(_, part)| part.known(port).is_some());
                let Some(&(newer, _)) = newer else { continue };
                let at = Endpoint { address: key.0, protocol: key.1, port };
                let older = self.called(*i);
                let said = format!("{at} is not open; in the earlier {older} it is");
                self.gathered.remarks.push((newer, said));
            }
        }
    }

    /// How the reader knows a file.
    fn called(&self, i: usize) -> &str {
        self.sources.get(i).map_or("", |(name, _)| name)
    }

    fn end(mut self) -> Gathered {
        for (i, addresses) in self.strangers {
            let name = self.sources.get(i).map_or("", |(name, _)| name);
            let why = format!("in {name}, not in the manifest");
            let listed = addresses.iter().map(IpAddr::to_string);
            self.gathered.left_out.extend(bounded_list(listed, addresses.len(), "addresses", &why));
        }
        self.unplanned.sort_unstable();
        let files: BTreeSet<usize> = self.unplanned.iter().map(|(i, _)| *i).collect();
        for i in files {
            let name = self.sources.get(i).map_or("", |(name, _)| name);
            let why = format!("open in {name}, and not among the ports that are verified");
            let of_file = || self.unplanned.iter().filter(|(of, _)| *of == i).map(|(_, at)| at.to_string());
            self.gathered.left_out.extend(bounded_list(of_file(), of_file().count(), "endpoints", &why));
        }
        self.gathered.observations.sort_by_key(|seen| seen.endpoint);
        self.gathered
    }
}

/// The first of many things, and how many more there are.
fn bounded_list(items: impl Iterator<Item = String>, all: usize, what: &str, why: &str) -> Vec<LeftOut> {
    let left_out = |what: String| LeftOut { what, why: why.to_owned() };
    let more = all.saturating_sub(LISTED);
    let rest = (more > 0).then(|| left_out(format!("{more} more {what}")));
    items.take(LISTED).map(left_out).chain(rest).collect()
}

/// What is known of one protocol of one address.
struct Table<'a> {
    named: &'a PortSet,
    /// Ports of which nothing is known yet.
    left: PortSet,
    tally: Tally,
    taken: BTreeMap<u16, (usize, Sighting)>,
}

impl Table<'_> {
    /// A run of our own over exactly these ports: its totals are the totals.
    fn whole(&mut self, i: usize, part: &Part, tally: &Tally) {
        self.tally = *tally;
        let given = std::mem::take(&mut self.left);
        let listed = part.seen.iter().filter(|(port, _)| given.contains(**port));
        self.taken.extend(listed.map(|(port, sighting)| (*port, (i, sighting.clone()))));
        for rest in &part.rest {
            self.name(i, part, &rest.ports.intersection(&given), rest.weakest(), rest.why());
        }
    }

    /// Whatever of the ports that are left is known here.
    fn part(&mut self, i: usize, part: &Part) {
        let before = self.left.len();
        // A file that contradicts itself has the last word as well: no older one settles it.
        let is_known = |seen: &Sighting| seen.observation.state != State::Unknown || seen.is_contradicted();
        let news = |(port, sighting): &(&u16, &Sighting)| is_known(sighting) && self.left.contains(**port);
        let news: Vec<(u16, &Sighting)> =
            part.seen.iter().filter(news).map(|(port, seen)| (*port, seen)).collect();
        self.left = self.left.difference(&news.iter().map(|(port, _)| *port).collect());
        for (port, sighting) in news {
            self.tally.states.add(sighting.observation.state, 1);
            self.tally.prohibited += u64::from(is_prohibited(&sighting.observation));
            self.taken.insert(port, (i, sighting.clone()));
        }
        for rest in &part.rest {
            let common = rest.ports.intersection(&self.left);
            let state = rest.weakest();
            if common.is_empty() || state == State::Unknown {
                continue;
            }
            self.tally.states += rest.least(common.len());
            if rest.reason.is_some_and(super::nmap::is_prohibition) {
                self.tally.prohibited += u64::from(common.len());
            }
            self.left = self.left.difference(&common);
            self.name(i, part, &common, state, rest.why());
        }
        if let Some(own) = part.tally.as_ref().filter(|_| self.left.len() < before) {
            self.tally.rtt = self.tally.rtt.or(own.rtt);
            self.tally.miss = Miss::worst(self.tally.miss, own.miss);
            self.tally.controls = self.tally.controls.or(own.controls);
            self.tally.fell_silent |= own.fell_silent;
            self.tally.soft = self.tally.soft.or(own.soft);
        }
    }

    /// Takes a port out of what is known: the file `i` says of it what another one disputes.
    fn doubt(&mut self, port: u16, i: usize, parts: &[(usize, &Part)]) {
        let Tally { address, protocol, .. } = self.tally;
        let account =
            parts.iter().find(|(of, _)| *of == i).and_then(|(_, part)| Some((part.at, part.state(port)?)));
        let Some((at, state)) = account else { return };
        self.tally.states.sub(state, 1);
        self.tally.states.add(State::Unknown, 1);
        let endpoint = Endpoint { address, protocol, port };
        self.taken.insert(port, (i, Sighting::contradicted(endpoint, at)));
    }

    /// What the manifest names is judged one by one, be it counted or listed.
    fn name(&mut self, i: usize, part: &Part, ports: &PortSet, state: State, reason: Reason) {
        if state == State::Unknown {
            return;
        }
        let Tally { address, protocol, .. } = self.tally;
        for port in self
            .named
            .intersection(ports)
            .iter()
            .filter(|port| !self.taken.contains_key(port))
            .collect::<Vec<_>>()
        {
            let mut observation =
                observed(Endpoint { address, protocol, port }, state, reason, None, part.at);
            observation.first_seen = Some(moment(part.at)).filter(|_| state == State::Closed);
            self.taken.insert(port, (i, Sighting { observation, portrait: None, banner: None }));
        }
    }

    /// What was asked, and of which no file knows more than that.
    fn undetermined(&mut self, parts: &[(usize, &Part)]) {
        for (i, part) in parts {
            let is_open_ended = |(port, sighting): &(&u16, &Sighting)| {
                sighting.observation.state == State::Unknown && self.left.contains(**port)
            };
            let ended: Vec<(&u16, &Sighting)> = part.seen.iter().filter(is_open_ended).collect();
            self.left = self.left.difference(&ended.iter().map(|(port, _)| **port).collect());
            for (&port, sighting) in ended {
                self.tally.states.add(State::Unknown, 1);
                self.tally.not_sent += u64::from(sighting.observation.reason == Reason::NotSent);
                self.tally.local = self.tally.local.or_else(|| part.tally?.local);
                self.taken.insert(port, (*i, sighting.clone()));
            }
        }
    }
}

fn is_prohibited(seen: &Observation) -> bool {
    seen.state == State::Filtered && super::nmap::is_prohibition(seen.reason)
}
