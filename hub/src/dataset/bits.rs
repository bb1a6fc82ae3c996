//! The layout of the two packed columns: what the recap counts of a resident
//! (`warga.tanda`) and of a house (`rumah_tangga.rumah`).
//!
//! A set bit is a stated yes; blank and no are both unset, since no sheet
//! counts them. Bits are never reused: a column keeps what was written.

use lumbung_domain::indicator::{RumahFacts, WargaFacts};
use lumbung_domain::record::{BerkebutuhanKhusus, KriteriaRumah, MakananPokok, SumberAir};

/// The facts of a house behind its columns `rumah` and `jumlah_mck`.
#[must_use]
pub fn house_facts(bits: u32, jumlah_mck: u16) -> RumahFacts {
    let has = |bit: u32| bits & bit != 0;
    RumahFacts {
        kriteria: if has(house::SEHAT) {
            Some(KriteriaRumah::Sehat)
        } else if has(house::TIDAK_SEHAT) {
            Some(KriteriaRumah::TidakSehat)
        } else {
            None
        },
        punya_tps: has(house::TPS),
        punya_spal: has(house::SPAL),
        punya_jamban: has(house::JAMBAN),
        jumlah_mck,
        stiker_p4k: has(house::STIKER_P4K),
        air: SumberAir {
            pdam: has(1 << house::AIR_SHIFT),
            sumur: has(2 << house::AIR_SHIFT),
            sungai: has(4 << house::AIR_SHIFT),
            dll: has(8 << house::AIR_SHIFT),
        },
        makanan_pokok: if has(house::BERAS) {
            Some(MakananPokok::Beras)
        } else if has(house::NON_BERAS) {
            Some(MakananPokok::NonBeras)
        } else {
            None
        },
        up2k: has(house::UP2K),
        kesling: has(house::KESLING),
        pekarangan: has(house::PEKARANGAN_MASK << house::PEKARANGAN_SHIFT),
        industri: has(house::INDUSTRI_MASK << house::INDUSTRI_SHIFT),
    }
}

/// The bits of a house with those that say what was asked, for rows that were
/// merged before there were such bits, too: whatever is filled was asked.
#[must_use]
pub const fn answers(bits: u32, jumlah_mck: u16) -> u32 {
    let air = bits & house::AIR_MASK << house::AIR_SHIFT;
    bits | if air != 0 { house::AIR_TERJAWAB } else { 0 }
        | if jumlah_mck != 0 { house::MCK_TERJAWAB } else { 0 }
}

/// The facts of a resident that `tanda` holds; the rest stays at its default.
#[must_use]
pub fn resident_facts(bits: u32) -> WargaFacts {
    let has = |bit: u32| bits & bit != 0;
    let khusus = bits >> resident::KHUSUS_SHIFT & resident::KHUSUS_MASK;
    WargaFacts {
        hamil: has(resident::HAMIL),
        menyusui: has(resident::MENYUSUI),
        buta3: has(resident::BUTA3),
        berkebutuhan_khusus: BerkebutuhanKhusus::from_wire(khusus)
            .is_some_and(|needs| needs != BerkebutuhanKhusus::Tidak),
        up2k: has(resident::UP2K),
        kesling: has(resident::KESLING),
        ..WargaFacts::default()
    }
}

/// Bits of `warga.tanda`.
pub mod resident {
    /// Pregnant.
    pub const HAMIL: u32 = 1;
    /// Breastfeeding.
    pub const MENYUSUI: u32 = 1 << 1;
    /// Can't read, count or speak Indonesian (3 buta).
    pub const BUTA3: u32 = 1 << 2;
    /// Takes part in UP2K.
    pub const UP2K: u32 = 1 << 3;
    /// Takes part in environmental health work.
    pub const KESLING: u32 = 1 << 4;
    /// Uses contraception.
    pub const AKSEPTOR_KB: u32 = 1 << 5;
    /// Active in posyandu.
    pub const POSYANDU: u32 = 1 << 6;
    /// Takes part in Bina Keluarga Balita.
    pub const BKB: u32 = 1 << 7;
    /// Has savings.
    pub const TABUNGAN: u32 = 1 << 8;
    /// Takes part in PAUD.
    pub const PAUD: u32 = 1 << 9;
    /// Member of a cooperative.
    pub const KOPERASI: u32 = 1 << 10;
    /// Where the number of `berkebutuhan_khusus` starts: three bits.
    pub const KHUSUS_SHIFT: u32 = 11;
    /// Its three bits, once shifted down.
    pub const KHUSUS_MASK: u32 = 0b111;
    /// Where the number of `kelompok_belajar` starts: three bits.
    pub const BELAJAR_SHIFT: u32 = 14;
    /// Its three bits, once shifted down.
    pub const BELAJAR_MASK: u32 = 0b111;
    /// Where the eight activities of form 4.15 start, the first one lowest.
    pub const PKK_SHIFT: u32 = 17;
    /// Their eight bits, once shifted down.
    pub const PKK_MASK: u32 = 0xff;
    /// Where the seven activities of form 4.14.1b start.
    pub const KEGIATAN_SHIFT: u32 = 25;
    /// Their seven bits, once shifted down.
    pub const KEGIATAN_MASK: u32 = 0x7f;
}

/// Bits of `rumah_tangga.rumah`.
pub mod house {
    /// Sehat layak huni.
    pub const SEHAT: u32 = 1;
    /// Tidak sehat layak huni.
    pub const TIDAK_SEHAT: u32 = 1 << 1;
    /// Has a place for waste.
    pub const TPS: u32 = 1 << 2;
    /// Has a drain.
    pub const SPAL: u32 = 1 << 3;
    /// Has a latrine.
    pub const JAMBAN: u32 = 1 << 4;
    /// Shows the P4K sticker.
    pub const STIKER_P4K: u32 = 1 << 5;
    /// Where the four water sources of the wire start: PDAM, sumur, sungai, dll.
    pub const AIR_SHIFT: u32 = 6;
    /// Their four bits, once shifted down.
    pub const AIR_MASK: u32 = 0b1111;
    /// Eats rice.
    pub const BERAS: u32 = 1 << 10;
    /// Eats another staple.
    pub const NON_BERAS: u32 = 1 << 11;
    /// Takes part in UP2K.
    pub const UP2K: u32 = 1 << 12;
    /// Takes part in environmental health work.
    pub const KESLING: u32 = 1 << 13;
    /// Where the seven uses of a yard start, the first one lowest.
    pub const PEKARANGAN_SHIFT: u32 = 14;
    /// Their seven bits, once shifted down.
    pub const PEKARANGAN_MASK: u32 = 0x7f;
    /// Where the five home industries start.
    pub const INDUSTRI_SHIFT: u32 = 21;
    /// Their five bits, once shifted down.
    pub const INDUSTRI_MASK: u32 = 0x1f;
    /// Somebody asked where the water comes from. Rows from before this bit
    /// lack it, see [`answers`](super::answers).
    pub const AIR_TERJAWAB: u32 = 1 << 26;
    /// Somebody asked how many latrines there are. Rows from before this bit
    /// lack it, see [`answers`](super::answers).
    pub const MCK_TERJAWAB: u32 = 1 << 27;
}

#[cfg(test)]
mod tests {
    use super::{answers, house};

    #[test]
    fn a_row_from_before_tells_what_was_asked_by_what_is_filled() {
        let both = house::AIR_TERJAWAB | house::MCK_TERJAWAB;
        let well = 2 << house::AIR_SHIFT;
        for (bits, jumlah_mck, asked) in [
            (house::SEHAT, 0, 0),
            (well, 0, house::AIR_TERJAWAB),
            (house::SEHAT, 2, house::MCK_TERJAWAB),
            (well, 1, both),
            (both, 0, both),
        ] {
            assert_eq!(answers(bits, jumlah_mck) & both, asked, "{bits:b} {jumlah_mck}");
            assert_eq!(answers(bits, jumlah_mck) & !both, bits & !both);
        }
    }
}
