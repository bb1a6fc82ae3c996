//! What links that break make a village send again, counted in batches.
//!
//! Of a batch that had begun to arrive when the link broke nothing is kept:
//! it is *torn*, and there is at most one. One that had arrived *whole* comes
//! again only where it was not durable yet when the next session asked. Both
//! are counted where batches are, so that what a cut costs is known and not
//! believed. A torn batch of which hardly anything had come counts for
//! nothing: pings and window updates look the same.

use lumbung_ledger::Position;

/// Fewer bytes than these since the last item are no batch.
const BEGUN_BYTES_MIN: u64 = 128;

/// One village's batches across its sessions.
#[derive(Debug, Default)]
pub(super) struct Again {
    /// Where the newest batch that arrived whole ended.
    arrived: Option<Position>,
    /// Bytes received when the last item was here.
    received: u64,
    /// Whether the node has more than it sent.
    behind: bool,
}

impl Again {
    /// A pull begins.
    pub(super) const fn begin(&mut self, received: u64) {
        self.received = received;
        self.behind = false;
    }

    /// Whether more batches are to come.
    pub(super) const fn expect(&mut self, behind: bool) {
        self.behind = behind;
    }

    /// Something arrived whole, with which `received` bytes had come.
    pub(super) const fn item(&mut self, received: u64) {
        self.received = received;
    }

    /// A batch from `prev` to `last` arrived. Whether it was here before.
    pub(super) fn whole(&mut self, prev: Position, last: Position) -> bool {
        let again = self.arrived.is_some_and(|arrived| {
            (arrived.log_id, arrived.epoch) == (prev.log_id, prev.epoch) && prev.seq < arrived.seq
        });
        if !again {
            self.arrived = Some(last);
        }
        again
    }

    /// The link broke when `received` bytes had come. Whether that tore a
    /// batch.
    pub(super) const fn torn(&self, received: u64) -> bool {
        self.behind && received.saturating_sub(self.received) >= BEGUN_BYTES_MIN
    }
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::{Epoch, LogId, Seq};

    use super::*;

    fn at(epoch: u32, seq: u64) -> Position {
        Position { epoch: Epoch(epoch), seq: Seq(seq), ..Position::origin(LogId([3; 16])) }
    }

    #[test]
    fn a_batch_is_torn_only_while_more_is_to_come() {
        let mut again = Again::default();
        again.begin(1_000);
        assert!(!again.torn(9_000), "nothing was to come");
        again.expect(true);
        assert!(!again.torn(1_100), "pings");
        assert!(again.torn(3_000));
        again.item(3_000);
        assert!(!again.torn(3_000));
    }

    #[test]
    fn a_batch_comes_again_when_it_begins_before_what_had_come() {
        let mut again = Again::default();
        assert!(!again.whole(at(1, 0), at(1, 40)));
        assert!(!again.whole(at(1, 40), at(1, 80)));
        // Cut, and the hub stands at 40.
        assert!(again.whole(at(1, 40), at(1, 60)));
        assert!(again.whole(at(1, 60), at(1, 80)));
        assert!(!again.whole(at(1, 80), at(1, 90)));
        // The log was restarted below: other entries.
        assert!(!again.whole(at(2, 30), at(2, 50)));
    }
}
