//! The last things that happened at villages, for people who watch.
//!
//! Kept in memory only, newest last; told from what changes in the view of
//! the moment. Nothing here is about a resident.

use std::collections::VecDeque;

use lumbung_domain::region::VillageCode;

use super::{LiveVillage, Phase};

/// How many are kept: what a district does in its busiest minutes.
const KEPT: usize = 300;

/// A village that is proven equal again within this long is not told of
/// again, milliseconds.
const PROVEN_AGAIN_MS: i64 = 60_000;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// Its line is open.
    CameIn,
    /// Its line is lost.
    WentAway,
    /// Proven equal at this entry.
    Proven(u64),
    /// A stick proved it equal.
    ByStick,
    /// Something is wrong; see `puller::trouble`.
    Troubled(String),
    /// It is no longer wrong.
    Mended,
}

/// Something that happened at a village.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Rises by one with each; 1 is the first since the hub started.
    pub number: u64,
    /// When, hub clock, Unix milliseconds.
    pub at_ms: i64,
    /// Where.
    pub village: VillageCode,
    /// What.
    pub what: Happened,
}

/// The last things that happened.
#[derive(Debug, Default)]
pub(super) struct Feed {
    kept: VecDeque<Happening>,
    last: u64,
}

/// What a feed needs to know of a village before it changes.
pub(super) struct Before {
    phase: Phase,
    proof_ms: i64,
    stick_ms: i64,
    trouble: String,
}

const fn in_touch(phase: Phase) -> bool {
    matches!(phase, Phase::CatchingUp | Phase::Live)
}

impl Before {
    pub(super) fn of(village: &LiveVillage) -> Self {
        Self {
            phase: village.phase,
            proof_ms: village.last_proof_ms,
            stick_ms: village.last_stick_ms,
            trouble: village.trouble.clone(),
        }
    }
}

impl Feed {
    /// Tells what changed at a village; `before` is `None` when it was not
    /// known yet.
    pub(super) fn tell(&mut self, before: Option<&Before>, now: &LiveVillage, at_ms: i64) {
        let was_in_touch = before.is_some_and(|before| in_touch(before.phase));
        match (was_in_touch, in_touch(now.phase)) {
            (false, true) => self.add(now.village, at_ms, Happened::CameIn),
            (true, false) => self.add(now.village, at_ms, Happened::WentAway),
            _ => {}
        }
        let Some(before) = before else { return };
        if now.last_stick_ms > before.stick_ms {
            self.add(now.village, at_ms, Happened::ByStick);
        } else if now.last_proof_ms > before.proof_ms && now.trouble.is_empty() {
            self.prove(now, at_ms);
        }
        if now.trouble != before.trouble {
            let what = match now.trouble.as_str() {
                "" => Happened::Mended,
                code => Happened::Troubled(code.to_owned()),
            };
            self.add(now.village, at_ms, what);
        }
    }

    fn prove(&mut self, now: &LiveVillage, at_ms: i64) {
        let lately = self.kept.iter().rev().take_while(|it| at_ms - it.at_ms < PROVEN_AGAIN_MS);
        let told =
            |it: &Happening| it.village == now.village && matches!(it.what, Happened::Proven(_));
        if !lately.into_iter().any(told) {
            self.add(now.village, at_ms, Happened::Proven(now.proven_seq));
        }
    }

    fn add(&mut self, village: VillageCode, at_ms: i64, what: Happened) {
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.last += 1;
        self.kept.push_back(Happening { number: self.last, at_ms, village, what });
    }

    /// Those after `number`, newest first.
    pub(super) fn after(&self, number: u64) -> Vec<Happening> {
        self.kept.iter().rev().take_while(|it| it.number > number).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Live;

    fn village() -> VillageCode {
        VillageCode::from_u64(3_505_012_001).unwrap()
    }

    fn told(live: &Live) -> Vec<Happened> {
        live.happenings(0).into_iter().rev().map(|it| it.what).collect()
    }

    #[test]
    fn what_changes_is_told_once() {
        let live = Live::default();
        live.update(village(), |live| live.last_proof_ms = 5);
        assert_eq!(told(&live), [], "what is read from the store is no news");
        live.update(village(), |live| live.phase = Phase::CatchingUp);
        live.update(village(), |live| {
            live.phase = Phase::Live;
            (live.last_proof_ms, live.proven_seq) = (6, 9);
        });
        live.update(village(), |live| live.last_proof_ms = 7);
        live.update(village(), |live| live.trouble = "isi_beda".to_owned());
        live.update(village(), |live| live.trouble.clear());
        live.update(village(), |live| live.phase = Phase::Retrying);
        live.update(village(), |live| live.phase = Phase::Connecting);
        live.update(village(), |live| live.last_stick_ms = 8);
        let expected = [
            Happened::CameIn,
            Happened::Proven(9),
            Happened::Troubled("isi_beda".to_owned()),
            Happened::Mended,
            Happened::WentAway,
            Happened::ByStick,
        ];
        assert_eq!(told(&live), expected);
        assert_eq!(live.happenings(5).len(), 1);
    }

    #[test]
    fn only_the_newest_are_kept() {
        let live = Live::default();
        for _ in 0..KEPT {
            live.update(village(), |live| live.phase = Phase::Live);
            live.update(village(), |live| live.phase = Phase::Retrying);
        }
        let kept = live.happenings(0);
        assert_eq!((kept.len(), kept[0].number), (KEPT, 2 * KEPT as u64));
    }
}
