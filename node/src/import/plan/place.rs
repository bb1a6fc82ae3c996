//! Where a family lives: RT, house, dasawisma. Whatever the village doesn't
//! have yet is created.

use lumbung_domain::id::RecordId;
use lumbung_domain::identity::NoKk;
use lumbung_domain::record::{Dasawisma, Dusun, Keluarga, Record, Rt, RumahTangga, Rw};
use lumbung_domain::validation::{self, Verdict};

use super::family::Said;
use super::{Planner, Taken};
use crate::import::cell;
use crate::import::column::{Column, Layout};
use crate::import::finding::CellFinding;
use crate::import::house;
use crate::village::census::number_key;

/// The house a family lives in after the import.
pub(super) struct Place {
    pub(super) house: RecordId,
    pub(super) rt: RecordId,
    pub(super) is_new: bool,
}

/// What a row says about its region; blank parts are "none".
struct Region<'a> {
    dusun: String,
    rw: &'a str,
    rt: &'a str,
    /// The sheet has a dusun and an RW column, so that blank means none.
    is_whole: bool,
}

impl<'a> Planner<'a> {
    /// Finds or makes the family's house, without touching an existing one.
    pub(super) fn place(
        &mut self,
        current: Option<RecordId>,
        taken: &mut [Taken<'a>],
    ) -> Result<Place, CellFinding> {
        let current = current.filter(|id| self.draft.census().rumah_tangga(*id).is_some());
        let region = self.region(taken);
        let rt = match (region, current) {
            (Some(region), _) => self.rt(&region)?,
            (None, Some(house)) => self.rt_of_house(house),
            (None, None) => {
                return Err(CellFinding::reject(
                    Column::Rt,
                    "rt_kosong",
                    &"RT belum diisi; isi nomor RT tempat keluarga ini tinggal",
                ));
            }
        };
        if let Some(house) = self.shared_house(taken) {
            let rt_of_house = self.rt_of_house(house);
            if rt_of_house != rt {
                let first = &mut taken[0].findings;
                first.push(CellFinding::warning(
                    Column::SerumahDenganKk,
                    "serumah_beda_rt",
                    "KK yang serumah tercatat di RT lain; dipakai RT rumah itu",
                ));
            }
            return Ok(Place { house, rt: rt_of_house, is_new: false });
        }
        if let Some(house) = current {
            let is_alone = self.draft.census().families(house).len() <= 1;
            if self.rt_of_house(house) == rt || is_alone {
                return Ok(Place { house, rt, is_new: false });
            }
        } else if let Some(house) = self.numbered_house(rt, taken) {
            return Ok(Place { house, rt, is_new: false });
        }
        self.houses_created += 1;
        Ok(Place { house: (self.mint)(), rt, is_new: true })
    }

    /// Writes the house with what the rows say about it.
    pub(super) fn write_house(
        &mut self,
        place: &Place,
        before: Option<&Keluarga>,
        family: &Keluarga,
        taken: &mut [Taken<'a>],
    ) {
        let known = self.draft.census().rumah_tangga(place.house);
        let mut home = known.cloned().unwrap_or_default();
        if !place.is_new && home.rt_id != place.rt {
            home.dasawisma_id = None;
            self.houses_moved += 1;
        }
        home.rt_id = place.rt;
        // What the house took from this card follows the card.
        let follows = before.is_some_and(|before| before.alamat == home.alamat);
        if !self.sheet.has(Column::AlamatRumah) && (place.is_new || follows) {
            family.alamat.clone_into(&mut home.alamat);
        }
        let had_its_head = before.is_some_and(|before| before.kepala_id == home.kepala_id);
        if home.kepala_id.is_none() || had_its_head {
            home.kepala_id = family.kepala_id;
        }
        self.read_dasawisma(place, &mut home, taken);
        if self.sheet.layout() == Layout::Template {
            self.read_house_cells(place.house, &mut home, taken);
        }
        self.draft.put(place.house, Record::RumahTangga(Box::new(home)));
    }

    /// The first filled region among the rows; the others are compared to it.
    fn region(&self, taken: &mut [Taken<'a>]) -> Option<Region<'a>> {
        const COLUMNS: [Column; 3] = [Column::Dusun, Column::Rw, Column::Rt];
        let first = taken.iter().find(|row| !row.row.text(Column::Rt).is_empty())?.row;
        for row in taken.iter_mut() {
            let differs = |column: &Column| {
                let (text, wanted) = (row.row.text(*column), first.text(*column));
                !text.is_empty() && text != wanted && number_key(text) != number_key(wanted)
            };
            if let Some(column) = COLUMNS.into_iter().find(differs) {
                row.findings.push(CellFinding::differs_in_family(column));
            }
        }
        let mut dusun = cell::dusun_name(first.text(Column::Dusun));
        // A dump has no dusun column; where somebody added one, blank is none.
        if self.sheet.layout() == Layout::Siak && !self.sheet.has(Column::Dusun) {
            dusun = cell::dusun_in_address(first.text(Column::AlamatKk)).unwrap_or_default();
        }
        Some(Region {
            is_whole: (self.sheet.has(Column::Dusun) || !dusun.is_empty())
                && self.sheet.has(Column::Rw),
            dusun,
            rw: first.text(Column::Rw),
            rt: first.text(Column::Rt),
        })
    }

    fn rt(&mut self, region: &Region<'_>) -> Result<RecordId, CellFinding> {
        if let Some(rt) = self.known_rt(region) {
            return Ok(rt);
        }
        if !region.is_whole {
            match self.rts_like(region).as_slice() {
                [] => {}
                [rt] => return Ok(*rt),
                _ => {
                    return Err(CellFinding::reject(
                        Column::Rt,
                        "rt_lebih_dari_satu",
                        &"ada beberapa RT bernomor ini; tambahkan kolom dusun dan RW",
                    ));
                }
            }
        }
        self.create_rt(region)
    }

    /// Creates the RT and what is missing above it, all or nothing.
    fn create_rt(&mut self, region: &Region<'_>) -> Result<RecordId, CellFinding> {
        let mut dusun = Dusun::default();
        let mut rw = Rw::default();
        let mut rt = Rt::default();
        region.dusun.clone_into(&mut dusun.nama);
        region.rw.clone_into(&mut rw.nomor);
        region.rt.clone_into(&mut rt.nomor);
        let (has_dusun, has_rw) = (!dusun.nama.is_empty(), !rw.nomor.is_empty());
        if has_dusun {
            fit(Column::Dusun, &validation::check_dusun(&dusun))?;
        }
        if has_rw {
            fit(Column::Rw, &validation::check_rw(&rw))?;
        }
        fit(Column::Rt, &validation::check_rt(&rt))?;
        if has_dusun {
            let known = self.draft.census().find_dusun(&dusun.nama);
            rt.dusun_id = Some(known.unwrap_or_else(|| self.create(Record::Dusun(dusun))));
        }
        if has_rw {
            rw.dusun_id = rt.dusun_id;
            let known = self.draft.census().find_rw(rw.dusun_id, &rw.nomor);
            rt.rw_id = Some(known.unwrap_or_else(|| self.create(Record::Rw(rw))));
        }
        Ok(self.create(Record::Rt(rt)))
    }

    fn known_rt(&self, region: &Region<'_>) -> Option<RecordId> {
        let census = self.draft.census();
        let dusun = match region.dusun.as_str() {
            "" => None,
            nama => Some(census.find_dusun(nama)?),
        };
        let rw = match region.rw {
            "" => None,
            nomor => Some(census.find_rw(dusun, nomor)?),
        };
        census.find_rt(rw.or(dusun), region.rt)
    }

    /// RTs of this number wherever the sheet leaves dusun or RW open.
    fn rts_like(&self, region: &Region<'_>) -> Vec<RecordId> {
        let census = self.draft.census();
        let fits = |id: &RecordId| {
            let Some(rt) = census.rt(*id) else { return false };
            let rw = rt.rw_id.and_then(|id| census.rw(id)).map(|rw| number_key(&rw.nomor));
            let dusun = census.dusun_of_rt(rt).and_then(|id| census.dusun(id));
            (region.rw.is_empty() || rw == Some(number_key(region.rw)))
                && (region.dusun.is_empty()
                    || dusun.is_some_and(|dusun| cell::dusun_name(&dusun.nama) == region.dusun))
        };
        let rts = census.rts_numbered(region.rt).iter();
        rts.copied().filter(fits).collect()
    }

    fn create(&mut self, record: Record) -> RecordId {
        let id = (self.mint)();
        self.draft.put(id, record);
        id
    }

    fn rt_of_house(&self, house: RecordId) -> RecordId {
        self.draft.census().rumah_tangga(house).map_or_else(RecordId::default, |house| house.rt_id)
    }

    /// The house of the card that a row says it shares a house with.
    fn shared_house(&self, taken: &mut [Taken<'a>]) -> Option<RecordId> {
        let row = taken.iter_mut().find(|row| !row.row.text(Column::SerumahDenganKk).is_empty())?;
        let census = self.draft.census();
        let house = NoKk::parse(row.row.text(Column::SerumahDenganKk))
            .ok()
            .and_then(|no_kk| census.keluarga_by_no_kk(no_kk))
            .and_then(|id| Some(census.keluarga(id)?.rumah_tangga_id))
            .filter(|id| census.rumah_tangga(*id).is_some());
        if house.is_none() {
            row.findings.push(CellFinding::warning(
                Column::SerumahDenganKk,
                "serumah_tidak_dikenal",
                "KK yang serumah tidak ditemukan; keluarga ini dicatat di rumah sendiri",
            ));
        }
        house
    }

    fn numbered_house(&self, rt: RecordId, taken: &[Taken<'a>]) -> Option<RecordId> {
        let mut numbers = taken.iter().map(|row| row.row.text(Column::NomorRumah));
        let nomor = numbers.find(|nomor| !nomor.is_empty())?;
        self.draft.census().find_house(rt, nomor)
    }

    fn read_dasawisma(&mut self, place: &Place, home: &mut RumahTangga, taken: &mut [Taken<'a>]) {
        for row in taken {
            let nama = row.row.text(Column::Dasawisma);
            match self.says_first(place.house, Column::Dasawisma, nama) {
                Said::First => {
                    let known = self.draft.census().find_dasawisma(place.rt, nama);
                    let group = Dasawisma {
                        nama: nama.to_owned(),
                        rt_id: place.rt,
                        aktif: true,
                        ..Dasawisma::default()
                    };
                    let verdict = validation::check_dasawisma(&group, self.today);
                    if known.is_none() && !verdict.may_save() {
                        row.findings.push(CellFinding::unfit(Column::Dasawisma));
                    } else {
                        let id = known.unwrap_or_else(|| self.create(Record::Dasawisma(group)));
                        home.dasawisma_id = Some(id);
                    }
                }
                Said::Again => {}
                Said::Otherwise => {
                    row.findings.push(CellFinding::differs_in_house(Column::Dasawisma));
                }
            }
        }
    }

    fn read_house_cells(&mut self, id: RecordId, home: &mut RumahTangga, taken: &mut [Taken<'a>]) {
        let columns = self.sheet.layout().headings().iter().map(|(column, _)| *column);
        for column in columns.filter(|column| column.is_house() && self.sheet.has(*column)) {
            for row in taken.iter_mut() {
                let text = row.row.text(column);
                match self.says_first(id, column, text) {
                    Said::First => {
                        let before = home.clone();
                        let mut reading = house::read_house(column, text, home);
                        if reading.is_ok()
                            && !validation::check_rumah_tangga(home, self.today).may_save()
                        {
                            reading = Err(CellFinding::unfit(column));
                        }
                        if let Err(finding) = reading {
                            *home = before;
                            row.findings.push(finding);
                        }
                    }
                    Said::Again => {}
                    Said::Otherwise => row.findings.push(CellFinding::differs_in_house(column)),
                }
            }
        }
        for row in taken.iter_mut() {
            match cell::yes(row.row.text(Column::KepalaRumah)) {
                Ok(Some(true)) => home.kepala_id = Some(row.id),
                Ok(_) => {}
                Err(why) => row.findings.push(
                    CellFinding::reject(Column::KepalaRumah, "bukan_ya_tidak_dilewati", &why)
                        .softened(),
                ),
            }
        }
    }
}

/// A region that may not be saved takes its rows with it.
fn fit(column: Column, verdict: &Verdict) -> Result<(), CellFinding> {
    verdict
        .rejections()
        .next()
        .map_or(Ok(()), |finding| Err(CellFinding::reject(column, finding.code, &finding.message)))
}
