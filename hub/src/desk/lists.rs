//! What lists are made of: all villages with what needs somebody, records.

use lumbung_domain::id::Kind;
use lumbung_domain::region::VillageCode;

use super::{Desk, DeskError};
use crate::access::{Operator, Right};
use crate::dataset::{RecordFilter, StoredRecord};
use crate::outlook::Outlook;
use crate::reason::Reasons;

impl Desk {
    /// The operator's villages at this moment, and what needs somebody there.
    /// Causes are sought in the whole district: a neighbour's silence may
    /// explain one's own.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn overview(&self, who: &Operator) -> Result<(Outlook, Reasons), DeskError> {
        who.must(Right::SeeVillages)?;
        self.seen_by(who)
    }

    /// Records of one kind, without their content: for names and ids.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::SeeRecords`],
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn records_of(
        &self,
        who: &Operator,
        kind: Kind,
        village: Option<VillageCode>,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, DeskError> {
        who.must(Right::SeeRecords)?;
        let scope = Self::narrowed(who, village)?;
        Ok(self.dataset.records(&RecordFilter { scope, kind: Some(kind), after: None, limit })?)
    }
}
