//! From the facts of one house to its vector.

use jiff::civil::Date;

use super::{Indikator, IndikatorVector, umur_bulan};
use crate::code_list::{Code, Shdk, StatusKawin};
use crate::record::{
    BerkebutuhanKhusus, JenisKelamin, KriteriaRumah, MakananPokok, RumahTangga, SumberAir, Warga,
};

/// Under-fives: completed months up to this.
const BALITA_BULAN_MAX: i32 = 59;
/// Childbearing age in completed months: from 15 years to the day before 50.
const USIA_SUBUR_BULAN: std::ops::Range<i32> = 15 * 12..50 * 12;
/// Lansia from this age on, in completed months.
const LANSIA_BULAN_MIN: i32 = 60 * 12;

/// What the recap counts of one house.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RumahFacts {
    /// The kader's judgement.
    pub kriteria: Option<KriteriaRumah>,
    /// Has a place for waste.
    pub punya_tps: bool,
    /// Has a drain for waste water.
    pub punya_spal: bool,
    /// Has a latrine.
    pub punya_jamban: bool,
    /// Bathing-washing-latrine units.
    pub jumlah_mck: u16,
    /// Shows the P4K sticker.
    pub stiker_p4k: bool,
    /// Water sources in use.
    pub air: SumberAir,
    /// Staple food.
    pub makanan_pokok: Option<MakananPokok>,
    /// The house takes part in UP2K.
    pub up2k: bool,
    /// The house takes part in environmental health work.
    pub kesling: bool,
    /// At least one use of the yard is listed.
    pub pekarangan: bool,
    /// At least one home industry is listed.
    pub industri: bool,
}

impl From<&RumahTangga> for RumahFacts {
    fn from(house: &RumahTangga) -> Self {
        let yes = |answer: Option<bool>| answer == Some(true);
        Self {
            kriteria: house.kriteria,
            punya_tps: yes(house.punya_tps),
            punya_spal: yes(house.punya_spal),
            punya_jamban: yes(house.punya_jamban),
            jumlah_mck: house.jumlah_mck.unwrap_or(0),
            stiker_p4k: yes(house.stiker_p4k),
            air: house.air.unwrap_or_default(),
            makanan_pokok: house.makanan_pokok,
            up2k: yes(house.up2k),
            kesling: yes(house.kesling),
            pekarangan: !house.pekarangan.is_empty(),
            industri: !house.industri.is_empty(),
        }
    }
}

impl RumahFacts {
    /// Whether the house counts as sehat layak huni: the kader's judgement,
    /// or place for waste, drain and latrine together where nobody judged.
    #[must_use]
    pub const fn sehat(&self) -> bool {
        match self.kriteria {
            Some(KriteriaRumah::Sehat) => true,
            Some(KriteriaRumah::TidakSehat) => false,
            None => self.punya_tps && self.punya_spal && self.punya_jamban,
        }
    }
}

/// What the recap counts of one resident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WargaFacts {
    /// Which family of the house: any number that members of one family share
    /// and families of one house don't.
    pub keluarga: u32,
    /// Sex. Without it the resident stands in no column.
    pub jk: Option<JenisKelamin>,
    /// Date of birth. Without it the resident has no age.
    pub lahir: Option<Date>,
    /// Marital status.
    pub status_kawin: Option<Code<StatusKawin>>,
    /// Relation to the head of the family.
    pub shdk: Option<Code<Shdk>>,
    /// Pregnant.
    pub hamil: bool,
    /// Breastfeeding.
    pub menyusui: bool,
    /// 3 buta.
    pub buta3: bool,
    /// Has special needs.
    pub berkebutuhan_khusus: bool,
    /// Takes part in UP2K.
    pub up2k: bool,
    /// Takes part in environmental health work.
    pub kesling: bool,
    /// Alive and here on the reference day, see [`hadir_pada`].
    ///
    /// [`hadir_pada`]: super::hadir_pada
    pub hadir: bool,
    /// Known to be dead on the reference day, see [`wafat_pada`]; ends the
    /// couple of the surviving wife.
    ///
    /// [`wafat_pada`]: super::wafat_pada
    pub wafat: bool,
}

impl WargaFacts {
    /// The facts of a record; `hadir` and `wafat` come from its events.
    #[must_use]
    pub fn of(warga: &Warga, keluarga: u32, hadir: bool, wafat: bool) -> Self {
        let yes = |answer: Option<bool>| answer == Some(true);
        Self {
            keluarga,
            jk: warga.jenis_kelamin,
            lahir: warga.tanggal_lahir,
            status_kawin: warga.status_kawin,
            shdk: warga.shdk,
            hamil: yes(warga.hamil),
            menyusui: yes(warga.menyusui),
            buta3: yes(warga.buta3),
            berkebutuhan_khusus: warga
                .berkebutuhan_khusus
                .is_some_and(|needs| needs != BerkebutuhanKhusus::Tidak),
            up2k: yes(warga.up2k),
            kesling: yes(warga.kesling),
            hadir,
            wafat,
        }
    }

    fn present(&self, t: Date) -> bool {
        self.hadir && !self.wafat && self.lahir.is_none_or(|lahir| lahir <= t)
    }
}

/// The vector of one house on day `t`: the house itself, `kk_aktif` families
/// and the residents present.
#[must_use]
pub fn rumah_tangga_vector(
    rumah: &RumahFacts,
    kk_aktif: u64,
    warga: &[WargaFacts],
    t: Date,
) -> IndikatorVector {
    let mut vector = IndikatorVector::default();
    vector.bump(Indikator::JmlKk, kk_aktif);
    count_house(rumah, &mut vector);
    for resident in warga.iter().filter(|resident| resident.present(t)) {
        count_resident(resident, warga, t, &mut vector);
    }
    for (house_says, indikator) in
        [(rumah.up2k, Indikator::Up2k), (rumah.kesling, Indikator::Kesling)]
    {
        if house_says && vector.get(indikator) == 0 {
            vector.bump(indikator, 1);
        }
    }
    vector
}

fn count_house(rumah: &RumahFacts, vector: &mut IndikatorVector) {
    use Indikator as I;
    let beras = rumah.makanan_pokok != Some(MakananPokok::NonBeras);
    let flags = [
        (I::JmlKrt, true),
        (I::RumahSehat, rumah.sehat()),
        (I::RumahTidakSehat, !rumah.sehat()),
        (I::PunyaTps, rumah.punya_tps),
        (I::PunyaSpal, rumah.punya_spal),
        (I::PunyaJamban, rumah.punya_jamban),
        (I::StikerP4k, rumah.stiker_p4k),
        (I::AirPdam, rumah.air.pdam),
        (I::AirSumur, rumah.air.sumur),
        (I::AirSungai, rumah.air.sungai),
        (I::AirDll, rumah.air.dll),
        (I::AirSungaiDll, rumah.air.sungai || rumah.air.dll),
        (I::MakanBeras, beras),
        (I::MakanNonBeras, !beras),
        (I::Pekarangan, rumah.pekarangan),
        (I::IndustriRt, rumah.industri),
        (I::RumahBelumDinilai, rumah.kriteria.is_none()),
        (I::MakananBelumDiisi, rumah.makanan_pokok.is_none()),
    ];
    for (indikator, set) in flags {
        vector.bump(indikator, u64::from(set));
    }
    vector.bump(I::JumlahMck, u64::from(rumah.jumlah_mck));
}

fn count_resident(
    resident: &WargaFacts,
    house: &[WargaFacts],
    t: Date,
    vector: &mut IndikatorVector,
) {
    use Indikator as I;
    let Some(jk) = resident.jk else {
        vector.bump(I::WargaTanpaJk, 1);
        return;
    };
    let woman = jk == JenisKelamin::Perempuan;
    let age = resident.lahir.map(|lahir| umur_bulan(lahir, t));
    if age.is_none() {
        vector.bump(I::WargaTanpaLahir, 1);
    }
    vector.bump(if woman { I::TotalP } else { I::TotalL }, 1);
    if age.is_some_and(|months| months <= BALITA_BULAN_MAX) {
        vector.bump(if woman { I::BalitaP } else { I::BalitaL }, 1);
    }
    if resident.buta3 {
        vector.bump(if woman { I::Buta3P } else { I::Buta3L }, 1);
    }
    let fertile = woman && age.is_some_and(|months| USIA_SUBUR_BULAN.contains(&months));
    let flags = [
        (I::Wus, fertile),
        (I::Pus, fertile && is_wife(resident, house)),
        (I::IbuHamil, woman && resident.hamil),
        (I::IbuMenyusui, woman && resident.menyusui),
        (I::Lansia, age.is_some_and(|months| months >= LANSIA_BULAN_MIN)),
        (I::BerkebutuhanKhusus, resident.berkebutuhan_khusus),
        (I::Up2k, resident.up2k),
        (I::Kesling, resident.kesling),
    ];
    for (indikator, set) in flags {
        vector.bump(indikator, u64::from(set));
    }
}

/// Married, and not the widow of a husband whose death is recorded but who
/// still makes her "kawin". Only the two couples that a family card tells are
/// looked up: the head's wife and the head herself; a husband living
/// elsewhere or unknown leaves her status to decide.
fn is_wife(woman: &WargaFacts, house: &[WargaFacts]) -> bool {
    if woman.status_kawin != Some(Code::<StatusKawin>::KAWIN) {
        return false;
    }
    let husband = match woman.shdk {
        Some(Code::<Shdk>::ISTRI) => Code::<Shdk>::KEPALA_KELUARGA,
        Some(Code::<Shdk>::KEPALA_KELUARGA) => Code::<Shdk>::SUAMI,
        _ => return true,
    };
    let mut husbands = house
        .iter()
        .filter(|man| {
            man.keluarga == woman.keluarga
                && man.jk == Some(JenisKelamin::LakiLaki)
                && man.shdk == Some(husband)
        })
        .peekable();
    husbands.peek().is_none() || husbands.any(|man| !man.wafat)
}

#[cfg(test)]
mod tests;
