//! Where branches of a log that a village lost part from the log it has.
//!
//! Whoever finds an entry of a lost branch in the log knows that both are the
//! same up to it. That says nothing of any other branch, and holds only while the
//! log can't go back.

use std::collections::BTreeMap;

use crate::{Epoch, Seq};

/// The last entry of each lost branch that was found in the log.
#[derive(Clone, Debug, Default)]
pub struct Forks(BTreeMap<Epoch, Seq>);

impl Forks {
    /// The entry `seq` of the branch that was lost in `epoch` is in the log.
    pub fn found(&mut self, epoch: Epoch, seq: Seq) {
        let common = self.0.entry(epoch).or_insert(Seq::ZERO);
        *common = seq.max(*common);
    }

    /// The last entry known to be common to the log and the branch that was lost in
    /// `epoch`; `known` is what was known before.
    #[must_use]
    pub fn of(&self, epoch: Epoch, known: Seq) -> Seq {
        self.0.get(&epoch).copied().unwrap_or(Seq::ZERO).max(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_was_found_moves_the_fork_of_its_own_branch_forward() {
        let mut forks = Forks::default();
        forks.found(Epoch(1), Seq(8));
        forks.found(Epoch(1), Seq(6));
        let of = |epoch, known| forks.of(Epoch(epoch), Seq(known)).0;
        assert_eq!([of(1, 3), of(1, 9), of(2, 3)], [8, 9, 3]);
    }
}
