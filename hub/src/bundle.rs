//! Changes that villages send on USB sticks, and what goes back.
//!
//! A bundle is merged by the same proofs and the same positions as what the
//! network brings, so both may come in any order, interleaved and twice:
//! what the hub has is skipped once its chain proves equal, a batch that the
//! position lies inside of is split there, a gap is named. Whether the hub
//! runs meanwhile doesn't matter: each transaction checks the position it
//! continues, and whoever is late begins again from what is stored.
//!
//! A village that only sends sticks is served whole: its rows are proven by
//! what a bundle tells of the log (`repair`), and a log that went back in time
//! is agreed on by an answer and the bundle after it. Another log is followed
//! when it names the one merged as its predecessor, or when an operator says so.

mod answer;
mod import;
mod passed;
mod plan;
mod read;
pub mod returned;
mod walk;

use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Position, Seq};
use lumbung_media::MediaError;

use crate::dataset::{DatasetError, Hold};

pub use answer::{AnswerError, Waiting, answer, waiting};
pub use import::{Imported, OtherLog, Proof, import};
pub use read::{Opened, order, read};

/// Why a bundle was not taken. Nothing of it was merged, unless said
/// otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file can't be read, or is not what it should be.
    #[error(transparent)]
    Medium(#[from] MediaError),
    /// The village is not on the hub's list.
    #[error("village {0} is not registered")]
    UnknownVillage(VillageCode),
    /// The village's node has never joined, or another key signed.
    #[error("not signed by the node of village {0}")]
    Stranger(VillageCode),
    /// The key that signed is no longer allowed.
    #[error("signed by a node of village {0} that is no longer allowed")]
    Revoked(VillageCode),
    /// The village is held until a person has looked.
    #[error("village {0} is held")]
    Held(VillageCode),
    /// An operator holds the village for a while.
    #[error("village {village} is held by an operator")]
    OnHold {
        /// Which.
        village: VillageCode,
        /// By whom, why, and until when.
        hold: Hold,
    },
    /// It begins after what the hub has.
    #[error("entries from {next} on are missing")]
    Gap {
        /// The first missing one.
        next: Seq,
    },
    /// It is of another log than the hub follows.
    #[error("the bundle is of another log")]
    OtherLog,
    /// It was made before the village's log was restarted.
    #[error("the bundle was made before the log was restarted")]
    Outdated,
    /// The log was restarted below the hub's position.
    #[error("the log was restarted at {at}, the hub is beyond")]
    Restarted {
        /// After this entry.
        at: Seq,
    },
    /// Its history is another than the one merged.
    #[error("the bundle's history differs from what was merged at {at}")]
    Forked {
        /// Where it shows.
        at: Seq,
    },
    /// It shows that two machines are in use. The village is held now.
    #[error("two machines take turns for village {0}")]
    TakingTurns(VillageCode),
    /// A batch does not prove itself. What comes before it may be merged.
    #[error("the bundle does not prove itself after {after}")]
    Unproven {
        /// The last position that does.
        after: Box<Position>,
    },
    /// The dataset fails.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The hub's own merges kept getting in between.
    #[error("the position kept moving")]
    Busy,
}
