//! A barn's store on a disk that fails.
//!
//! Wraps a store and goes wrong at a chosen write operation (a batch or a
//! sync), once or for good. What was not synced can be dropped as a power cut
//! drops it, or survive in part: sled promises whole batches in their order
//! ([`Survivors::Batches`]); one step worse than that is a batch of which only
//! the first writes are there ([`Survivors::TornBatch`]).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use lumbung_node::barn::{Check, MemoryStore, Pairs, Reopening, Store, StoreError, WriteBatch};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power goes before the operation; nothing answers any more.
    PowerCut,
    /// Power goes after the operation, before it is answered.
    PowerCutAfter,
    /// The disk is full: batches and syncs fail, reads go on.
    Full,
    /// One sync fails and the system forgets what was to be written; later
    /// syncs claim success (the trap of fsync on Linux).
    SyncForgets,
    /// The file system goes read-only: batches and syncs fail, reads go on.
    ReadOnly,
}

/// What of the unsynced tail is there when power is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survivors {
    /// This many batches, oldest first.
    Batches(usize),
    /// This many batches, and of the next one this many writes.
    TornBatch(usize, usize),
}

type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

#[derive(Debug, Default)]
struct State {
    operations: u64,
    plan: Option<(u64, Fault)>,
    broken: Option<Fault>,
    unsynced: Vec<Writes>,
    /// Whether the system wrote all the same what it could not sync.
    written_later: bool,
    syncs_after_fault: u64,
}

/// A store that fails as planned. Clones share it, like file handles.
#[derive(Clone, Debug, Default)]
pub struct FaultyStore<S = MemoryStore> {
    inner: S,
    state: Arc<Mutex<State>>,
}

fn batch(writes: Writes) -> WriteBatch {
    let mut batch = WriteBatch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.put(key, value),
            None => batch.remove(key),
        }
    }
    batch
}

impl Fault {
    fn error(self) -> StoreError {
        StoreError::Io(match self {
            Self::PowerCut | Self::PowerCutAfter => io::Error::other("there is no power"),
            Self::Full => io::ErrorKind::StorageFull.into(),
            Self::SyncForgets => io::Error::other("the disk reports an error"),
            Self::ReadOnly => io::ErrorKind::ReadOnlyFilesystem.into(),
        })
    }

    const fn without_power(self) -> bool {
        matches!(self, Self::PowerCut | Self::PowerCutAfter)
    }
}

impl<S> FaultyStore<S> {
    /// A store without faults so far.
    pub fn on(inner: S) -> Self {
        Self { inner, state: Arc::default() }
    }

    /// Plans `fault` for the write operation after `operations` more.
    pub fn fail_after(&self, operations: u64, fault: Fault) {
        let mut state = self.state();
        state.plan = Some((state.operations + operations, fault));
    }

    /// Whether the planned fault has struck.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state().broken.is_some()
    }

    /// Batches and syncs so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Syncs that were asked for after the fault: a barn that goes on after a
    /// failed sync believes a lie.
    #[must_use]
    pub fn syncs_after_fault(&self) -> u64 {
        self.state().syncs_after_fault
    }

    /// The disk is repaired without losing power: space again, writable again.
    pub fn repair(&self) {
        let mut state = self.state();
        (state.plan, state.broken, state.syncs_after_fault) = (None, None, 0);
    }

    /// The disk has room again, and the system had written meanwhile what a
    /// sync had failed over.
    pub fn repair_after_writing(&self) {
        self.repair();
        self.state().written_later = true;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a write operation; says whether a fault strikes at it.
    fn operation(&self, is_sync: bool) -> Option<Fault> {
        let mut state = self.state();
        state.operations += 1;
        if state.broken.is_some() {
            return state.broken;
        }
        let (at, fault) = state.plan?;
        // What only syncs do waits for one.
        if state.operations > at && (is_sync || fault != Fault::SyncForgets) {
            state.broken = Some(fault);
        }
        state.broken
    }

    fn readable(&self) -> Result<(), StoreError> {
        match self.state().broken {
            Some(fault) if fault.without_power() => Err(fault.error()),
            _ => Ok(()),
        }
    }
}

impl FaultyStore<MemoryStore> {
    /// Power is back after a cut: the unsynced tail is gone but for the
    /// survivors.
    ///
    /// # Errors
    /// Never, as memory doesn't fail.
    pub fn power_back(&self, survivors: Survivors) -> Result<(), StoreError> {
        let tail = {
            let mut state = self.state();
            (state.plan, state.broken, state.syncs_after_fault) = (None, None, 0);
            std::mem::take(&mut state.unsynced)
        };
        self.inner.crash();
        let (whole, torn) = match survivors {
            Survivors::Batches(whole) => (whole, 0),
            Survivors::TornBatch(whole, writes) => (whole, writes),
        };
        for (number, mut writes) in tail.into_iter().enumerate().take(whole + 1) {
            if number == whole {
                writes.truncate(torn);
            }
            self.inner.apply(batch(writes))?;
        }
        self.inner.sync()
    }

    /// Every pair that is there, in key order.
    ///
    /// # Errors
    /// When power is gone.
    pub fn pairs(&self) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        self.scan(&[], &[u8::MAX; 32]).collect()
    }

    /// A copy of what is durable, as a backup of the disk.
    ///
    /// # Errors
    /// When power is gone.
    pub fn copy(&self) -> Result<Self, StoreError> {
        let copy = Self::default();
        let writes =
            self.pairs()?.into_iter().map(|(key, value)| (key.to_vec(), Some(value.to_vec())));
        copy.inner.apply(batch(writes.collect()))?;
        copy.inner.sync()?;
        Ok(copy)
    }

    /// Makes the disk what `copy` is: a backup is put back.
    ///
    /// # Errors
    /// When power is gone.
    pub fn put_back(&self, copy: &Self) -> Result<(), StoreError> {
        let gone = self.pairs()?.into_iter().map(|(key, _)| (key.to_vec(), None));
        self.inner.apply(batch(gone.collect()))?;
        let back = copy.pairs()?.into_iter();
        let back = back.map(|(key, value)| (key.to_vec(), Some(value.to_vec())));
        self.inner.apply(batch(back.collect()))?;
        self.inner.sync()
    }

    /// Changes one bit of a value at rest; says whether there is such a bit.
    #[must_use]
    pub fn flip(&self, key: &[u8], bit: usize) -> bool {
        self.inner.flip(key, bit)
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.readable()?;
        self.inner.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        match self.readable() {
            Ok(()) => self.inner.scan(from, to),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.readable()?;
        self.inner.last(from, to)
    }

    fn apply(&self, asked: WriteBatch) -> Result<(), StoreError> {
        let writes = asked.into_writes();
        match self.operation(false) {
            // Visible until power is back, but never synced.
            Some(fault @ Fault::PowerCutAfter) => {
                self.state().unsynced.push(writes);
                Err(fault.error())
            }
            // This trap lies in syncing.
            None | Some(Fault::SyncForgets) => {
                self.state().unsynced.push(writes.clone());
                self.inner.apply(batch(writes))
            }
            Some(fault) => Err(fault.error()),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        let failed_before = self.has_failed();
        let struck = self.operation(true);
        if failed_before {
            self.state().syncs_after_fault += 1;
        }
        match struck {
            None => {
                self.state().unsynced.clear();
                self.inner.sync()
            }
            Some(fault @ Fault::PowerCutAfter) if !failed_before => {
                self.state().unsynced.clear();
                self.inner.sync()?;
                Err(fault.error())
            }
            // The system has marked the pages clean: it only says so.
            Some(Fault::SyncForgets) if failed_before => Ok(()),
            Some(fault) => Err(fault.error()),
        }
    }

    fn disk_bytes(&self) -> u64 {
        self.inner.disk_bytes()
    }

    fn reopen(&self, check: &mut Check<'_>) -> Reopening {
        match self.state().broken {
            Some(Fault::Full) => return Reopening::Later,
            Some(_) => return Reopening::Never,
            None => {}
        }
        let mut state = self.state();
        state.unsynced.clear();
        if std::mem::take(&mut state.written_later) && self.inner.sync().is_err() {
            return Reopening::Later;
        }
        drop(state);
        self.inner.reopen(check)
    }
}
