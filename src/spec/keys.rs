//! The keys of every map of the manifest, each list in one place: the decoder refuses what is not
//! here, and a test holds `manifest.schema.json` against it.

/// The keys that a map may have.
#[derive(Debug)]
pub(crate) struct Keys {
    /// What the map is, for messages: `unknown key .. in a target`.
    pub(crate) what: &'static str,
    /// The definition of `manifest.schema.json` that lists the same keys; empty for the document.
    #[cfg(test)]
    definition: &'static str,
    pub(crate) list: &'static [&'static str],
}

macro_rules! keys {
    ($($name:ident: $what:literal, $definition:literal, [$($key:literal),* $(,)?];)*) => {
        $(pub(crate) const $name: Keys = Keys { what: $what, #[cfg(test)] definition: $definition, list: &[$($key),*] };)*
        /// Every list.
        pub(crate) const ALL: &[&Keys] = &[$(&$name),*];
    };
}

keys! {
    DOCUMENT: "the manifest", "", [
        "portproof", "metadata", "authorization", "vantage", "vantages", "defaults", "services", "targets",
        "policy", "exceptions", "include",
    ];
    INCLUDED: "an included file", "included", ["portproof", "targets", "services", "exceptions"];
    METADATA: "`metadata`", "metadata", ["name", "owner", "contact", "environment", "review"];
    REVIEW: "`review`", "review", ["last", "every"];
    AUTHORIZATION: "`authorization`", "authorization", [
        "reference", "authorized_by", "valid_until", "scope", "exclude", "max_rate",
    ];
    VANTAGE: "a vantage", "vantage", ["sources", "families", "blind"];
    DEFAULTS: "`defaults`", "defaults", [
        "tcp", "udp", "families", "unlisted", "rate", "closed_state", "criticality", "presence", "from",
        "service", "tls", "banner", "owner", "justification", "approved_by", "approved_on", "ticket",
        "review_by", "insecure", "security_features", "controls",
    ];
    SERVICE: "a service", "service", [
        "port", "presence", "from", "service", "tls", "banner", "owner", "justification", "approved_by",
        "approved_on", "ticket", "review_by", "families", "insecure", "security_features", "controls",
    ];
    TARGET: "a target", "target", [
        "id", "hosts", "expect_dns", "profiles", "tags", "expose", "deny", "expect_dark",
        "stores_cardholder_data", "tcp", "udp", "families", "unlisted", "rate", "closed_state", "criticality",
        "presence", "from", "service", "tls", "banner", "owner", "justification", "approved_by",
        "approved_on", "ticket", "review_by", "insecure", "security_features", "controls",
    ];
    HOSTS_FILE: "a host entry", "hosts_file", ["file"];
    EXPOSE: "an `expose` entry", "expose", [
        "use", "port", "presence", "from", "service", "tls", "banner", "owner", "justification",
        "approved_by", "approved_on", "ticket", "review_by", "families", "insecure", "security_features",
        "controls",
    ];
    TLS: "`tls`", "tls", ["profile", "min_days_left", "trusted", "ca_file", "names"];
    DENY: "a `deny` entry", "deny", ["port", "reason", "severity"];
    POLICY: "`policy`", "policy", ["use", "max_exception_days", "max_review_days", "four_eyes", "max_age", "require"];
    EXCEPTION: "an exception", "exception", [
        "id", "match", "reason", "requested_by", "requested_on", "approved_by", "approved_on", "ticket",
        "compensating_control", "expires",
    ];
    MATCH: "`match`", "match", ["target", "rule", "port"];
}

/// What `require` of a policy may name.
pub(crate) const REQUIRABLE: &[(&str, &str)] = &[
    ("owner", "owner"),
    ("justification", "justification"),
    ("approved_by", "approved_by"),
    ("approved_on", "approved_on"),
    ("ticket", "ticket"),
    ("review_by", "review_by"),
    ("service", "service"),
    ("controls", "controls"),
];

/// The maps whose keys a policy may name as fields, as it names them.
const SECTIONS: [(&str, &Keys); 10] = [
    ("metadata", &METADATA),
    ("authorization", &AUTHORIZATION),
    ("vantages", &VANTAGE),
    ("defaults", &DEFAULTS),
    ("services", &SERVICE),
    ("targets", &TARGET),
    ("expose", &EXPOSE),
    ("deny", &DENY),
    ("policy", &POLICY),
    ("exceptions", &EXCEPTION),
];

/// Every field of the manifest as a policy names it: `expose.owner`.
pub(crate) fn fields() -> impl Iterator<Item = String> {
    SECTIONS.iter().flat_map(|(map, keys)| keys.list.iter().map(move |key| format!("{map}.{key}")))
}

/// The maps that a key belongs to, for a key that stands in the wrong one.
pub(crate) fn homes(key: &str) -> Vec<&'static str> {
    ALL.iter().filter(|keys| keys.list.contains(&key)).map(|keys| keys.what).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::spec::MANIFEST_SCHEMA;

    #[test]
    fn the_schema_has_the_keys_that_the_decoder_takes() {
        let schema: Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
        for keys in ALL {
            let map = if keys.definition.is_empty() { &schema } else { &schema["$defs"][keys.definition] };
            let known: BTreeSet<&str> = keys.list.iter().copied().collect();
            let published: BTreeSet<&str> =
                map["properties"].as_object().expect(keys.definition).keys().map(String::as_str).collect();
            assert_eq!(known, published, "{}", keys.what);
            assert_eq!(known.len(), keys.list.len(), "{} lists a key twice", keys.what);
            assert_eq!(map["additionalProperties"], false, "{}", keys.what);
        }
    }

    #[test]
    fn every_definition_with_keys_has_a_list_here() {
        let schema: Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            let listed = ALL.iter().any(|keys| keys.definition == name);
            assert_eq!(definition.get("properties").is_some(), listed, "{name}");
        }
    }
}
