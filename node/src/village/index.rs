//! Which index entries a record has.

use bytes::Bytes;
use lumbung_domain::id::{Kind, KindCode};
use lumbung_domain::record::Record;
use lumbung_wire::record as wire;

use crate::barn::IndexKey;

/// NIK → warga; one record only.
pub(super) const NIK: u8 = 1;
/// Family card number → keluarga; one record only.
pub(super) const NO_KK: u8 = 2;
/// Parent record → its children.
pub(super) const PARENT: u8 = 3;

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
        _ => {}
    }
    if let Some(parent) = record.parent() {
        add(PARENT, parent.as_bytes(), false);
    }
    keys
}
