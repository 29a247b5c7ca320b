//! Questions to services that wait to be spoken to, as a table. Each only reads, is small, and is no login.

mod calls;
mod directory;
mod factory;
mod media;
mod names;
mod queues;
mod remote;
mod stores;
mod web;
mod windows;

use super::{Question, Reading, is_tls};

/// All questions, in the order of how likely they tell who an unknown service is.
pub static QUESTIONS: &[Question] = &[
    web::HTTP,
    stores::POSTGRESQL,
    windows::RDP,
    stores::REDIS,
    windows::SMB,
    windows::SMB1,
    windows::RPC,
    stores::MONGODB,
    stores::MEMCACHED,
    names::DOMAIN,
    directory::LDAP,
    stores::SQL_SERVER,
    stores::ORACLE,
    queues::AMQP,
    queues::MQTT,
    queues::KAFKA,
    media::RTSP,
    media::SIP,
    directory::XMPP_CLIENT,
    directory::XMPP_SERVER,
    calls::RPCBIND,
    calls::NFS,
    calls::MOUNTD,
    names::SOCKS,
    remote::X11,
    remote::JAVA_RMI,
    remote::AJP,
    remote::FASTCGI,
    stores::CASSANDRA,
    queues::ZOOKEEPER,
    stores::BOLT,
    remote::WEBLOGIC,
    names::EPMD,
    factory::MODBUS,
    factory::ISO_TSAP,
    factory::ETHERNET_IP,
    factory::OPC_UA,
    factory::IEC_104,
    media::STUN,
    remote::JDWP,
    remote::ADB,
    remote::CLAMD,
    remote::SPAMD,
    remote::NUT,
    remote::ZABBIX,
    calls::AFP,
    calls::GIT,
    calls::OVSDB,
    names::IDENT,
    windows::NETBIOS,
    web::HTTP2,
    web::DOCKER,
    web::KUBERNETES,
    web::KUBELET,
    web::ETCD_STATUS,
    web::ETCD,
    web::CONSUL,
    web::NOMAD,
    web::VAULT,
    web::COUCHDB,
    web::PROMETHEUS,
    web::REGISTRY,
    web::SOLR,
    web::YARN,
    web::WSMAN,
    web::INFLUXDB,
];

/// What some of them make of octets of which no more come.
pub(super) fn cut(octets: &[u8]) -> Reading {
    if is_tls(octets) {
        return Reading::Foreign;
    }
    [names::no_nodes, directory::no_features]
        .iter()
        .map(|read| read(octets))
        .find(|reading| *reading != Reading::Foreign)
        .unwrap_or(Reading::Foreign)
}
