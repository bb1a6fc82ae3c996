//! Keys that seal media: age x25519 pairs, and passphrases that lock one.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::secrecy::{ExposeSecret as _, SecretString};
use age::{scrypt, x25519};

/// scrypt's work for a passphrase: N = 2^16 takes 64 MiB and about a third of
/// a second on a village's PC, and still fits into a Raspberry Pi.
const PASSPHRASE_WORK: u8 = 16;

/// The most work a file may ask for before it is refused: 1 GiB.
const PASSPHRASE_WORK_MAX: u8 = 20;

/// Why a key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file can't be read or written.
    #[error("the key file {path} can't be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The text is no key.
    #[error("{0} holds no age key")]
    NotAKey(String),
}

/// Whom a medium is sealed to.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(pub(crate) x25519::Recipient);

/// Who can open a medium.
#[derive(Clone)]
pub struct SecretKey(pub(crate) x25519::Identity);

/// A passphrase that locks the key of one backup.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey")
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        text.parse().map(Self).map_err(|_| KeyError::NotAKey(text.chars().take(80).collect()))
    }
}

impl PublicKey {
    /// The key in a file, or nothing when there is no such file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Option<Self>, KeyError> {
        match fs::read_to_string(path) {
            Ok(text) => match text.parse() {
                Ok(key) => Ok(Some(key)),
                Err(_) => Err(KeyError::NotAKey(path.display().to_string())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyError::Io { path: path.to_path_buf(), source }),
        }
    }
}

impl SecretKey {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The key that others seal to.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_public())
    }

    /// The key in a file, made now (mode 0600, durable) if there is none.
    /// Two that make it at once end up with the same one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            create(path).map_err(|source| KeyError::Io { path: path.to_path_buf(), source })?;
        }
        Self::load(path)
    }

    /// The key in a file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Io { path: path.to_path_buf(), source };
        let text = SecretString::from(fs::read_to_string(path).map_err(failed)?);
        let key = text.expose_secret().lines().find(|line| line.starts_with("AGE-SECRET-KEY-1"));
        key.and_then(|key| key.trim().parse().ok())
            .map(Self)
            .ok_or_else(|| KeyError::NotAKey(path.display().to_string()))
    }

    /// The key, locked with a passphrase.
    pub(crate) fn lock(&self, passphrase: &Passphrase) -> io::Result<Vec<u8>> {
        let mut recipient = scrypt::Recipient::new(passphrase.0.clone());
        recipient.set_work_factor(PASSPHRASE_WORK);
        let secret = self.0.to_string();
        age::encrypt(&recipient, secret.expose_secret().as_bytes()).map_err(io::Error::other)
    }

    /// The key behind its locked form; `None` when the passphrase is another
    /// or the bytes have changed.
    pub(crate) fn unlock(locked: &[u8], passphrase: &Passphrase) -> Option<Self> {
        let mut identity = scrypt::Identity::new(passphrase.0.clone());
        identity.set_max_work_factor(PASSPHRASE_WORK_MAX);
        let secret = age::decrypt(&identity, locked).ok()?;
        let secret = SecretString::from(String::from_utf8(secret).ok()?);
        secret.expose_secret().parse().ok().map(Self)
    }
}

impl Passphrase {
    /// Fewest characters: long enough that guessing is not worth while at
    /// `PASSPHRASE_WORK`.
    pub const CHARS_MIN: usize = 10;

    /// A passphrase; `None` when it is shorter than [`Self::CHARS_MIN`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        (text.chars().count() >= Self::CHARS_MIN).then(|| Self(SecretString::from(text.to_owned())))
    }

    /// The text, to hand it to another process of the same person.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Writes a new key beside its place and links it there, so that the place
/// never holds half a key and never loses one to another.
fn create(path: &Path) -> io::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut tail = [0; 8];
    getrandom::fill(&mut tail).map_err(io::Error::other)?;
    let beside = dir.join(format!(".{:016x}.baru", u64::from_le_bytes(tail)));
    let key = SecretKey::generate();
    let text = format!("# {}\n", key.public());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.write_all(key.0.to_string().expose_secret().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = fs::hard_link(&beside, path);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity").join("backup.age");
        let first = SecretKey::load_or_create(&path).unwrap();
        let again = SecretKey::load_or_create(&path).unwrap();
        assert_eq!(first.public(), again.public());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        fs::write(&path, "bukan kunci").unwrap();
        assert!(matches!(SecretKey::load_or_create(&path), Err(KeyError::NotAKey(_))));
    }

    #[test]
    fn a_locked_key_opens_with_its_passphrase_only() {
        let key = SecretKey::generate();
        let right = Passphrase::new("sandi desa yang panjang\n").unwrap();
        let wrong = Passphrase::new("sandi desa yang panjang!").unwrap();
        let locked = key.lock(&right).unwrap();
        assert_eq!(SecretKey::unlock(&locked, &right).unwrap().public(), key.public());
        assert!(SecretKey::unlock(&locked, &wrong).is_none());
        assert!(SecretKey::unlock(&locked[..locked.len() - 1], &right).is_none());
        assert!(Passphrase::new("pendek").is_none());
    }

    #[test]
    fn a_public_key_is_read_back_from_what_is_shown() {
        let key = SecretKey::generate().public();
        assert_eq!(format!(" {key}\n").parse::<PublicKey>().unwrap(), key);
        assert!("age1bukan".parse::<PublicKey>().is_err());
    }
}
