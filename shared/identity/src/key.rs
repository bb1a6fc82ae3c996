//! Ed25519 keys: for certificates and for signing what travels on media.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData, SignatureAlgorithm, SigningKey as _};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::files;

/// Why a key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file can't be read or written.
    #[error("the key file {path} can't be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds no Ed25519 key, or the system gives no randomness.
    #[error("no usable Ed25519 key")]
    Unusable(#[source] rcgen::Error),
}

/// A private key. It never leaves the machine it was made on.
pub struct Key(KeyPair);

impl Key {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] without randomness.
    pub fn generate() -> Result<Self, KeyError> {
        KeyPair::generate_for(&PKCS_ED25519).map(Self).map_err(KeyError::Unusable)
    }

    /// Reads the key in a PEM file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path)
            .map_err(|source| KeyError::Io { path: path.to_owned(), source })?;
        KeyPair::from_pkcs8_pem_and_sign_algo(&text, &PKCS_ED25519)
            .map(Self)
            .map_err(KeyError::Unusable)
    }

    /// Reads the key in a file, or makes one there, durably, readable by its
    /// owner only.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        if path.exists() {
            return Self::load(path);
        }
        let key = Self::generate()?;
        key.save(path)?;
        Ok(key)
    }

    /// Writes the key to a file, durably, readable by its owner only.
    ///
    /// # Errors
    /// [`KeyError::Io`].
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        files::write_private(path, self.0.serialize_pem().as_bytes())
            .map_err(|source| KeyError::Io { path: path.to_owned(), source })
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key_raw());
        PublicKey(bytes)
    }

    /// Signs a message.
    ///
    /// # Errors
    /// [`KeyError::Unusable`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.0.sign(message).map_err(KeyError::Unusable)
    }

    pub(crate) const fn pair(&self) -> &KeyPair {
        &self.0
    }

    pub(crate) fn to_tls(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.0.serialize_der()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.public())
    }
}

/// A public Ed25519 key: what the hub's list of allowed nodes is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// What precedes the raw key in an Ed25519 SubjectPublicKeyInfo (RFC 8410).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl PublicKey {
    /// The key as 32 bytes, or nothing when the slice has another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The key in a SubjectPublicKeyInfo; `None` for other kinds of keys.
    pub(crate) fn from_spki(der: &[u8]) -> Option<Self> {
        Self::from_slice(der.strip_prefix(&SPKI_PREFIX)?)
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        webpki::ring::ED25519.verify_signature(&self.0, message, signature).is_ok()
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let signature = key.sign(b"isi").unwrap();
        assert!(key.public().verifies(b"isi", &signature));
        assert!(!key.public().verifies(b"isi lain", &signature));
        assert!(!other.public().verifies(b"isi", &signature));
        assert!(!key.public().verifies(b"isi", &signature[..63]));
    }

    #[test]
    fn a_key_survives_its_file_and_only_its_owner_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kunci.pem");
        let made = Key::load_or_create(&path).unwrap();
        let read = Key::load_or_create(&path).unwrap();
        assert_eq!(made.public(), read.public());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
