//! Writing a bundle: complete and durable before it gets its name.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use lumbung_identity::Key;
use lumbung_ledger::{Position, Seq};
use lumbung_media::{BundleWriter, PublicKey, SecretKey};
use lumbung_proto::v1;
use lumbung_wire::batch;

use super::BundleError;
use super::returned;
use super::sums::{self, Told};
use crate::backup::{district_key, sync_folder_of};
use crate::barn::{Head, Replaced};
use crate::stretch::{Stretch, epoch_starts};
use crate::village::Village;

/// A bundle that lies on its medium.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// The entry before its first.
    pub after: Seq,
    /// Its last entry.
    pub to: Seq,
    /// Its number among this node's bundles.
    pub number: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// Writes what comes after entry `after` of the village in `dir` to `out`: a
/// new file, or a folder that gets one. A bundle without entries still proves
/// to the district that it has everything.
///
/// # Errors
/// [`BundleError`]; then there is no file.
pub fn export(
    village: &Village,
    dir: &Path,
    out: &Path,
    after: Seq,
) -> Result<Exported, BundleError> {
    let to = district_key(dir)?.ok_or(BundleError::NotJoined)?;
    let key = Key::load_or_create(&dir.join("identity").join("key.pem"))?;
    let told = sums::told(village.barn())?;
    let head = told.head;
    let beyond = BundleError::Beyond { last: head.position.seq };
    let from = village.barn().position_at(after)?.ok_or(beyond)?;
    let code = village.code().compact();
    let path_of = |number| match out.is_dir() {
        true => out.join(format!("lumbung-{code}-{number:06}.bundel")),
        false => out.to_path_buf(),
    };
    let number = next_number(dir, |number| out.is_dir() && path_of(number).exists())?;
    let path = path_of(number);
    if path.exists() {
        return Err(BundleError::Exists);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".baru");
    let beside = PathBuf::from(beside);
    let header = header(village, dir, from, head, number)?;
    let content = Content { from, returned: told_back(village, dir, &told)?, told };
    let written = write(village, &beside, &header, content, to, &key).and_then(|bytes| {
        fs::rename(&beside, &path)?;
        sync_folder_of(&path)?;
        Ok(bytes)
    });
    match written {
        Ok(bytes) => Ok(Exported { path, after, to: head.position.seq, number, bytes }),
        Err(error) => {
            // Whether there is such a file depends on how far it came.
            drop(fs::remove_file(&beside));
            Err(error)
        }
    }
}

fn header(
    village: &Village,
    dir: &Path,
    from: Position,
    head: Head,
    number: u64,
) -> Result<v1::BundleHeader, BundleError> {
    let own = SecretKey::load_or_create(&dir.join("identity").join("backup.age"))?;
    let (predecessor, replaced) = (village.predecessor()?, village.barn().replaced()?);
    Ok(v1::BundleHeader {
        village: village.code().as_u64(),
        from: Some(batch::position_to_wire(from)),
        to: Some(batch::position_to_wire(head.position)),
        fingerprint: Bytes::copy_from_slice(&head.fingerprint.to_bytes()),
        records: head.records,
        number,
        time_ms: village.clock().now_ms(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        epochs: epoch_starts(village.barn(), head)?,
        answer_to: own.public().to_string(),
        predecessor: predecessor.map(batch::position_to_wire),
        replaced: replaced.map(replaced_to_wire),
    })
}

/// The wire form of what a barn remembers of a damaged store.
#[must_use]
pub fn replaced_to_wire(replaced: Replaced) -> v1::Replaced {
    let Replaced { at_ms, last, whole } = replaced;
    v1::Replaced { at_ms, last_seq: last.0, whole }
}

/// What a bundle holds besides its header.
struct Content {
    from: Position,
    told: Told,
    returned: Vec<v1::Returned>,
}

/// What became of the last answer; nothing of a log that does not prove itself.
fn told_back(village: &Village, dir: &Path, told: &Told) -> Result<Vec<v1::Returned>, BundleError> {
    if told.broken_at != 0 {
        return Ok(Vec::new());
    }
    Ok(returned::told(village.barn(), returned::kept(dir), told.head.position.seq)?)
}

fn write(
    village: &Village,
    beside: &Path,
    header: &v1::BundleHeader,
    Content { from, told, returned }: Content,
    to: PublicKey,
    key: &Key,
) -> Result<u64, BundleError> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(beside)?;
    let mut writer = BundleWriter::begin(file, header, to)?;
    for batch in Stretch::new(village.barn().clone(), from, told.head) {
        writer.batch(&batch?)?;
    }
    for receipt in returned::within_frames(returned) {
        writer.receipt(&receipt)?;
    }
    let end = v1::BundleEnd {
        position: header.to.clone(),
        fingerprint: header.fingerprint.clone(),
        records: header.records,
        sums: told.sums,
        broken_at: told.broken_at,
    };
    let file = writer.finish(&end, key)?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

/// Counts this node's bundles. The number only helps people to tell sticks
/// apart; positions decide what is in them. A disk that was put back counts
/// on from an old number: those on the stick are passed over.
fn next_number(dir: &Path, is_taken: impl Fn(u64) -> bool) -> Result<u64, BundleError> {
    let path = dir.join("bundel.nomor");
    let last = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let mut number = last.unwrap_or(0) + 1;
    while is_taken(number) {
        number += 1;
    }
    lumbung_identity::write_private(&path, format!("{number}\n").as_bytes())?;
    Ok(number)
}
