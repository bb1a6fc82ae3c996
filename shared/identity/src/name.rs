//! The names in certificates.
//!
//! A node's certificate names its village as a URI,
//! `spiffe://lumbung.internal/desa/3505012001`; the hub's has one fixed DNS
//! name, so that its address may change.

use lumbung_domain::region::VillageCode;
use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

use crate::key::PublicKey;

/// The name every hub certificate carries, whatever the hub's address.
pub(crate) const HUB_NAME: &str = "kabupaten.lumbung.internal";

const VILLAGE_URI: &str = "spiffe://lumbung.internal/desa/";

/// The URI that names a village.
pub(crate) fn village_uri(village: VillageCode) -> String {
    format!("{VILLAGE_URI}{}", village.compact())
}

/// Who holds a node's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// The village it speaks for.
    pub village: VillageCode,
    /// Its key, to be looked up in the list of allowed ones.
    pub key: PublicKey,
}

/// Why a certificate names no node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PeerError {
    /// It can't be read.
    #[error("the certificate can't be read")]
    Malformed,
    /// It names no village, or several.
    #[error("the certificate names no village")]
    NoVillage,
    /// Its key is of a kind that no node has.
    #[error("the certificate's key is not an Ed25519 key")]
    OtherKey,
}

/// Reads who a certificate is for. Says nothing about whether it is genuine:
/// [`crate::tls`] has checked that before a connection exists.
///
/// # Errors
/// [`PeerError`].
pub fn peer(certificate: &CertificateDer<'_>) -> Result<Peer, PeerError> {
    let parsed = EndEntityCert::try_from(certificate).map_err(|_| PeerError::Malformed)?;
    let mut names = parsed.valid_uri_names();
    let code = names.next().and_then(|uri| uri.strip_prefix(VILLAGE_URI));
    let village = code.and_then(|code| VillageCode::parse(code).ok());
    let (Some(village), None) = (village, names.next()) else { return Err(PeerError::NoVillage) };
    let spki = parsed.subject_public_key_info();
    let key = PublicKey::from_spki(&spki).ok_or(PeerError::OtherKey)?;
    Ok(Peer { village, key })
}
