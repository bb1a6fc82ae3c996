//! One village's houses, counted and added up its own tree, as of one day.
//!
//! Who was here on that day is told by the population events, and what follows
//! from it: a family card counts while somebody on it is here, and a house
//! whose people had not come yet or have all gone stands in no row. What has
//! no day of its own (the state of the house, pregnancy, marital status) is
//! counted as last recorded; the sheet says so.

use std::collections::HashMap;

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, StatusDasar};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::{
    Indikator, IndikatorVector, WargaFacts, hadir_pada, rumah_tangga_vector, wafat_pada,
};
use lumbung_domain::recap::{Level, Sheet};
use lumbung_domain::region::{JenisDesa, NAMA_KABUPATEN, roster};

use super::{Recap, RegionRef, kecamatan_name, row};
use crate::dataset::{FactsHouse, FactsRegion, VillageFacts};

/// The village's houses at one date.
pub(super) struct Houses<'a> {
    facts: &'a VillageFacts,
    regions: HashMap<RecordId, &'a FactsRegion>,
    /// One vector per house, in the order of `facts.houses`.
    houses: Vec<IndikatorVector>,
    date: Date,
    jenis: JenisDesa,
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
        let cards = cards(facts, &residents, date);
        let houses = facts.houses.iter().zip(cards).zip(&residents).map(|((house, kk), warga)| {
            let empty = kk == 0 && !warga.is_empty() && !warga.iter().any(|one| one.hadir);
            match empty {
                true => IndikatorVector::default(),
                false => rumah_tangga_vector(&house.facts, kk, warga, date),
            }
        });
        let regions = facts.regions.iter().map(|region| (region.id, region)).collect();
        let desa = roster().village(facts.village);
        let jenis = desa.map_or(JenisDesa::Desa, |desa| desa.kind);
        Self { facts, houses: houses.collect(), regions, date, jenis }
    }

    /// The whole village with its region counters, without itself.
    pub(super) fn total(&self) -> IndikatorVector {
        let mut total: IndikatorVector = self.houses.iter().copied().sum();
        for region in &self.facts.regions {
            total += self.counter(region);
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
        let name = self.name(region);
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
            .filter(|(house, vector)| {
                self.dasawisma_of(house) == Some(id) && vector.get(Indikator::JmlKrt) > 0
            })
            .map(|(house, vector)| (row(house.kepala.clone(), *vector), house.id))
            .unzip();
        Recap {
            below: vec![None; rows.len()],
            houses,
            above: self.above(Some(id)),
            sheet: Sheet::new(Level::Dasawisma.form(), name, date, rows),
            unplaced: 0,
            closed: false,
            published: None,
        }
    }

    /// Whether a region of the village is in use.
    pub(super) fn is_in_use(&self, id: RecordId) -> bool {
        self.regions.get(&id).is_some_and(|region| region.masa.meliputi(self.date))
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
                *sums.entry(self.place(&path, kind)).or_default() += self.counter(region);
            }
        }
        for (house, vector) in self.facts.houses.iter().zip(&self.houses) {
            let mut path = self.path(house.rt_id);
            path.extend(self.dasawisma_of(house));
            if inside(&path) {
                *sums.entry(self.place(&path, kind)).or_default() += *vector;
            }
        }
        // A place that was not in use has no row, unless somebody lived there
        // all the same.
        places.retain(|region| {
            let sum = sums.get(&Some(region.id)).copied().unwrap_or_default();
            region.masa.meliputi(date) || sum != IndikatorVector::default()
        });
        places.sort_by(|a, b| order(&a.label).cmp(&order(&b.label)));
        let placed = places.iter().map(|region| (Some(region.id), region.label.clone()));
        let outside =
            sums.contains_key(&None).then(|| (None, format!("(tanpa {})", self.word(kind))));
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
            closed: false,
            published: None,
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
            let region = self.regions.get(&id).map(|region| self.name(region));
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

    /// A region's own part of the counts of regions, while it is in use.
    fn counter(&self, region: &FactsRegion) -> IndikatorVector {
        let indikator = match region.kind {
            Kind::Dusun => Indikator::JmlDusun,
            Kind::Rw => Indikator::JmlRw,
            Kind::Rt => Indikator::JmlRt,
            Kind::Dasawisma => Indikator::JmlDasawisma,
            _ => return IndikatorVector::default(),
        };
        match region.masa.meliputi(self.date) {
            true => IndikatorVector::single(indikator, 1),
            false => IndikatorVector::default(),
        }
    }

    /// "RT 004"; what a desa calls dusun is a lingkungan in a kelurahan.
    fn name(&self, region: &FactsRegion) -> String {
        let kind = match region.kind {
            Kind::Dusun => self.jenis.label_dusun(),
            Kind::Dasawisma => "Dasawisma",
            other => self.word(other),
        };
        format!("{kind} {}", region.label)
    }

    /// The kind inside a sentence.
    const fn word(&self, kind: Kind) -> &'static str {
        match (kind, self.jenis) {
            (Kind::Rw, _) => "RW",
            (Kind::Rt, _) => "RT",
            (Kind::Dusun, JenisDesa::Kelurahan) => "lingkungan",
            (other, _) => other.name(),
        }
    }

    fn place(&self, path: &[RecordId], kind: Kind) -> Option<RecordId> {
        let is_kind = |id: &&RecordId| self.regions.get(*id).is_some_and(|r| r.kind == kind);
        path.iter().find(is_kind).copied()
    }
}

/// Family cards of each house on a day. One that is in use counts from its
/// registration on, or as soon as somebody on it is here; one that is closed
/// since counts while somebody was here who no longer is.
fn cards(facts: &VillageFacts, residents: &[Vec<WargaFacts>], date: Date) -> Vec<u64> {
    let mut here = vec![false; facts.families.len()];
    for one in residents.iter().flatten().filter(|one| one.hadir) {
        here[one.keluarga as usize] = true;
    }
    let mut left = vec![false; facts.families.len()];
    for resident in &facts.residents {
        let stays = resident.status_dasar.is_none_or(|status| status == Code::<StatusDasar>::HIDUP);
        if let Some(left) = left.get_mut(resident.family as usize) {
            *left |= !stays;
        }
    }
    let mut cards = vec![0; facts.houses.len()];
    for (at, family) in facts.families.iter().enumerate() {
        let counts = match family.aktif {
            true => here[at] || family.tgl_daftar.is_none_or(|day| day <= date),
            false => here[at] && left[at],
        };
        if let Some(count) = cards.get_mut(family.house as usize) {
            *count += u64::from(counts);
        }
    }
    cards
}

/// Numbers by value ("2" before "10"), then words.
fn order(label: &str) -> (u32, &str) {
    (label.trim().parse().unwrap_or(u32::MAX), label)
}
