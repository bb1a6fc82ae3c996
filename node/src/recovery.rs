//! A damaged store gives way to what the district holds.
//!
//! The new store is built of the district's records in a folder of its own,
//! proven equal, and swapped in as a restore is; the damaged one is set aside
//! under a name with the time and stays until the district says that it may go:
//! what had not reached the district may still be in it. A kill at any moment leaves the
//! damaged store or the new one. Keys, settings, the ledger of erasures,
//! visits and backups stay as they are. The new log names the old one's
//! position, so the district takes it for what it is.
//!
//! Nothing is done by itself where a person could lose by it: when the
//! district holds nothing, or a backup on this machine is newer.

mod returning;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{LogId, Position, Seq};
use lumbung_link::world;

use crate::backup::{self, BackupError, Kept, Shelf};
use crate::barn::{Barn, Loss, Losses, OpenBarnError, Replaced, Resting, Witness};
use crate::identity::{Identity, IdentityError};

pub use returning::{Held, Patience, ReturnError, Returned, Returning};

/// Where the new store is built; nobody misses it.
const BUILDING: &str = "bangun-ulang";

/// How long a line is taken up again on which nothing comes, while somebody
/// waits for it.
pub const SOMEBODY_WAITS: Duration = Duration::from_secs(10 * 60);

/// Whether a person has said that what the district holds is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Nobody was asked.
    None,
    /// Somebody has.
    Given,
}

/// Why the damaged store is still in place, as it was.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The node has not joined the district: nobody holds its data.
    #[error("the node has not joined a district")]
    NotJoined,
    /// The district holds nothing of this village.
    #[error("the district holds nothing of this village")]
    NothingHeld,
    /// A backup on this machine has entries that the district lacks.
    #[error("a backup on this machine is newer than what the district holds")]
    BackupIsNewer(Kept),
    /// Another process works on the folder.
    #[error("another process works on the folder")]
    Running,
    /// The records did not come back.
    #[error(transparent)]
    Returning(#[from] ReturnError),
    /// This node's certificate can't be read.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The new store is not sound.
    #[error("the new store is not sound")]
    Unsound,
    /// The disk refuses.
    #[error("the disk refuses")]
    Io(#[from] io::Error),
}

/// A village that came back.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// What the district held.
    pub held: Held,
    /// Records of a closed log that gave way to others; the district keeps
    /// them.
    pub left_out: u64,
    /// The district's own rows are not what was proven once.
    pub doubtful: bool,
    /// The last entry this machine is known to have had beyond that.
    pub unsent: Option<Seq>,
    /// Where the damaged store lies.
    pub aside: PathBuf,
}

/// Sets the damaged store in `dir` aside and puts one in its place that is
/// made of what the district holds of `village`.
///
/// # Errors
/// [`RecoverError`].
pub async fn recover(
    dir: &Path,
    village: VillageCode,
    consent: Consent,
) -> Result<Recovered, RecoverError> {
    let identity = Identity::load(dir)?.ok_or(RecoverError::NotJoined)?;
    let folder = dir.to_path_buf();
    // From here on no other process opens the village.
    let resting = blocking(move || rest(&folder)).await?;
    let returning = Returning::begin(&identity).await?;
    let held = returning.held();
    let last = witnessed(dir, held.position.map(|position| position.log_id))?;
    if consent == Consent::None {
        let nothing_lost = matches!(last, Some((_, Seq::ZERO)));
        if held.records == 0 && !nothing_lost {
            return Err(RecoverError::NothingHeld);
        }
        if let Some(newer) = newer_backup(dir, held)? {
            return Err(RecoverError::BackupIsNewer(newer));
        }
    }
    let building = dir.join(BUILDING);
    remove(&building)?;
    let patience = match consent {
        Consent::None => Patience::Endless,
        Consent::Given => Patience::Limited(SOMEBODY_WAITS),
    };
    let returned = returning.build(&building, village, patience, |_| {}).await?;
    let Returned { village: built, left_out, doubtful } = returned;
    let now_ms = built.clock().now_ms();
    let reached = held.position.map(|position| (position.epoch, position.seq));
    let whole = last.is_some_and(|last| Some(last) <= reached);
    let last_seq = last.map_or(Seq::ZERO, |(_, seq)| seq);
    let replaced = Replaced { at_ms: now_ms, last: last_seq, whole };
    built.barn().set_replaced(replaced).map_err(ReturnError::Store)?;
    let unsent = last.filter(|last| Some(*last) > reached).map(|(_, seq)| seq);
    if let Some(witnessed) = unsent {
        let kept = reached.map_or(Seq::ZERO, |(_, seq)| seq);
        let loss = Loss { kept, witnessed, confirmed: Seq::ZERO, at_ms: now_ms };
        Losses::open(dir)?.note(loss)?;
    }
    let folder = dir.to_path_buf();
    let aside = blocking(move || {
        built.close();
        install(&folder, &resting, now_ms)
    });
    let aside = aside.await?;
    Ok(Recovered { held, left_out, doubtful, unsent, aside })
}

/// Removes what a recovery that was cut off left in `dir`. Nobody may be at
/// one: to be called by whoever has the village open.
///
/// # Errors
/// When the disk refuses.
pub fn forget_remains(dir: &Path) -> io::Result<()> {
    remove(&dir.join(BUILDING))
}

fn rest(dir: &Path) -> Result<Resting, RecoverError> {
    Barn::rest(dir).map_err(|error| match error {
        OpenBarnError::Busy => RecoverError::Running,
        error => ReturnError::Open(error).into(),
    })
}

/// Verifies what was built and swaps it in.
fn install(dir: &Path, resting: &Resting, now_ms: i64) -> Result<PathBuf, RecoverError> {
    let building = dir.join(BUILDING);
    let store = building.join("store");
    let soundness = backup::verified(&store).map_err(|error| match error {
        BackupError::Barn(error) => ReturnError::Store(error).into(),
        BackupError::Open(error) => ReturnError::Open(error).into(),
        _ => RecoverError::Unsound,
    })?;
    if !soundness.faults.is_empty() {
        return Err(RecoverError::Unsound);
    }
    let aside = backup::replace_damaged(dir, &store, resting, now_ms)?;
    // Left behind it is of no use and no harm; see `forget_remains`.
    drop(remove(&building));
    Ok(aside)
}

/// Epoch and number of the last entry this machine knows it had of a log.
fn witnessed(dir: &Path, log: Option<LogId>) -> io::Result<Option<(lumbung_ledger::Epoch, Seq)>> {
    let path = dir.join("witness");
    if !path.exists() {
        return Ok(None);
    }
    let last = Witness::open(&path)?.last().filter(|last| log.is_none_or(|log| log == last.log_id));
    Ok(last.map(|last| (last.epoch, last.seq)))
}

/// A backup that goes beyond what the district holds. One that was made
/// before the district's last contact is of a log that is no more, or of
/// entries that the district has taken since.
fn newer_backup(dir: &Path, held: Held) -> io::Result<Option<Kept>> {
    let reached = held.position.map(|Position { epoch, seq, .. }| (epoch, seq));
    let mut kept = Shelf::of(dir).list()?.into_iter();
    Ok(kept.find(|kept| Some(kept.at) > reached && kept.at_ms > held.last_contact_ms))
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RecoverError> + Send + 'static,
) -> Result<T, RecoverError> {
    let stopping = |_| RecoverError::Io(io::ErrorKind::Interrupted.into());
    world::blocking(work).await.map_err(stopping)?
}
