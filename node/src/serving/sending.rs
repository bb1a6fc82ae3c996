//! What a pull sends next: entries in the forms that both sides know, or where
//! the log is broken.

use std::sync::Arc;

use lumbung_ledger::{Entry, Position, Seal, Seq, block};
use lumbung_proto::v1::pull_item::Item;
use lumbung_wire::authors::Authors;
use lumbung_wire::forms::Forms;
use lumbung_wire::{batch, run};

use crate::barn::{Barn, Head, Run, Sound, StoreError};

/// What is sent next.
pub(super) enum Next {
    /// Entries that are ready to go.
    Batch(Box<Ready>),
    /// The log is broken at this entry.
    Broken(Seq),
    /// There is nothing after the position.
    Nothing,
}

/// Entries as they are sent.
pub(super) struct Ready {
    pub(super) item: Item,
    pub(super) last: Position,
    /// What they count for in the window.
    pub(super) size: u64,
    /// The head they were sealed at, if they end there.
    pub(super) sealed: Option<Head>,
    /// Who wrote the newest of them.
    pub(super) author: Arc<str>,
}

/// What follows a position. It is proven first when there is doubt about it;
/// and a log that can't be read is read as far as it is sound.
pub(super) fn sound_after(
    barn: &Barn,
    prev: Position,
    batch_bytes: usize,
    doubted: bool,
) -> Result<Sound, StoreError> {
    if !doubted {
        match barn.read_after(prev.seq, batch_bytes) {
            Ok(run) => return Ok(run.map_or(Sound::End, Sound::Run)),
            Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    barn.read_sound(prev, batch_bytes)
}

/// A run in the forms that both sides know, for a hub that knows `authors`.
pub(super) fn packed(
    barn: &Barn,
    forms: Forms,
    authors: &Authors,
    prev: Position,
    run: &Run,
) -> Result<Next, StoreError> {
    let damaged = || StoreError::Damaged("entries do not form a block".to_owned());
    let head = barn.head();
    let entries = &run.entries;
    let newest = entries.last().map(|entry| &entry.header).ok_or_else(damaged)?;
    let (seq, author) = (newest.seq, Arc::clone(&newest.actor));
    let last = Position { seq, chain: run.after, ..head.position };
    let size = entries.iter().map(Entry::size).sum::<usize>() as u64;
    if forms.slim {
        let sealed = (seq == head.position.seq).then_some(head);
        let seal = sealed.map(|at| Seal::of(at.position, at.fingerprint, at.records));
        let run = run::pack(forms, authors, prev, last, entries, seal).ok_or_else(damaged)?;
        let item = Item::Run(run);
        return Ok(Next::Batch(Box::new(Ready { item, last, size, sealed, author })));
    }
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let block = block::encode(entries).ok_or_else(damaged)?;
    let batch = batch::pack(prev, last, count, block);
    let size = u64::from(batch.raw_bytes);
    let item = Item::Batch(batch);
    Ok(Next::Batch(Box::new(Ready { item, last, size, sealed: None, author })))
}
