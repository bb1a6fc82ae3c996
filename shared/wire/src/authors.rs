//! The authors whom the reader of a stream knows.
//!
//! A clerk's name goes with every change and is up to a tenth of one that
//! travels alone. Both ends of a stream keep who wrote last, in the order of the
//! runs that went over it, and a run names those by a number. The chain is over
//! the names themselves: ends that do not keep the same ones arrive at different
//! chains, and the next stream begins with none.

use std::sync::Arc;

use lumbung_ledger::Entry;

/// Most of them; few clerks work on one day.
const KNOWN_MAX: usize = 8;

/// Whoever wrote the last entries of the newest runs, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authors(Vec<Arc<str>>);

impl Authors {
    /// A run that ends with an entry of `author` went over the stream.
    pub fn note(&mut self, author: &Arc<str>) {
        match self.0.iter().position(|known| known == author) {
            Some(at) => self.0[..=at].rotate_right(1),
            None => {
                self.0.truncate(KNOWN_MAX - 1);
                self.0.insert(0, Arc::clone(author));
            }
        }
    }

    /// The same for the run of these entries.
    pub fn note_last(&mut self, entries: &[Entry]) {
        if let Some(entry) = entries.last() {
            self.note(&entry.header.actor);
        }
    }

    /// Them, in the order of their numbers.
    pub(crate) fn known(&self) -> &[Arc<str>] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_the_longest_silent_goes() {
        let mut authors = Authors::default();
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "b", "h", "i"] {
            authors.note(&Arc::from(name));
        }
        let known: Vec<_> = authors.known().iter().map(|name| &**name).collect();
        assert_eq!(known, ["i", "h", "b", "g", "f", "e", "d", "c"]);
    }
}
