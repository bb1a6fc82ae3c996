//! How much a node may send before the hub has to say something.

use std::collections::VecDeque;

use lumbung_ledger::{Position, Seq};

/// What bounds the bytes under way to one hub. The last batch may overdraw it.
#[derive(Debug)]
pub(super) enum Allowance {
    /// Bytes that the hub still wants, as it granted them.
    Credit(i64),
    /// Bytes that may lack an ack at the same time.
    Window {
        /// How many.
        bytes: u64,
        /// End and size of each batch that lacks one, oldest first.
        under_way: VecDeque<(Position, u64)>,
    },
}

impl Allowance {
    pub(super) fn credit(bytes: u64) -> Self {
        Self::Credit(i64::try_from(bytes).unwrap_or(i64::MAX))
    }

    pub(super) const fn window(bytes: u64) -> Self {
        Self::Window { bytes, under_way: VecDeque::new() }
    }

    /// Whether another batch may leave.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Credit(bytes) => *bytes > 0,
            Self::Window { bytes, under_way } => {
                under_way.is_empty() || under_way.iter().map(|(_, size)| size).sum::<u64>() < *bytes
            }
        }
    }

    /// A batch of `size` bytes that ends at `last` leaves.
    pub(super) fn sent(&mut self, last: Position, size: u64) {
        match self {
            Self::Credit(bytes) => {
                *bytes = bytes.saturating_sub(i64::try_from(size).unwrap_or(i64::MAX));
            }
            Self::Window { under_way, .. } => under_way.push_back((last, size)),
        }
    }

    /// The hub has everything up to `seq`. The end of the newest batch that
    /// this confirms.
    pub(super) fn acked(&mut self, seq: Seq) -> Option<Position> {
        let Self::Window { under_way, .. } = self else { return None };
        let known = under_way.iter().take_while(|(last, _)| last.seq <= seq).count();
        under_way.drain(..known).next_back().map(|(last, _)| last)
    }

    /// The hub grants more credit.
    pub(super) fn granted(&mut self, more: u64) {
        if let Self::Credit(bytes) = self {
            *bytes = bytes.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
        }
    }

    /// The hub asks for another window.
    pub(super) const fn resized(&mut self, to: u64) {
        if let Self::Window { bytes, .. } = self {
            *bytes = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::LogId;

    use super::*;

    fn at(seq: u64) -> Position {
        Position { seq: Seq(seq), ..Position::origin(LogId([1; 16])) }
    }

    #[test]
    fn a_window_opens_with_acks_and_always_lets_one_batch_leave() {
        let mut window = Allowance::window(100);
        window.sent(at(4), 70);
        assert!(window.is_open());
        window.sent(at(9), 70);
        assert!(!window.is_open());
        // Grants of credit mean nothing here.
        window.granted(1_000);
        assert_eq!(window.acked(Seq(3)), None);
        assert!(!window.is_open());
        assert_eq!(window.acked(Seq(4)), Some(at(4)));
        assert!(window.is_open());
        window.resized(1);
        assert!(!window.is_open());
        assert_eq!(window.acked(Seq(20)), Some(at(9)));
        assert!(window.is_open(), "nothing is under way");
    }

    #[test]
    fn credit_is_used_up_and_granted_again() {
        let mut credit = Allowance::credit(100);
        credit.sent(at(4), 170);
        assert_eq!(credit.acked(Seq(4)), None);
        assert!(!credit.is_open());
        credit.granted(70);
        assert!(!credit.is_open());
        credit.granted(1);
        assert!(credit.is_open());
    }
}
