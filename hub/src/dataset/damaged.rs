//! Damaged stores that villages keep aside, and when they may go.
//!
//! A node whose store was damaged keeps it, because what never reached the
//! district may still be in it. That can't be once the node knew of nothing
//! beyond what the district held and both were proven equal since. Otherwise
//! an operator says so, after somebody has looked.

use lumbung_domain::region::VillageCode;

use super::DatasetError;

/// A damaged store at a village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedStore {
    /// When it was set aside, the node's clock, Unix milliseconds.
    pub at_ms: i64,
    /// It held nothing beyond what the hub had, as far as the node knew.
    pub whole: bool,
    /// Nobody misses it any more.
    pub may_go: bool,
}

/// See the module.
pub trait Damaged: Send + Sync {
    /// Notes that a village set a damaged store aside; once.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn note_damaged_store(
        &self,
        village: VillageCode,
        at_ms: i64,
        whole: bool,
        now_ms: i64,
    ) -> Result<(), DatasetError>;

    /// The damaged stores of a village that the hub knows of, oldest first.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn damaged_stores(&self, village: VillageCode) -> Result<Vec<DamagedStore>, DatasetError>;

    /// An operator says that all of them may go. Gives how many that concerns.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn release_damaged_stores(
        &self,
        village: VillageCode,
        now_ms: i64,
    ) -> Result<u64, DatasetError>;
}
