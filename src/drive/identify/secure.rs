//! TLS as a client has it, except that no certificate is refused: what was sent, and whether it would be
//! trusted, is what we are here for.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use rustls::{
    CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::Caller;
use crate::identify::{Session, bounded, tls};

/// Whom to trust.
#[derive(Clone, Debug)]
pub struct Roots(Arc<RootCertStore>);

/// Why roots can't be read.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file can't be read, or is no PEM.
    #[error("{path}: {why}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no certificate in it.
    #[error("{0}: no certificate in it")]
    Empty(PathBuf),
}

impl Roots {
    /// Those of the public web, as Mozilla has them.
    pub fn web() -> Self {
        static WEB: LazyLock<Roots> = LazyLock::new(|| {
            Roots(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }))
        });
        WEB.clone()
    }

    /// Those in a PEM file.
    pub fn read(path: &Path) -> Result<Self, RootsError> {
        let unreadable = |why: String| RootsError::Unreadable { path: path.to_owned(), why };
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|error| unreadable(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
        }
        if roots.is_empty() { Err(RootsError::Empty(path.to_owned())) } else { Ok(Self(Arc::new(roots))) }
    }
}

/// Sets TLS up.
#[derive(Debug)]
pub(super) struct Secure {
    provider: Arc<CryptoProvider>,
}

impl Default for Secure {
    fn default() -> Self {
        Self { provider: Arc::new(ring::default_provider()) }
    }
}

/// What could not be done.
#[derive(Debug)]
pub(super) struct Unsecured;

impl Secure {
    /// Over a connection. The name goes into the hello, where there is one.
    pub(super) async fn connect(
        &self,
        stream: TcpStream,
        name: Option<&str>,
        (caller, roots): (&Caller, &Roots),
    ) -> Result<(TlsStream<TcpStream>, Session), Unsecured> {
        let (config, server) = self.config((caller, name), &[]).ok_or(Unsecured)?;
        let server = ServerName::try_from(server).map_err(|_| Unsecured)?;
        let stream =
            TlsConnector::from(Arc::new(config)).connect(server, stream).await.map_err(|_| Unsecured)?;
        let (_, session) = stream.get_ref();
        let chain: Vec<Vec<u8>> =
            session.peer_certificates().unwrap_or_default().iter().map(|der| der.to_vec()).collect();
        let version = match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        };
        let suite = session
            .negotiated_cipher_suite()
            .and_then(|suite| suite.suite().as_str())
            .map(|suite| suite.replace("TLS13_", "TLS_"));
        let trust = self.trusts(roots, &chain, (caller, name));
        let (name, version) = (name.map(str::to_owned), version.to_owned());
        Ok((stream, Session { name, upgraded: false, version, suite, chain, trust }))
    }

    /// How to speak to somebody, and the name by which the library knows him: his own, else his address, which no
    /// hello mentions. No suites: all of them.
    pub(super) fn config(
        &self,
        (caller, name): (&Caller, Option<&str>),
        suites: &[CipherSuite],
    ) -> Option<(ClientConfig, String)> {
        let mut provider = (*self.provider).clone();
        if !suites.is_empty() {
            provider.cipher_suites.retain(|known| suites.contains(&known.suite()));
        }
        let witness = Arc::new(Witness { provider: Arc::clone(&self.provider) });
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(witness as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        let name = server_name(caller, name);
        config.enable_sni = matches!(name, ServerName::DnsName(_));
        Some((config, name.to_str().into_owned()))
    }

    /// A suite by which QUIC protects its packets.
    pub(super) fn quic_suite(&self, suite: CipherSuite) -> Option<rustls::quic::Suite> {
        let known = self.provider.cipher_suites.iter().find(|known| known.suite() == suite)?;
        known.tls13()?.quic_suite()
    }

    /// Whether a chain leads to a root, and why not.
    pub(super) fn trusts(
        &self,
        roots: &Roots,
        chain: &[Vec<u8>],
        (caller, name): (&Caller, Option<&str>),
    ) -> Result<(), String> {
        self.judge(roots, chain, &server_name(caller, name))
    }

    /// Whether a chain leads to a root. Its names and dates are judged apart, so they don't count here: where
    /// its time is over, it is judged as of the last moment of it.
    fn judge(&self, roots: &Roots, chain: &[Vec<u8>], name: &ServerName<'_>) -> Result<(), String> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::clone(&roots.0), Arc::clone(&self.provider))
                .build()
                .map_err(|error| error.to_string())?;
        let certificates: Vec<CertificateDer<'_>> =
            chain.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let Some((leaf, others)) = certificates.split_first() else {
            return Err("no certificate was sent".to_owned());
        };
        let ask = |now| verifier.verify_server_cert(leaf, others, name, &[], now);
        // Only the leaf's own dates: nobody else looks at those of the others.
        let own = tls::Certificate::read(leaf);
        let seconds = |at: jiff::Timestamp| u64::try_from(at.as_second()).unwrap_or_default();
        let moment = |seconds: u64| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let now = UnixTime::now();
        let within = own.map_or(now, |own| {
            let (from, until) = (seconds(own.not_before), seconds(own.not_after));
            match now.as_secs() {
                late if late > until => moment(until.saturating_sub(1)),
                early if early < from => moment(from.saturating_add(1)),
                _ => now,
            }
        });
        match ask(within) {
            Ok(_)
            | Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(()),
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Err("no trusted root has issued it".to_owned())
            }
            Err(error) => Err(why(&error)),
        }
    }
}

/// The name that is asked for; where there is none, or none that a host can have, the address.
fn server_name(caller: &Caller, name: Option<&str>) -> ServerName<'static> {
    let named = name.and_then(|name| ServerName::try_from(name.to_owned()).ok());
    named.unwrap_or_else(|| ServerName::IpAddress(caller.endpoint.address.into()))
}

/// In words. The library has none for what its certificate parser says.
fn why(error: &rustls::Error) -> String {
    let said = format!("{error:?}");
    let known = [
        ("CaUsedAsEndEntity", "it is a certificate authority's own certificate"),
        ("InvalidSignatureForPublicKey", "its signature is wrong"),
        ("BadSignature", "its signature is wrong"),
        ("UnsupportedSignatureAlgorithm", "it is signed in a way that clients no longer take"),
        ("UnsupportedCertVersion", "it is of an old version without extensions"),
        ("NotValidForUsage", "it is not meant for servers"),
        ("RequiredEkuNotFound", "it is not meant for servers"),
        ("Revoked", "it has been revoked"),
        ("Expired", "a certificate of its chain has expired"),
        ("MaximumPathBuildCallsExceeded", "its chain is too long"),
        ("PathLenConstraintViolated", "its chain is longer than its authority allows"),
        ("NameConstraintViolation", "its authority may not speak for its names"),
        ("BadEncoding", "it is malformed"),
        ("BadDer", "it is malformed"),
    ];
    let known = known.iter().find(|(word, _)| said.contains(word));
    known.map_or_else(|| bounded(&error.to_string()), |(_, words)| (*words).to_owned())
}

/// Looks at a handshake and lets everything pass, except a signature that shows that the other side does not
/// have the key.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
