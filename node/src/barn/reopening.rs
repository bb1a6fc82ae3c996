//! A store on disk that is read from a copy while the disk takes no writes, and
//! opened anew once it does.
//!
//! After a write that failed nothing is known of what the disk has: sled may
//! hold in memory what never got there, and the system may show pages that it
//! has given up. So the store is let go, its files are read from the disk and
//! not from what the system still holds of them, and whoever asked checks what
//! is there before anybody works with it: first a copy in memory
//! ([`StandIn`]), which takes nothing, then the store itself. Only a disk that
//! is full or read-only is treated so; one that fails in any other way is for a
//! person to look at.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::sled_store::{Place, SledStore, StandIn, hold};
use super::store::{Check, Hindrance, Pairs, Reopening, Store, StoreError, WriteBatch};

/// Readers of the store are waited for this long before it is let go; then
/// it is tried again later.
const READERS_WITHIN: Duration = Duration::from_secs(2);

/// Why a store takes no more writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The disk takes none for now.
    Hindered(Hindrance),
    /// Anything else.
    Other,
}

/// What is read while the disk takes no writes.
enum Standing {
    /// The store itself.
    None,
    /// A copy.
    Copy {
        _place: Place,
        /// Keeps everybody else from the store that was copied.
        _held: Option<File>,
    },
    /// The store itself: a copy of it would be another one.
    Impossible,
}

/// What is open now; `None` after opening it anew failed half-way.
type Now = Option<Arc<SledStore>>;

/// The store in one folder. Clones of what is open now live in its readers.
pub(super) struct Reopenable {
    dir: PathBuf,
    now: RwLock<Now>,
    /// Goes after the copy was closed.
    standing: Mutex<Standing>,
    /// Of the first write that failed.
    cause: Mutex<Option<Cause>>,
}

impl Reopenable {
    /// What is open in `dir` already.
    pub(super) fn of(store: SledStore, dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            now: RwLock::new(Some(Arc::new(store))),
            standing: Mutex::new(Standing::None),
            cause: Mutex::new(None),
        }
    }

    /// What a disk that takes no writes has in `dir`, to be read only, and
    /// whether the disk is known to have all of it; `None` where memory has no
    /// room for a copy.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn hindered(dir: &Path, by: Hindrance) -> Result<Option<(Self, bool)>, StoreError> {
        if !StandIn::fits(dir) {
            return Ok(None);
        }
        let held = hold(dir)?;
        let StandIn { store, place, durable } = StandIn::of(dir)?;
        let standing = Self {
            standing: Mutex::new(Standing::Copy { _place: place, _held: held }),
            cause: Mutex::new(Some(Cause::Hindered(by))),
            ..Self::of(store, dir)
        };
        Ok(Some((standing, durable)))
    }

    fn now(&self) -> Result<Arc<SledStore>, StoreError> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let closed = || StoreError::Io(std::io::Error::other("the store is not open"));
        now.clone().ok_or_else(closed)
    }

    fn cause(&self) -> MutexGuard<'_, Option<Cause>> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes; a failure is kept in mind, and a panic of sled's is one.
    fn write(
        &self,
        work: impl FnOnce(&SledStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if let (Standing::Copy { .. }, Some(Cause::Hindered(by))) =
            (&*self.standing(), *self.cause())
        {
            return Err(by.into());
        }
        let store = self.now()?;
        // What a panic leaves half-done is marked as broken in the store.
        let written = std::panic::catch_unwind(AssertUnwindSafe(|| work(&store)))
            .unwrap_or_else(|panic| Err(SledStore::panicked(panic.as_ref())));
        if let Err(error) = &written {
            let cause = error.hindrance().map_or(Cause::Other, Cause::Hindered);
            self.cause().get_or_insert(cause);
        }
        written
    }

    /// The store once nobody reads it, and nobody does until the guard is gone;
    /// `None` when somebody does for too long.
    fn let_go(&self) -> Option<(RwLockWriteGuard<'_, Now>, Option<SledStore>)> {
        let begun = Instant::now();
        loop {
            {
                let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
                let Some(store) = now.take() else { return Some((now, None)) };
                match Arc::try_unwrap(store) {
                    Ok(store) => return Some((now, Some(store))),
                    Err(read) => *now = Some(read),
                }
            }
            if begun.elapsed() > READERS_WITHIN {
                return None;
            }
            std::thread::sleep(READERS_WITHIN / 200);
        }
    }

    /// Reads from a copy from now on, if there can be one.
    fn stand_in(&self, by: Hindrance, check: &mut Check<'_>) -> Reopening {
        if !matches!(*self.standing(), Standing::None) || !StandIn::fits(&self.dir) {
            return Reopening::Later;
        }
        let Some((mut now, store)) = self.let_go() else { return Reopening::Later };
        // A full disk may still take a little, so nobody may write there; on a
        // read-only one that is sure, and the store is there if no copy can be.
        let (store, held) = match by {
            Hindrance::Full => {
                drop(store);
                (None, hold(&self.dir))
            }
            Hindrance::ReadOnly => (store, Ok(None)),
        };
        let copied = held.and_then(|held| {
            let copy = StandIn::of(&self.dir)?;
            check(&copy.store, copy.durable)?;
            Ok((copy, held))
        });
        match copied {
            Ok((StandIn { store: copy, place, .. }, held)) => {
                let held = match store {
                    None => held,
                    Some(store) => {
                        drop(store);
                        // Whoever opens it can't write there either.
                        hold(&self.dir).ok().flatten()
                    }
                };
                *self.standing() = Standing::Copy { _place: place, _held: held };
                *now = Some(Arc::new(copy));
                tracing::info!("what is saved is read from a copy in memory");
                Reopening::Standing
            }
            Err(error) => {
                tracing::warn!(%error, "what is saved can't be read from a copy");
                if store.is_some() {
                    *self.standing() = Standing::Impossible;
                }
                *now = store.map(Arc::new);
                Reopening::Later
            }
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
        let cause = *self.cause();
        let by = match cause {
            Some(Cause::Other) => return Reopening::Never,
            Some(Cause::Hindered(by)) => by,
            None => Hindrance::Full,
        };
        if !SledStore::takes_writes_in(&self.dir, by) {
            return self.stand_in(by, check);
        }
        let Some((mut now, store)) = self.let_go() else { return Reopening::Later };
        drop(store);
        // With the copy goes what kept everybody else from the store.
        *self.standing() = Standing::None;
        let opened = SledStore::open_from_disk(&self.dir)
            .and_then(|store| check(&store, true).map(|()| store));
        match opened {
            Ok(store) => {
                *now = Some(Arc::new(store));
                *self.cause() = None;
                SledStore::forget_kept(&self.dir);
                Reopening::Done
            }
            Err(error) if error.hindrance().is_some() || matches!(error, StoreError::Busy(_)) => {
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
