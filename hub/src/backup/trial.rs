//! Reading a backup back: unpacked into a scratch folder, proven, opened,
//! checked by SQLite and counted.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::BufReader;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lumbung_identity::PublicKey as IdentityKey;
use lumbung_media::{HubBackupReader, Keys, MediaError, SecretKey};
use lumbung_proto::v1;

use super::{DATASET, HubBackupError, is_of_a_hub};
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::{Dataset as _, DatasetError};

/// A private folder that is gone when this is.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(path: PathBuf) -> std::io::Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed before the next one.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// What a dataset amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) villages: u32,
    pub(super) records: u64,
    pub(super) warga: u64,
}

impl Counts {
    /// Opens the dataset in `file`, which must be sound, and counts.
    pub(super) fn of(file: &Path) -> Result<Self, DatasetError> {
        let dataset = SqliteDataset::open(file)?;
        dataset.check_file()?;
        let villages = u32::try_from(dataset.villages()?.len()).unwrap_or(u32::MAX);
        let totals = dataset.totals(&dataset.whole())?;
        Ok(Self { villages, records: totals.records, warga: totals.warga })
    }
}

/// What a backup holds and who vouches for it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it holds.
    pub header: v1::HubBackupHeader,
    /// The hub's key that signed it.
    pub signer: IdentityKey,
}

/// Proves all of a backup without writing anything.
///
/// # Errors
/// [`HubBackupError`].
pub fn show(file: &Path, keys: Keys<'_>) -> Result<Shown, HubBackupError> {
    let reader = open(file, keys)?;
    let header = reader.header().clone();
    let signer = reader.unpack(|_| Ok(std::io::sink()))?;
    Ok(Shown { header, signer })
}

fn open(file: &Path, keys: Keys<'_>) -> Result<HubBackupReader<BufReader<File>>, HubBackupError> {
    let input = File::open(file)?;
    let length = input.metadata()?.len();
    Ok(HubBackupReader::open(BufReader::new(input), length, keys)?)
}

/// Unpacks a backup into `folder`, each file durable.
pub(super) fn unpack(file: &Path, keys: Keys<'_>, folder: &Path) -> Result<Shown, HubBackupError> {
    let reader = open(file, keys)?;
    let header = reader.header().clone();
    if !header.files.iter().all(|file| is_of_a_hub(&file.name)) {
        return Err(HubBackupError::StrangeFile);
    }
    DirBuilder::new().mode(0o700).create(folder.join("identity"))?;
    let place = |name: &str| {
        let path = folder.join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        file.map_err(MediaError::Io)
    };
    let signer = reader.unpack(place)?;
    for file in &header.files {
        File::open(folder.join(&file.name))?.sync_all()?;
    }
    File::open(folder.join("identity"))?.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(Shown { header, signer })
}

/// Holds an unpacked backup against what it says it holds.
pub(super) fn sound(folder: &Path, header: &v1::HubBackupHeader) -> Result<(), HubBackupError> {
    let found = Counts::of(&folder.join(DATASET))?;
    let told = Counts { villages: header.villages, records: header.records, warga: header.warga };
    // The book of erasures may be newer than the dataset and erase more.
    let fits = found.villages == told.villages
        && found.records <= told.records
        && found.warga <= told.warga;
    if fits { Ok(()) } else { Err(HubBackupError::Trial("the dataset in it is another")) }
}

/// The trial of a backup that was just written.
pub(super) fn run(
    file: &Path,
    key: &SecretKey,
    header: &v1::HubBackupHeader,
    scratch: &Scratch,
) -> Result<(), HubBackupError> {
    let shown = unpack(file, Keys::Secret(key), scratch.path())?;
    if shown.header != *header {
        return Err(HubBackupError::Trial("the file says something else"));
    }
    sound(scratch.path(), header)
}
