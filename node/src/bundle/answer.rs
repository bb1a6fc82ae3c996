//! Reading the district's answer: what it has, and what it hands back.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use lumbung_ledger::{Position, Seq};
use lumbung_media::{Answer, MediaError, SecretKey};
use lumbung_proto::v1;
use prost::Message as _;

use super::BundleError;
use crate::barn::Relation;
use crate::identity::Identity;
use crate::village::Village;

/// An answer of the right district to the right village.
#[derive(Debug)]
pub struct Answered {
    /// The last position that is durable at the district, if it lies on this
    /// village's log.
    pub merged: Option<Position>,
    /// The last entry at which both were proven equal.
    pub proven: Seq,
    /// What the district hands back, in order; harmless twice.
    pub parcels: Vec<v1::Parcel>,
}

/// Reads the answer in `path` for the village in `dir`. Changes nothing.
///
/// # Errors
/// [`BundleError`] says why it may not be used.
pub fn read_answer(village: &Village, dir: &Path, path: &Path) -> Result<Answered, BundleError> {
    let key = SecretKey::load_or_create(&dir.join("identity").join("backup.age"))?;
    let district = Identity::load(dir)?.and_then(|identity| identity.hub_key());
    let district = district.ok_or(BundleError::NotJoined)?;
    let file = File::open(path).map_err(MediaError::Io)?;
    let length = file.metadata().map_err(MediaError::Io)?.len();
    let answer = Answer::read(BufReader::new(file), length, &key)?;
    if !answer.is_signed_by(&district) {
        return Err(BundleError::Stranger);
    }
    if answer.village != village.code() {
        return Err(BundleError::OtherVillage(answer.village));
    }
    let parcels = answer.parcels.iter().map(|parcel| v1::Parcel::decode(parcel.clone()));
    let parcels: Vec<_> = parcels.collect::<Result<_, _>>().map_err(|_| BundleError::Parcel)?;
    let merged = match answer.merged {
        Some(merged) if village.barn().relate(merged)? == Relation::Resume => Some(merged),
        _ => None,
    };
    Ok(Answered { merged, proven: Seq(answer.header.proven_seq), parcels })
}
