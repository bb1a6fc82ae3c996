//! What operators do about a village: hold it for a while, and write down what
//! the others should know.

use lumbung_domain::region::VillageCode;

use super::DatasetError;

/// A village that is held: not pulled, and nobody is told of it, until it is
/// released or the time is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Who holds it: an account's name.
    pub by: String,
    /// Why. No personal data.
    pub reason: String,
    /// Since, hub clock, Unix milliseconds.
    pub since_ms: i64,
    /// Until, hub clock.
    pub until_ms: i64,
}

impl Hold {
    /// Whether it counts at this moment.
    #[must_use]
    pub const fn is_on(&self, now_ms: i64) -> bool {
        now_ms < self.until_ms
    }
}

/// What operators want each other to know of a village.
#[derive(Clone, PartialEq, Eq)]
pub struct Remark {
    /// The words, as they were typed.
    pub words: String,
    /// Who wrote them last: an account's name.
    pub by: String,
    /// When, hub clock, Unix milliseconds.
    pub changed_ms: i64,
}

impl std::fmt::Debug for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remark").field("by", &self.by).finish_non_exhaustive()
    }
}

/// Caring for villages.
pub trait Care: Send + Sync {
    /// Holds a village, in place of any hold before; `None` releases it.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn set_hold(&self, village: VillageCode, hold: Option<&Hold>) -> Result<(), DatasetError>;

    /// The hold of a village, be it over; `None` = it is not held.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn hold(&self, village: VillageCode) -> Result<Option<Hold>, DatasetError>;

    /// Sets the remark on a village; `None` takes it away.
    ///
    /// # Errors
    /// [`DatasetError::UnknownVillage`], [`DatasetError::Store`].
    fn set_remark(&self, village: VillageCode, remark: Option<&Remark>)
    -> Result<(), DatasetError>;

    /// The remark on a village.
    ///
    /// # Errors
    /// [`DatasetError::Store`].
    fn remark(&self, village: VillageCode) -> Result<Option<Remark>, DatasetError>;
}
