//! Names to addresses: A and AAAA both asked, every address kept, failures told apart from answers.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_resolver::{
    ConnectionProvider, Resolver, TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RData, RecordType},
    },
};
use thiserror::Error;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    model::{Family, clean},
    spec::resolution::{DnsOutcome, NameAnswer, Resolution},
};

/// Questions in flight: polite to one resolver, quick for a thousand names.
const CONCURRENT: usize = 64;
/// One server's time to answer, and how often it is asked.
const TIMEOUT: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// All servers, tries and transports of one question together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why names can't be asked at all.
#[derive(Debug, Error)]
#[allow(missing_docs)] // the message says it
pub enum ResolverError {
    #[error("the system's resolver can't be used ({0}); name one with --resolver ADDRESS")]
    System(String),
}

/// Asks for every name in the families given. `servers`: `--resolver`; none is the system's own.
pub async fn resolve(
    names: &[(String, Vec<Family>)],
    servers: &[SocketAddr],
) -> Result<Resolution, ResolverError> {
    if names.is_empty() {
        return Ok(Resolution::default());
    }
    let (resolver, servers) = build(servers)?;
    let (resolver, limit) = (Arc::new(resolver), Arc::new(Semaphore::new(CONCURRENT)));
    let mut asking = JoinSet::new();
    for (name, families) in names {
        for &family in families {
            let (resolver, limit, name) = (Arc::clone(&resolver), Arc::clone(&limit), name.clone());
            asking.spawn(async move {
                let _permit = limit.acquire_owned().await;
                let unanswered = NameAnswer {
                    name: name.clone(),
                    family,
                    outcome: DnsOutcome::Timeout,
                    addresses: vec![],
                    chain: vec![],
                    ttl: None,
                };
                tokio::time::timeout(PATIENCE, ask(&resolver, name, family)).await.unwrap_or(unanswered)
            });
        }
    }
    let mut answers: Vec<NameAnswer> = asking.join_all().await;
    let order: HashMap<&str, usize> =
        names.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect();
    answers.sort_by_key(|answer| (order.get(answer.name.as_str()).copied(), answer.family));
    Ok(Resolution { servers, answers })
}

fn build(servers: &[SocketAddr]) -> Result<(TokioResolver, Vec<String>), ResolverError> {
    let broken = |error: NetError| ResolverError::System(clean(&error.to_string()));
    let mut builder = if servers.is_empty() {
        Resolver::builder_tokio().map_err(broken)?
    } else {
        let configs = servers.iter().map(|server| {
            let mut config = NameServerConfig::udp_and_tcp(server.ip());
            for connection in &mut config.connections {
                connection.port = server.port();
            }
            config
        });
        Resolver::builder_with_config(
            ResolverConfig::from_name_servers(configs.collect()),
            TokioRuntimeProvider::default(),
        )
    };
    let options = builder.options_mut();
    options.timeout = TIMEOUT;
    options.attempts = TRIES;
    options.preserve_intermediates = true;
    // A named resolver is asked for what the world sees; the system's own includes its hosts file.
    options.use_hosts_file = if servers.is_empty() { ResolveHosts::Always } else { ResolveHosts::Never };
    let names =
        if servers.is_empty() { system_servers() } else { servers.iter().map(ToString::to_string).collect() };
    Ok((builder.build().map_err(broken)?, names))
}

/// The servers of the system's configuration, for the report.
fn system_servers() -> Vec<String> {
    hickory_resolver::system_conf::read_system_conf()
        .map(|(config, _)| config.name_servers().iter().map(|server| server.ip.to_string()).collect())
        .unwrap_or_default()
}

async fn ask<P: ConnectionProvider>(resolver: &Resolver<P>, name: String, family: Family) -> NameAnswer {
    let unanswered =
        |name, outcome| NameAnswer { name, family, outcome, addresses: vec![], chain: vec![], ttl: None };
    let Ok(mut query) = Name::from_ascii(&name) else {
        return unanswered(name, DnsOutcome::Other("not a name that DNS can carry".to_owned()));
    };
    query.set_fqdn(true); // no search list: the manifest means what it says
    let record = match family {
        Family::Ipv4 => RecordType::A,
        Family::Ipv6 => RecordType::AAAA,
    };
    match resolver.lookup(query, record).await {
        Err(error) => unanswered(name, outcome(&error)),
        Ok(lookup) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            let mut chain = Vec::new();
            for record in lookup.answers() {
                match &record.data {
                    RData::A(a) if family == Family::Ipv4 => addresses.push(a.0.into()),
                    RData::AAAA(aaaa) if family == Family::Ipv6 => {
                        addresses.push(IpAddr::V6(aaaa.0).to_canonical());
                    }
                    RData::CNAME(alias) => chain.push(plain(&alias.0)),
                    _ => {}
                }
            }
            addresses.sort_unstable();
            addresses.dedup();
            let outcome = match (addresses.is_empty(), lookup.message().response_code) {
                (false, _) => DnsOutcome::Answered,
                (true, ResponseCode::NXDomain) => DnsOutcome::NxDomain,
                (true, _) => DnsOutcome::NoData,
            };
            let ttl = lookup
                .answers()
                .iter()
                .map(|record| record.ttl)
                .min()
                .map(|ttl| Duration::from_secs(ttl.into()));
            NameAnswer { name, family, outcome, addresses, chain, ttl }
        }
    }
}

/// What became of a question that brought no answer section.
fn outcome(error: &NetError) -> DnsOutcome {
    match error {
        NetError::Dns(
            DnsError::NoRecordsFound(NoRecords { response_code, .. }) | DnsError::ResponseCode(response_code),
        ) => match *response_code {
            ResponseCode::NXDomain => DnsOutcome::NxDomain,
            ResponseCode::NoError => DnsOutcome::NoData,
            ResponseCode::ServFail => DnsOutcome::ServFail,
            ResponseCode::Refused => DnsOutcome::Refused,
            code => DnsOutcome::Other(clean(&code.to_string())),
        },
        NetError::Timeout | NetError::NoConnections => DnsOutcome::Timeout,
        other => DnsOutcome::Other(clean(&other.to_string())),
    }
}

/// A name as manifests write it: lower case, without the final dot, cleaned.
fn plain(name: &Name) -> String {
    clean(name.to_lowercase().to_ascii().trim_end_matches('.'))
}
