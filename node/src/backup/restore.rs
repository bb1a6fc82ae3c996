//! Putting a backup back: rebuilt beside the store, verified, swapped in.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lumbung_domain::region::VillageCode;
use lumbung_identity::Key;
use lumbung_ledger::{Epoch, Seq};
use lumbung_media::{BackupReader, Keys};
use lumbung_telemetry::clock;

use super::BackupError;
use super::swap::{self, Old, Settled, settle_resting};
use crate::barn::{
    Barn, Head, OpenBarnError, Rebuild, Resting, SledStore, Soundness, StoreError, Witness,
};
use crate::village;

/// A store that was closed lets its lock go within this.
const LET_GO_WITHIN: Duration = Duration::from_secs(5);

/// A backup that was put back.
#[derive(Clone, Copy, Debug)]
pub struct Restored {
    /// Where the village stands now.
    pub head: Head,
    /// When the backup was made, the node's wall clock.
    pub time_ms: i64,
    /// The last entry that this machine knows it had; `None` when it knows
    /// nothing of this log.
    pub witnessed: Option<Seq>,
    /// Who vouches for it.
    pub vouched: Vouched,
}

/// Who vouches for a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// This machine has signed it.
    OwnMachine,
    /// Another machine than this one.
    OtherMachine,
    /// Some machine; this one has no key to compare with.
    Unknown,
    /// Nobody: an older version wrote it.
    Nobody,
}

/// Whose backups are put back. Those that nobody signed always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signers {
    /// Those of this machine, once it has a key.
    OwnMachine,
    /// Those of any machine: a person knows where the file comes from.
    AnyMachine,
}

/// Puts the backup in `file` back into `dir`, the folder of a stopped node of
/// `village`. The present store is kept aside.
///
/// # Errors
/// [`BackupError`]; then the present store is in place.
pub fn restore(
    dir: &Path,
    village: VillageCode,
    file: &Path,
    keys: Keys<'_>,
    signers: Signers,
) -> Result<Restored, BackupError> {
    let input = File::open(file)?;
    let length = input.metadata()?.len();
    let mut reader = BackupReader::open(BufReader::new(input), length, keys)?;
    if reader.village() != village {
        return Err(BackupError::OtherVillage(reader.village()));
    }
    // From here on no node starts on this folder.
    let resting = rest(dir)?;
    settle_resting(dir, &resting)?;
    let witnessed = witnessed(dir, &reader)?;
    // Without a witness of this log nobody here knows how far it once went:
    // what is written from now on must not take numbers of that epoch.
    let epoch = witnessed.is_none().then(|| reader.head().epoch.next());
    let new = dir.join(swap::NEW);
    let head = rebuild(&mut reader, &new, epoch)?;
    let vouched = vouched(dir, &reader)?;
    if vouched == Vouched::OtherMachine && signers == Signers::OwnMachine {
        fs::remove_dir_all(&new)?;
        return Err(BackupError::Stranger);
    }
    swap::announce(dir, present(dir))?;
    match settle_resting(dir, &resting)? {
        Some(Settled::Restored) => {
            Ok(Restored { head, time_ms: reader.time_ms(), witnessed, vouched })
        }
        _ => Err(BackupError::Trial("the rebuilt village is gone")),
    }
}

/// Who vouches for a backup that was read to its end. A machine without a key
/// has signed nothing and knows nobody.
fn vouched<R: Read>(dir: &Path, reader: &BackupReader<R>) -> Result<Vouched, BackupError> {
    let Some(signer) = reader.signer() else { return Ok(Vouched::Nobody) };
    let path = dir.join("identity").join("key.pem");
    if !path.exists() {
        return Ok(Vouched::Unknown);
    }
    let own = Key::load(&path)?.public();
    Ok(if own.0 == signer.0 { Vouched::OwnMachine } else { Vouched::OtherMachine })
}

/// What the store is that a backup takes the place of.
fn present(dir: &Path) -> Old {
    let store = dir.join(swap::STORE);
    if !store.exists() {
        return Old::Sound;
    }
    // Its file is copied first: it may be damaged.
    let opened = once_free(|| Ok(SledStore::open(&store)?.0)).map_err(|error| match error {
        BackupError::Barn(error) => OpenBarnError::Store(error),
        _ => OpenBarnError::Busy,
    });
    match opened.and_then(|store| Barn::open_on(Arc::new(store), village::options(None))) {
        Ok(barn) => {
            barn.close();
            Old::Sound
        }
        // Whatever the reason is, what never reached the district may be in it.
        Err(_) => Old::Damaged { at_ms: clock::now_ms() },
    }
}

fn rest(dir: &Path) -> Result<Resting, BackupError> {
    Barn::rest(dir).map_err(|error| match error {
        OpenBarnError::Busy => BackupError::Running,
        error => error.into(),
    })
}

/// What the witness says of the backup's log.
fn witnessed<R: Read>(dir: &Path, reader: &BackupReader<R>) -> Result<Option<Seq>, BackupError> {
    let path = dir.join("witness");
    if !path.exists() {
        return Ok(None);
    }
    let last = Witness::open(&path)?.last();
    Ok(last.filter(|last| last.log_id == reader.head().log_id).map(|last| last.seq))
}

/// Builds a store in `to` from a backup, as a later `epoch` if one is given,
/// opens it and verifies all of it. Gives its head.
pub(super) fn rebuild<R: Read>(
    reader: &mut BackupReader<R>,
    to: &Path,
    epoch: Option<Epoch>,
) -> Result<Head, BackupError> {
    let options = village::options(None);
    let (mut position, mut epochs) = (reader.head(), reader.epochs());
    let mut building = Rebuild::begin(to, position.log_id)?;
    while let Some(batch) = reader.next_batch()? {
        building.append(batch.entries)?;
    }
    if let Some(epoch) = epoch {
        epochs.push((epoch, position.seq));
        position.epoch = epoch;
    }
    let (fingerprint, records) = reader.content();
    let head = Head { position, fingerprint, records };
    building.finish(head, &epochs, options.indexer)?;
    let soundness = verified(to)?;
    if !soundness.faults.is_empty() || soundness.head != head {
        return Err(BackupError::Trial("the rebuilt village is not sound"));
    }
    Ok(soundness.head)
}

/// Opens the store in `dir`, which may have been closed a moment ago, and
/// verifies all of it.
///
/// # Errors
/// [`BackupError::Barn`], [`BackupError::Open`].
pub(crate) fn verified(dir: &Path) -> Result<Soundness, BackupError> {
    let store = once_free(|| SledStore::open_own(dir))?;
    let barn = Barn::open_on(Arc::new(store), village::options(None))?;
    let soundness = barn.verify();
    barn.close();
    Ok(soundness?)
}

/// Opens a store that was just closed here: its lock may be let go a moment
/// later, by whatever thread still held a piece of it.
fn once_free(open: impl Fn() -> Result<SledStore, StoreError>) -> Result<SledStore, BackupError> {
    let begun = Instant::now();
    loop {
        match open() {
            Ok(store) => return Ok(store),
            Err(StoreError::Busy(_)) if begun.elapsed() < LET_GO_WITHIN => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// A folder that is gone when this is.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// The folder itself is left to whoever fills it.
    pub(super) fn new(path: PathBuf) -> std::io::Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays is removed before the next trial.
        drop(fs::remove_dir_all(&self.0));
    }
}
