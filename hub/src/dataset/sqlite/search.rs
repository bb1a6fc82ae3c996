//! Searches over the outlines; what is shown is read from the rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::civil::Date;
use lumbung_domain::code_list::Code;
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::Nik;
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::VillageCode;
use rusqlite::{Connection, OptionalExtension as _};

use super::SqliteDataset;
use super::scoped::condition;
use super::upsert::village_sql;
use super::village::{count, village_code};
use super::{anew, outlines, stated};
use crate::dataset::facts::FactsRegion;
use crate::dataset::outline::{Hit, House, Outline, Top};
use crate::dataset::search::{
    Ages, FamilyLine, FamilyTerms, Found, HouseLine, HouseTerms, Household, HouseholdFamily, Mark,
    Place, PlaceLine, PlaceTerms, ResidentLine, ResidentTerms, Search, Slice, VillageQuality,
};
use crate::dataset::{DatasetError, Scope, Stated};

/// Looks through every outline, on every core.
fn look<'a>(
    outlines: &'a [Arc<Outline>],
    slice: &'a Slice,
    one: impl Fn(&'a Outline, usize, &mut Top<'a>) + Sync,
) -> Top<'a> {
    let next = AtomicUsize::new(0);
    let (after, limit) = (slice.after.as_ref(), slice.limit + 1);
    let work = || {
        let mut top = Top::new(after, limit);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(outline) = outlines.get(number) else { return top };
            one(outline, number, &mut top);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|threads| {
        let others = cores.min(outlines.len()).saturating_sub(1);
        let others: Vec<_> = (0..others).map(|_| threads.spawn(work)).collect();
        let mut top = work();
        for other in others {
            top.join(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        top
    })
}

/// The first lines of an answer. A record that has gone since its outline was
/// made has no line.
fn page<T>(
    top: Top<'_>,
    limit: usize,
    mut line: impl FnMut(&Hit<'_>) -> rusqlite::Result<Option<T>>,
) -> rusqlite::Result<Found<T>> {
    let matched = top.matched;
    let hits = top.into_sorted();
    let next = match hits.get(..limit) {
        Some([.., last]) if hits.len() > limit => Some(last.bookmark()),
        _ => None,
    };
    let mut lines = Vec::with_capacity(hits.len().min(limit));
    for hit in hits.iter().take(limit) {
        lines.extend(line(hit)?);
    }
    Ok(Found { lines, matched, next })
}

fn labelled(region: Option<&FactsRegion>) -> Option<(RecordId, String)> {
    region.map(|region| (region.id, region.label.clone()))
}

fn place_of(
    conn: &Connection,
    outline: &Outline,
    house: Option<&House>,
) -> rusqlite::Result<Place> {
    let Some(house) = house else {
        return Ok(Place { house: None, alamat: String::new(), rt: None, dasawisma: None });
    };
    let alamat: Option<String> = conn
        .prepare_cached("SELECT alamat FROM rumah_tangga WHERE village = ?1 AND id = ?2")?
        .query_row((village_sql(outline.village), house.id.as_bytes()), |row| row.get(0))
        .optional()?;
    Ok(Place {
        house: Some(house.id),
        alamat: alamat.unwrap_or_default(),
        rt: labelled(outline.region(house.rt)),
        dasawisma: labelled(outline.region(house.dasawisma)),
    })
}

fn resident_line(
    conn: &Connection,
    outline: &Outline,
    id: RecordId,
) -> rusqlite::Result<Option<ResidentLine>> {
    let at = outline.resident_place(id);
    let house = outline.residents.get(at as usize).and_then(|it| outline.house_of(it));
    let place = place_of(conn, outline, house)?;
    conn.prepare_cached(
        "SELECT nama, jenis_kelamin, tanggal_lahir, shdk, status_dasar, nik IS NOT NULL
         FROM warga WHERE village = ?1 AND id = ?2 AND epoch > 0",
    )?
    .query_row((village_sql(outline.village), id.as_bytes()), |row| {
        Ok(ResidentLine {
            village: outline.village,
            id,
            nama: row.get(0)?,
            jenis_kelamin: JenisKelamin::from_wire(row.get(1)?),
            tanggal_lahir: row.get(2)?,
            shdk: Code::from_wire(row.get(3)?),
            status_dasar: Code::from_wire(row.get(4)?),
            has_nik: row.get(5)?,
            place,
        })
    })
    .optional()
}

/// The name as it is written, of somebody in the outline.
fn name(conn: &Connection, outline: &Outline, at: u32) -> rusqlite::Result<String> {
    let Some(resident) = outline.residents.get(at as usize) else { return Ok(String::new()) };
    let name = conn
        .prepare_cached("SELECT nama FROM warga WHERE village = ?1 AND id = ?2")?
        .query_row((village_sql(outline.village), resident.id.as_bytes()), |row| row.get(0))
        .optional()?;
    Ok(name.unwrap_or_default())
}

fn house_line(
    conn: &Connection,
    outline: &Outline,
    at: u32,
) -> rusqlite::Result<Option<HouseLine>> {
    let Some(house) = outline.houses.get(at as usize) else { return Ok(None) };
    let people = outline.people_of_families();
    let own = outline.families.iter().zip(people).filter(|(family, _)| family.house == at);
    Ok(Some(HouseLine {
        village: outline.village,
        id: house.id,
        kepala: name(conn, outline, house.head)?,
        people: own.map(|(_, people)| people).sum(),
        rumah: house.bits,
        place: place_of(conn, outline, Some(house))?,
    }))
}

fn family_line(
    conn: &Connection,
    outline: &Outline,
    at: u32,
) -> rusqlite::Result<Option<FamilyLine>> {
    let Some(family) = outline.families.get(at as usize) else { return Ok(None) };
    Ok(Some(FamilyLine {
        village: outline.village,
        id: family.id,
        kepala: name(conn, outline, family.head)?,
        people: outline.people_of_families().get(at as usize).copied().unwrap_or(0),
        aktif: family.aktif,
        place: place_of(conn, outline, outline.houses.get(family.house as usize))?,
    }))
}

fn place_line(outline: &Outline, at: u32) -> Option<PlaceLine> {
    let region = outline.region(at)?;
    let around = outline.around(region.id).into_iter().skip(1);
    Some(PlaceLine {
        village: outline.village,
        id: region.id,
        label: region.label.clone(),
        around: around.map(|it| (it.kind, it.label.clone())).collect(),
        houses: outline.houses_in(region.id),
    })
}

impl SqliteDataset {
    /// The outline of one village of the scope.
    fn outline(
        &self,
        scope: &Scope,
        village: VillageCode,
    ) -> Result<Option<Arc<Outline>>, DatasetError> {
        Ok(self.outlines(&scope.village(village))?.pop())
    }
}

impl Search for SqliteDataset {
    fn row_marks(&self, scope: &Scope) -> Result<Vec<(VillageCode, Mark)>, DatasetError> {
        self.read(|conn| outlines::marks(conn, scope))
    }

    fn make_ready(&self, scope: &Scope) -> Result<(), DatasetError> {
        self.outlines_now(scope).map(drop)
    }

    fn find_residents(
        &self,
        scope: &Scope,
        terms: &ResidentTerms,
        slice: &Slice,
    ) -> Result<Found<ResidentLine>, DatasetError> {
        let outlines = self.outlines(scope)?;
        let top = look(&outlines, slice, |outline, number, top| {
            outline.residents(number, terms, top);
        });
        self.read(|conn| {
            let line = |hit: &Hit<'_>| resident_line(conn, &outlines[hit.outline], hit.id);
            Ok(page(top, slice.limit, line)?)
        })
    }

    fn find_houses(
        &self,
        scope: &Scope,
        terms: &HouseTerms,
        slice: &Slice,
    ) -> Result<Found<HouseLine>, DatasetError> {
        let outlines = self.outlines(scope)?;
        let top = look(&outlines, slice, |outline, number, top| outline.houses(number, terms, top));
        self.read(|conn| {
            let line = |hit: &Hit<'_>| house_line(conn, &outlines[hit.outline], hit.at);
            Ok(page(top, slice.limit, line)?)
        })
    }

    fn find_families(
        &self,
        scope: &Scope,
        terms: &FamilyTerms,
        slice: &Slice,
    ) -> Result<Found<FamilyLine>, DatasetError> {
        let outlines = self.outlines(scope)?;
        let top =
            look(&outlines, slice, |outline, number, top| outline.families(number, terms, top));
        self.read(|conn| {
            let line = |hit: &Hit<'_>| family_line(conn, &outlines[hit.outline], hit.at);
            Ok(page(top, slice.limit, line)?)
        })
    }

    fn find_places(
        &self,
        scope: &Scope,
        terms: &PlaceTerms,
        slice: &Slice,
    ) -> Result<Found<PlaceLine>, DatasetError> {
        let outlines = self.outlines(scope)?;
        let top = look(&outlines, slice, |outline, number, top| outline.places(number, terms, top));
        let line = |hit: &Hit<'_>| Ok(place_line(&outlines[hit.outline], hit.at));
        Ok(page(top, slice.limit, line)?)
    }

    fn ages(
        &self,
        scope: &Scope,
        within: Option<RecordId>,
        date: Date,
    ) -> Result<Ages, DatasetError> {
        let mut ages = Ages::default();
        for outline in self.outlines(scope)? {
            outline.count_ages(within, date, &mut ages);
        }
        Ok(ages)
    }

    fn quality(&self, scope: &Scope) -> Result<Vec<VillageQuality>, DatasetError> {
        Ok(self.outlines(scope)?.iter().map(|outline| outline.quality()).collect())
    }

    fn stated(&self, scope: &Scope, below: bool) -> Result<Vec<Stated>, DatasetError> {
        self.read(|conn| Ok(stated::newest(conn, scope, below)?))
    }

    fn count_records(&self, scope: &Scope, kind: Kind) -> Result<u64, DatasetError> {
        let sql =
            format!("SELECT count(*) FROM {} WHERE {}", kind.name(), condition(scope, "village"));
        self.read(|conn| Ok(conn.prepare_cached(&sql)?.query_row([], |row| count(row, 0))?))
    }

    fn find_nik(&self, scope: &Scope, nik: Nik) -> Result<Vec<ResidentLine>, DatasetError> {
        let found: Vec<(VillageCode, RecordId)> = self.read(|conn| {
            let sql = format!(
                "SELECT village, id FROM warga WHERE nik = ?1 AND epoch > 0 AND {}
                 ORDER BY village, id",
                condition(scope, "village")
            );
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map([nik.as_u64().cast_signed()], |row| {
                Ok((village_code(row, 0)?, RecordId(row.get(1)?)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })?;
        let mut lines = Vec::new();
        for (village, id) in found {
            lines.extend(self.resident(scope, village, id)?);
        }
        Ok(lines)
    }

    fn resident(
        &self,
        scope: &Scope,
        village: VillageCode,
        id: RecordId,
    ) -> Result<Option<ResidentLine>, DatasetError> {
        let Some(outline) = self.outline(scope, village)? else { return Ok(None) };
        self.read(|conn| Ok(resident_line(conn, &outline, id)?))
    }

    fn family_anew(
        &self,
        scope: &Scope,
        village: VillageCode,
        lost: RecordId,
    ) -> Result<Option<FamilyLine>, DatasetError> {
        let Some(outline) = self.outline(scope, village)? else { return Ok(None) };
        self.read(|conn| {
            let Some(now) = anew::family(conn, village, lost)? else { return Ok(None) };
            // One that lives in no known house would help nobody.
            let Ok(at) = outline.families.binary_search_by_key(&now, |family| family.id) else {
                return Ok(None);
            };
            Ok(family_line(conn, &outline, u32::try_from(at).unwrap_or(u32::MAX))?)
        })
    }

    fn household(
        &self,
        scope: &Scope,
        village: VillageCode,
        house: RecordId,
    ) -> Result<Option<Household>, DatasetError> {
        let Some(outline) = self.outline(scope, village)? else { return Ok(None) };
        let place = outline.house_place(house);
        self.read(|conn| {
            let Some(line) = house_line(conn, &outline, place)? else { return Ok(None) };
            let mut families = Vec::new();
            for (at, family) in (0..).zip(&outline.families) {
                if family.house != place {
                    continue;
                }
                let own = outline.residents.iter().filter(|it| it.family == at);
                let mut members = Vec::new();
                for member in own {
                    members.extend(resident_line(conn, &outline, member.id)?);
                }
                // Heads first, then by age; blanks last.
                members.sort_by_key(|it| {
                    let shdk = it.shdk.map_or(u16::MAX, Code::number);
                    (shdk, it.tanggal_lahir.unwrap_or(i32::MAX), it.id)
                });
                families.push(HouseholdFamily { id: family.id, aktif: family.aktif, members });
            }
            Ok(Some(Household { line, families }))
        })
    }
}
