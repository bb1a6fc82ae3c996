//! Which index entries a record has.

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode, RecordId};
use lumbung_domain::record::Record;
use lumbung_wire::record as wire;

use super::census::{name_key, number_key};
use crate::barn::IndexKey;

/// Which set of indexes this version keeps. It rises whenever [`keys`] says
/// something new of records that are stored already.
pub(super) const VERSION: u32 = 2;

/// NIK → warga; one record only.
pub(crate) const NIK: u8 = 1;
/// Family card number → keluarga; one record only.
pub(crate) const NO_KK: u8 = 2;
/// Parent record → its children.
pub(super) const PARENT: u8 = 3;
/// Number below its RW or dusun → RT; one record only.
pub(crate) const RT: u8 = 4;
/// Name in its RT → dasawisma; one record only.
pub(crate) const DASAWISMA: u8 = 5;
/// Dasawisma → its houses.
pub(super) const DASAWISMA_HOUSE: u8 = 6;

pub(super) fn keys(kind: KindCode, content: &Bytes) -> Vec<IndexKey> {
    let decoded = Kind::from_code(kind).map(|kind| wire::decode(kind, content));
    let Some(Ok(record)) = decoded else { return Vec::new() };
    let mut keys = Vec::with_capacity(2);
    let mut add = |index, key: &[u8], unique| {
        keys.push(IndexKey { index, key: key.to_vec(), unique });
    };
    match &record {
        Record::Warga(warga) => {
            if let Some(nik) = warga.nik {
                add(NIK, &nik.as_u64().to_be_bytes(), true);
            }
        }
        Record::Keluarga(family) => {
            if let Some(no_kk) = family.no_kk {
                add(NO_KK, &no_kk.as_u64().to_be_bytes(), true);
            }
        }
        // What has ended leaves its number to what follows it.
        Record::Rt(rt) if rt.aktif.sampai.is_none() => {
            add(RT, &named(record.parent(), &number_key(&rt.nomor)), true);
        }
        Record::Dasawisma(group) if group.aktif => {
            add(DASAWISMA, &named(record.parent(), &name_key(&group.nama)), true);
        }
        Record::RumahTangga(house) => {
            if let Some(group) = house.dasawisma_id {
                add(DASAWISMA_HOUSE, group.as_bytes(), false);
            }
        }
        _ => {}
    }
    if let Some(parent) = record.parent() {
        add(PARENT, parent.as_bytes(), false);
    }
    keys
}

/// A name below a parent in a fixed length, as keys of an index have.
fn named(parent: Option<RecordId>, name: &str) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(parent.unwrap_or_default().as_bytes()).update(name.as_bytes());
    let mut key = [0; 16];
    hasher.finalize_xof().fill(&mut key);
    key
}
