//! Backups of a village, and putting one back.
//!
//! A backup is the whole log in one sealed file (see the media crate). None
//! gets its name before a trial has read it back from the disk, rebuilt it
//! beside the barn and found the same position and the same content. It never
//! holds keys, counters, the witness or the record of visits, and putting one
//! back never touches those: so the barn itself notices that it went back in
//! time, and the district hands back what came after.
//!
//! The node signs its backups. One that another machine has signed is put
//! back only when a person says so, and one without a signature, as older
//! versions wrote them, with a word about it.

mod aside;
mod nightly;
mod restore;
mod shelf;
mod swap;
mod write;

#[cfg(test)]
mod tests;

use std::path::Path;

use lumbung_media::{KeyError, MediaError, PublicKey};

use crate::barn::{OpenBarnError, RebuildError, StoreError};

pub use aside::{forget_damaged_stores, goes_ms, may_go};
pub use nightly::{AllSafe, Nightly, due};
pub(crate) use restore::verified;
pub use restore::{Restored, Signers, Vouched, restore};
pub use shelf::{Kept, Shelf};
pub(crate) use swap::replace_damaged;
pub use swap::{Settled, damaged_stores, forget_old_stores, settle};
pub(crate) use write::sync_folder_of;
pub use write::{Proven, write};

/// Why a backup could not be made or put back. The village's data is as it
/// was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Neither a district's key nor a passphrase: the file would be open to
    /// everybody.
    #[error("neither the district's key nor a passphrase protects the backup")]
    Unprotected,
    /// There is a file with this name.
    #[error("there is a file with this name already")]
    Exists,
    /// The file can't be written or read, or is not what it should be.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A key can't be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The node's own key can't be read or made.
    #[error(transparent)]
    Identity(#[from] lumbung_identity::KeyError),
    /// Another machine than this one has signed it.
    #[error("another machine has signed the backup")]
    Stranger,
    /// The barn can't be read.
    #[error(transparent)]
    Barn(#[from] StoreError),
    /// The trial did not give what was backed up.
    #[error("the trial restore failed: {0}")]
    Trial(&'static str),
    /// The store can't be rebuilt.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
    /// The rebuilt store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenBarnError),
    /// The disk refuses.
    #[error("the disk refuses")]
    Io(#[from] std::io::Error),
    /// The node runs on this folder.
    #[error("the node is running")]
    Running,
    /// The backup is another village's.
    #[error("the backup is of another village")]
    OtherVillage(lumbung_domain::region::VillageCode),
    /// The disk has no room for it.
    #[error("the backup would take {bytes} bytes, allowed are {allowed}")]
    NoRoom {
        /// What it takes.
        bytes: u64,
        /// What it may take.
        allowed: u64,
    },
}

/// The district's key in a village's folder, once the village has joined.
///
/// # Errors
/// [`KeyError`].
pub fn district_key(dir: &Path) -> Result<Option<PublicKey>, KeyError> {
    PublicKey::load(&dir.join("district.age"))
}
