//! Reading the log: blocks of consecutive entries, in order.

use bytes::Bytes;
use lumbung_domain::id::RecordId;
use lumbung_ledger::{ChainTag, Entry, Header, Position, Seq, block};

use super::store::{Store, StoreError};
use super::{Barn, keys};

/// Consecutive entries and the chain on either side of them.
#[derive(Debug)]
pub struct Run {
    /// Chain before the first entry.
    pub before: ChainTag,
    /// The entries; never empty.
    pub entries: Vec<Entry>,
    /// Chain after the last entry.
    pub after: ChainTag,
}

/// One stored block: the chain before it and its encoded entries.
pub(super) fn block_value(before: ChainTag, block: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(16 + block.len());
    value.extend_from_slice(&before.0);
    value.extend_from_slice(block);
    value
}

pub(super) fn read_block(value: &Bytes) -> Result<(ChainTag, Vec<Entry>), StoreError> {
    let damaged = || StoreError::Damaged("a log block can't be read".to_owned());
    let before = value.get(..16).and_then(ChainTag::from_slice).ok_or_else(damaged)?;
    let entries = block::decode(&value.slice(16..)).map_err(|_| damaged())?;
    Ok((before, entries))
}

fn block_before(value: &Bytes) -> Result<ChainTag, StoreError> {
    value
        .get(..16)
        .and_then(ChainTag::from_slice)
        .ok_or_else(|| StoreError::Damaged("a log block is cut off".to_owned()))
}

/// The entry with this number, from the block that holds it.
pub(super) fn entry(store: &dyn Store, seq: Seq) -> Result<Option<Entry>, StoreError> {
    let Some((_, value)) = store.last(&keys::log(Seq::ZERO), &keys::log(seq))? else {
        return Ok(None);
    };
    let (_, entries) = read_block(&value)?;
    Ok(entries.into_iter().find(|entry| entry.header.seq == seq))
}

/// The chain after entry `seq`, for a `seq` inside the log.
pub(super) fn chain_at(
    store: &dyn Store,
    head: Position,
    seq: Seq,
) -> Result<Option<ChainTag>, StoreError> {
    if seq == head.seq {
        return Ok(Some(head.chain));
    }
    if seq > head.seq {
        return Ok(None);
    }
    if seq == Seq::ZERO {
        return Ok(Some(ChainTag::genesis(head.log_id)));
    }
    // The block that begins right after `seq` carries the answer.
    if let Some(value) = store.get(&keys::log(seq.next()))? {
        return block_before(&value).map(Some);
    }
    let Some((_, value)) = store.last(&keys::log(Seq::ZERO), &keys::log(seq))? else {
        return Ok(None);
    };
    let (before, entries) = read_block(&value)?;
    let upto = entries.iter().take_while(|entry| entry.header.seq <= seq);
    Ok(Some(upto.fold(before, |chain, entry| chain.step(entry).0)))
}

impl Barn {
    /// Entries after `after`, about `bytes_max` of them (one at least), up
    /// to the durable watermark. `None` at the watermark.
    ///
    /// Whole blocks are taken where possible, so that the chain at both ends
    /// is read, not computed.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn read_after(&self, after: Seq, bytes_max: usize) -> Result<Option<Run>, StoreError> {
        let head = self.head().position;
        if after >= head.seq {
            return Ok(None);
        }
        let store = &*self.store;
        let from = match store.last(&keys::log(Seq::ZERO), &keys::log(after.next()))? {
            Some((key, _)) => key.to_vec(),
            None => return Err(StoreError::Damaged("the log begins too late".to_owned())),
        };
        let mut run: Option<Run> = None;
        let mut bytes = 0;
        for pair in store.scan(&from, &keys::log(head.seq.next())) {
            let (_, value) = pair?;
            if let Some(run) = &mut run
                && (bytes >= bytes_max || run.entries.len() >= block::ENTRIES_MAX / 2)
            {
                run.after = block_before(&value)?;
                return Ok(Some(Run {
                    before: run.before,
                    after: run.after,
                    entries: std::mem::take(&mut run.entries),
                }));
            }
            let (mut before, entries) = read_block(&value)?;
            for entry in entries {
                if entry.header.seq <= after {
                    before = before.step(&entry).0;
                } else {
                    bytes += entry.size();
                    let run = run.get_or_insert_with(|| Run {
                        before,
                        entries: Vec::new(),
                        after: head.chain,
                    });
                    run.entries.push(entry);
                }
            }
        }
        let last = run.as_ref().and_then(|run| run.entries.last()).map(|entry| entry.header.seq);
        if last == Some(head.seq) {
            Ok(run)
        } else {
            Err(StoreError::Damaged("the log ends before its head".to_owned()))
        }
    }

    /// The header of a record's first entry. Costs a pass over the log up to
    /// it.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn first_of(&self, id: RecordId) -> Result<Option<Header>, StoreError> {
        let upto = self.head().position.seq.next();
        for pair in self.store.scan(&keys::log(Seq::ZERO), &keys::log(upto)) {
            let (_, entries) = read_block(&pair?.1)?;
            if let Some(entry) = entries.into_iter().find(|entry| entry.header.id == id) {
                return Ok(Some(entry.header));
            }
        }
        Ok(None)
    }

    /// One entry of the log, by number, up to the watermark.
    ///
    /// # Errors
    /// [`StoreError`] when the log can't be read.
    pub fn entry(&self, seq: Seq) -> Result<Option<Entry>, StoreError> {
        if seq > self.head().position.seq { Ok(None) } else { entry(&*self.store, seq) }
    }
}
