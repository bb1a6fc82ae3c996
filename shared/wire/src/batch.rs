//! Runs of ledger entries ↔ the batches that travel.
//!
//! A batch says from which position to which position it leads. Reading one
//! decompresses within a stated bound, decodes the block, and walks the chain
//! from `prev`: only a batch that arrives exactly at the `last` it claims is
//! handed on. So a gap, a lie about numbers, a changed byte or a truncation
//! is refused before anything is merged.

use std::cell::RefCell;

use bytes::Bytes;
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{ChainTag, Entry, Epoch, Header, LogId, Position, Seq, Source, block};
use lumbung_proto::v1;
use zstd::bulk::{Compressor, Decompressor};

/// Largest batch before compression, bytes: what a receiver must be ready
/// to hold for one batch. Four times the usual size, so that one entry of
/// the largest allowed payload fits beside others.
pub const RAW_BYTES_MAX: usize = 1024 * 1024;

/// zstd's middle road: level 3 halves again what level 1 leaves, at about
/// 1 µs a record.
const ZSTD_LEVEL: i32 = 3;

/// Below this many bytes compression costs more than it saves.
const COMPRESS_FROM_BYTES: usize = 128;

/// Why a batch was not taken. Nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// A position is missing or has a field of the wrong length.
    #[error("a position in the batch is malformed")]
    Position,
    /// The batch does not continue from where the reader stands.
    #[error("the batch starts at {found}, but {expected} is expected")]
    Gap {
        /// Where the reader stands.
        expected: Position,
        /// Where the batch claims to start.
        found: Position,
    },
    /// The codec is not one this build reads.
    #[error("unknown codec {0}")]
    Codec(i32),
    /// The run names a dictionary that this build does not have.
    #[error("unknown dictionary {0}")]
    Dictionary(u32),
    /// The payload would be larger than allowed, or than it claims.
    #[error("the batch is larger than {RAW_BYTES_MAX} bytes or than it claims")]
    TooLarge,
    /// The payload does not decompress.
    #[error("the batch is damaged")]
    Damaged,
    /// The payload is not a block.
    #[error("the batch holds no sound block")]
    Block(#[from] block::BlockError),
    /// The entries' numbers are not the ones between `prev` and `last`.
    #[error("the batch claims entries {claimed_first} to {claimed_last} but holds others")]
    Numbers {
        /// First number by `prev`.
        claimed_first: Seq,
        /// Last number by `last`.
        claimed_last: Seq,
    },
    /// The chain over the entries does not arrive at `last`.
    #[error("the chain over the batch does not arrive at {0}")]
    Chain(Position),
}

/// A batch that proved sound.
#[derive(Debug)]
pub struct Verified {
    /// The position after the batch.
    pub last: Position,
    /// Its entries, each with its content hash (`None` for deletes and
    /// withheld content).
    pub entries: Vec<(Entry, Option<ContentHash>)>,
    /// The chain where each save among them ends.
    pub chains: Vec<(Seq, ChainTag)>,
    /// Size before compression, bytes.
    pub raw_bytes: usize,
}

/// The wire form of a position.
#[must_use]
pub fn position_to_wire(position: Position) -> v1::Position {
    v1::Position {
        log_id: Bytes::copy_from_slice(&position.log_id.0),
        epoch: position.epoch.0,
        seq: position.seq.0,
        chain: Bytes::copy_from_slice(&position.chain.0),
    }
}

/// The position behind its wire form; `None` when a field is malformed.
#[must_use]
pub fn position_from_wire(position: &v1::Position) -> Option<Position> {
    Some(Position {
        log_id: LogId::from_slice(&position.log_id)?,
        epoch: Epoch(position.epoch),
        seq: Seq(position.seq),
        chain: ChainTag::from_slice(&position.chain)?,
    })
}

/// Packs an encoded block of `count` entries that lead from `prev` to `last`.
#[must_use]
pub fn pack(prev: Position, last: Position, count: u32, block: Vec<u8>) -> v1::Batch {
    let raw_bytes = u32::try_from(block.len()).unwrap_or(u32::MAX);
    let compressed = (block.len() >= COMPRESS_FROM_BYTES)
        .then(|| compress(&block))
        .flatten()
        .filter(|bytes| bytes.len() < block.len());
    let (codec, payload) = match compressed {
        Some(bytes) => (v1::Codec::Zstd, Bytes::from(bytes)),
        None => (v1::Codec::Plain, Bytes::from(block)),
    };
    v1::Batch {
        prev: Some(position_to_wire(prev)),
        last: Some(position_to_wire(last)),
        count,
        codec: codec.into(),
        raw_bytes,
        payload,
    }
}

/// Unpacks and proves a batch that should continue from `expected`.
///
/// # Errors
/// [`BatchError`] says what is wrong; the reader stays where it is.
pub fn verify(batch: v1::Batch, expected: Position) -> Result<Verified, BatchError> {
    let position =
        |wire: Option<&v1::Position>| wire.and_then(position_from_wire).ok_or(BatchError::Position);
    let found = position(batch.prev.as_ref())?;
    let last = position(batch.last.as_ref())?;
    if found != expected {
        return Err(BatchError::Gap { expected, found });
    }
    let raw_bytes = batch.raw_bytes as usize;
    if raw_bytes > RAW_BYTES_MAX {
        return Err(BatchError::TooLarge);
    }
    let raw = inflate(batch.codec, batch.payload, raw_bytes)?;
    let entries = block::decode(&raw)?;
    if u64::from(batch.count) != entries.len() as u64 {
        let claimed_first = found.seq.next();
        return Err(BatchError::Numbers { claimed_first, claimed_last: last.seq });
    }
    let (entries, chains) = prove(entries, found, last)?;
    Ok(Verified { last, entries, chains, raw_bytes })
}

/// Walks the chain over `entries` from `found`; they must be the ones that
/// lead to `last`.
pub(crate) fn prove(
    entries: Vec<Entry>,
    found: Position,
    last: Position,
) -> Result<Proof, BatchError> {
    let numbers = BatchError::Numbers { claimed_first: found.seq.next(), claimed_last: last.seq };
    let first = entries.first().map(|entry| entry.header.seq);
    let claimed = last.seq.since(found.seq);
    if first != Some(found.seq.next()) || entries.len() as u64 != claimed {
        return Err(numbers);
    }
    let (entries, chains) = walk(found.chain, entries);
    let chain = chains.last().map_or(found.chain, |(_, chain)| *chain);
    // A restarted log goes on in a later epoch, on the same chain.
    let same_log = last.log_id == found.log_id && last.epoch >= found.epoch;
    if chain != last.chain || !same_log {
        return Err(BatchError::Chain(last));
    }
    Ok((entries, chains))
}

/// Entries with their content hashes, and the chain where each save ends.
type Proof = (Vec<(Entry, Option<ContentHash>)>, Vec<(Seq, ChainTag)>);

/// Walks the chain over `entries`, from where it is `chain`. Gives them with
/// their content hashes, and the chain where each save among them ends: a disk
/// holds a save whole or not at all, so histories part nowhere else.
#[must_use]
pub fn walk(mut chain: ChainTag, entries: Vec<Entry>) -> Proof {
    let mut walked = Vec::with_capacity(entries.len());
    let mut chains = Vec::new();
    let mut entries = entries.into_iter().peekable();
    while let Some(entry) = entries.next() {
        let (next, hash) = chain.step(&entry);
        chain = next;
        let following = entries.peek().map(|following| &following.header);
        if following.is_none_or(|following| !is_one_save(&entry.header, following)) {
            chains.push((entry.header.seq, chain));
        }
        walked.push((entry, hash));
    }
    (walked, chains)
}

/// Whether both entries look as if they were saved together. What is handed
/// back has the times of other saves, and is saved record by record.
fn is_one_save(one: &Header, next: &Header) -> bool {
    let saved = |header: &Header| (header.time_ms, header.source);
    saved(one) == saved(next) && one.source != Source::RETURNED && one.actor == next.actor
}

// A compressor is a megabyte of tables: made once a thread, not once a batch.
thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(block: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(ZSTD_LEVEL).ok()?),
        };
        compressor.compress(block).ok()
    })
}

fn decompress(payload: &[u8], raw_bytes: usize) -> Result<Vec<u8>, BatchError> {
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new().map_err(|_| BatchError::Damaged)?),
        };
        decompressor.decompress(payload, raw_bytes).map_err(|_| BatchError::Damaged)
    })
}

fn inflate(codec: i32, payload: Bytes, raw_bytes: usize) -> Result<Bytes, BatchError> {
    let raw = match v1::Codec::try_from(codec) {
        Ok(v1::Codec::Plain) => payload,
        // The capacity caps what a hostile frame can make us allocate.
        Ok(v1::Codec::Zstd) => decompress(&payload, raw_bytes)?.into(),
        Err(_) => return Err(BatchError::Codec(codec)),
    };
    if raw.len() == raw_bytes { Ok(raw) } else { Err(BatchError::TooLarge) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lumbung_domain::id::{KindCode, RecordId};
    use lumbung_ledger::{Operation, Payload, Salt};

    use super::*;

    fn entry(seq: u64, time_ms: i64, actor: &str, source: Source) -> Entry {
        Entry {
            header: Header {
                seq: Seq(seq),
                id: RecordId::from_parts(1_700_000_000_000, 0, seq),
                kind: KindCode(4711),
                schema: 1,
                operation: Operation::Create,
                time_ms,
                actor: Arc::from(actor),
                source,
            },
            payload: Payload::Present { salt: Salt([1; 8]), bytes: Bytes::from_static(b"isi") },
        }
    }

    /// A batch of `count` entries after the origin of a log, in `epoch`.
    fn batch(count: u64, epoch: u32) -> (Position, v1::Batch) {
        let prev = Position { epoch: Epoch(2), ..Position::origin(LogId([7; 16])) };
        let entry = |seq| entry(seq, 1_700_000_000_000, "uji", Source::MANUAL);
        let entries: Vec<_> = (1..=count).map(entry).collect();
        let chain = entries.iter().fold(prev.chain, |chain, entry| chain.step(entry).0);
        let last = Position { epoch: Epoch(epoch), seq: Seq(count), chain, ..prev };
        let block = block::encode(&entries).unwrap();
        (prev, pack(prev, last, u32::try_from(count).unwrap(), block))
    }

    #[test]
    fn the_chain_is_told_where_saves_end() {
        let entries = vec![
            entry(1, 5, "satu", Source::MANUAL),
            entry(2, 5, "satu", Source::MANUAL),
            entry(3, 5, "dua", Source::MANUAL),
            entry(4, 6, "dua", Source::MANUAL),
            entry(5, 6, "dua", Source::SIAK),
            // Handed back one by one, with the time of the save that was lost.
            entry(6, 4, "satu", Source::RETURNED),
            entry(7, 4, "satu", Source::RETURNED),
            entry(8, 9, "satu", Source::MANUAL),
            entry(9, 9, "satu", Source::MANUAL),
        ];
        let origin = Position::origin(LogId([7; 16])).chain;
        let (walked, chains) = walk(origin, entries.clone());
        assert_eq!(walked.len(), entries.len());
        let ends: Vec<_> = chains.iter().map(|(seq, _)| seq.0).collect();
        assert_eq!(ends, [2, 3, 4, 5, 6, 7, 9]);
        for (seq, chain) in chains {
            let to = entries.iter().take(seq.0 as usize);
            assert_eq!(chain, to.fold(origin, |chain, entry| chain.step(entry).0), "{seq}");
        }
    }

    #[test]
    fn a_batch_leads_from_where_it_says_to_where_it_says() {
        let (prev, batch) = batch(40, 2);
        assert_eq!(batch.codec(), v1::Codec::Zstd);
        let verified = verify(batch.clone(), prev).unwrap();
        assert_eq!((verified.last.seq, verified.entries.len()), (Seq(40), 40));
        let elsewhere = Position { seq: Seq(1), ..prev };
        assert!(matches!(verify(batch, elsewhere), Err(BatchError::Gap { .. })));
    }

    #[test]
    fn a_batch_may_lead_into_a_later_epoch_but_not_into_an_earlier_one() {
        for (epoch, sound) in [(1, false), (2, true), (3, true)] {
            let (prev, batch) = batch(3, epoch);
            let verified = verify(batch, prev);
            assert_eq!(verified.is_ok(), sound, "epoch {epoch}: {verified:?}");
        }
    }
}
