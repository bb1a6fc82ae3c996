//! The district's certificate authority: one folder at the hub.
//!
//! `ca.pem` is the root in use, key and certificate in one file, so that a
//! power cut never leaves one without the other; after a change of root the one
//! before stays in `ca-lama.pem`, trusted until the last node has renewed, and
//! vouches for the new one in `ca-silang.pem`: a node that was away and knows
//! only the old root still recognises the hub.
//! `hub.key` is the hub's own key. Certificates are backdated a day: a node
//! whose clock lags must not refuse them as not yet valid.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::files::{self, alone};
use crate::key::{Key, KeyError, PublicKey};
use crate::name;
use crate::operator::operator_uri;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far back a certificate's validity begins.
const BACKDATED: Duration = DAY;

/// Life of a root.
const ROOT_LIFE: Duration = Duration::from_secs(DAY.as_secs() * 3_650);

/// How long certificates live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lifetime {
    /// A node's; it is renewed after two thirds.
    pub node: Duration,
    /// The hub's own, made anew at each start and each day.
    pub hub: Duration,
}

impl Default for Lifetime {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(DAY.as_secs() * days);
        Self { node: days(45), hub: days(45) }
    }
}

/// Why the authority can't work.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file can't be read or written.
    #[error("the authority's file {path} can't be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The authority's folder can't be used.
    #[error("the authority's folder can't be used")]
    Folder(#[from] io::Error),
    /// A certificate file holds no certificate.
    #[error("{0} holds no certificate")]
    NoCertificate(PathBuf),
    /// A certificate can't be made.
    #[error("a certificate can't be made")]
    Certificate(#[source] rcgen::Error),
}

/// The district's certificate authority, with the hub's own key.
pub struct Authority {
    issuer: Issuer<'static, Key>,
    root: CertificateDer<'static>,
    anchors: Vec<CertificateDer<'static>>,
    cross: Option<CertificateDer<'static>>,
    hub: Key,
}

impl rcgen::SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        rcgen::SigningKey::sign(self.pair(), message)
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.pair().der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        PublicKeyData::algorithm(self.pair())
    }
}

impl Authority {
    /// Opens the authority in `dir`, or founds it there.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn open(dir: &Path, now_ms: i64) -> Result<Self, AuthorityError> {
        let whole = || dir.join("ca.pem").exists() && dir.join("hub.key").exists();
        if !whole() {
            alone(dir, || match whole() {
                true => Ok(()),
                false => found(dir, now_ms),
            })?;
        }
        let key = Key::load(&dir.join("ca.pem"))?;
        let root = read_certificate(&dir.join("ca.pem"))?;
        let mut anchors = vec![root.clone()];
        let old = dir.join("ca-lama.pem");
        if old.exists() {
            anchors.push(read_certificate(&old)?);
        }
        let cross = dir.join("ca-silang.pem");
        let cross = cross.exists().then(|| read_certificate(&cross)).transpose()?;
        let hub = Key::load(&dir.join("hub.key"))?;
        let issuer = Issuer::from_ca_cert_der(&root, key).map_err(AuthorityError::Certificate)?;
        Ok(Self { issuer, root, anchors, cross, hub })
    }

    /// Founds a new root in `dir`; the present one stays trusted beside it.
    /// A root that was still trusted beside the present one no longer is.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub fn replace_root(dir: &Path, now_ms: i64) -> Result<Self, AuthorityError> {
        let (present, old) = (dir.join("ca.pem"), dir.join("ca-lama.pem"));
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| AuthorityError::Io { path, source }
        };
        let text = fs::read_to_string(&present).map_err(at(&present))?;
        let from = text.find("-----BEGIN CERTIFICATE-----");
        let from = from.ok_or_else(|| AuthorityError::NoCertificate(present.clone()))?;
        let (old_root, old_key) = (read_certificate(&present)?, Key::load(&present)?);
        let voucher =
            Issuer::from_ca_cert_der(&old_root, old_key).map_err(AuthorityError::Certificate)?;
        let (key, name) = (Key::generate()?, root_name()?);
        let params = root_params(&name, now_ms, 0)?;
        let cross = params.signed_by(&key, &voucher).map_err(AuthorityError::Certificate)?;
        // The old one first: from then on both are trusted, in whatever
        // state a power cut leaves the rest.
        files::write_private(&old, &text.as_bytes()[from..]).map_err(at(&old))?;
        let silang = dir.join("ca-silang.pem");
        files::write_private(&silang, cross.pem().as_bytes()).map_err(at(&silang))?;
        install(dir, &key, &name, now_ms)?;
        Self::open(dir, now_ms)
    }

    /// The roots nodes should trust: the one in use first.
    #[must_use]
    pub fn anchors(&self) -> &[CertificateDer<'static>] {
        &self.anchors
    }

    /// What the hub shows beside its own certificate: the old root's word for
    /// the new one, and the root in use, which a node that joins checks
    /// against its token.
    pub(crate) fn shown_along(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        self.cross.iter().cloned().chain([self.root.clone()])
    }

    /// What a joining token carries of the root in use.
    #[must_use]
    pub fn root_hash(&self) -> [u8; 16] {
        root_hash(&self.root)
    }

    /// The hub's own key: it signs what the district sends on media.
    #[must_use]
    pub const fn hub_key(&self) -> &Key {
        &self.hub
    }

    /// A certificate for the node of `village` that holds `key`.
    ///
    /// # Errors
    /// [`AuthorityError::Certificate`].
    pub fn issue_node(
        &self,
        village: VillageCode,
        key: &PublicKey,
        now_ms: i64,
        life: Duration,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let uri = name::village_uri(village).try_into().map_err(AuthorityError::Certificate)?;
        let params = leaf(
            SanType::URI(uri),
            &format!("desa {}", village.compact()),
            ExtendedKeyUsagePurpose::ClientAuth,
            now_ms,
            life,
        )?;
        self.issue(&params, key)
    }

    /// A certificate for the operator of `account` who holds `key`.
    ///
    /// # Errors
    /// [`AuthorityError::Certificate`].
    pub fn issue_operator(
        &self,
        account: &str,
        key: &PublicKey,
        now_ms: i64,
        life: Duration,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let uri = operator_uri(account).try_into().map_err(AuthorityError::Certificate)?;
        let params = leaf(
            SanType::URI(uri),
            &format!("operator {account}"),
            ExtendedKeyUsagePurpose::ClientAuth,
            now_ms,
            life,
        )?;
        self.issue(&params, key)
    }

    /// A certificate for the hub itself.
    ///
    /// # Errors
    /// [`AuthorityError::Certificate`].
    pub fn issue_hub(
        &self,
        now_ms: i64,
        life: Duration,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let dns = name::HUB_NAME.to_owned().try_into().map_err(AuthorityError::Certificate)?;
        let params = leaf(
            SanType::DnsName(dns),
            "kabupaten",
            ExtendedKeyUsagePurpose::ServerAuth,
            now_ms,
            life,
        )?;
        self.issue(&params, &self.hub.public())
    }

    fn issue(
        &self,
        params: &CertificateParams,
        key: &PublicKey,
    ) -> Result<CertificateDer<'static>, AuthorityError> {
        let certificate = params.signed_by(key, &self.issuer);
        certificate.map(Certificate::into).map_err(AuthorityError::Certificate)
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").field("anchors", &self.anchors.len()).finish_non_exhaustive()
    }
}

/// First half of the hash of a root.
pub(crate) fn root_hash(root: &CertificateDer<'_>) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(root).as_bytes()[..16]);
    half
}

fn found(dir: &Path, now_ms: i64) -> Result<(), AuthorityError> {
    // The root comes last: whoever sees it finds the rest.
    Key::load_or_create(&dir.join("hub.key"))?;
    if dir.join("ca.pem").exists() {
        return Ok(());
    }
    install(dir, &Key::generate()?, &root_name()?, now_ms)
}

/// Makes `key` the root in use.
fn install(dir: &Path, key: &Key, name: &str, now_ms: i64) -> Result<(), AuthorityError> {
    // One more below it: the next root, which this one will vouch for.
    let params = root_params(name, now_ms, 1)?;
    let root = params.self_signed(key).map_err(AuthorityError::Certificate)?;
    let path = dir.join("ca.pem");
    let both = format!("{}{}", key.pair().serialize_pem(), root.pem());
    files::write_private(&path, both.as_bytes())
        .map_err(|source| AuthorityError::Io { path, source })
}

/// Each root gets its own name, so that none is taken for another.
fn root_name() -> Result<String, AuthorityError> {
    let mut name = [0; 4];
    getrandom::fill(&mut name)
        .map_err(|_| AuthorityError::Certificate(rcgen::Error::RingUnspecified))?;
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("Lumbung kabupaten {name}"))
}

fn root_params(name: &str, now_ms: i64, below: u8) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    validity(&mut params, now_ms, ROOT_LIFE)?;
    Ok(params)
}

fn leaf(
    san: SanType,
    common_name: &str,
    usage: ExtendedKeyUsagePurpose,
    now_ms: i64,
    life: Duration,
) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(common_name);
    params.subject_alt_names = vec![san];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![usage];
    params.use_authority_key_identifier_extension = true;
    validity(&mut params, now_ms, life)?;
    Ok(params)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn validity(
    params: &mut CertificateParams,
    now_ms: i64,
    life: Duration,
) -> Result<(), AuthorityError> {
    let now = Duration::from_millis(now_ms.max(0).unsigned_abs());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(BACKDATED);
    params.not_after = epoch + now + life;
    let mut serial = [0; 16];
    getrandom::fill(&mut serial)
        .map_err(|_| AuthorityError::Certificate(rcgen::Error::RingUnspecified))?;
    // A positive number.
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(())
}

fn read_certificate(path: &Path) -> Result<CertificateDer<'static>, AuthorityError> {
    CertificateDer::from_pem_file(path).map_err(|_| AuthorityError::NoCertificate(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_who_open_a_new_authority_at_once_found_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("identity");
        let opened: Vec<_> = std::thread::scope(|scope| {
            let open = || {
                let authority = Authority::open(&path, 1_795_000_000_000).unwrap();
                (authority.root_hash(), authority.hub_key().public())
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(opened.iter().all(|seen| *seen == opened[0]), "{opened:?}");
    }
}
