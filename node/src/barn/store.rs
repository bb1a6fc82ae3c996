//! What the barn needs of an ordered key-value store.
//!
//! One key space, atomic batches, and a `sync` that means it. Two
//! implementations: sled on disk, and memory with a tail that a crash drops,
//! for simulation and property tests. Both run the same tests.

use std::io::ErrorKind;
use std::path::PathBuf;

use bytes::Bytes;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds the store open.
    #[error("the store at {0} is in use by another process")]
    Busy(PathBuf),
    /// Reading or writing failed.
    #[error("the store failed")]
    Io(#[source] std::io::Error),
    /// The store's own structures are damaged.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}

/// Why a disk takes no writes until somebody has seen to it; it can be read
/// meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// It has no room.
    Full,
    /// It can only be read.
    ReadOnly,
}

impl Hindrance {
    /// What an error says of the disk, if it is that.
    pub(super) fn of(error: &std::io::Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Self::Full),
            ErrorKind::ReadOnlyFilesystem => Some(Self::ReadOnly),
            _ => None,
        }
    }
}

impl From<Hindrance> for StoreError {
    fn from(hindrance: Hindrance) -> Self {
        let kind = match hindrance {
            Hindrance::Full => ErrorKind::StorageFull,
            Hindrance::ReadOnly => ErrorKind::ReadOnlyFilesystem,
        };
        Self::Io(kind.into())
    }
}

impl StoreError {
    /// What a person can see to, if it is that.
    #[must_use]
    pub fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Self::Io(error) => Hindrance::of(error),
            _ => None,
        }
    }
}

/// Writes that happen together or not at all.
#[derive(Debug, Default)]
pub struct WriteBatch {
    writes: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl WriteBatch {
    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.push((key, Some(value)));
    }

    /// Removes a key.
    pub fn remove(&mut self, key: Vec<u8>) {
        self.writes.push((key, None));
    }

    /// The writes in order: a key and its new value, or `None` where it is
    /// removed. For stores.
    #[must_use]
    pub fn into_writes(self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        self.writes
    }
}

/// Pairs in key order.
pub type Pairs<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), StoreError>> + 'a>;

/// Says whether a store that was opened anew, or a copy of it, is what its user
/// believes it is; and is told whether all that is in it is known to be on the
/// disk.
pub type Check<'a> = dyn FnMut(&dyn Store, bool) -> Result<(), StoreError> + 'a;

/// What came of opening a store anew after a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reopening {
    /// It is open, holds what the disk has, and passed the check.
    Done,
    /// The disk takes no writes yet: ask again.
    Later,
    /// The same; from now on a copy of what the disk has is read, which passed
    /// the check.
    Standing,
    /// Only a new process may open it.
    Never,
}

/// An ordered key-value store. A value that changed at rest reads as an empty
/// one (see `seal`).
pub trait Store: Send + Sync + 'static {
    /// The value of a key.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Pairs with `from <= key < to`.
    fn scan(&self, from: &[u8], to: &[u8]) -> Pairs<'_>;

    /// The last pair with `from <= key <= to`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<(Bytes, Bytes)>, StoreError>;

    /// Applies a batch atomically. Durable only after [`Store::sync`].
    ///
    /// # Errors
    /// [`StoreError`]; the batch may then be visible but not durable, so the
    /// caller must stop serving what it wrote.
    fn apply(&self, batch: WriteBatch) -> Result<(), StoreError>;

    /// Returns once everything applied so far survives a power cut.
    ///
    /// # Errors
    /// [`StoreError`]; nothing applied since the last success may be
    /// acknowledged.
    fn sync(&self) -> Result<(), StoreError>;

    /// Bytes on disk, about; 0 for memory.
    fn disk_bytes(&self) -> u64;

    /// Opens the store anew from what the disk has, after a write failed over a
    /// [`Hindrance`] that is gone. Nothing reads from it before
    /// `check` has passed.
    fn reopen(&self, check: &mut Check<'_>) -> Reopening {
        let _ = check;
        Reopening::Never
    }
}
