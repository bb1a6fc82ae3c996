//! The node looks after itself: is what it derived still what its log says?
//!
//! A check soon after the start and one a day, each one pass over the log
//! beside the saves. Only when something differs is it put right, by the
//! barn's one writer. A log that does not prove itself is told, kept as it
//! is, and left to people.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use lumbung_ledger::Seq;
use lumbung_link::world;

use super::Village;
use crate::barn::{RederiveError, Rederived};

/// A start has other things to do first: the clerk waits, the hub calls.
const FIRST_AFTER: Duration = Duration::from_secs(3);

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

    /// Checks soon after the start and once a day, until the task is aborted.
    pub async fn keep_checking(self) {
        let mut pause = FIRST_AFTER;
        loop {
            tokio::time::sleep(std::mem::replace(&mut pause, EVERY)).await;
            if let Err(error) = self.check().await {
                tracing::error!(%error, "the check could not put everything right");
            }
        }
    }
}
