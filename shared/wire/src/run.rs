//! Runs: batches whose ends follow from the stream.
//!
//! A [`v1::Batch`] states both positions in full; of 250 bytes for a changed
//! record that would be half. A run states the chain after its last entry and
//! nothing else: the reader walks the chain over the entries from where it
//! stands, so a gap, a changed byte, a false number or a batch out of turn
//! arrives at another chain and is refused, exactly as with a batch.
//!
//! A run that ends at the head of the log carries the seal of all records
//! there, instead of a `CaughtUp` of its own.

use bytes::Bytes;
use lumbung_ledger::block::{self, columns};
use lumbung_ledger::{ChainTag, Entry, Epoch, Position, Seal, Seq};
use lumbung_proto::v1;

use crate::authors::Authors;
use crate::batch::{BatchError, RAW_BYTES_MAX, Verified, prove};
use crate::codec;
use crate::dictionary;
use crate::forms::Forms;

/// From this many entries on columns are smaller than rows with a dictionary
/// (fictitious residents: 52 bytes a record either way at 75).
const COLUMNS_FROM_ENTRIES: usize = 75;

/// Packs the entries that lead from `prev` to `last` in the given forms, for a
/// reader who knows `authors`; `seal` when `last` is the head. `None` when they
/// don't form a block.
#[must_use]
pub fn pack(
    forms: Forms,
    authors: &Authors,
    prev: Position,
    last: Position,
    entries: &[Entry],
    seal: Option<Seal>,
) -> Option<v1::Run> {
    let columns = (forms.columns && entries.len() >= COLUMNS_FROM_ENTRIES)
        .then(|| columns::encode(entries))
        .flatten();
    let (block, compressed, dictionary) = match columns {
        Some(encoded) => {
            let compressed = codec::deflate_columns(&encoded.bytes, &encoded.cuts);
            (encoded.bytes, compressed, 0)
        }
        None => {
            let known = if forms.authors { authors.known() } else { &[] };
            let block = block::encode_to(known, entries)?;
            let small = forms.dictionary.filter(|_| entries.len() < COLUMNS_FROM_ENTRIES);
            match small {
                Some(known) => {
                    let compressed = codec::deflate_small(&block, known);
                    (block, compressed, known.id())
                }
                None => {
                    let compressed = codec::deflate_rows(&block);
                    (block, compressed, 0)
                }
            }
        }
    };
    if block.len() > RAW_BYTES_MAX {
        return None;
    }
    Some(v1::Run {
        dictionary: compressed.is_some().then_some(dictionary),
        payload: compressed.unwrap_or_else(|| Bytes::from(block)),
        chain: Bytes::copy_from_slice(&last.chain.0),
        seal: seal.map_or_else(Bytes::new, |seal| Bytes::copy_from_slice(&seal.0)),
        epoch: if last.epoch == prev.epoch { 0 } else { last.epoch.0 },
    })
}

/// Unpacks and proves a run that should continue from `expected`, for a reader
/// who knows `authors`; with the seal it states, if it ends at the head.
///
/// # Errors
/// [`BatchError`] says what is wrong; the reader stays where it is.
pub fn verify(
    run: &v1::Run,
    authors: &Authors,
    expected: Position,
) -> Result<(Verified, Option<Seal>), BatchError> {
    let raw = match run.dictionary {
        None if run.payload.len() > RAW_BYTES_MAX => return Err(BatchError::TooLarge),
        None => run.payload.clone(),
        Some(0) => codec::inflate(&run.payload, None)?,
        Some(id) => {
            let known = dictionary::find(id).ok_or(BatchError::Dictionary(id))?;
            codec::inflate(&run.payload, Some(known))?
        }
    };
    let raw_bytes = raw.len();
    let entries = block::decode_knowing(authors.known(), &raw)?;
    let chain = ChainTag::from_slice(&run.chain).ok_or(BatchError::Position)?;
    let epoch = match run.epoch {
        0 => expected.epoch,
        epoch => Epoch(epoch),
    };
    let seq = expected.seq.0.checked_add(entries.len() as u64).ok_or(BatchError::Position)?;
    let last = Position { epoch, seq: Seq(seq), chain, ..expected };
    let seal = match run.seal.len() {
        0 => None,
        _ => Some(Seal::from_slice(&run.seal).ok_or(BatchError::Position)?),
    };
    let (entries, chains) = prove(entries, expected, last)?;
    Ok((Verified { last, entries, chains, raw_bytes }, seal))
}

#[cfg(test)]
mod tests;
