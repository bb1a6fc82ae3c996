//! When the village of one session is to be proven next, and why.

use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_wire::tree::Part;
use tokio::time::Instant;

use super::agenda::{Agenda, Turn};

/// A side that moved on has caught up by then.
const AGAIN_SOON: Duration = Duration::from_secs(2);

/// First and longest pause after a proof that did not end in equality.
const AGAIN_LATER: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(60 * 60));

/// The next proof of one session's village.
#[derive(Debug)]
pub(crate) struct Due {
    village: VillageCode,
    agenda: Agenda,
    /// The last proof that ended in equality, hub clock; 0 = never.
    last_ms: i64,
    /// The operator's wish that was last heard, as the agenda has it.
    heard_ms: i64,
    next: Instant,
    pause: Duration,
    /// What the node says that everything sums up to at its head.
    pub(crate) stated: Option<Part>,
}

impl Due {
    /// The proofs of a village that was last proven at `last_ms` (0 = never).
    /// With `doubted` the last one did not end in equality: the next is due.
    pub(crate) fn new(village: VillageCode, agenda: Agenda, last_ms: i64, doubted: bool) -> Self {
        let mut due = Self {
            village,
            agenda,
            last_ms,
            // A wish that is older than the last proof has been heard.
            heard_ms: last_ms,
            next: Instant::now(),
            pause: AGAIN_LATER.0,
            stated: None,
        };
        if !doubted {
            due.plan();
        }
        due
    }

    fn plan(&mut self) {
        let wait = self.agenda.wait(self.village, self.last_ms);
        self.next = Instant::now() + wait;
    }

    /// The sums contradict each other: the proof is to be made now. After one
    /// that could not put it right, its pause goes on.
    pub(crate) fn contradicted(&mut self) {
        if self.pause == AGAIN_LATER.0 {
            self.next = Instant::now();
        }
    }

    /// Completes when the proof is to be made and no other village is being
    /// proven; the turn lasts as long as what is returned. Dropping it loses
    /// nothing.
    pub(crate) async fn wait(&self) -> Turn {
        let mut wake = self.agenda.watch();
        while !self.is_asked() {
            tokio::select! {
                () = tokio::time::sleep_until(self.next) => break,
                // The agenda lives as long as any session.
                _ = wake.changed() => {}
            }
        }
        self.agenda.turn().await
    }

    fn is_asked(&self) -> bool {
        self.agenda.asked_ms(self.village) > self.heard_ms
    }

    /// The proof begins now.
    pub(crate) fn begin(&mut self) {
        self.heard_ms = self.heard_ms.max(self.agenda.asked_ms(self.village));
    }

    /// It ended in equality.
    pub(crate) fn equal(&mut self) {
        self.last_ms = self.agenda.now_ms();
        self.pause = AGAIN_LATER.0;
        self.plan();
    }

    /// A side moved on: soon again.
    pub(crate) fn moved_on(&mut self) {
        self.next = Instant::now() + AGAIN_SOON;
    }

    /// It came to nothing, or to something that waits for people.
    pub(crate) fn failed(&mut self) {
        self.next = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(AGAIN_LATER.1);
    }
}
