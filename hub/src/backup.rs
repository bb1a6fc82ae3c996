//! Backups of the hub: the dataset, the book of erasures and the district's
//! own keys in one sealed file (see the media crate).
//!
//! Made while the hub works: the dataset is copied as of one moment, without
//! what lies in its unused space. A backup gets its name only after it was
//! read back from the disk and its dataset was opened, checked and counted.
//! Putting one back is [`restore`]; villages then find that the hub stands
//! where it stood, and send again what came after (see `puller`).
//!
//! Does not: keep backups anywhere, or delete old ones.

mod restore;
mod trial;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use lumbung_identity::{Authority, AuthorityError, write_private};
use lumbung_media::{HubBackupWriter, MediaError, Protection};
use lumbung_proto::v1;
use lumbung_telemetry::clock;

use crate::dataset::DatasetError;
use crate::dataset::sqlite::{SqliteDataset, erasures_file};
use crate::serve::{dataset_file, identity_folder};

pub use restore::{Restored, Signers, restore, set_aside, unfinished};
use trial::Scratch;
pub use trial::{Shown, show};

/// Where a backup is put together and tried, in the hub's folder.
const SCRATCH: &str = "cadangan.baru";

/// The file that says when a backup last succeeded.
const LAST: &str = "cadangan-terakhir";

/// Names in a backup.
const DATASET: &str = "hub.db";
const LEDGER: &str = "erasures";
const IDENTITY: &str = "identity/";

/// Why a backup could not be made, read or put back. The hub's data is as it
/// was.
#[derive(Debug, thiserror::Error)]
pub enum HubBackupError {
    /// Nothing would protect the file.
    #[error("neither a key nor a passphrase protects the backup")]
    Unprotected,
    /// There is a file with this name.
    #[error("there is a file with this name already")]
    Exists,
    /// The file can't be written or read, or is not what it should be.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// The dataset can't be read or copied.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The district's keys can't be read.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The hub's own key can't be read.
    #[error(transparent)]
    Key(#[from] lumbung_identity::KeyError),
    /// What came back is not what was backed up.
    #[error("the trial failed: {0}")]
    Trial(&'static str),
    /// A file in it is none of a hub.
    #[error("a file of this backup is none of a hub")]
    StrangeFile,
    /// The hub runs on this folder.
    #[error("the hub is running")]
    Running,
    /// Another district's hub made it.
    #[error("another hub has signed the backup")]
    Stranger,
    /// The disk refuses.
    #[error("the disk refuses")]
    Io(#[from] std::io::Error),
}

/// A backup that has proven itself.
#[derive(Clone, Debug)]
pub struct Made {
    /// The file.
    pub path: PathBuf,
    /// Its size, bytes.
    pub bytes: u64,
    /// What it holds.
    pub header: v1::HubBackupHeader,
}

/// Makes a backup of the hub in `data` at `out`, which must not exist.
///
/// # Errors
/// [`HubBackupError`]; then there is no file.
pub fn create(
    data: &Path,
    dataset: &SqliteDataset,
    out: &Path,
    protection: &Protection,
) -> Result<Made, HubBackupError> {
    if protection.recipients.is_empty() && protection.passphrase.is_none() {
        return Err(HubBackupError::Unprotected);
    }
    if out.exists() {
        return Err(HubBackupError::Exists);
    }
    let authority = Authority::open(&identity_folder(data), clock::now_ms())?;
    let scratch = Scratch::new(data.join(SCRATCH))?;
    let header = gather(data, dataset, &scratch)?;
    let mut beside = out.as_os_str().to_owned();
    beside.push(".baru");
    let beside = PathBuf::from(beside);
    let packed = pack(&header, &scratch, &beside, protection, authority.hub_key());
    // The disk need not hold the copy and the trial at once.
    drop(scratch);
    let made = packed.and_then(|(bytes, key)| {
        trial::run(&beside, &key, &header, &Scratch::new(data.join(SCRATCH))?)?;
        fs::rename(&beside, out)?;
        sync_folder_of(out)?;
        Ok(Made { path: out.to_owned(), bytes, header })
    });
    match &made {
        Ok(made) => note_last(data, made.header.time_ms)?,
        // Whether there is such a file depends on how far it came.
        Err(_) => drop(fs::remove_file(&beside)),
    }
    made
}

/// Copies what a backup holds, as of now, into the scratch folder.
fn gather(
    data: &Path,
    dataset: &SqliteDataset,
    scratch: &Scratch,
) -> Result<v1::HubBackupHeader, HubBackupError> {
    let time_ms = clock::now_ms();
    let copy = scratch.path().join(DATASET);
    dataset.copy_to(&copy)?;
    // Opening the copy may write into it: before its hash is taken.
    let trial::Counts { villages, records, warga } = trial::Counts::of(&copy)?;
    let mut names = vec![DATASET.to_owned()];
    // After the dataset: what is erased stands in the book before it goes.
    let ledger = erasures_file(&dataset_file(data));
    if ledger.exists() {
        fs::copy(&ledger, scratch.path().join(LEDGER))?;
        names.push(LEDGER.to_owned());
    }
    fs::create_dir(scratch.path().join("identity"))?;
    for item in fs::read_dir(identity_folder(data))? {
        let item = item?;
        let name = format!("{IDENTITY}{}", item.file_name().to_string_lossy());
        if item.file_type()?.is_file() && is_of_a_hub(&name) {
            fs::copy(item.path(), scratch.path().join(&name))?;
            names.push(name);
        }
    }
    names[1..].sort_unstable();
    let described = names.into_iter().map(|name| describe(scratch.path(), name));
    let files = described.collect::<Result<_, _>>()?;
    let software = env!("CARGO_PKG_VERSION").to_owned();
    Ok(v1::HubBackupHeader { time_ms, software, villages, records, warga, files })
}

fn describe(folder: &Path, name: String) -> Result<v1::HubBackupFile, HubBackupError> {
    let file = File::open(folder.join(&name))?;
    let bytes = file.metadata()?.len();
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    let hash = hasher.finalize().as_bytes().to_vec().into();
    Ok(v1::HubBackupFile { name, bytes, hash })
}

/// Writes the backup and makes it durable; its size, and the key of its trial.
fn pack(
    header: &v1::HubBackupHeader,
    scratch: &Scratch,
    beside: &Path,
    protection: &Protection,
    hub: &lumbung_identity::Key,
) -> Result<(u64, lumbung_media::SecretKey), HubBackupError> {
    let out =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    let mut writer = HubBackupWriter::begin(out, header, protection)?;
    for file in &header.files {
        writer.file(File::open(scratch.path().join(&file.name))?)?;
    }
    let (out, key) = writer.finish(hub)?;
    out.sync_all()?;
    // So that the trial reads the disk and not what was kept in memory of it;
    // a file system may decline.
    let _ = rustix::fs::fadvise(&out, 0, None, rustix::fs::Advice::DontNeed);
    Ok((out.metadata()?.len(), key))
}

/// Whether a name in a backup is one that a hub has.
fn is_of_a_hub(name: &str) -> bool {
    let plain = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(fits)
    };
    name == DATASET || name == LEDGER || name.strip_prefix(IDENTITY).is_some_and(plain)
}

fn note_last(data: &Path, at_ms: i64) -> Result<(), HubBackupError> {
    Ok(write_private(&data.join(LAST), format!("{at_ms}\n").as_bytes())?)
}

/// When a backup of this hub last succeeded, hub clock, Unix milliseconds.
#[must_use]
pub fn last_ms(data: &Path) -> Option<i64> {
    fs::read_to_string(data.join(LAST)).ok()?.trim().parse().ok()
}

/// Makes a new name in the folder of `path` survive a power cut.
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests;
