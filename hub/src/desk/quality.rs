//! What is missing or contradicts itself in each village's records, and totals
//! that villages state against what their records add up to.

use jiff::civil::Date;
use lumbung_domain::record::Ukuran;
use lumbung_domain::region::VillageCode;

use super::search::region_scope;
use super::{Desk, DeskError};
use crate::access::{Operator, Right};
use crate::dataset::Stated;
use crate::dataset::search::VillageQuality;
use crate::recap::{Counted, RegionRef, counted_below, counted_villages};

/// One total, stated and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatedTotal {
    /// Of what.
    pub ukuran: Ukuran,
    /// What the village states.
    pub stated: u32,
    /// What its records add up to on that day.
    pub counted: u64,
}

impl StatedTotal {
    /// How many more are stated than counted.
    #[must_use]
    pub fn difference(&self) -> i64 {
        i64::from(self.stated) - i64::try_from(self.counted).unwrap_or(i64::MAX)
    }
}

/// A statement beside what the records add up to.
#[derive(Clone, Debug)]
pub struct StatedRegion {
    /// What is stated, by whom and when.
    pub stated: Stated,
    /// The region.
    pub region: RegionRef,
    /// Its name; `None` = there is no such region any more.
    pub name: Option<String>,
    /// Each total that is stated and can be counted there.
    pub totals: Vec<StatedTotal>,
}

impl StatedRegion {
    fn of(stated: Stated, counted: Option<Counted>) -> Self {
        let region = match stated.record.wilayah_id {
            None => RegionRef::Desa(stated.village),
            Some(id) => RegionRef::Below(stated.village, id),
        };
        let totals = counted.iter().flat_map(|counted| {
            let said = stated.record.dinyatakan().filter(|(it, _)| it.ada_di(counted.kind));
            said.map(|(ukuran, stated)| StatedTotal {
                ukuran,
                stated,
                counted: ukuran.terhitung(&counted.sum),
            })
        });
        let totals = totals.collect();
        Self { region, name: counted.map(|it| it.name), totals, stated }
    }

    /// One of its totals.
    #[must_use]
    pub fn total(&self, ukuran: Ukuran) -> Option<StatedTotal> {
        self.totals.iter().copied().find(|it| it.ukuran == ukuran)
    }
}

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

    /// The newest totals that villages state, each against what the records of
    /// its region add up to on the same day. Of one village those of its
    /// dusun, RW, RT and dasawisma too.
    ///
    /// # Errors
    /// [`DeskError::NotThere`], [`DeskError::Failed`].
    pub fn stated(
        &self,
        who: &Operator,
        region: Option<RegionRef>,
    ) -> Result<Vec<StatedRegion>, DeskError> {
        who.must(Right::SeeVillages)?;
        let scope = region_scope(who, region)?;
        let below = matches!(region, Some(RegionRef::Desa(_) | RegionRef::Below(..)));
        let mut stated = self.dataset.stated(&scope, below)?;
        if let Some(RegionRef::Below(_, id)) = region {
            stated.retain(|it| it.record.wilayah_id == Some(id));
        }
        let dated = |it: &Stated| it.record.per_tanggal.map(|day| (it.village, day));
        let whole = |it: &&Stated| it.record.wilayah_id.is_none();
        let asked: Vec<(VillageCode, Date)> =
            stated.iter().filter(whole).filter_map(dated).collect();
        let mut whole = counted_villages((&*self.dataset, &scope), &self.sums, &asked)?.into_iter();
        let asked: Vec<_> = stated
            .iter()
            .filter_map(|it| Some((it.record.wilayah_id?, it.record.per_tanggal?)))
            .collect();
        let mut parts = match region {
            Some(RegionRef::Desa(village) | RegionRef::Below(village, _)) => {
                counted_below((&*self.dataset, &scope), village, &asked)?
            }
            _ => Vec::new(),
        }
        .into_iter();
        let beside = stated.into_iter().map(|stated| {
            let counted = match stated.record.wilayah_id {
                None => whole.next(),
                Some(_) => parts.next().flatten(),
            };
            StatedRegion::of(stated, counted)
        });
        Ok(beside.collect())
    }
}
