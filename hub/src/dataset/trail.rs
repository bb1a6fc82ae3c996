//! Where the hub has stood in one village's log: marks to find a fork by.
//!
//! Every one near the head, and thinner with every doubling of the distance, so
//! some two hundred marks reach back to the start. Only marks of the
//! present branch are kept: a step back drops those beyond it, another log
//! drops all.
//!
//! Where two histories parted is known as exactly as marks lie there. Between
//! the mark before it and that point, a record which the village changed then
//! and again later may look changed on both sides; so marks lie closer than
//! finding the fork alone would need.

use lumbung_ledger::{ChainTag, Epoch, LogId, Position, Seq};

/// The newest marks, all of which are kept: about a week of single saves. The
/// whole trail is written with each, so it stays within 7 KB.
const RECENT: usize = 128;

/// An older mark is at most this many times further from the head than the one
/// after it, unless the hub stood nowhere between them. Ten to a doubling at
/// most.
const APART: (u64, u64) = (8, 7);

const MARK_BYTES: usize = 4 + 8 + 16;

/// Earlier positions in one log, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trail(Vec<Position>);

impl Trail {
    /// The trail of a hub that stands at `position`, after it stood at those
    /// of `before`.
    #[must_use]
    pub(super) fn step(before: Option<Self>, position: Position) -> Self {
        let mut marks = before.map_or_else(Vec::new, |trail| trail.0);
        marks.retain(|mark| mark.log_id == position.log_id && mark.seq < position.seq);
        marks.push(position);
        Self(thinned(&marks))
    }

    /// The marks, newest first.
    #[must_use]
    pub(super) fn newest_first(&self) -> Vec<Position> {
        self.0.iter().rev().copied().collect()
    }

    /// The stored form.
    #[must_use]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Some(first) = self.0.first() else { return Vec::new() };
        let mut bytes = Vec::with_capacity(16 + self.0.len() * MARK_BYTES);
        bytes.extend_from_slice(&first.log_id.0);
        for mark in &self.0 {
            bytes.extend_from_slice(&mark.epoch.0.to_le_bytes());
            bytes.extend_from_slice(&mark.seq.0.to_le_bytes());
            bytes.extend_from_slice(&mark.chain.0);
        }
        bytes
    }

    /// The trail behind its stored form.
    #[must_use]
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let (log_id, marks) = bytes.split_at_checked(16)?;
        let log_id = LogId::from_slice(log_id)?;
        if marks.len() % MARK_BYTES != 0 {
            return None;
        }
        let mark = |bytes: &[u8]| {
            Some(Position {
                log_id,
                epoch: Epoch(u32::from_le_bytes(bytes[0..4].try_into().ok()?)),
                seq: Seq(u64::from_le_bytes(bytes[4..12].try_into().ok()?)),
                chain: ChainTag::from_slice(&bytes[12..28])?,
            })
        };
        marks.chunks_exact(MARK_BYTES).map(mark).collect::<Option<_>>().map(Self)
    }
}

/// Those of the marks (oldest first) that are worth keeping. A mark may go
/// when the one before it is near enough to the next one kept; the first stays.
/// What is near enough stays so as the head moves on.
fn thinned(marks: &[Position]) -> Vec<Position> {
    let Some(head) = marks.last() else { return Vec::new() };
    let mut kept: Vec<Position> = Vec::new();
    let mut reached = 0_u64;
    for (age, mark) in marks.iter().rev().enumerate() {
        let before = marks.iter().rev().nth(age + 1).map(|mark| head.seq.since(mark.seq));
        let needed = before
            .is_none_or(|before| before.saturating_mul(APART.1) > reached.saturating_mul(APART.0));
        if age < RECENT || needed {
            reached = head.seq.since(mark.seq);
            kept.push(*mark);
        }
    }
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(epoch: u32, seq: u64) -> Position {
        let chain = ChainTag([seq as u8; 16]);
        Position { log_id: LogId([7; 16]), epoch: Epoch(epoch), seq: Seq(seq), chain }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn few_marks_reach_far_back(
            steps in proptest::collection::vec(1_u64..2_000, 1..600),
            single in 0_usize..3_000,
        ) {
            let mut trail = None;
            let mut seq = 0;
            let mut all = Vec::new();
            for step in steps.into_iter().chain(std::iter::repeat_n(1, single)) {
                seq += step;
                all.push(seq);
                trail = Some(Trail::step(trail, at(1, seq)));
            }
            let trail = trail.unwrap();
            let marks: Vec<_> = trail.newest_first().iter().map(|mark| mark.seq.0).collect();
            prop_assert!(marks.len() <= 256, "{} marks", marks.len());
            let dense: Vec<_> = all.iter().rev().take(RECENT).copied().collect();
            prop_assert_eq!(&marks[..dense.len()], &dense[..]);
            // Whatever point but the first is lost, a mark lies before it that
            // is no more than a seventh further from the head, or a step.
            for pair in all.windows(2) {
                let (before, lost) = (pair[0], pair[1]);
                let mark = marks.iter().find(|mark| **mark < lost);
                let Some(mark) = mark else { panic!("no mark before {lost}") };
                let allowed = (seq - lost) * APART.0 / APART.1;
                prop_assert!(seq - mark <= allowed.max(seq - before), "{} for {}", mark, lost);
            }
            prop_assert_eq!(Trail::from_slice(&trail.to_bytes()), Some(trail));
        }
    }

    #[test]
    fn a_step_back_and_another_log_drop_what_is_beyond() {
        let mut trail = None;
        for seq in [3, 8, 12] {
            trail = Some(Trail::step(trail, at(1, seq)));
        }
        let back = Trail::step(trail.clone(), at(2, 8));
        assert_eq!(back.newest_first(), [at(2, 8), at(1, 3)]);
        let other = Position { log_id: LogId([9; 16]), ..at(1, 20) };
        assert_eq!(Trail::step(trail, other).newest_first(), [other]);
        assert_eq!(Trail::from_slice(&[1; 17]), None);
    }
}
