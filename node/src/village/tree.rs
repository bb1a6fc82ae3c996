//! The village's fingerprint, taken apart: by RT, household, record.
//!
//! What hangs where follows the records' own parents, so a difference reads
//! as words: "RT 003 / RW 002, 2 households differ".

use std::collections::{BTreeMap, HashMap};

use lumbung_domain::id::{Kind, RecordId};
use lumbung_ledger::Fingerprint;

use super::decoded;
use crate::barn::Stored;

/// The sum of one part of the village.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Sum over its records.
    pub fingerprint: Fingerprint,
    /// Its records.
    pub records: u64,
}

/// The parts below `parent`: RTs below the village (`None`), households below
/// an RT, records below anything else. Records that hang under no such place
/// are summed under `None`.
#[must_use]
pub fn parts(living: &[Stored], parent: Option<RecordId>) -> BTreeMap<Option<RecordId>, Part> {
    let mut kinds = HashMap::new();
    let mut parents = HashMap::new();
    for stored in living {
        let header = &stored.entry.header;
        kinds.insert(header.id, Kind::from_code(header.kind));
        if let Some((id, record)) = decoded(stored) {
            parents.extend(record.parent().map(|parent| (id, parent)));
        }
    }
    let kind = |id: &RecordId| kinds.get(id).copied().flatten();
    let mut parts = BTreeMap::new();
    for stored in living {
        let id = stored.entry.header.id;
        let path = path(id, &parents);
        let within = parent.is_none_or(|parent| path.contains(&parent));
        if !within {
            continue;
        }
        let level = match parent.as_ref().and_then(kind) {
            None if parent.is_none() => path.iter().find(|id| kind(id) == Some(Kind::Rt)),
            Some(Kind::Rt) => path.iter().find(|id| kind(id) == Some(Kind::RumahTangga)),
            _ => Some(&id),
        };
        let part: &mut Part = parts.entry(level.copied()).or_default();
        part.records += 1;
        if let Some(hash) = stored.entry.content_hash() {
            part.fingerprint += hash;
        }
    }
    parts
}

/// The record and everything it hangs under, nearest first.
fn path(id: RecordId, parents: &HashMap<RecordId, RecordId>) -> Vec<RecordId> {
    /// mutasi, warga, keluarga, rumah tangga, RT, RW, dusun.
    const LEVELS_MAX: usize = 8;
    let up = |id: &RecordId| parents.get(id).copied();
    std::iter::successors(Some(id), up).take(LEVELS_MAX).collect()
}
