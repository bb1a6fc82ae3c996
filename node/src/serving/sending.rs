//! What a pull sends next: entries in the forms that both sides know, or where
//! the log is broken.

use lumbung_ledger::{Entry, Position, Seal, Seq, block};
use lumbung_proto::v1::pull_item::Item;
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

/// A run in the forms that both sides know.
pub(super) fn packed(
    barn: &Barn,
    forms: Forms,
    prev: Position,
    run: &Run,
) -> Result<Next, StoreError> {
    let head = barn.head();
    let seq = run.entries.last().map_or(prev.seq, |entry| entry.header.seq);
    let last = Position { seq, chain: run.after, ..head.position };
    let size = run.entries.iter().map(Entry::size).sum::<usize>() as u64;
    let damaged = || StoreError::Damaged("entries do not form a block".to_owned());
    if forms.slim {
        let sealed = (seq == head.position.seq).then_some(head);
        let seal = sealed.map(|at| Seal::of(at.position, at.fingerprint, at.records));
        let run = run::pack(forms, prev, last, &run.entries, seal).ok_or_else(damaged)?;
        return Ok(Next::Batch(Box::new(Ready { item: Item::Run(run), last, size, sealed })));
    }
    let count = u32::try_from(run.entries.len()).unwrap_or(u32::MAX);
    let block = block::encode(&run.entries).ok_or_else(damaged)?;
    let batch = batch::pack(prev, last, count, block);
    let size = u64::from(batch.raw_bytes);
    Ok(Next::Batch(Box::new(Ready { item: Item::Batch(batch), last, size, sealed: None })))
}
