//! A store on disk that is opened anew once a full disk has room again.
//!
//! After a write that failed nothing is known of what the disk has: sled may
//! hold in memory what never got there, and the system may show pages that it
//! has given up. So the store is let go, its files are read from the disk and
//! not from what the system still holds of them, and whoever asked checks what
//! is there before anybody works with it. Only a lack of room is treated so: a
//! disk that fails in any other way is for a person to look at.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::sled_store::SledStore;
use super::store::{Check, Pairs, Reopening, Store, StoreError, WriteBatch};

/// Readers of the store are waited for this long before it is let go; then
/// it is tried again later.
const READERS_WITHIN: Duration = Duration::from_secs(2);

/// Why a store takes no more writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// There was no room.
    Full,
    /// Anything else.
    Other,
}

/// The store in one folder. Clones of what is open now live in its readers.
pub(super) struct Reopenable {
    dir: PathBuf,
    /// `None` after opening it anew failed half-way.
    now: RwLock<Option<Arc<SledStore>>>,
    /// Of the first write that failed.
    cause: Mutex<Option<Cause>>,
}

impl Reopenable {
    /// What is open in `dir` already.
    pub(super) fn of(store: SledStore, dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            now: RwLock::new(Some(Arc::new(store))),
            cause: Mutex::new(None),
        }
    }

    fn now(&self) -> Result<Arc<SledStore>, StoreError> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let closed = || StoreError::Io(std::io::Error::other("the store is not open"));
        now.clone().ok_or_else(closed)
    }

    fn cause(&self) -> MutexGuard<'_, Option<Cause>> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes; a failure is kept in mind, and a panic of sled's is one.
    fn write(
        &self,
        work: impl FnOnce(&SledStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let store = self.now()?;
        // What a panic leaves half-done is marked as broken in the store.
        let written = std::panic::catch_unwind(AssertUnwindSafe(|| work(&store)))
            .unwrap_or_else(|panic| Err(SledStore::panicked(panic.as_ref())));
        if let Err(error) = &written {
            let cause = if error.is_full() { Cause::Full } else { Cause::Other };
            self.cause().get_or_insert(cause);
        }
        written
    }

    /// Lets go of the store once nobody reads it; `None` when somebody does
    /// for too long.
    fn let_go(&self) -> Option<Option<SledStore>> {
        let begun = Instant::now();
        loop {
            {
                let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
                let Some(store) = now.take() else { return Some(None) };
                match Arc::try_unwrap(store) {
                    Ok(store) => return Some(Some(store)),
                    Err(read) => *now = Some(read),
                }
            }
            if begun.elapsed() > READERS_WITHIN {
                return None;
            }
            std::thread::sleep(READERS_WITHIN / 200);
        }
    }
}

/// Pairs of a store that stays open as long as they are read.
struct Held {
    pairs: Pairs<'static>,
    _store: Arc<SledStore>,
}

impl Iterator for Held {
    type Item = Result<(Bytes, Bytes), StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pairs.next()
    }
}

impl Store for Reopenable {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.now()?.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        match self.now() {
            Ok(store) => Box::new(Held { pairs: store.pairs(from, to), _store: store }),
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.now()?.last(from, to)
    }

    fn apply(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.write(|store| store.apply(batch))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.write(Store::sync)
    }

    fn disk_bytes(&self) -> u64 {
        self.now().map_or(0, |store| store.disk_bytes())
    }

    fn reopen(&self, check: &mut Check<'_>) -> Reopening {
        if *self.cause() == Some(Cause::Other) {
            return Reopening::Never;
        }
        if !SledStore::has_room_in(&self.dir) {
            return Reopening::Later;
        }
        let Some(store) = self.let_go() else { return Reopening::Later };
        drop(store);
        let opened =
            SledStore::open_from_disk(&self.dir).and_then(|store| check(&store).map(|()| store));
        match opened {
            Ok(store) => {
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(store));
                *self.cause() = None;
                SledStore::forget_kept(&self.dir);
                Reopening::Done
            }
            Err(error) if error.is_full() || matches!(error, StoreError::Busy(_)) => {
                tracing::warn!(%error, "the store can't be opened anew yet");
                Reopening::Later
            }
            Err(error) => {
                tracing::error!(%error, "the store can't be opened anew");
                *self.cause() = Some(Cause::Other);
                SledStore::keep_for_good(&self.dir);
                Reopening::Never
            }
        }
    }
}
