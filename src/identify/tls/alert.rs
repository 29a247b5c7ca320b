//! Alerts: why a server refuses (RFC 8446 section 6, RFC 5246 section 7.2, the registry of TLS alerts at IANA).

use std::fmt;

/// One alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// 1 is a warning, 2 is fatal.
    pub level: u8,
    /// What for.
    pub description: u8,
}

/// What an alert after a hello tells of the hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The version is not spoken.
    Version,
    /// None of the suites (or groups) is taken.
    Suites,
    /// Nothing of either: the name, the client or the application protocol is refused.
    Other,
    /// Anything else, which servers say for all sorts of reasons.
    Doubtful,
}

impl Alert {
    /// Fatal, or a warning that ends the connection all the same.
    pub fn is_final(self) -> bool {
        self.level != 1 || self.description == 0
    }

    /// Its name in the registry.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.description {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            52 => "too_many_cids_requested",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            114 => "bad_certificate_hash_value",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            117 => "general_error",
            120 => "no_application_protocol",
            121 => "ech_required",
            _ => return None,
        })
    }

    pub(super) fn meaning(self) -> Meaning {
        match self.description {
            70 => Meaning::Version,
            40 | 71 => Meaning::Suites,
            49 | 112 | 115 | 116 | 120 => Meaning::Other,
            _ => Meaning::Doubtful,
        }
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "alert {}", self.description),
        }
    }
}
