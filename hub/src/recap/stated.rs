//! What the records of regions add up to, to be held against what is stated
//! of them: each at the day of its statement.

use std::collections::BTreeMap;

use jiff::civil::Date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::IndikatorVector;
use lumbung_domain::region::{Desa, VillageCode, roster};

use super::village::Houses;
use super::{KeptSums, Recap, RegionRef, sums};
use crate::dataset::{Dataset, DatasetError, Scope};

/// A region and what its records add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// What kind of region; `None` = the whole village.
    pub kind: Option<Kind>,
    /// Its name; below the village with the regions around it, since numbers
    /// of RT come again in every dusun.
    pub name: String,
    /// The sum.
    pub sum: IndikatorVector,
}

/// The sums of whole villages, each at its day, in their order. Villages that
/// ask for the same day are counted together, and none twice.
///
/// # Errors
/// [`DatasetError`].
pub fn counted_villages(
    (dataset, scope): (&dyn Dataset, &Scope),
    kept: &KeptSums,
    asked: &[(VillageCode, Date)],
) -> Result<Vec<Counted>, DatasetError> {
    let mut days: BTreeMap<Date, Vec<&Desa>> = BTreeMap::new();
    for (village, day) in asked {
        days.entry(*day).or_default().extend(roster().village(*village));
    }
    let mut found = BTreeMap::new();
    for (day, villages) in days {
        let counted = sums((dataset, scope), kept, &villages, day)?;
        found.extend(villages.iter().zip(counted).map(|(desa, sum)| ((desa.code, day), sum)));
    }
    let name = |village| roster().village(village).map(Desa::full_name).unwrap_or_default();
    let sum =
        |asked: &(VillageCode, Date)| found.get(asked).map(|it| it.vector).unwrap_or_default();
    let counted = |it: &(VillageCode, Date)| Counted { kind: None, name: name(it.0), sum: sum(it) };
    Ok(asked.iter().map(counted).collect())
}

/// The sums of regions of one village, each at its day, in their order; `None`
/// where there is no such region any more.
///
/// # Errors
/// [`DatasetError`].
pub fn counted_below(
    (dataset, scope): (&dyn Dataset, &Scope),
    village: VillageCode,
    asked: &[(RecordId, Date)],
) -> Result<Vec<Option<Counted>>, DatasetError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let facts = dataset.facts(scope, village)?;
    let mut days: BTreeMap<Date, Houses<'_>> = BTreeMap::new();
    let counted = asked.iter().map(|(region, day)| {
        let houses = days.entry(*day).or_insert_with(|| Houses::of(&facts, *day));
        let kind = facts.regions.iter().find(|it| it.id == *region).map(|it| it.kind);
        let recap = houses.below(*region, *day)?;
        Some(Counted { kind, name: full_name(&recap), sum: recap.sheet.total })
    });
    Ok(counted.collect())
}

/// "RT 004, RW 001, Dusun KRAJAN"
fn full_name(recap: &Recap) -> String {
    let around = recap.above.iter().rev();
    let around = around.take_while(|(region, _)| matches!(region, RegionRef::Below(..)));
    let names = std::iter::once(&recap.sheet.wilayah).chain(around.map(|(_, name)| name));
    names.map(String::as_str).collect::<Vec<_>>().join(", ")
}
