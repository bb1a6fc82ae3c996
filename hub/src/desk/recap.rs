//! Recaps, and what charts are drawn from.

use jiff::civil::Date;
use lumbung_domain::recap::{Footnote, tanggal_indonesia};
use lumbung_telemetry::clock;

use super::exporting::fit_purpose;
use super::person::fit_reason;
use super::{Desk, DeskError, sees};
use crate::access::audit::Act;
use crate::access::{Operator, Right};
use crate::dataset::search::Ages;
use crate::recap::{Audience, Recap, RegionRef};
use crate::spans;

/// A sheet of single houses that is to leave.
#[derive(Clone, Debug)]
pub struct HousesOrder {
    /// The dasawisma.
    pub region: RegionRef,
    /// The date it holds for.
    pub date: Date,
    /// With specific data.
    pub specific: bool,
    /// What for.
    pub purpose: String,
    /// It is to be deleted by then.
    pub keep_until: Date,
}

impl Desk {
    /// The recap of a region at a date. The sheet of the kabupaten is for who
    /// may see all of it; heads of houses are named to who may see records.
    /// Rows of single houses come without specific data.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn recap(&self, who: &Operator, region: RegionRef, date: Date) -> Result<Recap, DeskError> {
        let mut recap = self.counted(who, region, date)?;
        recap.close_houses();
        if !recap.houses.is_empty() && !who.may(Right::SeeRecords) {
            for (row, number) in recap.sheet.rows.iter_mut().zip(1..) {
                row.label = format!("rumah tangga {number}");
                row.note.clear();
            }
        }
        Ok(recap)
    }

    /// The same for these readers: counted for the office; for the public as
    /// it stands in the newest publication for that day or an earlier one.
    ///
    /// # Errors
    /// [`DeskError::NotThere`]; [`DeskError::Unfit`] where nothing was
    /// published; [`DeskError::Failed`].
    pub fn recap_for(
        &self,
        who: &Operator,
        region: RegionRef,
        date: Date,
        audience: Audience,
    ) -> Result<Recap, DeskError> {
        match audience {
            Audience::Office => self.recap(who, region, date),
            Audience::Public => self.published(who, region, date),
        }
    }

    fn counted(&self, who: &Operator, region: RegionRef, date: Date) -> Result<Recap, DeskError> {
        who.must(Right::SeeVillages)?;
        if !sees(who.scope(), region) {
            return Err(DeskError::NotThere);
        }
        let _span = spans::recap(region).entered();
        Ok(Recap::with(&*self.dataset, who.scope(), &self.sums, region, date)?)
    }

    /// A sheet of single houses with all it says. Noted before it is shown.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Reveal`]; [`DeskError::Unfit`]
    /// without a reason, with a number in it, or too often;
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn reveal_recap(
        &self,
        who: &Operator,
        region: RegionRef,
        date: Date,
        reason: &str,
    ) -> Result<Recap, DeskError> {
        who.must(Right::SeeRecords)?;
        who.must(Right::Reveal)?;
        fit_reason(reason)?;
        let recap = self.counted(who, region, date)?;
        if !recap.houses.is_empty() {
            self.note_reveal(who, region.to_string(), "lembar per rumah", reason)?;
        }
        Ok(recap)
    }

    /// A sheet of single, named houses that leaves as a file or on paper, with
    /// what has to stand on it. Noted before it leaves.
    ///
    /// # Errors
    /// [`DeskError::Refused`]; [`DeskError::Unfit`] with what is missing;
    /// [`DeskError::NotThere`] for any other sheet, [`DeskError::Failed`].
    pub fn export_houses(
        &self,
        who: &Operator,
        order: &HousesOrder,
    ) -> Result<(Recap, Vec<Footnote>), DeskError> {
        who.must(Right::SeeRecords)?;
        who.must(Right::Export)?;
        if order.specific {
            who.must(Right::Reveal)?;
        }
        fit_purpose(&order.purpose, order.keep_until)?;
        let mut recap = self.counted(who, order.region, order.date)?;
        if recap.houses.is_empty() {
            return Err(DeskError::NotThere);
        }
        let specific = if order.specific { "dengan" } else { "tanpa" };
        let words = format!(
            "lembar per rumah, {} rumah, {specific} data spesifik, sampai {}: {}",
            recap.houses.len(),
            order.keep_until,
            order.purpose.trim()
        );
        self.note(who, Act::Exported, order.region.to_string(), &words)?;
        self.counts.exported(false);
        if !order.specific {
            recap.close_houses();
        }
        let remarks = vec![
            Footnote::new(
                format!("Tujuan: {}", order.purpose.trim()),
                format!("Purpose: {}", order.purpose.trim()),
            ),
            Footnote::new(
                format!("Hapus paling lambat {}.", tanggal_indonesia(order.keep_until)),
                format!("To be deleted by {}.", order.keep_until.strftime("%-d %B %Y")),
            ),
            Footnote::new(
                format!("Dibuat {} oleh {}.", clock::display(clock::now_ms()), who.name()),
                format!("Made {} by {}.", clock::display(clock::now_ms()), who.name()),
            ),
        ];
        Ok((recap, remarks))
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
