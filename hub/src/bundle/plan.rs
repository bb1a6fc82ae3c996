//! How a bundle lies to the hub's position.

use lumbung_ledger::{Epoch, Position, Seq};
use lumbung_media::Bundle;

use super::Refused;

/// What is to be done with a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The hub has more than the bundle: nothing.
    Passed,
    /// Continue from the hub's position, whose chain the bundle must reach.
    From(Position),
}

/// Where a bundle leads, as its header says.
pub(super) struct Way {
    pub(super) from: Position,
    pub(super) to: Position,
    /// Where each epoch after the first began.
    pub(super) epochs: Vec<(Epoch, Seq)>,
}

impl Way {
    pub(super) fn of(bundle: &Bundle) -> Self {
        Self { from: bundle.from, to: bundle.to, epochs: bundle.epochs() }
    }

    /// The last entry of `epoch` that the log still had when the bundle was
    /// made.
    fn limit(&self, epoch: Epoch) -> Seq {
        let later = self.epochs.iter().filter(|(started, _)| *started > epoch);
        later.map(|(_, after)| *after).min().unwrap_or(self.to.seq)
    }

    /// Compares with what the hub has durably merged.
    pub(super) fn plan(&self, stored: Option<Position>) -> Result<Plan, Refused> {
        let Some(stored) = stored else {
            return match self.from.seq {
                Seq::ZERO => Ok(Plan::From(Position::origin(self.from.log_id))),
                _ => Err(Refused::Gap { next: Seq(1) }),
            };
        };
        if stored.log_id != self.from.log_id {
            return Err(Refused::OtherLog);
        }
        if stored.epoch > self.to.epoch {
            // What it adds may be lost entries of an epoch that has ended.
            return if stored.seq >= self.to.seq {
                Ok(Plan::Passed)
            } else {
                Err(Refused::Outdated)
            };
        }
        let restarted = self.limit(stored.epoch);
        if stored.epoch < self.to.epoch && stored.seq > restarted {
            return Err(Refused::Restarted { at: restarted });
        }
        if stored.seq > self.to.seq {
            return Ok(Plan::Passed);
        }
        if stored.seq < self.from.seq {
            return Err(Refused::Gap { next: stored.seq.next() });
        }
        Ok(Plan::From(stored))
    }
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::{ChainTag, LogId};

    use super::*;

    fn at(epoch: u32, seq: u64) -> Position {
        let origin = Position::origin(LogId([1; 16]));
        let chain = if seq == 0 { origin.chain } else { ChainTag([seq as u8; 16]) };
        Position { epoch: Epoch(epoch), seq: Seq(seq), chain, ..origin }
    }

    fn way(epoch: u32, from: u64, to: u64, epochs: &[(u32, u64)]) -> Way {
        let epochs = epochs.iter().map(|(epoch, after)| (Epoch(*epoch), Seq(*after))).collect();
        Way { from: at(epoch, from), to: at(epoch, to), epochs }
    }

    fn said(way: &Way, stored: Option<Position>) -> String {
        match way.plan(stored) {
            Ok(Plan::Passed) => "passed".to_owned(),
            Ok(Plan::From(from)) => format!("from {}", from.seq),
            Err(refused) => refused.to_string(),
        }
    }

    #[test]
    fn a_bundle_continues_skips_or_names_the_gap() {
        let way = way(1, 10, 20, &[]);
        assert_eq!(said(&way, None), "entries from 1 on are missing");
        assert_eq!(said(&way, Some(at(1, 7))), "entries from 8 on are missing");
        assert_eq!(said(&way, Some(at(1, 10))), "from 10");
        assert_eq!(said(&way, Some(at(1, 15))), "from 15");
        assert_eq!(said(&way, Some(at(1, 20))), "from 20");
        assert_eq!(said(&way, Some(at(1, 21))), "passed");
        let other = Position { log_id: LogId([2; 16]), ..at(1, 15) };
        assert_eq!(said(&way, Some(other)), "the bundle is of another log");
        assert_eq!(said(&self::way(1, 0, 20, &[]), None), "from 0");
    }

    #[test]
    fn a_restarted_log_is_continued_up_to_the_point_of_its_restart_only() {
        let way = way(3, 0, 30, &[(2, 12), (3, 20)]);
        assert_eq!(said(&way, Some(at(1, 12))), "from 12");
        assert_eq!(said(&way, Some(at(1, 13))), "the log was restarted at 12, the hub is beyond");
        assert_eq!(said(&way, Some(at(2, 20))), "from 20");
        assert_eq!(said(&way, Some(at(2, 40))), "the log was restarted at 20, the hub is beyond");
        assert_eq!(said(&way, Some(at(4, 10))), "the bundle was made before the log was restarted");
        assert_eq!(said(&way, Some(at(4, 30))), "passed");
    }
}
