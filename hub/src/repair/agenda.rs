//! Which village is to be proven when, one at a time.
//!
//! Every village has its own moment of the day, so that the proofs of a
//! district are spread over it. A hub that was off at that moment catches up
//! within its first hours. An operator's wish comes first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lumbung_domain::region::VillageCode;
use lumbung_link::world;
use lumbung_telemetry::clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;

/// Each village is proven once in this long.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Proofs that were missed are spread over the first hours after a start:
/// the morning has enough to do.
const MISSED_WITHIN_MS: i64 = 2 * 60 * 60 * 1000;

/// The one turn to prove a village; it ends with this.
#[derive(Debug)]
#[must_use = "the turn ends with it"]
pub(crate) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

/// The agenda of one hub. Clones share it.
#[derive(Clone, Debug)]
pub struct Agenda {
    started: Instant,
    /// The hub's clock then, Unix milliseconds.
    started_ms: i64,
    /// One permit: proofs hold up nobody but each other.
    turn: Arc<Semaphore>,
    asked: Arc<Mutex<HashMap<u64, i64>>>,
    wake: watch::Sender<()>,
}

impl Default for Agenda {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            started_ms: if world::is_simulated() { 0 } else { clock::now_ms() },
            turn: Arc::new(Semaphore::new(1)),
            asked: Arc::default(),
            wake: watch::channel(()).0,
        }
    }
}

impl Agenda {
    /// Notes since when an operator waits for a proof of this village, hub
    /// clock, Unix milliseconds; 0 = nobody does.
    pub fn ask(&self, village: VillageCode, asked_ms: i64) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let known = asked.insert(village.as_u64(), asked_ms).unwrap_or_default();
        drop(asked);
        if known != asked_ms {
            self.wake.send_replace(());
        }
    }

    /// Since when an operator waits; 0 = nobody does.
    pub(super) fn asked_ms(&self, village: VillageCode) -> i64 {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(&village.as_u64()).copied().unwrap_or_default()
    }

    /// Wakes whenever an operator asks for something.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.wake.subscribe()
    }

    /// The turn, once no other village has it.
    pub(super) async fn turn(&self) -> Turn {
        // Nobody closes the semaphore; without a permit it goes on all the
        // same.
        Turn { _permit: Arc::clone(&self.turn).acquire_owned().await.ok() }
    }

    /// How long the hub has been up, milliseconds.
    fn up_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// Now, Unix milliseconds: the hub's clock at its start, and what has
    /// passed since, whatever becomes of the clock.
    pub(super) fn now_ms(&self) -> i64 {
        self.started_ms.saturating_add(self.up_ms())
    }

    /// How long until the next proof of a village that was last proven at
    /// `last_ms` (0 = never).
    pub(super) fn wait(&self, village: VillageCode, last_ms: i64) -> Duration {
        let wait = wait_ms(spread(village), last_ms, self.now_ms(), self.up_ms());
        Duration::from_millis(wait.max(0).unsigned_abs())
    }
}

/// A number that is the village's own and spread evenly, below 2^32.
const fn spread(village: VillageCode) -> i64 {
    (village.as_u64().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).cast_signed()
}

/// See [`Agenda::wait`]; it is `now_ms` and the hub has been up for `up_ms`.
fn wait_ms(spread: i64, last_ms: i64, now_ms: i64, up_ms: i64) -> i64 {
    let moment = (spread * DAY_MS) >> 32;
    let since = (now_ms - moment).rem_euclid(DAY_MS);
    if last_ms >= now_ms - since {
        return DAY_MS - since;
    }
    if since <= up_ms {
        return 0;
    }
    // The hub was off at that moment, or the village is new.
    (((spread * MISSED_WITHIN_MS) >> 32) - up_ms).max(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hub_that_stays_up_proves_every_village_once_a_day(
            spread in 0_i64..1 << 32,
            started in 1_790_000_000_000_i64..1_790_100_000_000,
        ) {
            let (mut now, mut last) = (started, 0);
            let mut proofs = Vec::new();
            while now < started + 5 * DAY_MS {
                now += wait_ms(spread, last, now, now - started);
                last = now;
                proofs.push(now);
            }
            prop_assert!(proofs[0] - started <= MISSED_WITHIN_MS);
            for pair in proofs[1..].windows(2) {
                prop_assert_eq!(pair[1] - pair[0], DAY_MS);
            }
        }

        #[test]
        fn a_hub_of_office_hours_proves_every_village_every_day(spread in 0_i64..1 << 32) {
            let mut last = 0;
            for day in 0..5 {
                let morning = 1_790_000_000_000 + day * DAY_MS;
                let evening = morning + DAY_MS / 3;
                let mut now = morning;
                while now < evening {
                    now += wait_ms(spread, last, now, now - morning).max(1);
                    if wait_ms(spread, last, now, now - morning) == 0 && now < evening {
                        last = now;
                    }
                }
                prop_assert!(last >= morning, "day {day}");
            }
        }
    }

    #[tokio::test]
    async fn one_turn_at_a_time_and_wishes_wake() {
        let agenda = Agenda::default();
        let turn = agenda.turn().await;
        assert!(agenda.turn.try_acquire().is_err());
        drop(turn);
        assert!(agenda.turn.try_acquire().is_ok());
        let village = VillageCode::from_u64(3_505_012_001).unwrap();
        let mut wake = agenda.watch();
        agenda.ask(village, 0);
        assert!(!wake.has_changed().unwrap());
        agenda.ask(village, 7);
        wake.changed().await.unwrap();
        assert_eq!(agenda.asked_ms(village), 7);
    }
}
