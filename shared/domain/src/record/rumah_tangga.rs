//! Rumah tangga (KRT): one house and everybody living in it.

use jiff::civil::Date;

use crate::code_list::{Atap, Code, Dinding, Lantai, StatusRumah, SumberAirMinum};
use crate::id::RecordId;
use crate::record::Titik;

/// The kader's judgement of the house (form 4.15, 4.16a).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KriteriaRumah {
    /// Sehat layak huni.
    Sehat = 1,
    /// Tidak sehat layak huni.
    TidakSehat = 2,
}

/// The staple food of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MakananPokok {
    /// Rice.
    Beras = 1,
    /// Anything else.
    NonBeras = 2,
}

/// Water sources in use; a house may use several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SumberAir {
    /// Piped water.
    pub pdam: bool,
    /// A well.
    pub sumur: bool,
    /// A river. Below RW level the sheets print it inside "dll".
    pub sungai: bool,
    /// Another source.
    pub dll: bool,
}

/// What a yard is used for (form 4.14.2b).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KategoriPekarangan {
    /// Livestock.
    Peternakan = 1,
    /// Fish.
    Perikanan = 2,
    /// Vegetables for the kitchen.
    WarungHidup = 3,
    /// Staple crops.
    LumbungHidup = 4,
    /// Medicinal plants (tanaman obat keluarga).
    Toga = 5,
    /// Trees.
    TanamanKeras = 6,
    /// Other plants.
    TanamanLainnya = 7,
}

/// One row of form 4.14.2b.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pekarangan {
    /// What kind of use.
    pub kategori: KategoriPekarangan,
    /// What grows or lives there.
    pub komoditi: String,
    /// How much, as written ("12 ekor").
    pub jumlah: String,
}

/// Kinds of home industry (form 4.14.2c; the last two stand on older sheets).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KategoriIndustri {
    /// Food.
    Pangan = 1,
    /// Clothing.
    Sandang = 2,
    /// Services.
    Jasa = 3,
    /// Garments; reported under sandang.
    Konveksi = 4,
    /// Anything else.
    Lainnya = 5,
}

/// One row of form 4.14.2c.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Industri {
    /// What kind of industry.
    pub kategori: KategoriIndustri,
    /// What it makes.
    pub komoditi: String,
    /// How much, as written.
    pub jumlah: String,
}

/// A house and everybody living in it. It may hold several keluarga.
#[derive(Clone, Default, PartialEq)]
pub struct RumahTangga {
    /// The RT the house stands in.
    pub rt_id: RecordId,
    /// The dasawisma it belongs to, in the same RT.
    pub dasawisma_id: Option<RecordId>,
    /// Head of the household, a warga.
    pub kepala_id: Option<RecordId>,
    /// Household number (no. rumah tangga), if the village numbers them.
    pub nomor: String,
    /// Street address.
    pub alamat: String,
    /// Where the house stands.
    pub titik: Option<Titik>,
    /// The kader's judgement.
    pub kriteria: Option<KriteriaRumah>,
    /// Has a place for waste (tempat pembuangan sampah).
    pub punya_tps: Option<bool>,
    /// Has a drain for waste water (SPAL).
    pub punya_spal: Option<bool>,
    /// Has a latrine with septic tank (jamban keluarga).
    pub punya_jamban: Option<bool>,
    /// Number of bathing-washing-latrine units (jumlah buah jamban/MCK); 0 is
    /// an answer, blank was not asked.
    pub jumlah_mck: Option<u16>,
    /// Shows the P4K sticker (birth planning).
    pub stiker_p4k: Option<bool>,
    /// Water sources. Blank was not asked; no source at all is an answer.
    pub air: Option<SumberAir>,
    /// Staple food.
    pub makanan_pokok: Option<MakananPokok>,
    /// Takes part in UP2K.
    pub up2k: Option<bool>,
    /// Takes part in environmental health work.
    pub kesling: Option<bool>,
    /// Yard use, form 4.14.2b.
    pub pekarangan: Vec<Pekarangan>,
    /// Home industry, form 4.14.2c.
    pub industri: Vec<Industri>,
    /// Wall material (Prodeskel DDK).
    pub dinding: Option<Code<Dinding>>,
    /// Floor material (Prodeskel DDK).
    pub lantai: Option<Code<Lantai>>,
    /// Roof material (Prodeskel DDK).
    pub atap: Option<Code<Atap>>,
    /// Who owns the house (Prodeskel DDK).
    pub status_rumah: Option<Code<StatusRumah>>,
    /// Drinking water (Prodeskel DDK).
    pub sumber_air_minum: Option<Code<SumberAirMinum>>,
    /// The year the sheet runs for; 0 when not stated.
    pub tahun: u16,
    /// When a kader last confirmed the sheet.
    pub diperiksa_pada: Option<Date>,
}

closed_debug!(RumahTangga);
