//! Reading the district's answer: what it has, and what it hands back.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use lumbung_ledger::{Position, Seq};
use lumbung_media::{Answer, MediaError, SecretKey};
use lumbung_proto::v1;
use lumbung_wire::batch;
use prost::Message as _;

use super::BundleError;
use crate::barn::Relation;
use crate::identity::Identity;
use crate::village::Village;

/// An answer of the right district to the right village.
#[derive(Debug)]
pub struct Answered {
    /// Where the district stands.
    pub standing: Standing,
    /// The last entry at which both were proven equal.
    pub proven: Seq,
    /// What the district hands over, in order; harmless twice. Lost records are
    /// left out where the district does not stand on this log: how much they have in
    /// common with it is known once the district has heard of it, and hands them
    /// back again.
    pub parcels: Vec<v1::Parcel>,
    /// The district asks for a bundle from the first entry.
    pub wants_whole: bool,
    /// When damaged stores were set aside that may be removed now.
    pub damaged_may_go_ms: Vec<i64>,
}

/// How the district's position lies to this village's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The district has nothing, or only of another log.
    Elsewhere,
    /// On the log: everything up to here is durable there.
    On(Position),
    /// On a history that this log has left. Both go on from the newest of
    /// `marks` that lies on it, once the log is restarted.
    Parted {
        /// Where the district stands.
        position: Position,
        /// Where it stood before.
        marks: Vec<Position>,
    },
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
    let mut parcels: Vec<_> = parcels.collect::<Result<_, _>>().map_err(|_| BundleError::Parcel)?;
    let standing = match answer.merged {
        None => Standing::Elsewhere,
        Some(position) => match village.barn().relate(position)? {
            Relation::Resume => Standing::On(position),
            Relation::OtherLog => Standing::Elsewhere,
            Relation::Ahead | Relation::Forked => {
                let marks = answer.header.marks.iter().map(batch::position_from_wire);
                let marks = marks
                    .collect::<Option<Vec<_>>>()
                    .ok_or(MediaError::Damaged("a mark can't be read"))?;
                Standing::Parted { position, marks }
            }
        },
    };
    if !matches!(standing, Standing::On(_)) {
        parcels.retain(|parcel| !matches!(parcel.kind, Some(v1::parcel::Kind::LostRecord(_))));
    }
    let wants_whole = answer.header.wants_whole;
    let damaged_may_go_ms = answer.header.damaged_may_go_ms.clone();
    let proven = Seq(answer.header.proven_seq);
    Ok(Answered { standing, proven, parcels, wants_whole, damaged_may_go_ms })
}
