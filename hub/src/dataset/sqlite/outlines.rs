//! Outlines of villages made from their rows, kept while the rows stay.
//!
//! A search looks through outlines of the rows as they stand, as long as few
//! villages have moved. While many move at once some are made anew, oldest
//! first and so many a second, and the others are looked through as they were
//! made; who keeps them ready (`desk::ready`) lets none grow older than some
//! seconds. Nobody waits for outlines that others make, but for those of
//! villages that never had one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::identity::{Nik, NikWarning};
use lumbung_domain::record::JenisKelamin;
use lumbung_domain::region::VillageCode;
use lumbung_wire::date;
use rusqlite::{Connection, Row as SqlRow};

use super::SqliteDataset;
use super::facts;
use super::scoped::condition;
use super::upsert::village_sql;
use super::village::village_code;
use crate::allowance::Allowance;
use crate::dataset::outline::{Family, House, NOWHERE, NikState, Outline, Resident, UNKNOWN_DAY};
use crate::dataset::search::Mark;
use crate::dataset::{DatasetError, Scope, bits};

/// Villages that moved and are read again by those who search, at once and a
/// second: about 10 ms each.
const ANEW: (u32, u32) = (12, 8);

/// A village and the mark of its rows.
type Marked = (VillageCode, Mark);

/// An outline, and when it was made.
struct Made {
    at: Instant,
    outline: Arc<Outline>,
}

/// The outlines made so far.
pub(super) struct Outlines {
    made: Mutex<BTreeMap<VillageCode, Made>>,
    /// Held while outlines are made, so that nothing is made twice.
    making: Mutex<()>,
    anew: Allowance,
}

impl Default for Outlines {
    fn default() -> Self {
        let (burst, per_second) = ANEW;
        let (made, making) = (Mutex::default(), Mutex::default());
        Self { made, making, anew: Allowance::new(burst, per_second) }
    }
}

/// The marks of the scope's villages, by code. A mark is made of all that
/// moves when rows are written: position, sum and counts, and the incidents
/// that repairs leave.
pub(super) fn marks(
    conn: &Connection,
    scope: &Scope,
) -> Result<Vec<(VillageCode, Mark)>, DatasetError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT village, log_id, epoch, seq, fingerprint, records, quarantined, leftovers,
                tombstones, decisions,
                (SELECT max(number) FROM incident WHERE incident.village = village.village)
         FROM village WHERE {} ORDER BY village",
        condition(scope, "village")
    ))?;
    let mut rows = statement.query([])?;
    let mut marks = Vec::new();
    while let Some(row) = rows.next()? {
        let mut hasher = blake3::Hasher::new();
        hasher.update(row.get::<_, Option<[u8; 16]>>(1)?.unwrap_or_default().as_slice());
        hasher.update(&row.get::<_, [u8; 32]>(4)?);
        for column in [2, 3, 5, 6, 7, 8, 9, 10] {
            let count: Option<i64> = row.get(column)?;
            hasher.update(&count.unwrap_or_default().to_le_bytes());
        }
        let mut mark = [0; 16];
        mark.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        marks.push((village_code(row, 0)?, Mark(mark)));
    }
    Ok(marks)
}

impl SqliteDataset {
    /// The outlines of the scope's villages, by code: of rows as they stand
    /// now, but for what the module says.
    pub(super) fn outlines(&self, scope: &Scope) -> Result<Vec<Arc<Outline>>, DatasetError> {
        self.outlines_within(scope, false)
    }

    /// The same, all of rows as they stand now.
    pub(super) fn outlines_now(&self, scope: &Scope) -> Result<Vec<Arc<Outline>>, DatasetError> {
        self.outlines_within(scope, true)
    }

    fn outlines_within(
        &self,
        scope: &Scope,
        exactly: bool,
    ) -> Result<Vec<Arc<Outline>>, DatasetError> {
        let made = || self.outlines.made.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = self.read(|conn| marks(conn, scope))?;
        // Villages without an outline, and those whose outline is old.
        let stale = || -> (Vec<Marked>, Vec<Marked>) {
            let made = made();
            let (mut missing, mut moved) = (Vec::new(), Vec::new());
            for (village, mark) in &marks {
                match made.get(village) {
                    None => missing.push((*village, *mark)),
                    Some(old) if old.outline.mark != *mark => {
                        moved.push((old.at, (*village, *mark)));
                    }
                    Some(_) => {}
                }
            }
            moved.sort_unstable_by_key(|(at, (village, _))| (*at, *village));
            (missing, moved.into_iter().map(|(_, stale)| stale).collect())
        };
        let (missing, moved) = stale();
        let making = &self.outlines.making;
        let making = match (exactly || !missing.is_empty(), moved.is_empty()) {
            (true, _) => Some(making.lock().unwrap_or_else(PoisonError::into_inner)),
            (false, true) => None,
            // Others are at it: what there is will do.
            (false, false) => making.try_lock().ok(),
        };
        if making.is_some() {
            // Whoever was here before may have made some of them.
            let (mut anew, mut moved) = stale();
            if !exactly {
                moved.truncate(self.outlines.anew.take(moved.len()));
            }
            anew.extend(moved);
            self.make(&anew, |outline| {
                made().insert(outline.village, Made { at: Instant::now(), outline });
            })?;
        }
        drop(making);
        let made = made();
        let outline = |(village, _): &(VillageCode, Mark)| Some(&made.get(village)?.outline);
        Ok(marks.iter().filter_map(outline).cloned().collect())
    }

    /// Makes these outlines, on every core.
    fn make(
        &self,
        stale: &[(VillageCode, Mark)],
        keep: impl Fn(Arc<Outline>) + Sync,
    ) -> Result<(), DatasetError> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), DatasetError> {
            while let Some((village, mark)) = stale.get(next.fetch_add(1, Ordering::Relaxed)) {
                keep(self.read(|conn| Ok(read(conn, *village, *mark)?))?);
            }
            Ok(())
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|threads| {
            let others = cores.min(stale.len()).saturating_sub(1);
            let others: Vec<_> = (0..others).map(|_| threads.spawn(work)).collect();
            work()?;
            others.into_iter().try_for_each(|other| {
                other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
    }

    /// Forgets the outline of a village whose rows were put right.
    pub(super) fn forget_outline(&self, village: VillageCode) {
        self.outlines.made.lock().unwrap_or_else(PoisonError::into_inner).remove(&village);
    }
}

/// One village's outline. The rows may be newer than the mark; then the mark
/// has moved too, and the next question makes the outline anew.
fn read(conn: &Connection, village: VillageCode, mark: Mark) -> rusqlite::Result<Arc<Outline>> {
    let mut regions = facts::regions(conn, village)?;
    regions.sort_unstable_by_key(|region| region.id);
    let mut outline = Outline::new(village, mark, regions, Vec::new(), Vec::new());
    let heads = houses(conn, &mut outline)?;
    families(conn, &mut outline)?;
    residents(conn, &mut outline)?;
    for (house, head) in (0..).zip(heads) {
        let head = head.map_or(NOWHERE, |head| outline.resident_place(head));
        outline.houses[house].head = head;
    }
    Ok(outline.finished())
}

/// Reads the houses; gives the ids of their heads.
fn houses(conn: &Connection, outline: &mut Outline) -> rusqlite::Result<Vec<Option<RecordId>>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, rt_id, dasawisma_id, kepala_id, rumah, jumlah_mck FROM rumah_tangga
         WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(outline.village)])?;
    let mut heads = Vec::new();
    while let Some(row) = rows.next()? {
        let rt = RecordId(row.get(1)?);
        let own = |group: &RecordId| {
            let region = outline.region(outline.region_place(*group));
            region.is_some_and(|it| it.kind == Kind::Dasawisma && it.parent == Some(rt))
        };
        let group = facts::maybe_id(row, 2)?.filter(own);
        let house = House {
            id: RecordId(row.get(0)?),
            rt: outline.region_place(rt),
            dasawisma: group.map_or(NOWHERE, |group| outline.region_place(group)),
            head: NOWHERE,
            bits: bits::answers(row.get(4)?, row.get(5)?),
        };
        heads.push(facts::maybe_id(row, 3)?);
        outline.houses.push(house);
    }
    Ok(heads)
}

fn families(conn: &Connection, outline: &mut Outline) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT id, rumah_tangga_id, aktif, no_kk IS NOT NULL FROM keluarga
         WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(outline.village)])?;
    while let Some(row) = rows.next()? {
        let family = Family {
            id: RecordId(row.get(0)?),
            house: outline.house_place(RecordId(row.get(1)?)),
            head: NOWHERE,
            aktif: row.get(2)?,
            has_number: row.get(3)?,
        };
        outline.families.push(family);
    }
    Ok(())
}

fn residents(conn: &Connection, outline: &mut Outline) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(
        "SELECT id, keluarga_id, tanggal_lahir, jenis_kelamin, shdk, status_kawin, status_dasar,
                pendidikan_kk, pekerjaan, agama, nik, nama
         FROM warga WHERE village = ?1 AND epoch > 0 ORDER BY id",
    )?;
    let mut rows = statement.query([village_sql(outline.village)])?;
    while let Some(row) = rows.next()? {
        // No list has codes beyond 89; a larger one fits no question.
        let code = |column: usize| -> rusqlite::Result<u8> {
            Ok(u8::try_from(row.get::<_, u16>(column)?).unwrap_or(u8::MAX))
        };
        let born: Option<i32> = row.get(2)?;
        let family = facts::maybe_id(row, 1)?;
        let resident = Resident {
            id: RecordId(row.get(0)?),
            family: family.map_or(NOWHERE, |family| outline.family_place(family)),
            name: 0,
            born: born.unwrap_or(UNKNOWN_DAY),
            jenis_kelamin: code(3)?,
            shdk: code(4)?,
            status_kawin: code(5)?,
            status_dasar: code(6)?,
            pendidikan: code(7)?,
            pekerjaan: code(8)?,
            agama: code(9)?,
            nik: nik_state(row, born, code(3)?)?,
        };
        let name = row.get_ref(11)?.as_str()?;
        outline.push(resident, name);
    }
    Ok(())
}

fn nik_state(row: &SqlRow<'_>, born: Option<i32>, sex: u8) -> rusqlite::Result<NikState> {
    let Some(number) = row.get::<_, Option<i64>>(10)? else { return Ok(NikState::Missing) };
    let Some(nik) = Nik::from_u64(number.cast_unsigned()) else {
        return Ok(NikState::Contradicts);
    };
    let sex = JenisKelamin::from_wire(u32::from(sex));
    let differs = nik
        .check(sex, born.and_then(date::from_days))
        .iter()
        .any(|warning| matches!(warning, NikWarning::JenisKelaminBeda | NikWarning::TanggalBeda));
    Ok(if differs { NikState::Contradicts } else { NikState::Fits })
}
