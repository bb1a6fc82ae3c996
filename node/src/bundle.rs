//! Changes that go to the district on a USB stick, and what comes back.
//!
//! A bundle carries the batches that the network would carry, from the last
//! entry the district acknowledged to the head. Stick and network may be used
//! in any order and twice: the hub takes from either only what continues its
//! position. So nothing is marked as sent here; only the district's
//! acknowledgement counts.

mod answer;
mod export;
pub mod returned;
mod sums;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::Seq;
use lumbung_media::{KeyError, MediaError};

use crate::barn::{RestartError, StoreError};
use crate::identity::IdentityError;

pub use answer::{Answered, Standing, read_answer};
pub use export::{Exported, export, replaced_to_wire};

/// Why a bundle could not be made. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The village has no key of a district to seal to.
    #[error("the village has not joined a district")]
    NotJoined,
    /// The answer is for another village.
    #[error("the answer is for village {0}")]
    OtherVillage(VillageCode),
    /// The answer is not signed by the district this village has joined.
    #[error("the answer is not the district's")]
    Stranger,
    /// What the district gave at joining can't be read.
    #[error(transparent)]
    Membership(#[from] IdentityError),
    /// The log could not be restarted where the district and it parted.
    #[error(transparent)]
    Restart(#[from] RestartError),
    /// A parcel can't be read; none was taken.
    #[error("a parcel in the answer can't be read")]
    Parcel,
    /// There is a file with this name.
    #[error("there is a file with this name already")]
    Exists,
    /// The log ends before the wished first entry.
    #[error("the log ends at {last}")]
    Beyond {
        /// Its last entry.
        last: Seq,
    },
    /// The file can't be written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A sealing key can't be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The node's own key can't be read or made.
    #[error(transparent)]
    Identity(#[from] lumbung_identity::KeyError),
    /// The barn can't be read.
    #[error(transparent)]
    Barn(#[from] StoreError),
    /// The disk refuses.
    #[error("the disk refuses")]
    Io(#[from] std::io::Error),
}
