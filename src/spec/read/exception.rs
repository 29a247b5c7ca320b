//! `exceptions`: deviations that somebody accepts for a time. Never matches more than one port of
//! one target under one rule, and never without an end.

use super::Reader;
use crate::{
    model::{Kind, Protocol, RULES, rule},
    spec::{
        decode::{Table, is_todo, text},
        keys,
        manifest::Exception,
        nearest::nearest,
        yaml::{Mark, Node},
    },
};

/// Rules about one endpoint: an exception names its port.
const OF_ENDPOINTS: &[&str] = &["EXP001", "EXP002", "EXP003", "EXP004", "EXP005", "EXP006", "EXP007"];
/// Rules about a host, an address or a run: a port would never match.
const OF_HOSTS: &[&str] = &["EXP009", "EXP010", "EXP011", "EXP012", "EXP015"];

/// An exception and where it stands.
pub(in crate::spec) struct MarkedException {
    pub(in crate::spec) exception: Exception,
    pub(in crate::spec) at: Mark,
}

/// What `match` says.
struct Matched {
    target: String,
    rule: &'static str,
    port: Option<(Protocol, u16)>,
}

impl Reader<'_> {
    pub(super) fn exception(&mut self, node: &Node) -> Option<MarkedException> {
        let table = Table::open(node, &keys::EXCEPTION, &mut self.out)?;
        let id = self.needed(&table, "id", "id: EX-1");
        let reason = self.needed(&table, "reason", "reason: why the risk is accepted");
        if !table.has("expires") {
            let help = "add `expires: YYYY-MM-DD`, the last day on which it holds";
            self.out.error(table.at, "an exception without `expires`", help);
        }
        let broken = self.out.count();
        let expires = table.date("expires", &mut self.out);
        if expires.is_none() && table.has("expires") && self.out.count() == broken {
            self.out.error(
                table.place_of("expires"),
                "`expires` is still to be filled in",
                "write the last day on which it holds",
            );
        }
        if !table.has("match") {
            let help = "add `match: {target: ID, rule: EXP001, port: 8080/tcp}`";
            self.out.error(table.at, "an exception without `match`", help);
        }
        let matched = table.take("match", &mut self.out).and_then(|node| self.matched(node));
        let out = &mut self.out;
        let requested_by = table.text("requested_by", out);
        let requested_on = table.date("requested_on", out);
        let approved_by = table.text("approved_by", out);
        let approved_on = table.date("approved_on", out);
        let ticket = table.text("ticket", out);
        let compensating_control = table.text("compensating_control", out);
        let Matched { target, rule, port } = matched?;
        let exception = Exception {
            id: id?,
            place: out.place(node.at),
            target,
            rule,
            port,
            reason: reason?,
            requested_by,
            requested_on,
            approved_by,
            approved_on,
            ticket,
            compensating_control,
            expires: expires?,
        };
        Some(MarkedException { exception, at: table.place_of("id") })
    }

    fn needed(&mut self, table: &Table<'_>, key: &str, example: &str) -> Option<String> {
        if !table.has(key) {
            let help = format!("add `{example}`");
            self.out.error(table.at, format!("an exception without `{key}`"), help.as_str());
        }
        table.text(key, &mut self.out)
    }

    fn matched(&mut self, node: &Node) -> Option<Matched> {
        let table = Table::open(node, &keys::MATCH, &mut self.out)?;
        for (key, example) in [("target", "target: www"), ("rule", "rule: EXP001")] {
            if !table.has(key) {
                let help = format!("add `{example}`; an exception matches one finding, not all");
                self.out.error(table.at, format!("`match` without `{key}`"), help.as_str());
            }
        }
        let target = table.take("target", &mut self.out).and_then(|node| self.matched_target(node));
        let rule = table.take("rule", &mut self.out).and_then(|node| self.matched_rule(node));
        let port = table.take("port", &mut self.out);
        let endpoint = port.and_then(|node| self.matched_port(node));
        let rule = rule?;
        if OF_ENDPOINTS.contains(&rule) && !table.has("port") {
            let message = format!("{rule} is about one endpoint, and `match` names no port");
            self.out.error(table.place_of("rule"), message, "add `port: 8080/tcp`");
        }
        if let Some(node) = port
            && OF_HOSTS.contains(&rule)
        {
            let message = format!("{rule} is about a whole host, so an exception with a port never matches");
            self.out.error(node.at, message, "remove `port`");
        }
        Some(Matched { target: target?, rule, port: endpoint })
    }

    fn matched_target(&mut self, node: &Node) -> Option<String> {
        let id = text(node, "target", &mut self.out)?;
        if self.targets.contains(&id) {
            return Some(id);
        }
        let help = if id.contains('*') {
            "an exception names one target; wildcards are not supported".to_owned()
        } else if let Some(near) = nearest(&id, &self.targets) {
            format!("did you mean `{near}`?")
        } else {
            "write the target's `id`, which is its first host where no id is written".to_owned()
        };
        self.out.error(node.at, format!("there is no target `{id}`"), help.as_str());
        None
    }

    fn matched_rule(&mut self, node: &Node) -> Option<&'static str> {
        let name = text(node, "rule", &mut self.out)?;
        let help = match rule(&name) {
            Some(rule) if rule.id.starts_with("EXP") && rule.kind != Kind::Governance => {
                return Some(rule.id);
            }
            Some(rule) => {
                let message = format!("{} ({}) is paperwork and can't be excepted", rule.id, rule.name);
                let help = format!("mend it, or turn the rule off for a run with `-A {}`", rule.id);
                self.out.error(node.at, message, help.as_str());
                return None;
            }
            None if name.contains('*') => {
                "an exception names one rule; wildcards are not supported".to_owned()
            }
            None => {
                let ids = RULES.iter().flat_map(|rule| [rule.id, rule.name]);
                match nearest(&name, ids.filter(|id| id.len() > 6 || id.starts_with("EXP"))) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "rules are EXP001 to EXP015; `portproof explain` lists them".to_owned(),
                }
            }
        };
        self.out.error(node.at, format!("there is no rule `{name}`"), help.as_str());
        None
    }

    fn matched_port(&mut self, node: &Node) -> Option<(Protocol, u16)> {
        let (protocol, ports) = self.ports(node)?;
        if let (1, Some(port)) = (ports.len(), ports.nth(0)) {
            return Some((protocol, port));
        }
        let message = format!("an exception for {} ports", ports.len());
        self.out.error(node.at, message, "one exception names one port; write one for each");
        None
    }
}

impl Exception {
    /// Whether a field of its paperwork is missing or still to be filled in.
    pub(in crate::spec) fn gaps(&self) -> Vec<&'static str> {
        let missing = |value: &Option<String>| value.as_deref().is_none_or(is_todo);
        let gaps = [
            (is_todo(&self.reason), "reason"),
            (missing(&self.requested_by), "requested_by"),
            (self.requested_on.is_none(), "requested_on"),
            (missing(&self.approved_by), "approved_by"),
            (self.approved_on.is_none(), "approved_on"),
        ];
        gaps.into_iter().filter_map(|(gap, name)| gap.then_some(name)).collect()
    }
}
