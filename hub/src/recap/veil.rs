//! Which counts no public sheet tells, over all levels together.
//!
//! A public sheet may lie beside every other one: the kabupaten's, those of
//! its kecamatan, down to the RT. So a column of a sheet is printed whole or
//! not at all. Where any of its rows is small, none of the rows is printed,
//! and of none of these regions any sheet prints that count, down to the last:
//! what is printed of a region above then fits every way in which its parts
//! may share it. Choosing a few rows to cover a small one instead would leave
//! what covers as a sum of its own sheet's rows, and would tell whoever knows
//! the rule which of the hidden rows is the small one.
//!
//! Columns that add up to a third one ([`SUMS`]) are never hidden alone.

#[cfg(test)]
mod attack;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use lumbung_domain::indicator::{Indikator, IndikatorVector, Satuan};

use super::{KeptSums, Recap, RecapError, RegionRef, village};
use crate::dataset::HubsOwn;

/// Counts below this are not for the public.
pub const SMALL: u64 = 5;

/// Columns that add up to a third one in every row.
pub(super) const SUMS: [[Indikator; 3]; 3] = [
    [Indikator::RumahSehat, Indikator::RumahTidakSehat, Indikator::JmlKrt],
    [Indikator::MakanBeras, Indikator::MakanNonBeras, Indikator::JmlKrt],
    [Indikator::Buta3L, Indikator::Buta3P, Indikator::Buta3],
];

pub(super) const fn is_small(count: u64) -> bool {
    0 < count && count < SMALL
}

/// Every count that is of people, families or houses; regions are no secret.
fn secrets() -> impl Iterator<Item = Indikator> {
    let all = Indikator::STORED.iter().copied().chain([Indikator::Buta3]);
    all.filter(|it| !matches!(it.unit(), Satuan::Wilayah))
}

/// The counts of a region that no public sheet tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Veil(BTreeSet<Indikator>);

impl Veil {
    /// Of the whole kabupaten, which is a row of no sheet.
    pub(super) fn of_all(total: &IndikatorVector) -> Self {
        Self::default().beside([total])
    }

    /// Of every count.
    pub(super) fn everything() -> Self {
        Self(secrets().collect())
    }

    /// Of the regions that are the rows of a sheet, if this is the veil of
    /// what they add up to.
    pub(super) fn beside<'a>(
        mut self,
        rows: impl IntoIterator<Item = &'a IndikatorVector>,
    ) -> Self {
        for row in rows {
            self.0.extend(secrets().filter(|it| is_small(row.get(*it))));
        }
        // Hiding only ever adds, so this ends.
        while self.close() {}
        self
    }

    /// Hides a second one of columns that add up, where only one is. Says
    /// whether anything was hidden.
    fn close(&mut self) -> bool {
        let mut more = false;
        for sum in SUMS {
            let hidden = sum.iter().filter(|it| self.0.contains(it)).count();
            let other = sum.iter().find(|it| !self.0.contains(it));
            if let (1, Some(other)) = (hidden, other) {
                more |= self.0.insert(*other);
            }
        }
        more
    }

    /// Whether a count is not told.
    pub(super) fn hides(&self, indikator: Indikator) -> bool {
        self.0.contains(&indikator)
    }
}

/// What finds veils. It looks at the whole district, whoever asks, and tells
/// no count.
pub struct Veils {
    dataset: Arc<dyn HubsOwn>,
}

impl Veils {
    /// Over this district.
    #[must_use]
    pub fn new(dataset: Arc<dyn HubsOwn>) -> Self {
        Self { dataset }
    }

    /// Of one region: every sheet in which it or a region around it is a row
    /// has its say, from the kabupaten's down.
    ///
    /// # Errors
    /// [`RecapError`].
    pub fn of(&self, kept: &KeptSums, region: RegionRef, date: Date) -> Result<Veil, RecapError> {
        let whole = self.dataset.whole();
        let sheet = |region| Recap::with(&*self.dataset, &whole, kept, region, date);
        let top = sheet(RegionRef::Kabupaten)?;
        let veil = Veil::of_all(&top.sheet.total);
        let (kecamatan, below) = match region {
            RegionRef::Kabupaten => return Ok(veil),
            RegionRef::Kecamatan(code) => (code, None),
            RegionRef::Desa(village) => (village.kecamatan(), Some((village, None))),
            RegionRef::Below(village, id) => (village.kecamatan(), Some((village, Some(id)))),
        };
        let veil = veil.beside(top.vectors());
        let Some((village, within)) = below else { return Ok(veil) };
        let veil = veil.beside(sheet(RegionRef::Kecamatan(kecamatan))?.vectors());
        let Some(id) = within else { return Ok(veil) };
        let facts = self.dataset.facts(&whole, village)?;
        let steps = village::Houses::of(&facts, date).steps(id);
        let steps = steps.ok_or_else(|| RecapError::UnknownRegion(region.to_string()))?;
        Ok(steps.iter().fold(veil, Veil::beside))
    }
}

impl Recap {
    /// What each row counts.
    fn vectors(&self) -> impl Iterator<Item = &IndikatorVector> {
        self.sheet.rows.iter().map(|row| &row.vector)
    }
}
