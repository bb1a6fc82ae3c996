//! TLS 1.3 between nodes and hub, both ends known by certificate. Only around
//! a tunnel it may be 1.2: web servers in between are of any age.
//!
//! The hub asks for a certificate and takes none from who has none yet
//! (joining). A node's expired certificate is still proof of its key: the
//! connection is made, and whoever holds the list of allowed keys decides.
//! The node checks the hub by the district's roots and one fixed name, by its
//! own clock or, where that is wrong, by [`TrustedTime`].

use std::sync::Arc;
use std::time::Duration;

use lumbung_telemetry::clock;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error,
    ProtocolVersion, ServerConfig, ServerConnection, SignatureScheme, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::authority::{Authority, AuthorityError, root_hash};
use crate::key::Key;
use crate::name::HUB_NAME;
use crate::trusted_time::TrustedTime;

/// A node's session: after the handshake the hub calls, the node serves.
pub const ALPN_UPLINK: &[u8] = b"lumbung-uplink/1";

/// Ordinary gRPC: joining, recovery, and the tunnel through proxies.
pub const ALPN_H2: &[u8] = b"h2";

/// Why a TLS set-up can't be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The authority can't issue the hub's certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// rustls refuses the parts.
    #[error("the certificate and key don't fit together")]
    Parts(#[from] Error),
    /// A root can't be read.
    #[error("a root certificate can't be read")]
    Root,
}

/// Between a node and the hub, and an operator and the hub.
const OURS: &[&SupportedProtocolVersion] = &[&TLS13];

/// With whatever stands in between.
const ANYBODYS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The clock certificates are judged by: the same one people see.
#[derive(Debug)]
struct WallClock;

impl TimeProvider for WallClock {
    fn current_time(&self) -> Option<UnixTime> {
        let now_ms = clock::now_ms().max(0).unsigned_abs();
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now_ms)))
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    ring::default_provider().signature_verification_algorithms
}

fn anchors(roots: &[CertificateDer<'_>]) -> Result<Vec<TrustAnchor<'static>>, TlsError> {
    let anchor = |root: &CertificateDer<'_>| {
        anchor_from_trusted_cert(root).map(|anchor| anchor.to_owned()).map_err(|_| TlsError::Root)
    };
    roots.iter().map(anchor).collect()
}

/// The name every hub answers to.
#[must_use]
pub fn hub_name() -> ServerName<'static> {
    ServerName::try_from(HUB_NAME).expect("the constant is a DNS name")
}

/// The hub's side of the public port. Who comes with less than TLS 1.3 is no
/// node, see [`is_ours`].
///
/// # Errors
/// [`TlsError`].
pub fn hub(authority: &Authority, now_ms: i64, life: Duration) -> Result<ServerConfig, TlsError> {
    let certificate = authority.issue_hub(now_ms, life)?;
    let verifier = CallerVerifier { anchors: anchors(authority.anchors())?, who: Who::Nodes };
    server(authority, certificate, verifier, ANYBODYS, &[ALPN_UPLINK, ALPN_H2])
}

/// The hub's side of the port for operators: nobody gets in without a
/// certificate of the district that is valid now.
///
/// # Errors
/// [`TlsError`].
pub fn operators(
    authority: &Authority,
    now_ms: i64,
    life: Duration,
) -> Result<ServerConfig, TlsError> {
    let certificate = authority.issue_hub(now_ms, life)?;
    let verifier = CallerVerifier { anchors: anchors(authority.anchors())?, who: Who::Operators };
    server(authority, certificate, verifier, OURS, &[ALPN_H2])
}

fn server(
    authority: &Authority,
    certificate: CertificateDer<'static>,
    verifier: CallerVerifier,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> Result<ServerConfig, TlsError> {
    let chain = std::iter::once(certificate).chain(authority.shown_along()).collect();
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WallClock))
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, authority.hub_key().to_tls())?;
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    // A session lasts days; tickets would only cost bytes and memory.
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// Whether a connection to the hub's public port speaks what nodes speak. What
/// is left is a web server that passes on a tunnel: a certificate that it shows
/// counts for nothing.
#[must_use]
pub fn is_ours(connection: &ServerConnection) -> bool {
    connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
}

/// What a node shows of itself.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// Its key.
    pub key: &'a Key,
}

/// The node's side: trusts the hub of `roots`, shows its certificate.
///
/// # Errors
/// [`TlsError`].
pub fn node(
    roots: &[CertificateDer<'_>],
    time: TrustedTime,
    shown: Shown<'_>,
    alpn: &[u8],
) -> Result<ClientConfig, TlsError> {
    let verifier = HubVerifier { trust: Trust::Roots(anchors(roots)?), time };
    let builder = client(verifier, OURS)?;
    let mut config = builder.with_client_auth_cert(vec![shown.certificate], shown.key.to_tls())?;
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(config)
}

/// The side of a node that has no certificate yet: trusts the hub whose root
/// has the hash in its token.
///
/// # Errors
/// [`TlsError`].
pub fn joining(root: [u8; 16], time: TrustedTime) -> Result<ClientConfig, TlsError> {
    let verifier = HubVerifier { trust: Trust::Hash(root), time };
    let mut config = client(verifier, OURS)?.with_no_client_auth();
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    Ok(config)
}

/// The outer coat of a tunnel: whoever ends TLS in between may be anybody,
/// because the district is proven inside.
///
/// # Errors
/// [`TlsError`].
pub fn coat() -> Result<ClientConfig, TlsError> {
    let verifier = HubVerifier { trust: Trust::Anybody, time: TrustedTime::at(0) };
    let mut config = client(verifier, ANYBODYS)?.with_no_client_auth();
    config.alpn_protocols = vec![ALPN_H2.to_vec()];
    Ok(config)
}

fn client(
    verifier: HubVerifier,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>, TlsError> {
    Ok(ClientConfig::builder_with_details(provider(), Arc::new(WallClock))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier)))
}

/// What both verifiers say of signatures: those that ring knows.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            rustls::crypto::verify_tls12_signature(message, cert, dss, &algorithms())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            algorithms().supported_schemes()
        }
    };
}

/// Whose certificates are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// Nodes: their clocks and visits are what they are, so a certificate that
    /// is no longer valid, or not yet, still proves a key; and who joins has
    /// none.
    Nodes,
    /// Operators: valid now, or nothing.
    Operators,
}

/// Checks who dials the hub: signed by the district.
#[derive(Debug)]
struct CallerVerifier {
    anchors: Vec<TrustAnchor<'static>>,
    who: Who,
}

impl ClientCertVerifier for CallerVerifier {
    fn client_auth_mandatory(&self) -> bool {
        self.who == Who::Operators
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verify = |time| verify(end_entity, &[], &self.anchors, time, KeyUsage::client_auth());
        match verify(now) {
            Err(webpki::Error::CertExpired { not_after, .. }) if self.who == Who::Nodes => {
                verify(not_after)
            }
            Err(webpki::Error::CertNotValidYet { not_before, .. }) if self.who == Who::Nodes => {
                verify(not_before)
            }
            other => other,
        }
        .map(|()| ClientCertVerified::assertion())
        .map_err(told)
    }

    signatures!();
}

#[derive(Debug)]
enum Trust {
    /// Roots learnt at joining.
    Roots(Vec<TrustAnchor<'static>>),
    /// The root that the hub sends along must have this hash.
    Hash([u8; 16]),
    /// Whoever it is: nothing is told to it that it may not know.
    Anybody,
}

/// Checks the hub.
#[derive(Debug)]
struct HubVerifier {
    trust: Trust,
    time: TrustedTime,
}

impl HubVerifier {
    fn verify_at_some_time(
        &self,
        end_entity: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        anchors: &[TrustAnchor<'static>],
        now: UnixTime,
    ) -> Result<(), webpki::Error> {
        let verify = |time| verify(end_entity, between, anchors, time, KeyUsage::server_auth());
        let untimely = |error: &webpki::Error| {
            matches!(
                error,
                webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }
            )
        };
        match verify(now) {
            Err(error) if untimely(&error) => {
                let floor = Duration::from_millis(self.time.now_ms().max(0).unsigned_abs());
                verify(UnixTime::since_unix_epoch(floor))
            }
            other => other,
        }
    }
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = match &self.trust {
            Trust::Anybody => return Ok(ServerCertVerified::assertion()),
            Trust::Roots(anchors) => {
                self.verify_at_some_time(end_entity, intermediates, anchors, now)
            }
            Trust::Hash(hash) => {
                let root = intermediates.iter().find(|sent| root_hash(sent) == *hash);
                let Some(root) = root else { return Err(told(webpki::Error::UnknownIssuer)) };
                let anchor = anchor_from_trusted_cert(root).map_err(told)?.to_owned();
                self.verify_at_some_time(end_entity, &[], &[anchor], now)
            }
        };
        verified.map_err(told)?;
        let parsed = EndEntityCert::try_from(end_entity).map_err(told)?;
        parsed.verify_is_valid_for_subject_name(server_name).map_err(told)?;
        Ok(ServerCertVerified::assertion())
    }

    signatures!();
}

fn verify(
    end_entity: &CertificateDer<'_>,
    between: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'static>],
    time: UnixTime,
    usage: KeyUsage,
) -> Result<(), webpki::Error> {
    EndEntityCert::try_from(end_entity)?
        .verify_for_usage(algorithms().all, anchors, between, time, usage, None, None)
        .map(|_| ())
}

#[allow(clippy::needless_pass_by_value, reason = "takes what `map_err` gives")]
fn told(error: webpki::Error) -> Error {
    let error = match error {
        webpki::Error::CertExpired { .. } => CertificateError::Expired,
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet,
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::CertNotValidForName(_) => CertificateError::NotValidForName,
        webpki::Error::BadDer | webpki::Error::BadDerTime => CertificateError::BadEncoding,
        _ => CertificateError::BadSignature,
    };
    Error::InvalidCertificate(error)
}

#[cfg(test)]
mod tests;
