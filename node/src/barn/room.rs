//! A disk that is full or can only be read: the writer refuses what comes, looks
//! whether the disk takes writes again, and goes on by itself once the store was
//! opened anew and is what it believes. Meanwhile a copy is read, if there can
//! be one, which must be the same.
//!
//! The head it holds is what was durable and may have been seen. What the disk
//! has must continue it: at that head exactly, or with entries behind it of a
//! group whose savers were told that nothing is certain. A store that is behind
//! is none to go on with; the next start sees to it, witness and all.

use std::time::Duration;

use lumbung_ledger::Seq;
use lumbung_telemetry::clock;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::head::Head;
use super::store::{Hindrance, Reopening, Store, StoreError};
use super::writer::Writer;
use super::{Barn, Job, SubmitError, keys, log};

/// How often a writer without room looks for some.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A save that comes makes it look at once, if it looked this long ago.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Whether the barn takes changes. Times are Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It does.
    Sound,
    /// It does not until the disk has room again.
    Full {
        /// Since when.
        since_ms: i64,
    },
    /// It does again; the disk had been full.
    HadNoRoom {
        /// Since when it was.
        since_ms: i64,
        /// Until when.
        until_ms: i64,
    },
    /// It does not until the disk can be written again.
    ReadOnly {
        /// Since when.
        since_ms: i64,
    },
    /// It does again; the disk could only be read.
    WasReadOnly {
        /// Since when.
        since_ms: i64,
        /// Until when.
        until_ms: i64,
    },
    /// It does not until it is reopened: the disk failed.
    Failed {
        /// Since when.
        since_ms: i64,
    },
}

impl Condition {
    pub(super) const fn during(by: Hindrance, since_ms: i64) -> Self {
        match by {
            Hindrance::Full => Self::Full { since_ms },
            Hindrance::ReadOnly => Self::ReadOnly { since_ms },
        }
    }

    const fn after(by: Hindrance, since_ms: i64, until_ms: i64) -> Self {
        match by {
            Hindrance::Full => Self::HadNoRoom { since_ms, until_ms },
            Hindrance::ReadOnly => Self::WasReadOnly { since_ms, until_ms },
        }
    }

    /// Whether it takes none until the disk does again.
    #[must_use]
    pub const fn is_hindered(self) -> bool {
        matches!(self, Self::Full { .. } | Self::ReadOnly { .. })
    }
}

impl Writer {
    /// Waits for room and goes on with what the disk has. The job that came
    /// when there was room again is handed back; `None` when only a new opening
    /// may go on, or nobody is left.
    pub(super) async fn recover(&mut self, jobs: &mut mpsc::Receiver<Job>) -> Option<Option<Job>> {
        let (by, since_ms) = match *self.condition.borrow() {
            Condition::Full { since_ms } => (Hindrance::Full, since_ms),
            Condition::ReadOnly { since_ms } => (Hindrance::ReadOnly, since_ms),
            _ => (Hindrance::Full, clock::now_ms()),
        };
        let during = Condition::during(by, since_ms);
        let mut came = None;
        loop {
            let looked = Instant::now();
            match self.go_on() {
                Reopening::Done => break,
                Reopening::Never => {
                    tracing::error!("the barn's disk failed; no more changes are taken");
                    self.condition.send_replace(Condition::Failed { since_ms });
                    return None;
                }
                Reopening::Later | Reopening::Standing => {}
            }
            if *self.condition.borrow() != during {
                tracing::error!("the barn's disk is full; changes are taken once it has room");
                self.condition.send_replace(during);
            }
            came.take().into_iter().for_each(|job| refuse(by, job));
            came = wait(by, looked, jobs).await?;
        }
        let until_ms = clock::now_ms();
        let seq = self.head().position.seq.0;
        tracing::info!(code = "barn-eb92", seq, "the disk takes writes again");
        self.condition.send_replace(Condition::after(by, since_ms, until_ms));
        Some(came)
    }

    fn go_on(&mut self) -> Reopening {
        if !self.may_go_on() {
            return Reopening::Never;
        }
        let believed = self.head();
        let mut found = believed;
        let store = self.shared_store();
        let mut check = |store: &dyn Store, durable: bool| {
            found = continuing(store, believed)?;
            if !durable && found != believed {
                return Err(StoreError::Damaged("it has what the disk may not have".to_owned()));
            }
            Ok(())
        };
        let outcome = store.reopen(&mut check);
        if matches!(outcome, Reopening::Later | Reopening::Never) {
            return outcome;
        }
        self.stand_at(found);
        if outcome == Reopening::Standing {
            return outcome;
        }
        // One that the ledger has and the store has not, as at any opening.
        match self.erase_again(clock::now_ms()) {
            Ok(_) => Reopening::Done,
            Err(error) if error.hindrance().is_some() => Reopening::Later,
            Err(error) => {
                tracing::error!(%error, "what was erased can't be erased again");
                Reopening::Never
            }
        }
    }
}

/// Where a store stands that must continue `believed`, entry by entry.
fn continuing(store: &dyn Store, believed: Head) -> Result<Head, StoreError> {
    let other = |what: &str| StoreError::Damaged(format!("the disk {what}"));
    let head = store.get(keys::HEAD)?.as_deref().and_then(Head::from_slice);
    let head = head.ok_or_else(|| other("has no head"))?;
    let (at, known) = (head.position, believed.position);
    if (at.log_id, at.epoch) != (known.log_id, known.epoch) || at.seq < known.seq {
        return Err(other("lacks what was durable"));
    }
    let (mut seq, mut chain) = (known.seq, known.chain);
    if known.seq > Seq::ZERO {
        let last = log::entry(store, known.seq)?.map(|entry| entry.header.seq);
        let there = log::chain_at(store, at, known.seq)?;
        if last != Some(known.seq) || there != Some(chain) {
            return Err(other("has another log than the one that was durable"));
        }
    }
    for pair in store.scan(&keys::log(known.seq.next()), &keys::log(Seq(u64::MAX))) {
        let (before, entries) = log::read_block(&pair?.1)?;
        if before != chain {
            return Err(other("has entries that continue nothing"));
        }
        for entry in &entries {
            chain = chain.step(entry).0;
            seq = seq.next();
        }
    }
    if (seq, chain) != (at.seq, at.chain) || (seq == known.seq && head != believed) {
        return Err(other("has a log that does not end where its head says"));
    }
    // A process that was killed now must find what is served from here on.
    store.sync()?;
    Ok(head)
}

/// Waits until it is time to look for room again: because a job came, or
/// [`LOOK_EVERY`] has passed. `None` when nobody can come any more.
async fn wait(
    by: Hindrance,
    looked: Instant,
    jobs: &mut mpsc::Receiver<Job>,
) -> Option<Option<Job>> {
    let over = tokio::time::sleep_until(looked + LOOK_EVERY);
    tokio::pin!(over);
    loop {
        let job = tokio::select! {
            () = &mut over => return Some(None),
            job = jobs.recv() => job?,
        };
        if looked.elapsed() >= LOOK_AGAIN {
            return Some(Some(job));
        }
        refuse(by, job);
    }
}

/// Tells whoever asks what the disk is like; other work's askers hear that
/// the barn takes nothing.
fn refuse(by: Hindrance, job: Job) {
    let refused = SubmitError::hindered(by, true);
    // Whoever asked may have gone away.
    match job {
        Job::Save { reply, .. } | Job::Erase { reply, .. } => drop(reply.send(Err(refused))),
        Job::Thin { reply, .. } => drop(reply.send(Err(refused))),
        Job::Work(_) => {}
    }
}

impl SubmitError {
    pub(super) const fn hindered(by: Hindrance, certain: bool) -> Self {
        match by {
            Hindrance::Full => Self::Full { certain },
            Hindrance::ReadOnly => Self::ReadOnly { certain },
        }
    }

    /// What a person can see to, if it is that.
    #[must_use]
    pub fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Self::Store(error) => error.hindrance(),
            Self::Full { .. } => Some(Hindrance::Full),
            Self::ReadOnly { .. } => Some(Hindrance::ReadOnly),
            _ => None,
        }
    }
}

impl Barn {
    /// Whether the barn takes changes, and wakes when that changes.
    #[must_use]
    pub fn condition(&self) -> watch::Receiver<Condition> {
        self.condition.clone()
    }
}
