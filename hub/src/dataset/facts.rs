//! What a recap needs of one village: its regions, houses, families and
//! residents as small values, at one moment of the dataset.

use jiff::civil::Date;
use lumbung_domain::code_list::{Code, Peristiwa, StatusDasar};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::indicator::{RumahFacts, WargaFacts};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::Seq;

/// One village's facts.
#[derive(Clone, Debug)]
pub struct VillageFacts {
    /// Whose.
    pub village: VillageCode,
    /// How far its log was merged when this was read.
    pub seq: Seq,
    /// Dusun, RW, RT and dasawisma.
    pub regions: Vec<FactsRegion>,
    /// Houses.
    pub houses: Vec<FactsHouse>,
    /// Families; `house` is an index into `houses`.
    pub families: Vec<FactsFamily>,
    /// Residents; `family` is an index into `families`.
    pub residents: Vec<FactsResident>,
    /// Living residents who stand on no known family card in a known house:
    /// the village's count has them, no sheet can place them.
    pub unplaced: u64,
}

/// What form 4.15 remarks of one resident (its column 19).
#[derive(Clone, PartialEq, Eq)]
pub struct HouseRemark {
    /// The house.
    pub house: RecordId,
    /// The resident's name.
    pub nama: String,
    /// The remark.
    pub keterangan: String,
}

/// A dusun, RW, RT or dasawisma.
#[derive(Clone, Debug)]
pub struct FactsRegion {
    /// Which of the four.
    pub kind: Kind,
    /// The record.
    pub id: RecordId,
    /// Name or number.
    pub label: String,
    /// The region it lies in.
    pub parent: Option<RecordId>,
    /// When it is in use.
    pub masa: Masa,
}

/// From when to when something is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Masa {
    /// First day; `None` = not known, so ever since.
    pub dari: Option<Date>,
    /// Last day; `None` = no end is known.
    pub sampai: Option<Date>,
    /// Whether it is in use by the record's own word, which has no day.
    pub aktif: bool,
}

impl Masa {
    /// Whether it is in use on a day.
    #[must_use]
    pub fn meliputi(&self, day: Date) -> bool {
        self.aktif
            && self.dari.is_none_or(|first| first <= day)
            && self.sampai.is_none_or(|last| day <= last)
    }
}

/// A house.
#[derive(Clone, Debug)]
pub struct FactsHouse {
    /// The record.
    pub id: RecordId,
    /// Its RT.
    pub rt_id: RecordId,
    /// Its dasawisma.
    pub dasawisma_id: Option<RecordId>,
    /// Name of its head, for sheet 4.16a.
    pub kepala: String,
    /// What the recap counts of it.
    pub facts: RumahFacts,
}

/// A family.
#[derive(Clone, Copy, Debug)]
pub struct FactsFamily {
    /// Index of its house in `houses`.
    pub house: u32,
    /// Whether its card is in use.
    pub aktif: bool,
    /// When it was registered.
    pub tgl_daftar: Option<Date>,
}

/// A resident.
#[derive(Clone, Debug)]
pub struct FactsResident {
    /// Index of the family in `families`.
    pub family: u32,
    /// What the recap counts; `hadir` and `wafat` are decided at the reference
    /// date and unset here.
    pub facts: WargaFacts,
    /// Alive, dead, moved, ...
    pub status_dasar: Option<Code<StatusDasar>>,
    /// Population events in order of their day.
    pub events: Vec<(Date, Code<Peristiwa>)>,
}
