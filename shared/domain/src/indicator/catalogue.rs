//! The catalogue: every indicator with its key, unit and rule.
//!
//! Where the filling guide leaves a choice open, the choice made is written
//! in [`Indikator::rule_note`] and printed below each sheet.

/// What an indicator counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Satuan {
    /// Regions or groups.
    Wilayah,
    /// Households (houses with everybody living in them).
    RumahTangga,
    /// Families on a family card.
    Kk,
    /// People.
    Jiwa,
    /// Couples.
    Pasangan,
    /// Houses.
    Rumah,
    /// Built units (latrines).
    Unit,
}

impl Satuan {
    /// The unit's name, Bahasa Indonesia.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Wilayah => "wilayah",
            Self::RumahTangga => "rumah tangga",
            Self::Kk => "KK",
            Self::Jiwa => "jiwa",
            Self::Pasangan => "pasangan",
            Self::Rumah => "rumah",
            Self::Unit => "unit",
        }
    }
}

macro_rules! catalogue {
    ($($(#[$doc:meta])* $variant:ident = $key:literal, $unit:ident;)*) => {
        /// An indicator of the recap sheets 4.16a to 4.17c, or a counter of
        /// what the sheets could not place.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Indikator {
            $($(#[$doc])* $variant,)*
            /// 3 buta without regard to sex: the sum of the two. Not stored.
            Buta3,
        }

        impl Indikator {
            /// Every stored indicator, in the order of the vector.
            pub const STORED: &'static [Self] = &[$(Self::$variant,)*];

            /// The key in columns, exports and form tables.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => $key,)*
                    Self::Buta3 => "buta3",
                }
            }

            /// What it counts in.
            #[must_use]
            pub const fn unit(self) -> Satuan {
                match self {
                    $(Self::$variant => Satuan::$unit,)*
                    Self::Buta3 => Satuan::Jiwa,
                }
            }
        }
    };
}

catalogue! {
    /// Villages.
    JmlDesa = "jml_desa", Wilayah;
    /// Dusun or lingkungan.
    JmlDusun = "jml_dusun", Wilayah;
    /// RW.
    JmlRw = "jml_rw", Wilayah;
    /// RT.
    JmlRt = "jml_rt", Wilayah;
    /// Dasawisma.
    JmlDasawisma = "jml_dasawisma", Wilayah;
    /// Households.
    JmlKrt = "jml_krt", RumahTangga;
    /// Families with a card in use.
    JmlKk = "jml_kk", Kk;
    /// Men and boys.
    TotalL = "total_l", Jiwa;
    /// Women and girls.
    TotalP = "total_p", Jiwa;
    /// Boys under five.
    BalitaL = "balita_l", Jiwa;
    /// Girls under five.
    BalitaP = "balita_p", Jiwa;
    /// Couples of childbearing age.
    Pus = "pus", Pasangan;
    /// Women of childbearing age.
    Wus = "wus", Jiwa;
    /// Pregnant women.
    IbuHamil = "ibu_hamil", Jiwa;
    /// Breastfeeding women.
    IbuMenyusui = "ibu_menyusui", Jiwa;
    /// People of 60 and over.
    Lansia = "lansia", Jiwa;
    /// 3 buta, male.
    Buta3L = "buta3_l", Jiwa;
    /// 3 buta, female.
    Buta3P = "buta3_p", Jiwa;
    /// People with special needs.
    BerkebutuhanKhusus = "berkebutuhan_khusus", Jiwa;
    /// Houses judged sehat layak huni.
    RumahSehat = "rumah_sehat", Rumah;
    /// All other houses.
    RumahTidakSehat = "rumah_tidak_sehat", Rumah;
    /// Houses with a place for waste.
    PunyaTps = "punya_tps", Rumah;
    /// Houses with a drain for waste water.
    PunyaSpal = "punya_spal", Rumah;
    /// Houses with a latrine.
    PunyaJamban = "punya_jamban", Rumah;
    /// Houses that show the P4K sticker.
    StikerP4k = "stiker_p4k", Rumah;
    /// Bathing-washing-latrine units.
    JumlahMck = "jumlah_mck", Unit;
    /// Houses on piped water.
    AirPdam = "air_pdam", Rumah;
    /// Houses on a well.
    AirSumur = "air_sumur", Rumah;
    /// Houses on a river.
    AirSungai = "air_sungai", Rumah;
    /// Houses on another source.
    AirDll = "air_dll", Rumah;
    /// Houses on a river or another source: what 4.16a and 4.16b print as
    /// "dll". Not the sum of the two, since a house may use both.
    AirSungaiDll = "air_sungai_dll", Rumah;
    /// Houses whose staple is rice.
    MakanBeras = "makan_beras", Rumah;
    /// Houses whose staple is something else.
    MakanNonBeras = "makan_non_beras", Rumah;
    /// Taking part in UP2K.
    Up2k = "up2k", Jiwa;
    /// Houses that use their yard.
    Pekarangan = "pekarangan", Rumah;
    /// Houses with a home industry.
    IndustriRt = "industri_rt", Rumah;
    /// Taking part in environmental health work.
    Kesling = "kesling", Jiwa;
    /// Houses whose criterion no kader filled in.
    RumahBelumDinilai = "rumah_belum_dinilai", Rumah;
    /// Houses whose staple nobody filled in.
    MakananBelumDiisi = "makanan_belum_diisi", Rumah;
    /// Residents present whose sex nobody filled in.
    WargaTanpaJk = "warga_tanpa_jk", Jiwa;
    /// Residents present and counted whose birth date nobody filled in.
    WargaTanpaLahir = "warga_tanpa_lahir", Jiwa;
}

impl Indikator {
    /// The indicator with this key, stored or derived.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        if key == Self::Buta3.key() {
            return Some(Self::Buta3);
        }
        Self::STORED.iter().copied().find(|indikator| indikator.key() == key)
    }

    /// How it is counted, where that needs saying below a sheet: in Bahasa
    /// Indonesia, and in English.
    #[must_use]
    pub const fn rule_note(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::JmlKk => (
                "Jumlah KK menghitung kartu keluarga yang masih berlaku.",
                "Family cards are counted while they are in use.",
            ),
            Self::TotalL | Self::TotalP => (
                "Jumlah anggota menghitung warga yang hidup dan tinggal di wilayah ini pada \
                 tanggal acuan.",
                "Family members are residents who are alive and live in this region on the day.",
            ),
            Self::BalitaL | Self::BalitaP => (
                "Balita adalah anak berumur 0 sampai 59 bulan penuh.",
                "Children under five are those of 0 to 59 completed months.",
            ),
            Self::Pus => (
                "PUS menghitung pasangan: istri berumur 15 sampai 49 tahun, berstatus kawin, dan \
                 suami tidak tercatat meninggal.",
                "PUS counts couples: the wife is 15 to 49 years old and married, and her husband \
                 is not recorded as dead.",
            ),
            Self::Wus => (
                "WUS adalah perempuan berumur 15 sampai 49 tahun, apa pun statusnya.",
                "WUS are women of 15 to 49 years, married or not.",
            ),
            Self::Lansia => (
                "Lansia adalah warga berumur 60 tahun ke atas.",
                "Lansia are residents of 60 years and over.",
            ),
            Self::Buta3 | Self::Buta3L | Self::Buta3P => (
                "3 buta adalah buta aksara dan angka, buta bahasa Indonesia, atau buta \
                 pengetahuan dasar.",
                "\"3 buta\" is being unable to read and reckon, not knowing Indonesian, or lacking \
                 basic knowledge.",
            ),
            Self::RumahSehat | Self::RumahTidakSehat => (
                "Kriteria rumah mengikuti penilaian kader. Rumah yang belum dinilai dihitung \
                 sehat bila punya tempat sampah, SPAL, dan jamban; selain itu tidak sehat.",
                "The condition of a house is as the kader judged it. One that nobody judged counts \
                 as healthy if it has a waste place, a drain and a latrine; otherwise it does not.",
            ),
            Self::JumlahMck => (
                "Jumlah MCK menjumlahkan isian tiap rumah; rumah yang belum diisi dihitung 0.",
                "Latrines (MCK) are the sum of what each house states; a house whose answer is \
                 blank adds 0.",
            ),
            Self::AirPdam
            | Self::AirSumur
            | Self::AirSungai
            | Self::AirDll
            | Self::AirSungaiDll => (
                "Satu rumah dapat memakai beberapa sumber air, jadi jumlah kolom sumber air \
                 dapat melebihi jumlah rumah; rumah yang belum diisi sumber airnya tidak masuk \
                 kolom sumber air mana pun.",
                "A house may use several sources of water, so these columns may come to more than \
                 the houses; a house whose answer is blank is in none of them.",
            ),
            Self::MakanBeras | Self::MakanNonBeras => (
                "Makanan pokok dihitung per rumah; yang belum diisi dihitung beras.",
                "Staple food is counted by house; one whose answer is blank counts as rice.",
            ),
            Self::Up2k | Self::Kesling => (
                "UP2K dan kesehatan lingkungan menghitung warga yang ikut; rumah yang ditandai \
                 ikut tanpa nama warga dihitung satu.",
                "UP2K and environmental health count residents who take part; a house marked as \
                 taking part without naming anybody counts as one.",
            ),
            Self::Pekarangan | Self::IndustriRt => (
                "Pemanfaatan pekarangan dan industri rumah tangga menghitung rumah yang punya \
                 sedikitnya satu isian.",
                "Use of the yard and home industry count houses that state at least one.",
            ),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_unique_and_lead_back() {
        let keys: HashSet<_> = Indikator::STORED.iter().map(|i| i.key()).collect();
        assert_eq!(keys.len(), Indikator::STORED.len());
        for indikator in Indikator::STORED {
            assert_eq!(Indikator::from_key(indikator.key()), Some(*indikator));
        }
        assert_eq!(Indikator::from_key("buta3"), Some(Indikator::Buta3));
        assert_eq!(Indikator::from_key("nama_krt"), None);
    }

    #[test]
    fn stored_indicators_stand_in_the_order_of_the_vector() {
        for (at, indikator) in Indikator::STORED.iter().enumerate() {
            assert_eq!(*indikator as usize, at, "{}", indikator.key());
        }
    }
}
