//! Whose log is this? Histories of a village's log, by stick or over a line,
//! told apart by where each was left.
//!
//! A stick says nothing of the disk that wrote it, as a contact over the
//! network does (`lineage`). But a log holds what was written to it: the hub
//! keeps where it left a history for another one, and a history that returns
//! holds that place. Once is no proof of two machines: an old backup may be
//! put in use, and the right disk put back again. But when a history returns
//! that went on after another one had begun, both are in use.

use lumbung_ledger::Position;

/// Histories kept per village; more of them are not told apart.
const HISTORIES_MAX: usize = 8;

/// One history of a village's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    /// When the hub first went over to it, hub clock, Unix milliseconds; 0 =
    /// it is the first.
    pub began_ms: i64,
    /// When the village is known to have been heard of while the hub followed
    /// it; later than that, maybe.
    pub last_ms: i64,
    /// Where the hub left it; `None` = it follows this one.
    pub tip: Option<Position>,
}

/// What going over to another history says about the machines behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A log may have gone back in time.
    Back,
    /// Two machines are in use.
    Twin,
}

/// Leaves the history that stands at `left`, last heard of at `left_ms`, for
/// the one whose log holds the positions that `holds` says it does.
pub fn turn(
    histories: &mut Vec<History>,
    (left, left_ms): (Position, i64),
    now_ms: i64,
    holds: &dyn Fn(&Position) -> bool,
) -> Turn {
    // Cut off after this had been noted: it is not noted twice.
    if histories.iter().any(|history| history.tip == Some(left)) {
        return Turn::Back;
    }
    match histories.iter_mut().find(|history| history.tip.is_none()) {
        Some(followed) => {
            followed.tip = Some(left);
            followed.last_ms = followed.last_ms.max(left_ms);
        }
        None => histories.push(History { began_ms: 0, last_ms: left_ms, tip: Some(left) }),
    }
    let newest_began = histories.iter().map(|history| history.began_ms).max().unwrap_or(0);
    let came_back =
        |history: &&mut History| history.tip.as_ref().is_some_and(|tip| *tip != left && holds(tip));
    if let Some(returned) = histories.iter_mut().find(came_back) {
        let twin = returned.last_ms >= newest_began;
        (returned.tip, returned.last_ms) = (None, now_ms);
        return if twin { Turn::Twin } else { Turn::Back };
    }
    if histories.len() >= HISTORIES_MAX {
        histories.sort_unstable_by_key(|history| history.last_ms);
        histories.remove(0);
    }
    histories.push(History { began_ms: now_ms, last_ms: now_ms, tip: None });
    Turn::Back
}

#[cfg(test)]
mod tests {
    use lumbung_ledger::{ChainTag, Epoch, LogId, Seq};

    use super::*;

    /// The n-th place in the history of a machine.
    fn at(machine: u8, n: u64) -> Position {
        let origin = Position::origin(LogId([1; 16]));
        Position { epoch: Epoch(1), seq: Seq(n), chain: ChainTag([machine; 16]), ..origin }
    }

    struct Hub {
        histories: Vec<History>,
        clock: i64,
        followed: Position,
        heard: i64,
    }

    impl Hub {
        fn new() -> Self {
            Self { histories: Vec::new(), clock: 100, followed: at(1, 1), heard: 100 }
        }

        /// A stick of the history followed.
        fn onwards(&mut self) {
            self.clock += 10;
            self.followed.seq = self.followed.seq.next();
            self.heard = self.clock;
        }

        /// A stick of a machine whose log is another than the one followed.
        fn goes_over(&mut self, machine: u8) -> Turn {
            self.clock += 10;
            let holds = move |tip: &Position| tip.chain == ChainTag([machine; 16]);
            let left = (self.followed, self.heard);
            let turn = turn(&mut self.histories, left, self.clock, &holds);
            self.followed = at(machine, self.followed.seq.0 + 1);
            self.heard = self.clock;
            turn
        }
    }

    #[test]
    fn machines_that_take_turns_are_twins_and_disks_put_back_are_not() {
        let mut hub = Hub::new();
        hub.onwards();
        assert_eq!(hub.goes_over(2), Turn::Back, "a backup, perhaps");
        hub.onwards();
        assert_eq!(hub.goes_over(1), Turn::Back, "the right disk, perhaps");
        hub.onwards();
        assert_eq!(hub.goes_over(2), Turn::Twin);

        let mut hub = Hub::new();
        for backup in 2..30 {
            hub.onwards();
            assert_eq!(hub.goes_over(backup), Turn::Back, "backup after backup");
            assert!(hub.histories.len() <= HISTORIES_MAX);
        }
    }

    #[test]
    fn the_right_disk_may_be_put_back_each_time() {
        let mut hub = Hub::new();
        for backup in [2, 3, 4] {
            hub.onwards();
            assert_eq!(hub.goes_over(backup), Turn::Back);
            assert_eq!(hub.goes_over(1), Turn::Back);
        }
    }

    #[test]
    fn what_was_noted_before_a_crash_is_not_noted_again() {
        let mut hub = Hub::new();
        hub.onwards();
        let (followed, heard) = (hub.followed, hub.heard);
        hub.goes_over(2);
        let once = hub.histories.clone();
        (hub.followed, hub.heard) = (followed, heard);
        assert_eq!(hub.goes_over(2), Turn::Back);
        assert_eq!(hub.histories, once);
    }
}
