//! What is missing or contradicts itself in each village's records.

use super::search::region_scope;
use super::{Desk, DeskError};
use crate::access::{Operator, Right};
use crate::dataset::search::VillageQuality;
use crate::recap::RegionRef;

impl Desk {
    /// The gaps of every village of a region, by code; of all the operator's
    /// without one. They are counted from what searches look through, so only
    /// villages that moved are read again.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn quality(
        &self,
        who: &Operator,
        region: Option<RegionRef>,
    ) -> Result<Vec<VillageQuality>, DeskError> {
        who.must(Right::SeeVillages)?;
        Ok(self.dataset.quality(&region_scope(who, region)?)?)
    }
}
