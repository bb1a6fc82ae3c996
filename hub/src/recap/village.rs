//! One village's houses, counted and added up its own tree.

use std::collections::HashMap;

use jiff::civil::Date;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::{
    Indikator, IndikatorVector, WargaFacts, hadir_pada, rumah_tangga_vector, wafat_pada,
};
use lumbung_domain::recap::{Level, Sheet};
use lumbung_domain::region::{NAMA_KABUPATEN, roster};

use super::{Recap, RegionRef, kecamatan_name, row};
use crate::dataset::{FactsHouse, FactsRegion, VillageFacts};

/// The village's houses at one date.
pub(super) struct Houses<'a> {
    facts: &'a VillageFacts,
    regions: HashMap<RecordId, &'a FactsRegion>,
    /// One vector per house, in the order of `facts.houses`.
    houses: Vec<IndikatorVector>,
}

impl<'a> Houses<'a> {
    pub(super) fn of(facts: &'a VillageFacts, date: Date) -> Self {
        let mut residents: Vec<Vec<WargaFacts>> = vec![Vec::new(); facts.houses.len()];
        for resident in &facts.residents {
            let Some(family) = facts.families.get(resident.family as usize) else { continue };
            let mut warga = resident.facts;
            warga.keluarga = resident.family;
            warga.hadir = hadir_pada(resident.status_dasar, &resident.events, date);
            warga.wafat = wafat_pada(resident.status_dasar, &resident.events, date);
            if let Some(house) = residents.get_mut(family.house as usize) {
                house.push(warga);
            }
        }
        let mut active = vec![0_u64; facts.houses.len()];
        for family in facts.families.iter().filter(|family| family.aktif) {
            if let Some(count) = active.get_mut(family.house as usize) {
                *count += 1;
            }
        }
        let houses = facts.houses.iter().zip(active).zip(&residents);
        let houses =
            houses.map(|((house, kk), warga)| rumah_tangga_vector(&house.facts, kk, warga, date));
        let regions = facts.regions.iter().map(|region| (region.id, region)).collect();
        Self { facts, houses: houses.collect(), regions }
    }

    /// The whole village with its region counters, without itself.
    pub(super) fn total(&self) -> IndikatorVector {
        let mut total: IndikatorVector = self.houses.iter().copied().sum();
        for region in &self.facts.regions {
            total += counter(region.kind);
        }
        total
    }

    /// Sheet 4.17a: one row per dusun.
    pub(super) fn desa(&self, name: String, date: Date) -> Recap {
        let mut recap = self.sheet(Level::Desa, name, None, Kind::Dusun, date);
        recap.unplaced = self.facts.unplaced;
        recap
    }

    /// The sheet of a dusun, RW, RT or dasawisma.
    pub(super) fn below(&self, id: RecordId, date: Date) -> Option<Recap> {
        let region = self.regions.get(&id)?;
        let name = name(region);
        Some(match region.kind {
            Kind::Dusun => self.sheet(Level::Dusun, name, Some(id), Kind::Rw, date),
            Kind::Rw => self.sheet(Level::Rw, name, Some(id), Kind::Rt, date),
            Kind::Rt => self.sheet(Level::Rt, name, Some(id), Kind::Dasawisma, date),
            Kind::Dasawisma => self.dasawisma(name, id, date),
            _ => return None,
        })
    }

    /// Sheet 4.16a: one row per house.
    fn dasawisma(&self, name: String, id: RecordId, date: Date) -> Recap {
        let houses = self.facts.houses.iter().zip(&self.houses);
        let (rows, houses): (Vec<_>, Vec<_>) = houses
            .filter(|(house, _)| self.dasawisma_of(house) == Some(id))
            .map(|(house, vector)| (row(house.kepala.clone(), *vector), house.id))
            .unzip();
        Recap {
            below: vec![None; rows.len()],
            houses,
            above: self.above(Some(id)),
            sheet: Sheet::new(Level::Dasawisma.form(), name, date, rows),
            unplaced: 0,
        }
    }

    /// Rows of `kind` within `within`; what lies in no such place gets a row
    /// of its own, so that totals always add up.
    fn sheet(
        &self,
        level: Level,
        wilayah: String,
        within: Option<RecordId>,
        kind: Kind,
        date: Date,
    ) -> Recap {
        let inside = |path: &[RecordId]| within.is_none_or(|within| path.contains(&within));
        let mut places: Vec<&FactsRegion> = Vec::new();
        let mut sums: HashMap<Option<RecordId>, IndikatorVector> = HashMap::new();
        for region in &self.facts.regions {
            let path = self.path(region.id);
            if Some(region.id) == within || !inside(&path) {
                continue;
            }
            // A region is counted in the rows above it, not in its own row.
            if region.kind == kind {
                places.push(region);
                sums.entry(Some(region.id)).or_default();
            } else {
                *sums.entry(self.place(&path, kind)).or_default() += counter(region.kind);
            }
        }
        for (house, vector) in self.facts.houses.iter().zip(&self.houses) {
            let mut path = self.path(house.rt_id);
            path.extend(self.dasawisma_of(house));
            if inside(&path) {
                *sums.entry(self.place(&path, kind)).or_default() += *vector;
            }
        }
        places.sort_by(|a, b| order(&a.label).cmp(&order(&b.label)));
        let placed = places.iter().map(|region| (Some(region.id), region.label.clone()));
        let outside = sums.contains_key(&None).then(|| (None, format!("(tanpa {})", word(kind))));
        let (mut rows, mut below) = (Vec::new(), Vec::new());
        for (place, label) in placed.chain(outside) {
            rows.push(row(label, sums.get(&place).copied().unwrap_or_default()));
            below.push(place.map(|id| RegionRef::Below(self.facts.village, id)));
        }
        Recap {
            sheet: Sheet::new(level.form(), wilayah, date, rows),
            below,
            houses: Vec::new(),
            above: self.above(within),
            unplaced: 0,
        }
    }

    /// The regions around `within`, or around the village.
    fn above(&self, within: Option<RecordId>) -> Vec<(RegionRef, String)> {
        let village = self.facts.village;
        let kecamatan = village.kecamatan();
        let mut above = vec![
            (RegionRef::Kabupaten, NAMA_KABUPATEN.to_owned()),
            (RegionRef::Kecamatan(kecamatan), kecamatan_name(kecamatan)),
        ];
        let Some(within) = within else { return above };
        let desa = roster().village(village).map(|desa| desa.short_name());
        above.push((RegionRef::Desa(village), desa.unwrap_or_default()));
        for id in self.path(within).into_iter().skip(1).rev() {
            let region = self.regions.get(&id).map(|region| name(region));
            above.extend(region.map(|name| (RegionRef::Below(village, id), name)));
        }
        above
    }

    /// The house's dasawisma, where it lies in the house's own RT: a group of
    /// another RT would make the sheets of both RT disagree.
    fn dasawisma_of(&self, house: &FactsHouse) -> Option<RecordId> {
        let group = house.dasawisma_id?;
        let parent = self.regions.get(&group)?.parent;
        (parent == Some(house.rt_id)).then_some(group)
    }

    /// The region and everything it lies in.
    fn path(&self, id: RecordId) -> Vec<RecordId> {
        /// dasawisma, RT, RW, dusun.
        const LEVELS: usize = 4;
        let up = |id: &RecordId| self.regions.get(id).and_then(|region| region.parent);
        std::iter::successors(Some(id), up).take(LEVELS).collect()
    }

    fn place(&self, path: &[RecordId], kind: Kind) -> Option<RecordId> {
        let is_kind = |id: &&RecordId| self.regions.get(*id).is_some_and(|r| r.kind == kind);
        path.iter().find(is_kind).copied()
    }
}

fn counter(kind: Kind) -> IndikatorVector {
    let indikator = match kind {
        Kind::Dusun => Indikator::JmlDusun,
        Kind::Rw => Indikator::JmlRw,
        Kind::Rt => Indikator::JmlRt,
        Kind::Dasawisma => Indikator::JmlDasawisma,
        _ => return IndikatorVector::default(),
    };
    IndikatorVector::single(indikator, 1)
}

/// "RT 004".
fn name(region: &FactsRegion) -> String {
    let kind = match region.kind {
        Kind::Dusun => "Dusun",
        Kind::Dasawisma => "Dasawisma",
        other => word(other),
    };
    format!("{kind} {}", region.label)
}

/// The kind inside a sentence.
const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Rw => "RW",
        Kind::Rt => "RT",
        other => other.name(),
    }
}

/// Numbers by value ("2" before "10"), then words.
fn order(label: &str) -> (u32, &str) {
    (label.trim().parse().unwrap_or(u32::MAX), label)
}
