//! Exceptions in force as risks that somebody accepted until a day. What nobody approved is not said to be approved.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{
    Refs,
    findings::observation_id,
    words::{markup, props},
};
use crate::{
    report::{
        ExceptionRecord, Finding, Report,
        exchange::{known, utc},
    },
    spec::is_todo,
};

/// The risks: one for each exception in force. One that is expired or was ignored waives nothing and is none.
pub(super) fn all(report: &Report, refs: &Refs) -> Vec<Value> {
    let mut waived: HashMap<&str, Vec<(usize, &Finding)>> = HashMap::new();
    for (place, finding) in report.findings.iter().enumerate() {
        if let Some(exception) = finding.exception.as_deref() {
            waived.entry(exception).or_default().push((place, finding));
        }
    }
    let mut once = BTreeSet::new();
    let in_force =
        report.exceptions.iter().filter(|exception| is_in_force(exception) && once.insert(&exception.id));
    in_force
        .map(|exception| risk(refs, exception, waived.get(exception.id.as_str()).map_or(&[], Vec::as_slice)))
        .collect()
}

/// The risks that these findings were accepted as.
pub(super) fn related<'a>(
    report: &Report,
    refs: &Refs,
    findings: impl Iterator<Item = &'a Finding>,
) -> Vec<Value> {
    let named: BTreeSet<&str> = findings.filter_map(|finding| finding.exception.as_deref()).collect();
    let in_force = report.exceptions.iter().filter(|exception| is_in_force(exception));
    let ids: BTreeSet<&str> = in_force.map(|exception| exception.id.as_str()).collect();
    named.intersection(&ids).map(|id| json!({ "risk-uuid": refs.ids.id("risk", id) })).collect()
}

fn is_in_force(exception: &ExceptionRecord) -> bool {
    exception.status == "in_force"
}

fn risk(refs: &Refs, exception: &ExceptionRecord, waived: &[(usize, &Finding)]) -> Value {
    let approved =
        exception.approved_by.as_deref().is_some_and(|by| !is_todo(by)) && exception.approved_on.is_some();
    let status = if approved { "deviation-approved" } else { "deviation-requested" };
    let port = exception.port.as_deref().map(|port| format!(", {port}")).unwrap_or_default();
    let related: Vec<Value> = waived
        .iter()
        .map(|(place, finding)| json!({ "observation-uuid": observation_id(refs, *place, finding) }))
        .collect();
    let statement = match waived.len() {
        0 => "It waived nothing in this run.".to_owned(),
        1 => "It waived one finding in this run.".to_owned(),
        n => format!("It waived {n} findings in this run."),
    };
    known(json!({
        "uuid": refs.ids.id("risk", &exception.id),
        "title": markup(&format!(
            "{}: {} of {}{port} is accepted until {}", exception.id, exception.rule, exception.target, exception.expires
        )),
        "description": markup(&exception.reason),
        "statement": statement,
        "props": props([
            ("exception", Some(exception.id.as_str())),
            ("rule", Some(exception.rule.as_str())),
            ("target", Some(exception.target.as_str())),
            ("port", exception.port.as_deref()),
            ("requested-by", exception.requested_by.as_deref()),
            ("requested-on", exception.requested_on.as_deref()),
            ("approved-by", exception.approved_by.as_deref()),
            ("approved-on", exception.approved_on.as_deref()),
            ("ticket", exception.ticket.as_deref()),
            ("manifest-line", Some(exception.manifest.to_string().as_str())),
        ]),
        "status": status,
        // The last day counts as a whole.
        "deadline": utc(&format!("{}T23:59:59Z", exception.expires)),
        "related-observations": related,
    }))
}
