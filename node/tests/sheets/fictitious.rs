//! Made-up sheets and villages. NIK and card numbers name kabupaten
//! 3599, which does not exist, and count up; nobody has them.

use jiff::civil::{Date, date};
use lumbung_domain::id::RecordId;
use lumbung_domain::record::{Keluarga, RumahTangga, Warga};
use lumbung_domain::region::VillageCode;
use lumbung_node::import::{Plan, Report, Sheet, plan, read_sheet};
use lumbung_node::village::census::Census;

/// Desa Jaten, Kecamatan Wonodadi.
pub(crate) fn desa() -> VillageCode {
    VillageCode::from_u64(3_505_012_001).unwrap()
}

pub(crate) const TODAY: Date = date(2026, 11, 24);

/// A village under test: its census, and a mint that counts.
#[derive(Default)]
pub(crate) struct Village {
    pub(crate) census: Census,
    minted: u64,
}

impl Village {
    pub(crate) fn import(&mut self, csv: &str) -> Plan {
        self.import_sheet(&sheet(csv.as_bytes()))
    }

    pub(crate) fn import_sheet(&mut self, sheet: &Sheet) -> Plan {
        let minted = &mut self.minted;
        let mut mint = || {
            *minted += 1;
            RecordId::from_parts(*minted, 0, 5)
        };
        plan(sheet, &mut self.census, &mut mint, TODAY)
    }

    pub(crate) fn new_id(&mut self) -> RecordId {
        self.minted += 1;
        RecordId::from_parts(self.minted, 0, 5)
    }

    /// The one resident of this name.
    pub(crate) fn resident(&self, nama: &str) -> (RecordId, &Warga) {
        let mut found = self.census.residents().filter(|(_, warga)| warga.nama == nama);
        let resident = found.next().unwrap_or_else(|| panic!("{nama} is not in the village"));
        assert!(found.next().is_none(), "{nama} is there twice");
        resident
    }

    pub(crate) fn family_of(&self, nama: &str) -> (RecordId, &Keluarga) {
        let id = self.resident(nama).1.keluarga_id.unwrap();
        (id, self.census.keluarga(id).unwrap())
    }

    pub(crate) fn house_of(&self, nama: &str) -> (RecordId, &RumahTangga) {
        let id = self.family_of(nama).1.rumah_tangga_id;
        (id, self.census.rumah_tangga(id).unwrap())
    }

    /// "DUSUN/RW/RT" of a resident's house.
    pub(crate) fn place_of(&self, nama: &str) -> String {
        let rt = self.census.rt(self.house_of(nama).1.rt_id).unwrap();
        let rw = rt.rw_id.and_then(|id| self.census.rw(id)).map_or("", |rw| &rw.nomor);
        let dusun = self.census.dusun_of_rt(rt).and_then(|id| self.census.dusun(id));
        format!("{}/{rw}/{}", dusun.map_or("", |dusun| &dusun.nama), rt.nomor)
    }
}

pub(crate) fn sheet(content: &[u8]) -> Sheet {
    read_sheet("warga.csv", content).unwrap_or_else(|why| panic!("refused: {why}"))
}

/// The codes found, with their counts, by name.
pub(crate) fn codes(report: &Report) -> Vec<(&str, u64)> {
    report.problems.iter().map(|(code, problem)| (code.as_str(), problem.count)).collect()
}

/// Columns that most made-up sheets use.
pub(crate) const HEADER: &str =
    "dusun;rw;rt;nama;no_kk;nik;sex;tanggallahir;kk_level;agama_id;status_kawin\n";

pub(crate) const KK_1: &str = "3599010101010001";
pub(crate) const KK_2: &str = "3599010101010002";

/// Head, wife and a child without NIK on one card; a man on another.
pub(crate) fn two_families() -> String {
    format!(
        "{HEADER}\
         KRAJAN;001;002;SUTRISNO;{KK_1};3599010101700001;1;1970-01-01;1;1;2\n\
         KRAJAN;001;002;SULASTRI;{KK_1};3599014202720002;2;1972-02-02;3;1;2\n\
         KRAJAN;001;002;BAYU;{KK_1};0;1;2026-10-01;4;1;1\n\
         SUMBER;-;003;PARMIN;{KK_2};3599010303650003;1;1965-03-03;1;1;4\n"
    )
}
