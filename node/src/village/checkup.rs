//! The node looks after itself: is what it derived still what its log says?
//!
//! A check some minutes after the start, one a day, and one whenever the hub
//! proves the village row by row; each is one pass over the log beside the
//! saves. Only when something differs is it put right, by the
//! barn's one writer. A log that does not prove itself is told, kept as it
//! is, and left to people.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use lumbung_ledger::Seq;
use lumbung_link::world;

use super::Village;
use crate::barn::{RederiveError, Rederived};

/// A start has other things to do first: the clerk waits, the hub calls, and
/// on a machine with many nodes they all do.
const FIRST_AFTER: Duration = Duration::from_secs(60);

/// Dice of up to 255 times this are added, so that many nodes don't check at
/// the same moment.
const FIRST_SPREAD: Duration = Duration::from_secs(2);

/// How often a running node checks itself.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// What the last check of this process found.
#[derive(Debug, Default)]
pub struct Checkup {
    at_ms: AtomicI64,
    broken_at: AtomicU64,
}

impl Checkup {
    /// When the last check ended, Unix milliseconds; 0 = none yet.
    #[must_use]
    pub fn at_ms(&self) -> i64 {
        self.at_ms.load(Ordering::Relaxed)
    }

    /// The first entry at which the log did not prove itself.
    #[must_use]
    pub fn broken_at(&self) -> Option<Seq> {
        let seq = self.broken_at.load(Ordering::Relaxed);
        (seq != 0).then_some(Seq(seq))
    }

    fn note(&self, broken_at: Option<Seq>, at_ms: i64) {
        self.broken_at.store(broken_at.map_or(0, |seq| seq.0.max(1)), Ordering::Relaxed);
        self.at_ms.store(at_ms, Ordering::Relaxed);
    }
}

impl Village {
    /// Derives everything anew from the log where it differs, and keeps in
    /// mind what was found.
    ///
    /// # Errors
    /// [`RederiveError`]; then nothing was touched.
    pub async fn put_right(&self) -> Result<Rederived, RederiveError> {
        let now = self.clock.now_ms();
        let outcome = self.barn.rederive(now).await;
        match &outcome {
            Ok(_) => self.checkup.note(None, now),
            Err(RederiveError::Broken(seq)) => {
                tracing::error!(%seq, "the log does not prove itself; it is left as it is");
                self.checkup.note(Some(*seq), now);
            }
            Err(_) => {}
        }
        outcome
    }

    /// One check of a village at work: saves wait only when something seems
    /// to differ.
    ///
    /// # Errors
    /// [`RederiveError`].
    pub async fn check(&self) -> Result<(), RederiveError> {
        let barn = self.barn.clone();
        let verified = world::blocking(move || barn.verify()).await;
        let soundness = verified.map_err(|_| RederiveError::Closed)??;
        // A save during the verification can look like a fault; the writer
        // looks again and knows.
        if soundness.faults.is_empty() {
            self.checkup.note(None, self.clock.now_ms());
            return Ok(());
        }
        self.put_right().await.map(drop)
    }

    /// Checks some minutes after the start and once a day, until the task is aborted.
    pub async fn keep_checking(self) {
        let mut pause = FIRST_AFTER + FIRST_SPREAD * u32::from(world::dice());
        loop {
            tokio::time::sleep(std::mem::replace(&mut pause, EVERY)).await;
            if let Err(error) = self.check().await {
                tracing::error!(%error, "the check could not put everything right");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lumbung_domain::id::Kind;
    use lumbung_domain::record::{Dusun, Record};
    use lumbung_domain::region::VillageCode;
    use lumbung_ledger::{LogId, Source};
    use lumbung_telemetry::clock::Clock;

    use super::*;
    use crate::barn::{Ground, MemoryStore, Store, WriteBatch};
    use crate::village::Wish;

    /// Changes the last byte of the first value whose key begins so.
    fn damage(store: &MemoryStore, letter: u8) {
        let (key, value) = store.scan(&[letter], &[letter + 1]).next().unwrap().unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        let mut batch = WriteBatch::default();
        batch.put(key.to_vec(), value);
        store.apply(batch).unwrap();
    }

    #[tokio::test]
    async fn a_check_puts_right_what_it_finds_and_remembers_what_it_cannot() {
        let store = MemoryStore::default();
        let ground = Ground { store: Arc::new(store.clone()), witness: None, salts: 1 };
        let code = VillageCode::from_u64(3_505_012_001).unwrap();
        let (log, clock) = (Some(LogId([1; 16])), Clock::standing_at(70));
        let village = Village::open_in_task(ground, log, code, clock).unwrap();
        let record = Some(Record::Dusun(Dusun { nama: "KRAJAN".into(), ..Dusun::default() }));
        let wish = Wish { id: None, kind: Kind::Dusun, record, seen: None };
        village.save("uji", Source::MANUAL, vec![wish]).await.unwrap();

        village.check().await.unwrap();
        assert_eq!((village.checkup().at_ms(), village.checkup().broken_at()), (70, None));
        assert_eq!(village.barn().mending().unwrap(), None);

        damage(&store, b'S');
        village.check().await.unwrap();
        let mending = village.barn().mending().unwrap().unwrap();
        assert_eq!((mending.at_ms, mending.records, mending.things()), (70, 1, 1));
        assert_eq!(village.barn().verify().unwrap().faults, []);

        damage(&store, b'L');
        assert!(matches!(village.check().await, Err(RederiveError::Broken(_))));
        assert_eq!(village.checkup().broken_at(), Some(Seq(1)));
        damage(&store, b'L');
        village.check().await.unwrap();
        assert_eq!(village.checkup().broken_at(), None);
    }
}
