//! The barn's key space: one letter, then big-endian parts.
//!
//! | key | value |
//! |---|---|
//! | `M` name | facts about the barn itself |
//! | `A` day | the last entry the district had confirmed on that day |
//! | `E` epoch | seq after which that epoch begins |
//! | `L` first seq | chain before it (16 bytes), then a block of entries |
//! | `P` id | a paper: bytes of the district, see `papers` |
//! | `S` record id | kind, operation, seq of its latest entry |
//! | `X` index, key, record id | nothing |

use lumbung_domain::id::RecordId;
use lumbung_ledger::{Epoch, Seq};

pub(super) const HEAD: &[u8] = b"Mhead";
pub(super) const FORMAT: &[u8] = b"Mformat";
/// Which version's indexer wrote the index entries.
pub(super) const INDEXED: &[u8] = b"Mindexed";
pub(super) const MENDING: &[u8] = b"Mmending";
/// Before the id of every paper.
pub(super) const PAPERS: &[u8] = b"P";

pub(super) const PREDECESSOR: &[u8] = b"Mpredecessor";
pub(super) const REPLACED: &[u8] = b"Mreplaced";

pub(super) fn log(first: Seq) -> Vec<u8> {
    let mut key = vec![b'L'];
    key.extend_from_slice(&first.0.to_be_bytes());
    key
}

pub(super) fn log_first(key: &[u8]) -> Option<Seq> {
    Some(Seq(u64::from_be_bytes(key.strip_prefix(b"L")?.try_into().ok()?)))
}

/// Days since 1970-01-01.
pub(super) fn confirmed(day: u32) -> Vec<u8> {
    let mut key = vec![b'A'];
    key.extend_from_slice(&day.to_be_bytes());
    key
}

pub(super) fn epoch(epoch: Epoch) -> Vec<u8> {
    let mut key = vec![b'E'];
    key.extend_from_slice(&epoch.0.to_be_bytes());
    key
}

pub(super) fn epoch_of(key: &[u8]) -> Option<Epoch> {
    Some(Epoch(u32::from_be_bytes(key.strip_prefix(b"E")?.try_into().ok()?)))
}

pub(super) fn paper(id: RecordId) -> Vec<u8> {
    [PAPERS, id.as_bytes()].concat()
}

pub(super) fn paper_id(key: &[u8]) -> Option<RecordId> {
    RecordId::from_slice(key.strip_prefix(PAPERS)?)
}

pub(super) fn state(id: RecordId) -> Vec<u8> {
    let mut key = vec![b'S'];
    key.extend_from_slice(id.as_bytes());
    key
}

pub(super) fn state_id(key: &[u8]) -> Option<RecordId> {
    RecordId::from_slice(key.strip_prefix(b"S")?)
}

/// All entries of one index key: the prefix before the record id.
pub(super) fn index_prefix(index: u8, key: &[u8]) -> Vec<u8> {
    let mut prefix = vec![b'X', index];
    prefix.extend_from_slice(key);
    prefix
}

pub(super) fn index(index: u8, key: &[u8], id: RecordId) -> Vec<u8> {
    let mut full = index_prefix(index, key);
    full.extend_from_slice(id.as_bytes());
    full
}

/// The record id at the end of an index key.
pub(super) fn index_id(key: &[u8]) -> Option<RecordId> {
    RecordId::from_slice(key.get(key.len().checked_sub(16)?..)?)
}

/// The first key after every key that starts with `prefix`.
pub(super) fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}
