//! What the flags under "How" and "What" mean, checked before anything is sent.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use jiff::civil::Date;

use super::{
    args::{FamilyArg, HowArgs, Mouth, RateArg, SelectArgs},
    error::CliError,
};
use crate::{
    drive::{connect::Origin, interfaces, privilege, provenance},
    model::{Family, PortSet, Protocol},
    report::Fallback,
    scan::{Config, Rate, Shard},
    spec::{
        Names, calendar,
        host::scope_entry,
        plan::{Asked, Selection},
        port,
    },
};

/// Polite defaults: probes a second of the whole run, and to one address.
const RATE: u64 = 10_000;
const PER_ADDRESS: u64 = 1000;
/// Probes to a silent endpoint: the second, later one finds what a burst of loss took from the first.
const ATTEMPTS: u8 = 2;
/// Where the measured loss asks for more.
const MOST_ATTEMPTS: u8 = 6;
/// The system's own second SYN (RFC 6298 section 2.1); a connect that ends earlier never makes it.
pub(super) const SYN_REPEAT: Duration = Duration::from_secs(1);

/// How to scan.
#[derive(Clone, Debug)]
pub(super) struct How {
    /// `Syn` or `Connect`.
    pub(super) mouth: Mouth,
    pub(super) rate: Rate,
    /// Exactly so many; absent: two, and more where the loss asks for it.
    pub(super) attempts: Option<u8>,
    pub(super) max_miss: f64,
    pub(super) timeout: Option<Duration>,
    pub(super) deadline: Option<Duration>,
    pub(super) origin: Origin,
    /// The interfaces, as written, behind link-local addresses; known once there is a plan.
    pub(super) zones: BTreeMap<Ipv6Addr, String>,
    pub(super) resolvers: Vec<SocketAddr>,
    pub(super) families: Option<Vec<Family>>,
    pub(super) vantage: Option<String>,
    pub(super) seed: u64,
    pub(super) shard: Option<Shard>,
    pub(super) fallbacks: Vec<Fallback>,
}

impl How {
    /// Understands the flags and checks what this machine can do of them.
    pub(super) fn new(args: &HowArgs) -> Result<Self, CliError> {
        let (mouth, fallbacks) = mouth(args.scan)?;
        let unlimited = args.rate == Some(RateArg::Max);
        let limit = |asked: Option<RateArg>, default: Option<u64>| match asked {
            None => default,
            Some(RateArg::Max) => None,
            Some(RateArg::Limit(limit)) => Some(limit),
        };
        let rate = Rate {
            run: limit(args.rate, Some(RATE)),
            per_address: limit(args.per_host_rate, (!unlimited).then_some(PER_ADDRESS)),
        };
        let timeout = args.timeout.as_deref().map(|text| span("--timeout", text)).transpose()?;
        if mouth == Mouth::Connect && timeout.is_some_and(|timeout| timeout <= SYN_REPEAT) {
            let message = "--timeout of a second or less cuts off the system's own second SYN, so one lost packet hides an open port";
            return Err(CliError::usage(message).hint("--timeout 1500ms or more"));
        }
        Ok(Self {
            mouth,
            rate,
            attempts: args.max_attempts,
            max_miss: args.max_miss,
            timeout,
            deadline: args.deadline.as_deref().map(|text| span("--deadline", text)).transpose()?,
            origin: origin(args)?,
            zones: BTreeMap::new(),
            resolvers: args.resolver.iter().map(|text| server(text)).collect::<Result<_, _>>()?,
            families: families(args),
            vantage: args.vantage.clone(),
            seed: args.seed.unwrap_or_else(|| provenance::random() >> 11),
            shard: args.shard,
            fallbacks,
        })
    }

    /// Finds the links that the link-local addresses of a plan are on.
    pub(super) fn find_links(&mut self, zones: &BTreeMap<Ipv6Addr, String>) -> Result<(), CliError> {
        let chosen = self.origin.interface.as_deref();
        for (&address, zone) in zones {
            let link = interfaces::number(zone).ok_or_else(|| {
                let message =
                    format!("this machine has no interface `{zone}`, behind which {address}%{zone} is");
                CliError::environment(message).hint("`ip link` lists them")
            })?;
            if let Some(other) = chosen.filter(|name| interfaces::number(name) != Some(link)) {
                let message = format!("{address}%{zone} can't be asked through --interface {other}");
                return Err(CliError::usage(message).hint("leave out --interface: the zone says it all"));
            }
            self.origin.zones.insert(address, link);
        }
        self.zones.clone_from(zones);
        Ok(())
    }

    /// Probes to a silent endpoint.
    pub(super) fn attempts(&self) -> u8 {
        self.attempts.unwrap_or(ATTEMPTS)
    }

    /// The same where much gets lost.
    pub(super) fn most_attempts(&self) -> u8 {
        self.attempts.unwrap_or(MOST_ATTEMPTS)
    }

    /// The word for how TCP is asked.
    pub(super) fn method(&self) -> &'static str {
        if self.mouth == Mouth::Syn { "SYN" } else { "connect" }
    }

    /// The same for the scan.
    pub(super) fn config(&self) -> Config {
        let is_syn = self.mouth == Mouth::Syn;
        Config {
            seed: self.seed,
            rate: self.rate,
            attempts: self.attempts(),
            most_attempts: self.most_attempts(),
            max_miss: Some(self.max_miss),
            timeout: self.timeout,
            repeats_after: if is_syn { Duration::ZERO } else { SYN_REPEAT },
            hears_silence: !is_syn,
            handshakes: is_syn,
            ..Config::default()
        }
    }
}

/// What TCP is asked by. Asking for `syn` where it can't be had is an error and never a silent change.
fn mouth(asked: Mouth) -> Result<(Mouth, Vec<Fallback>), CliError> {
    if asked == Mouth::Connect {
        return Ok((Mouth::Connect, Vec::new()));
    }
    match privilege::raw_sockets() {
        Ok(()) => Ok((Mouth::Syn, Vec::new())),
        Err(error) if asked == Mouth::Syn => {
            Err(CliError::environment(format!("raw packets need CAP_NET_RAW, which is not there ({error})"))
                .hint("run as root, or `sudo setcap cap_net_raw+ep` the binary; --scan connect needs nothing; `portproof doctor` explains"))
        }
        Err(error) => {
            let why = format!("raw packets need CAP_NET_RAW, which is not there ({error})");
            let fallback = Fallback { asked: "auto".to_owned(), used: "connect".to_owned(), why };
            Ok((Mouth::Connect, vec![fallback]))
        }
    }
}

/// `--families`, where given.
pub(super) fn families(args: &HowArgs) -> Option<Vec<Family>> {
    args.families.as_ref().map(|families| families.iter().map(|&family| family.into()).collect())
}

impl From<FamilyArg> for Family {
    fn from(family: FamilyArg) -> Self {
        match family {
            FamilyArg::Ipv4 => Self::Ipv4,
            FamilyArg::Ipv6 => Self::Ipv6,
        }
    }
}

fn origin(args: &HowArgs) -> Result<Origin, CliError> {
    if let Some(name) = args.interface.as_deref().filter(|name| !interfaces::exists(name)) {
        return Err(CliError::environment(format!("this machine has no interface `{name}`"))
            .hint("`ip link` lists them"));
    }
    let own = interfaces::own_addresses();
    if let Some(stranger) = args.source_address.iter().find(|address| !own.contains(address)) {
        return Err(CliError::environment(format!("{stranger} is not an address of this machine"))
            .hint("`ip addr` lists them"));
    }
    Ok(Origin {
        addresses: args.source_address.clone(),
        interface: args.interface.clone(),
        zones: BTreeMap::new(),
    })
}

/// Reads `2s`, `1500ms`, `5m`.
fn span(flag: &str, text: &str) -> Result<Duration, CliError> {
    calendar::duration(text)
        .map_err(|error| CliError::usage(format!("{flag} {text}: {error}")).hint("as in 2s, 1500ms, 5m"))
}

/// Reads `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53`, `[2001:db8::53]:5353`.
fn server(text: &str) -> Result<SocketAddr, CliError> {
    let bare = text
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .map(|address| SocketAddr::new(address, 53));
    bare.or_else(|_| text.parse()).map_err(|_| {
        CliError::usage(format!("--resolver {text} is no address"))
            .hint("write ADDRESS or ADDRESS:PORT of a name server")
    })
}

/// What of the manifest is in the run.
pub(super) fn selection(
    args: &SelectArgs,
    families: Option<Vec<Family>>,
    vantage: Option<String>,
    names: &dyn Names,
) -> Result<Selection, CliError> {
    let asked = |flag: &str, text: &Option<String>, protocol| {
        text.as_deref().map(|text| asked(flag, text, protocol, names)).transpose()
    };
    Ok(Selection {
        only: args.only.clone(),
        exclude: exclusions(&args.exclude)?,
        families,
        tcp: asked("--tcp", &args.tcp, Protocol::Tcp)?,
        udp: asked("--udp", &args.udp, Protocol::Udp)?,
        vantage,
        interface: None,
        large: args.i_know_this_is_large,
    })
}

/// Reads the entries of `--exclude`.
pub(super) fn exclusions(entries: &[String]) -> Result<Vec<crate::model::ScopeEntry>, CliError> {
    let read = |text: &String| {
        scope_entry(text).map_err(|error| CliError::usage(format!("--exclude {text}: {}", error.message)))
    };
    entries.iter().map(read).collect()
}

fn asked(flag: &str, text: &str, protocol: Protocol, names: &dyn Names) -> Result<Asked, CliError> {
    if text == "declared" {
        Ok(Asked::Declared)
    } else {
        ports(flag, text, protocol, names).map(Asked::Ports)
    }
}

/// Reads a set of ports to ask.
pub(super) fn ports(
    flag: &str,
    text: &str,
    protocol: Protocol,
    names: &dyn Names,
) -> Result<PortSet, CliError> {
    port::sweep(text, protocol, names).map_err(|error| {
        let told = CliError::usage(format!("{flag} {text}: {}", error.message));
        error.help.into_iter().fold(told, CliError::hint)
    })
}

/// The day of `--at`; without it, today.
pub(super) fn day(at: Option<&str>, today: Date) -> Result<Date, CliError> {
    at.map_or(Ok(today), |text| {
        calendar::date(text)
            .map_err(|error| CliError::usage(format!("--at {text}: {error}")).hint("write YYYY-MM-DD"))
    })
}
