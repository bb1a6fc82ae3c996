//! What makes this node this village's: its key, its certificate, the roots
//! it trusts, and where its district is.
//!
//! All of it lives in `identity/` in the village's folder and in no backup. A
//! renewal replaces one file, so a power cut leaves the old certificate or
//! the new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lumbung_identity::tls::{self, Shown, TlsError};
use lumbung_identity::{CertificateDer, Key, KeyError, PublicKey, TrustedTime, write_private};
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

/// A node that runs looks this often whether its village has joined anew.
const JOINED_LOOK_EVERY: Duration = Duration::from_secs(3);

/// Why the identity can't be used. Data is not concerned.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file can't be read or written.
    #[error("Berkas {path} tidak bisa dibaca atau ditulis: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("Berkas {0} rusak. Data desa aman. Minta token pengganti ke kabupaten.")]
    Damaged(PathBuf),
    /// The key can't be used.
    #[error("Kunci komputer ini tidak bisa dipakai. Data desa aman. Minta token pengganti.")]
    Key(#[from] KeyError),
    /// Certificate and key don't fit together.
    #[error("Sertifikat komputer ini tidak cocok. Data desa aman. Minta token pengganti.")]
    Tls(#[from] TlsError),
}

/// What the district gave at joining and renews since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Where the hub's public port is, `host:port`.
    pub address: String,
    /// This node's certificate, DER in hex.
    pub certificate: String,
    /// The roots to trust, DER in hex.
    pub anchors: Vec<String>,
    /// The hub's public key, hex: it signs what comes on media.
    pub hub_key: String,
}

/// The folder in the village's folder.
#[must_use]
pub fn folder(data: &Path) -> PathBuf {
    data.join("identity")
}

/// Keeps the district's key for backups and sticks in the village's folder;
/// an empty one changes nothing.
///
/// # Errors
/// [`IdentityError::Io`].
pub fn keep_recipient(data: &Path, recipient: &str) -> Result<(), IdentityError> {
    if recipient.is_empty() {
        return Ok(());
    }
    let path = data.join("district.age");
    if fs::read_to_string(&path).is_ok_and(|kept| kept.trim() == recipient) {
        return Ok(());
    }
    write_private(&path, recipient.as_bytes()).map_err(|source| IdentityError::Io { path, source })
}

fn membership_file(data: &Path) -> PathBuf {
    folder(data).join("district.toml")
}

/// This node's key, made on the spot the first time it is needed.
///
/// # Errors
/// [`IdentityError::Key`].
pub fn key(data: &Path) -> Result<Key, IdentityError> {
    Ok(Key::load_or_create(&folder(data).join("key.pem"))?)
}

/// This node's place in the district. Clones share it.
#[derive(Clone, Debug)]
pub struct Identity {
    key: Arc<Key>,
    time: TrustedTime,
    data: Arc<PathBuf>,
    membership: Arc<Mutex<Membership>>,
    joinings: Arc<AtomicU32>,
}

impl Identity {
    /// The identity in a village's folder; `None` before it has joined.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load(data: &Path) -> Result<Option<Self>, IdentityError> {
        let path = membership_file(data);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IdentityError::Io { path, source }),
        };
        let membership = toml::from_str(&text).map_err(|_| IdentityError::Damaged(path.clone()))?;
        let time = folder(data).join("time");
        let time = TrustedTime::load(&time)
            .map_err(|source| IdentityError::Io { path: time.clone(), source })?;
        Ok(Some(Self {
            key: Arc::new(Key::load(&folder(data).join("key.pem"))?),
            time,
            data: Arc::new(data.to_owned()),
            membership: Arc::new(Mutex::new(membership)),
            joinings: Arc::default(),
        }))
    }

    /// Keeps what the district gave, durably.
    ///
    /// # Errors
    /// [`IdentityError::Io`].
    pub fn keep(data: &Path, membership: &Membership) -> Result<(), IdentityError> {
        let path = membership_file(data);
        let text = toml::to_string(membership).map_err(|_| IdentityError::Damaged(path.clone()))?;
        write_private(&path, text.as_bytes()).map_err(|source| IdentityError::Io { path, source })
    }

    /// Replaces certificate, roots and the hub's key, durably.
    ///
    /// # Errors
    /// [`IdentityError::Io`]; the old ones stay in use.
    pub fn renew(
        &self,
        certificate: &[u8],
        anchors: &[impl AsRef<[u8]>],
        hub_key: &[u8],
    ) -> Result<(), IdentityError> {
        let mut kept = self.membership();
        // Somebody may have joined anew in the meantime.
        if let Some(found) = self.found()
            && found.address != kept.address
        {
            kept.address = found.address;
            self.joinings.fetch_add(1, Ordering::Relaxed);
        }
        let renewed = Membership {
            address: kept.address.clone(),
            certificate: hex(certificate),
            anchors: anchors.iter().map(|anchor| hex(anchor.as_ref())).collect(),
            hub_key: hex(hub_key),
        };
        Self::keep(&self.data, &renewed)?;
        *kept = renewed;
        Ok(())
    }

    fn found(&self) -> Option<Membership> {
        toml::from_str(&fs::read_to_string(membership_file(&self.data)).ok()?).ok()
    }

    /// Looks whether this village has joined anew, which a command does beside
    /// a node that runs: what it was given then counts from now on. How often
    /// that was found so far.
    #[must_use]
    pub fn joinings(&self) -> u32 {
        let mut kept = self.membership();
        if let Some(found) = self.found()
            && found != *kept
        {
            *kept = found;
            self.joinings.fetch_add(1, Ordering::Relaxed);
        }
        self.known_joinings()
    }

    /// What [`Identity::joinings`] said last.
    pub(crate) fn known_joinings(&self) -> u32 {
        self.joinings.load(Ordering::Relaxed)
    }

    /// Completes once this village has joined more often than that.
    pub(crate) async fn joined_since(&self, joinings: u32) {
        while self.joinings() == joinings {
            tokio::time::sleep(JOINED_LOOK_EVERY).await;
        }
    }

    /// Keeps the district's key for backups and sticks; an empty one changes
    /// nothing.
    ///
    /// # Errors
    /// [`IdentityError::Io`].
    pub fn keep_recipient(&self, recipient: &str) -> Result<(), IdentityError> {
        keep_recipient(&self.data, recipient)
    }

    fn membership(&self) -> MutexGuard<'_, Membership> {
        self.membership.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the hub's public port is.
    #[must_use]
    pub fn address(&self) -> String {
        self.membership().address.clone()
    }

    /// The newest moment the district has vouched for.
    #[must_use]
    pub const fn time(&self) -> &TrustedTime {
        &self.time
    }

    /// This node's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The hub's key: it signs what comes on media. `None` when it was not
    /// told.
    #[must_use]
    pub fn hub_key(&self) -> Option<PublicKey> {
        unhex(&self.membership().hub_key).and_then(|key| PublicKey::from_slice(&key))
    }

    /// The village's folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// How to speak TLS to the hub as this node.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn client(&self, alpn: &[u8]) -> Result<Arc<ClientConfig>, IdentityError> {
        let kept = self.membership().clone();
        let read = |text: &String| {
            unhex(text)
                .map(CertificateDer::from)
                .ok_or_else(|| IdentityError::Damaged(membership_file(&self.data)))
        };
        let anchors = kept.anchors.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let shown = Shown { certificate: read(&kept.certificate)?, key: &self.key };
        Ok(Arc::new(tls::node(&anchors, self.time.clone(), shown, alpn)?))
    }
}

/// The bytes behind [`hex`]; `None` for anything else.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    };
    digits.map(byte).collect()
}

/// Bytes as lowercase hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
