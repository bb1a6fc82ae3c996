//! Whom a row is about.
//!
//! A NIK names a resident. A resident without one is known by family, name
//! and birth date together; "0" and temporary numbers name nobody. No
//! resident is matched by two rows, and a row that can't be taken keeps
//! nobody from a row that can.
//!
//! Several rows and residents may look alike. A row goes first to a resident
//! that already says what it says, so that a sheet imported again finds every
//! resident it made, whatever stands beside them.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use lumbung_domain::id::RecordId;
use lumbung_domain::record::Warga;
use lumbung_domain::validation;

use super::roll::Entry;
use crate::import::cell;
use crate::import::column::{Column, Layout};
use crate::import::finding::CellFinding;
use crate::import::report::Severity;
use crate::import::resident::ResidentReader;
use crate::village::census::{Census, name_key};

/// Residents of one family, name and birth date that rows are compared with:
/// far beyond any family, and a bound for a sheet that repeats one row.
const NAMESAKES_MAX: usize = 64;

/// Reads rows onto residents and checks what comes out.
pub(super) struct RowReader {
    cells: ResidentReader,
    layout: Layout,
    skipped: &'static [Column],
    today: Date,
}

impl RowReader {
    pub(super) fn new(layout: Layout, skipped: &'static [Column], today: Date) -> Self {
        Self { cells: ResidentReader::default(), layout, skipped, today }
    }

    /// The resident after the row, and what its cells and the checks found.
    pub(super) fn read(
        &mut self,
        entry: &Entry<'_>,
        known: Option<&Warga>,
    ) -> (Warga, Vec<CellFinding>) {
        let mut warga = known.cloned().unwrap_or_default();
        warga.nik = entry.nik.or(warga.nik);
        let mut findings = Vec::new();
        self.cells.read(&entry.row, self.layout, self.skipped, &mut warga, &mut findings);
        let verdict = validation::check_warga(&warga, self.today);
        findings.extend(verdict.0.into_iter().map(CellFinding::of_validation));
        (warga, findings)
    }

    /// The resident after the row, if the row can be taken onto `known`.
    fn taken(&mut self, entry: &Entry<'_>, known: Option<&Warga>) -> Option<Warga> {
        let (warga, findings) = self.read(entry, known);
        let is_taken = findings.iter().all(|finding| finding.severity != Severity::Reject);
        is_taken.then_some(warga)
    }
}

/// Finds the resident of every row that has one.
pub(super) fn match_residents(entries: &mut [Entry<'_>], census: &Census, reader: &mut RowReader) {
    let mut claimed: HashSet<RecordId> = HashSet::new();
    for entry in entries.iter_mut().filter(|entry| !entry.is_rejected()) {
        let id = entry.nik.and_then(|nik| census.warga_by_nik(nik));
        entry.matched = id.filter(|id| claimed.insert(*id));
    }
    let mut seekers = seekers(entries, census, &claimed, reader);
    // Rows that need nobody's data come first: an unfinished row may look like
    // the resident that a finished one made.
    seekers.sort_by_key(|seeker| !seeker.stands_alone);
    let mut claims = Claims::default();
    for seeker in 0..seekers.len() {
        claims.claim_equal(seeker, &seekers, &mut HashSet::new());
    }
    let mut found: HashMap<usize, RecordId> =
        claims.0.iter().map(|(id, seeker)| (seekers[*seeker].row, *id)).collect();
    claimed.extend(claims.0.keys());
    seekers.sort_by_key(|seeker| seeker.row);
    for seeker in &seekers {
        if !found.contains_key(&seeker.row)
            && let Some(id) = seeker.fitting.iter().find(|id| !claimed.contains(id))
        {
            claimed.insert(*id);
            found.insert(seeker.row, *id);
        }
    }
    // A row that contradicts the one it names is told so, and claims nobody.
    for seeker in &seekers {
        let contradicted = || seeker.unfit.iter().find(|id| !claimed.contains(id)).copied();
        entries[seeker.row].matched = found.get(&seeker.row).copied().or_else(contradicted);
    }
}

/// The rows without a known NIK that have a namesake nobody has claimed.
fn seekers(
    entries: &mut [Entry<'_>],
    census: &Census,
    claimed: &HashSet<RecordId>,
    reader: &mut RowReader,
) -> Vec<Seeker> {
    let mut families = Families::default();
    let mut seekers = Vec::new();
    for (row, entry) in entries.iter_mut().enumerate() {
        if entry.is_rejected() || entry.matched.is_some() {
            continue;
        }
        let ids = families.namesakes(entry, census);
        if ids.len() > NAMESAKES_MAX {
            let why = "KK ini memuat terlalu banyak warga tanpa NIK dengan nama dan tanggal lahir \
                       yang sama; isi NIK agar mereka dapat dibedakan";
            entry.reject(Column::Nik, "kembar_terlalu_banyak", why);
            continue;
        }
        let unclaimed = ids.into_iter().filter(|id| !claimed.contains(id));
        let namesakes: Vec<(RecordId, &Warga)> =
            unclaimed.filter_map(|id| Some((id, census.warga(id)?))).collect();
        if !namesakes.is_empty() {
            seekers.push(Seeker::of(row, entry, namesakes, reader));
        }
    }
    seekers
}

/// A row without a known NIK and the residents it may be about.
struct Seeker {
    row: usize,
    /// The row makes a resident of its own if it finds none.
    stands_alone: bool,
    /// Residents that stay as they are under this row.
    equal: Vec<RecordId>,
    /// Residents that the row can be taken onto.
    fitting: Vec<RecordId>,
    /// Residents that the row contradicts.
    unfit: Vec<RecordId>,
}

impl Seeker {
    fn of(
        row: usize,
        entry: &Entry<'_>,
        namesakes: Vec<(RecordId, &Warga)>,
        reader: &mut RowReader,
    ) -> Self {
        let stands_alone = reader.taken(entry, None).is_some();
        let mut seeker =
            Self { row, stands_alone, equal: Vec::new(), fitting: Vec::new(), unfit: Vec::new() };
        for (id, known) in namesakes {
            let Some(after) = reader.taken(entry, Some(known)) else {
                seeker.unfit.push(id);
                continue;
            };
            seeker.fitting.push(id);
            if after == *known {
                seeker.equal.push(id);
            }
        }
        seeker
    }
}

/// Which seeker has which resident.
#[derive(Default)]
struct Claims(HashMap<RecordId, usize>);

impl Claims {
    /// Gives the seeker a resident equal to it, moving earlier ones to others
    /// of theirs where needed: who has one keeps having one (Kuhn's matching).
    fn claim_equal(
        &mut self,
        seeker: usize,
        seekers: &[Seeker],
        tried: &mut HashSet<RecordId>,
    ) -> bool {
        let equal = &seekers[seeker].equal;
        let free = equal.iter().find(|id| !self.0.contains_key(id));
        if let Some(id) = free {
            self.0.insert(*id, seeker);
            return true;
        }
        for id in equal {
            if !tried.insert(*id) {
                continue;
            }
            let holder = self.0[id];
            if self.claim_equal(holder, seekers, tried) {
                self.0.insert(*id, seeker);
                return true;
            }
        }
        false
    }
}

/// The residents of a family by name and birth date; those without a NIK first.
type Namesakes = HashMap<(String, Option<Date>), Vec<RecordId>>;

/// The families that rows without a known NIK name, each read once.
#[derive(Default)]
struct Families(HashMap<RecordId, Namesakes>);

impl Families {
    /// The residents of the row's family, name and birth date. A resident
    /// whose other NIK is known is somebody else.
    fn namesakes(&mut self, entry: &Entry<'_>, census: &Census) -> Vec<RecordId> {
        let Some(family) = entry.no_kk.and_then(|no_kk| census.keluarga_by_no_kk(no_kk)) else {
            return Vec::new();
        };
        let Ok(born) = cell::date(entry.row.text(Column::TanggalLahir)) else {
            return Vec::new();
        };
        let is_namesake = |id: &RecordId| {
            entry.nik.is_none() || census.warga(*id).is_some_and(|warga| warga.nik.is_none())
        };
        self.0
            .entry(family)
            .or_insert_with(|| members_by_name(family, census))
            .get(&(same_name(entry.row.text(Column::Nama)), born))
            .map(|ids| ids.iter().copied().filter(is_namesake).collect())
            .unwrap_or_default()
    }
}

fn members_by_name(family: RecordId, census: &Census) -> Namesakes {
    let mut namesakes = Namesakes::new();
    for id in census.members(family) {
        if let Some(warga) = census.warga(*id) {
            let key = (same_name(&warga.nama), warga.tanggal_lahir);
            namesakes.entry(key).or_default().push(*id);
        }
    }
    for ids in namesakes.values_mut() {
        ids.sort_by_key(|id| census.warga(*id).is_some_and(|warga| warga.nik.is_some()));
    }
    namesakes
}

fn same_name(nama: &str) -> String {
    name_key(&cell::resident_name(nama))
}
