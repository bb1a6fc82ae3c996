//! Writing the district's answer for a village: what the hub has durably, and
//! what it hands back.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lumbung_domain::region::VillageCode;
use lumbung_identity::Key;
use lumbung_ledger::Position;
use lumbung_media::{MediaError, PublicKey, write_answer};
use lumbung_proto::v1;
use lumbung_telemetry::clock;
use lumbung_wire::batch;
use prost::Message as _;

use crate::dataset::notices::Addressee;
use crate::dataset::{DatasetError, HubsOwn, VillageState};
use crate::puller::hand_back::parcel;
use crate::puller::noticing::notice_parcel;
use crate::puller::trouble::Trouble;

/// Why an answer could not be written. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The village has never sent a bundle: its key is not known.
    #[error("no key of the village is known to seal to")]
    NoKey,
    /// There is a file with this name.
    #[error("there is a file with this name already")]
    Exists,
    /// The file can't be written.
    #[error(transparent)]
    Medium(#[from] MediaError),
}

/// Versions that are read at once.
pub(super) const VERSIONS_TOGETHER: u32 = 500;

/// What an answer tells a village besides where the hub stands.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// What waits to be handed to it, in order, each safe to take twice.
    pub parcels: Vec<Bytes>,
    /// How many of them are notices; they come last.
    pub notices: usize,
    /// Where the hub stood before in its log, newest first.
    pub marks: Vec<Position>,
    /// When damaged stores were set aside there that may be removed now.
    pub damaged_may_go_ms: Vec<i64>,
}

/// Reads what waits for a village.
///
/// # Errors
/// [`DatasetError`].
pub fn waiting(village: VillageCode, dataset: &dyn HubsOwn) -> Result<Waiting, DatasetError> {
    let marks = dataset.marks(village)?;
    let damaged = dataset.damaged_stores(village)?.into_iter().filter(|store| store.may_go);
    let damaged_may_go_ms = damaged.map(|store| store.at_ms).collect();
    let mut waiting = Waiting { marks, damaged_may_go_ms, ..Waiting::default() };
    let mut after = None;
    loop {
        let versions = dataset.undelivered(&dataset.whole(), village, after, VERSIONS_TOGETHER)?;
        let Some(last) = versions.last() else { break };
        after = Some((last.epoch, last.seq, last.number));
        let parcels =
            versions.iter().map(|version| parcel(version, version.fork).encode_to_vec().into());
        waiting.parcels.extend(parcels);
    }
    let position = dataset.village(village)?.position;
    let log = position.map(|position| (position.log_id, position.epoch));
    let to = Addressee { village, log, software: "" };
    // A stick has room for every notice in force.
    let due = dataset.due_notices(to, 0, clock::today(), u32::MAX)?;
    waiting.notices = due.len();
    let parcels = due.iter().map(|due| notice_parcel(village, due).encode_to_vec().into());
    waiting.parcels.extend(parcels);
    Ok(waiting)
}

/// Writes the answer for `state`'s village to `out`: a new file, or a folder
/// that gets one. Durable when it returns.
///
/// # Errors
/// [`AnswerError`].
pub fn answer(
    state: &VillageState,
    waiting: &Waiting,
    key: &Key,
    out: &Path,
) -> Result<PathBuf, AnswerError> {
    let to: PublicKey = state.answer_to.parse().map_err(|_| AnswerError::NoKey)?;
    let seq = state.position.map_or(0, |position| position.seq.0);
    let path = match out.is_dir() {
        true => out.join(format!("lumbung-{}-{seq}.jawaban", state.village.compact())),
        false => out.to_path_buf(),
    };
    if path.exists() {
        return Err(AnswerError::Exists);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".baru");
    let beside = PathBuf::from(beside);
    let header = v1::AnswerHeader {
        village: state.village.as_u64(),
        merged: state.position.map(batch::position_to_wire),
        proven_seq: state.proven_seq.0,
        fingerprint: Bytes::copy_from_slice(&state.fingerprint.to_bytes()),
        records: state.records,
        time_ms: clock::now_ms(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        marks: waiting.marks.iter().copied().map(batch::position_to_wire).collect(),
        wants_whole: state.trouble == Trouble::Differs.code(),
        damaged_may_go_ms: waiting.damaged_may_go_ms.clone(),
    };
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
    let written = file
        .map_err(MediaError::Io)
        .and_then(|file| write_answer(file, &header, &waiting.parcels, to, key))
        .and_then(|file| name(&file, &beside, &path).map_err(MediaError::Io));
    match written {
        Ok(()) => Ok(path),
        Err(error) => {
            // Whether there is such a file depends on how far it came.
            drop(fs::remove_file(&beside));
            Err(error.into())
        }
    }
}

/// Gives a complete file its name, durably.
fn name(file: &File, beside: &Path, path: &Path) -> std::io::Result<()> {
    file.sync_all()?;
    fs::rename(beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
