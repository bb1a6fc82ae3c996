//! What lists are made of: all villages with what needs somebody, records,
//! notices.

use lumbung_domain::id::Kind;
use lumbung_domain::region::{VillageCode, roster};

use super::{Desk, DeskError};
use crate::access::{Operator, Right};
use crate::dataset::notices::ListedNotice;
use crate::dataset::{RecordFilter, Scope, StoredRecord};
use crate::outlook::Outlook;
use crate::reason::{Place, Reasons};

impl Desk {
    /// The operator's villages at this moment, and what needs somebody there.
    /// Causes are sought in the whole district: a neighbour's silence may
    /// explain one's own.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn overview(&self, who: &Operator) -> Result<(Outlook, Reasons), DeskError> {
        who.must(Right::SeeVillages)?;
        let look = self.whole_district()?;
        let (mut outlook, mut reasons) = (*look).clone();
        outlook.villages.retain(|village| who.scope().holds(village.desa.code));
        reasons.needs.retain(|need| match need.place {
            Place::Hub => who.scope().is_whole(),
            Place::Kecamatan(code) => {
                let own = Scope::of_kecamatan([code]);
                own.within(who.scope()) == own
            }
            Place::Village(code) => who.scope().holds(code),
        });
        Ok((outlook, reasons))
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

    /// Notices that reach one of the operator's villages, newest first.
    ///
    /// # Errors
    /// [`DeskError::Failed`].
    pub fn notices_sent(&self, who: &Operator, limit: u32) -> Result<Vec<ListedNotice>, DeskError> {
        who.must(Right::SeeVillages)?;
        let own = roster().villages().iter().map(|desa| desa.code);
        let own: Vec<_> = own.filter(|code| who.scope().holds(*code)).collect();
        let mut notices = self.dataset.notices(limit)?;
        notices.retain(|listed| {
            let targets = &listed.notice.informasi.sasaran;
            targets.iter().any(|target| own.iter().any(|code| target.reaches(*code)))
        });
        Ok(notices)
    }
}
