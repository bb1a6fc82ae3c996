//! Recaps, and what charts are drawn from.

use jiff::civil::Date;

use super::{Desk, DeskError, sees};
use crate::access::{Operator, Right};
use crate::dataset::search::Ages;
use crate::recap::{Recap, RegionRef};
use crate::spans;

impl Desk {
    /// The recap of a region at a date. The sheet of the kabupaten is for who
    /// may see all of it; heads of houses are named to who may see records.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn recap(&self, who: &Operator, region: RegionRef, date: Date) -> Result<Recap, DeskError> {
        who.must(Right::SeeVillages)?;
        if !sees(who.scope(), region) {
            return Err(DeskError::NotThere);
        }
        let _span = spans::recap(region).entered();
        let mut recap = Recap::with(&*self.dataset, &self.sums, region, date)?;
        if !recap.houses.is_empty() && !who.may(Right::SeeRecords) {
            for (row, number) in recap.sheet.rows.iter_mut().zip(1..) {
                row.label = format!("rumah tangga {number}");
            }
        }
        Ok(recap)
    }

    /// How old the living residents of a region are today.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn ages(&self, who: &Operator, region: RegionRef, date: Date) -> Result<Ages, DeskError> {
        who.must(Right::SeeVillages)?;
        let scope = super::search::region_scope(who, Some(region))?;
        let within = super::search::within(Some(region));
        Ok(self.dataset.ages(&scope, within, date)?)
    }
}
