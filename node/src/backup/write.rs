//! Making a backup: written, durable, tried, and only then named.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_identity::Key;
use lumbung_ledger::Position;
use lumbung_media::{BackupReader, BackupWriter, Keys, Passphrase, Protection, SecretKey};
use lumbung_proto::v1;
use lumbung_wire::batch;

use super::restore::{Scratch, rebuild};
use super::{BackupError, Shelf, district_key};
use crate::barn::{Barn, Head};
use crate::stretch::{Stretch, epoch_starts};
use crate::village::Village;

/// Where the trial rebuilds the store.
const TRIAL: &str = "cadangan.uji";

/// A backup that has proven itself.
#[derive(Clone, Debug)]
pub struct Proven {
    /// The file.
    pub path: PathBuf,
    /// Where the log ended, and what it amounts to.
    pub head: Head,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes a backup of the village in `dir` to `out`: a new file, or a folder
/// that gets one. May be called while the village is at work.
///
/// # Errors
/// [`BackupError`]; then there is no file.
pub fn write(
    village: &Village,
    dir: &Path,
    out: &Path,
    passphrase: Option<Passphrase>,
) -> Result<Proven, BackupError> {
    let recipients: Vec<_> = district_key(dir)?.into_iter().collect();
    if recipients.is_empty() && passphrase.is_none() {
        return Err(BackupError::Unprotected);
    }
    let protection = Protection { recipients, passphrase };
    let head = village.barn().head();
    let now = village.clock().now_ms();
    let path = match out.is_dir() {
        true => out.join(Shelf::file_name(village.code(), head.position, now)),
        false => out.to_path_buf(),
    };
    if path.exists() {
        return Err(BackupError::Exists);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".baru");
    let beside = PathBuf::from(beside);
    let node = Key::load_or_create(&dir.join("identity").join("key.pem"))?;
    let proven = write_beside(village, (head, now), &beside, &protection, &node)
        .and_then(|key| prove(village.code(), dir, &beside, &key, head))
        .and_then(|bytes| {
            fs::rename(&beside, &path)?;
            sync_folder_of(&path)?;
            Ok(Proven { path, head, bytes })
        });
    if proven.is_err() {
        // Whether there is such a file depends on how far it came.
        drop(fs::remove_file(&beside));
    }
    proven
}

fn write_beside(
    village: &Village,
    (head, now_ms): (Head, i64),
    beside: &Path,
    protection: &Protection,
    node: &Key,
) -> Result<SecretKey, BackupError> {
    let header = header(village.barn(), village.code(), head, now_ms)?;
    let file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    let mut writer = BackupWriter::begin(file, &header, protection)?;
    let origin = Position::origin(head.position.log_id);
    for batch in Stretch::new(village.barn().clone(), origin, head) {
        writer.batch(&batch?)?;
    }
    let (file, key) = writer.finish(node)?;
    file.sync_all()?;
    // So that the trial reads the disk and not what was kept in memory of it;
    // a file system may decline.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    Ok(key)
}

fn header(
    barn: &Barn,
    village: VillageCode,
    head: Head,
    now_ms: i64,
) -> Result<v1::BackupHeader, BackupError> {
    Ok(v1::BackupHeader {
        village: village.as_u64(),
        head: Some(batch::position_to_wire(head.position)),
        fingerprint: Bytes::copy_from_slice(&head.fingerprint.to_bytes()),
        records: head.records,
        time_ms: now_ms,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        epochs: epoch_starts(barn, head)?,
    })
}

/// The trial: everything is read back, rebuilt and compared.
fn prove(
    village: VillageCode,
    dir: &Path,
    path: &Path,
    key: &SecretKey,
    head: Head,
) -> Result<u64, BackupError> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut reader = BackupReader::open(std::io::BufReader::new(file), bytes, Keys::Secret(key))?;
    if reader.village() != village || reader.head() != head.position {
        return Err(BackupError::Trial("the file says something else"));
    }
    let scratch = Scratch::new(dir.join(TRIAL))?;
    let found = rebuild(&mut reader, scratch.path(), None)?;
    if found != head {
        return Err(BackupError::Trial("the rebuilt village is another"));
    }
    Ok(bytes)
}

/// Makes a new name in the folder of `path` survive a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
