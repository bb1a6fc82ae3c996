//! What lets an operator reach the hub from far away: a key, a certificate
//! that names the account, and the district's roots, in one private file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use webpki::EndEntityCert;

use crate::files::write_private;
use crate::key::{Key, KeyError, PublicKey};
use crate::name::PeerError;

const OPERATOR_URI: &str = "spiffe://lumbung.internal/operator/";

/// The URI that names an account.
pub(crate) fn operator_uri(account: &str) -> String {
    format!("{OPERATOR_URI}{account}")
}

/// Who holds an operator's certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OperatorPeer {
    /// The account's name.
    pub account: String,
    /// The key, to be looked up in the list of those that count.
    pub key: PublicKey,
}

/// Reads whose certificate it is. Says nothing about whether it is genuine:
/// [`crate::tls`] has checked that before a connection exists.
///
/// # Errors
/// [`PeerError`]; [`PeerError::NoVillage`] when it names no account.
pub fn operator(certificate: &CertificateDer<'_>) -> Result<OperatorPeer, PeerError> {
    let parsed = EndEntityCert::try_from(certificate).map_err(|_| PeerError::Malformed)?;
    let mut names = parsed.valid_uri_names();
    let account = names.next().and_then(|uri| uri.strip_prefix(OPERATOR_URI));
    let (Some(account), None) = (account, names.next()) else { return Err(PeerError::NoVillage) };
    let spki = parsed.subject_public_key_info();
    let key = PublicKey::from_spki(&spki).ok_or(PeerError::OtherKey)?;
    Ok(OperatorPeer { account: account.to_owned(), key })
}

/// Why an operator's file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OperatorFileError {
    /// It can't be read or written.
    #[error("the file {path} can't be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It holds no certificate, or no root.
    #[error("{0} holds no certificate or no root")]
    Incomplete(PathBuf),
}

/// An operator's file.
pub struct OperatorFile {
    /// The key.
    pub key: Key,
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// The roots by which the hub is known.
    pub roots: Vec<CertificateDer<'static>>,
}

impl OperatorFile {
    /// Reads it.
    ///
    /// # Errors
    /// [`OperatorFileError`].
    pub fn load(path: &Path) -> Result<Self, OperatorFileError> {
        let at = |source| OperatorFileError::Io { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(at)?;
        let key = Key::load(path)?;
        let incomplete = || OperatorFileError::Incomplete(path.to_owned());
        let mut certificates = CertificateDer::pem_slice_iter(&bytes);
        let mut next = || certificates.next().transpose().map_err(|_| incomplete());
        let certificate = next()?.ok_or_else(incomplete)?;
        let mut roots = Vec::new();
        while let Some(root) = next()? {
            roots.push(root);
        }
        if roots.is_empty() { Err(incomplete()) } else { Ok(Self { key, certificate, roots }) }
    }

    /// Writes it, durably, readable by its owner only.
    ///
    /// # Errors
    /// [`OperatorFileError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), OperatorFileError> {
        let block = |der: &CertificateDer<'_>| {
            pem::encode(&pem::Pem::new("CERTIFICATE", der.as_ref().to_vec()))
        };
        let blocks = std::iter::once(&self.certificate).chain(&self.roots).map(block);
        let text = std::iter::once(self.key.pair().serialize_pem()).chain(blocks);
        let text = text.collect::<Vec<_>>().concat();
        write_private(path, text.as_bytes())
            .map_err(|source| OperatorFileError::Io { path: path.to_owned(), source })
    }
}

impl fmt::Debug for OperatorFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorFile").field("key", &self.key.public()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Authority;
    use crate::name::peer;

    #[test]
    fn a_file_comes_back_whole_and_names_its_account_and_no_village() {
        let dir = tempfile::tempdir().unwrap();
        let now_ms = 1_795_000_000_000;
        let authority = Authority::open(&dir.path().join("identity"), now_ms).unwrap();
        let key = Key::generate().unwrap();
        let life = Duration::from_secs(3_600);
        let certificate =
            authority.issue_operator("siti.kec", &key.public(), now_ms, life).unwrap();
        let file = OperatorFile { key, certificate, roots: authority.anchors().to_vec() };
        let path = dir.path().join("siti.pem");
        file.save(&path).unwrap();
        let read = OperatorFile::load(&path).unwrap();
        assert_eq!((&read.certificate, &read.roots), (&file.certificate, &file.roots));
        let who = operator(&read.certificate).unwrap();
        assert_eq!((who.account.as_str(), who.key), ("siti.kec", file.key.public()));
        assert_eq!(peer(&read.certificate), Err(PeerError::NoVillage));
    }
}
