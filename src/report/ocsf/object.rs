//! OCSF's objects, as far as events of ours have them, in the words of its schema. What is not known is left out: OCSF
//! has no null and no empty list. Typed, as there may be very many.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use crate::model::Kind;

/// A compliance finding (class 2003).
#[derive(Serialize)]
pub(super) struct Event<'a> {
    pub(super) activity_id: u8,
    pub(super) category_uid: u8,
    pub(super) class_uid: u16,
    pub(super) class_name: &'static str,
    pub(super) type_uid: u32,
    /// Milliseconds since 1970, as all times.
    pub(super) time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time: Option<i64>,
    pub(super) severity_id: u8,
    pub(super) severity: &'static str,
    pub(super) status_id: u8,
    pub(super) status: &'static str,
    pub(super) message: String,
    pub(super) metadata: Metadata<'a>,
    pub(super) compliance: Compliance,
    pub(super) finding_info: FindingInfo,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) evidences: Vec<Evidence>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resources: Option<[Resource; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) observables: Vec<Observable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remediation: Option<Remediation>,
    pub(super) unmapped: Unmapped,
}

#[derive(Serialize)]
pub(super) struct Metadata<'a> {
    pub(super) version: &'static str,
    pub(super) product: &'a Product,
    pub(super) uid: String,
    pub(super) correlation_uid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) event_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) original_time: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct Product {
    pub(super) name: String,
    pub(super) vendor_name: &'static str,
    pub(super) version: String,
}

#[derive(Serialize)]
pub(super) struct Compliance {
    pub(super) status_id: u8,
    pub(super) status: &'static str,
    /// The verdict in our word.
    pub(super) status_code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) status_details: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checks: Option<[Check; 1]>,
}

#[derive(Serialize)]
pub(super) struct Check {
    pub(super) uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'static str>,
    pub(super) status_id: u8,
    pub(super) status: &'static str,
    pub(super) severity_id: u8,
    pub(super) severity: &'static str,
}

#[derive(Serialize)]
pub(super) struct FindingInfo {
    pub(super) uid: String,
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) desc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) types: Option<[Kind; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first_seen_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_seen_time: Option<i64>,
}

#[derive(Serialize)]
pub(super) struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<Attempt>,
    pub(super) dst_endpoint: Endpoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) src_endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connection_info: Option<Connection>,
}

/// What an attempt showed. OCSF takes any object there.
#[derive(Serialize)]
pub(super) struct Attempt {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) what: Option<String>,
}

#[derive(Clone, Serialize)]
pub(super) struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Connection {
    pub(super) protocol_name: &'static str,
    pub(super) protocol_num: u8,
    pub(super) direction_id: u8,
}

#[derive(Serialize)]
pub(super) struct Resource {
    pub(super) uid: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<User>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct User {
    pub(super) name: String,
}

#[derive(Serialize)]
pub(super) struct Observable {
    pub(super) name: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) type_id: u8,
    pub(super) value: String,
}

#[derive(Serialize)]
pub(super) struct Remediation {
    pub(super) desc: String,
}

/// What OCSF has no place for, under our own names.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Unmapped {
    /// Of the run.
    Run(Value),
    /// Of a finding.
    Finding {
        verdict: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        exception: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        manifest: Option<String>,
    },
    /// Of an endpoint that conforms.
    Endpoint {
        verdict: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        service: Option<String>,
    },
}
