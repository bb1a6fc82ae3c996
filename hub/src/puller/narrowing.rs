//! Finds the very entry where two histories parted, behind the newest of the
//! hub's marks that the node found on its log.
//!
//! Pure: the hub knows the chain where each of the newest saves ends, and asks
//! which of some of these places is the newest on the node's log, until none is
//! left between. It is the question that the marks were asked with. By then the node
//! has begun an epoch that the hub has not seen, so that nothing is refused any
//! more for being of an epoch that the older disk had not begun: all are asked
//! about as of the hub's own, up to where it stands.

use lumbung_ledger::Position;

/// Positions asked about at once: two questions for all that a hub keeps.
const ASKED_MAX: usize = 128;

/// What is known of the fork.
#[derive(Clone, Debug)]
pub struct Narrowing {
    /// The newest position known to lie on the node's log.
    fork: Position,
    /// Later ones of the hub's, in order, of which that is not known.
    between: Vec<Position>,
}

impl Narrowing {
    /// Begins at `fork`, which lies on the node's log. The hub stands at
    /// `stored`, and has passed the others.
    #[must_use]
    pub fn new(
        fork: Position,
        stored: Position,
        passed: impl IntoIterator<Item = Position>,
    ) -> Self {
        let passed = passed.into_iter().filter(|at| at.seq < stored.seq).chain([stored]);
        let mut between: Vec<_> = passed
            .filter(|at| at.seq > fork.seq)
            .map(|at| Position { epoch: stored.epoch, ..at })
            .collect();
        between.sort_unstable_by_key(|at| at.seq);
        between.dedup_by_key(|at| at.seq);
        Self { fork, between }
    }

    /// The newest position known to lie on the node's log.
    #[must_use]
    pub const fn fork(&self) -> Position {
        self.fork
    }

    /// What to ask next: which of these is the newest on the node's log? None
    /// once the fork is as exact as the hub's knowledge.
    #[must_use]
    pub fn question(&self) -> Option<Vec<Position>> {
        let (first, step) = self.steps()?;
        let asked = self.between.iter().skip(first).step_by(step).copied();
        Some(asked.chain([self.fork]).collect())
    }

    /// Takes the answer; `false` when it is none to what was asked.
    pub fn answer(&mut self, newest: Position) -> bool {
        let Some((first, step)) = self.steps() else { return false };
        if newest == self.fork {
            self.between.truncate(first);
            return true;
        }
        let mut asked = self.between.iter().skip(first).step_by(step);
        let Some(nth) = asked.position(|position| *position == newest) else { return false };
        self.fork = newest;
        self.between.drain(..=first + nth * step);
        self.between.truncate(step - 1);
        true
    }

    /// Which of the positions between is asked about first, and then every how
    /// many: the last one always is, since a node looks at where the hub stands
    /// anyhow.
    fn steps(&self) -> Option<(usize, usize)> {
        let last = self.between.len().checked_sub(1)?;
        let step = self.between.len().div_ceil(ASKED_MAX);
        Some((last % step, step))
    }
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::{ChainTag, Epoch, LogId, Seq};

    use super::*;

    fn at(seq: u64) -> Position {
        let origin = Position::origin(LogId([7; 16]));
        Position { seq: Seq(seq), chain: ChainTag([seq as u8; 16]), ..origin }
    }

    #[test]
    fn every_entry_is_found_in_few_questions() {
        for (stored, questions) in [(1, 1), (128, 1), (129, 2), (1_000, 2), (4_500, 2)] {
            for parted in (0..=stored).step_by(1 + stored as usize / 97) {
                // Marks are among what was passed, and beyond.
                let passed = (1..=stored).chain([stored / 2, stored + 7]).map(at);
                let mut narrowing = Narrowing::new(at(0), at(stored), passed);
                let mut asked = 0;
                while let Some(question) = narrowing.question() {
                    asked += 1;
                    assert!(question.len() <= ASKED_MAX + 1, "{} at once", question.len());
                    // A node looks at where the hub stands, too.
                    let looked = question.iter().copied().chain([at(stored)]);
                    let held = looked.filter(|at| at.seq.0 <= parted);
                    let newest = held.max_by_key(|at| at.seq).unwrap();
                    assert!(narrowing.answer(newest));
                }
                assert_eq!(narrowing.fork(), at(parted), "of {stored}");
                assert!(asked <= questions, "{asked} questions for {parted} of {stored}");
            }
        }
    }

    #[test]
    fn what_was_not_asked_is_no_answer() {
        let mut narrowing = Narrowing::new(at(3), at(300), (1..300).map(at));
        for answer in [at(2), at(5), at(301), Position { chain: ChainTag([0; 16]), ..at(6) }] {
            assert!(!narrowing.answer(answer), "{answer}");
        }
        assert!(narrowing.answer(at(6)));
        assert!(narrowing.answer(at(8)));
        assert_eq!((narrowing.fork(), narrowing.question()), (at(8), None));
        assert!(!narrowing.answer(at(8)));
    }

    #[test]
    fn what_an_older_epoch_refused_is_asked_again() {
        let of = |epoch: u32, seq: u64| Position { epoch: Epoch(epoch), ..at(seq) };
        let marks = [of(2, 40), of(1, 30), of(1, 20)];
        let narrowing = Narrowing::new(of(1, 20), of(2, 50), marks);
        let asked = narrowing.question().unwrap();
        assert_eq!(asked, [of(2, 30), of(2, 40), of(2, 50), of(1, 20)]);
    }
}
