//! Reading only what of the log proves itself: the way on when plain reading
//! fails or the reader refused what it was sent.

use lumbung_ledger::{ChainTag, Entry, Position, Seq, block};

use super::log::{Run, read_block};
use super::store::StoreError;
use super::{Barn, keys};

/// What follows a position.
#[derive(Debug)]
pub enum Sound {
    /// Entries that continue its chain.
    Run(Run),
    /// The log ends there.
    End,
    /// The entry with this number can't be read, or it and those after it
    /// don't lead to the chain that the log goes on with.
    Broken(Seq),
}

/// Entries of which it is not known yet whether the log goes on from them.
#[derive(Default)]
struct Doubtful(Vec<Entry>);

impl Barn {
    /// Entries after `after`, about `bytes_max` of them, as far as they prove
    /// themselves: each block by the chain that the next one begins with, the
    /// last by the head. Costs a hash an entry more than
    /// [`Barn::read_after`].
    ///
    /// # Errors
    /// [`StoreError`] when the store itself can't be read.
    pub fn read_sound(&self, after: Position, bytes_max: usize) -> Result<Sound, StoreError> {
        let head = self.head().position;
        if after.seq >= head.seq {
            return Ok(Sound::End);
        }
        let first = after.seq.next();
        let store = &*self.store;
        let Some((from, _)) = store.last(&keys::log(Seq::ZERO), &keys::log(first))? else {
            return Ok(Sound::Broken(first));
        };
        let (mut sound, mut doubtful) = (Vec::new(), Doubtful::default());
        // The chain after the last sound entry, and after the last doubtful.
        let (mut proven, mut chain, mut next, mut bytes) = (after.chain, after.chain, first, 0);
        for (number, pair) in store.scan(&from, &keys::log(head.seq.next())).enumerate() {
            let (_, value) = pair?;
            let begins = value.get(..16).and_then(ChainTag::from_slice);
            // The first block may begin before the position.
            if number > 0 {
                if begins != Some(chain) {
                    break;
                }
                (proven, bytes) = (chain, bytes + doubtful.settle(&mut sound));
                if bytes >= bytes_max || sound.len() >= block::ENTRIES_MAX / 2 {
                    break;
                }
            }
            let Ok((_, entries)) = read_block(&value) else { break };
            for entry in entries.into_iter().skip_while(|entry| entry.header.seq <= after.seq) {
                if entry.header.seq != next {
                    break;
                }
                chain = chain.step(&entry).0;
                next = next.next();
                doubtful.0.push(entry);
            }
        }
        if next == head.seq.next() && chain == head.chain {
            doubtful.settle(&mut sound);
            proven = chain;
        }
        Ok(match sound.is_empty() {
            true => Sound::Broken(first),
            false => Sound::Run(Run { before: after.chain, entries: sound, after: proven }),
        })
    }
}

impl Doubtful {
    /// They are sound; how many bytes they have.
    fn settle(&mut self, sound: &mut Vec<Entry>) -> usize {
        let bytes = self.0.iter().map(Entry::size).sum();
        sound.append(&mut self.0);
        bytes
    }
}
