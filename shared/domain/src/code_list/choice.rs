//! Lists that a form fixes: enums beside the records, with the same reading
//! and printing as a [`Code`](super::Code).
//!
//! The numbers are this system's own (the forms number nothing here); they
//! stand on the wire and are never reused. 0 is "not filled".

use super::{ParseCodeError, fold, is_blank, whole_number};
use crate::record::{
    BerkebutuhanKhusus, JenisKelamin, KategoriIndustri, KategoriPekarangan, KegiatanPkk,
    KegiatanWarga, KelompokBelajar, KriteriaRumah, MakananPokok,
};

macro_rules! choice {
    ($type:ident = $name:literal { $($variant:ident: $label:literal $(| $alias:literal)*,)* }) => {
        impl $type {
            /// The list's name in tables and messages.
            pub const NAME: &'static str = $name;

            /// Every choice, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The choice behind a number on the wire; 0 and numbers this
            /// version doesn't know read as "not filled".
            #[must_use]
            pub const fn from_wire(number: u32) -> Option<Self> {
                $(if number == Self::$variant as u32 {
                    return Some(Self::$variant);
                })*
                None
            }

            /// The number on the wire; never 0.
            #[must_use]
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// The label as the forms print it, Bahasa Indonesia.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)*
                }
            }

            /// Reads what a sheet or a person wrote: the number or the label.
            /// Case and spaces don't matter; empty, `-` and `0` are "not
            /// filled".
            ///
            /// # Errors
            ///
            /// The text names none of the choices.
            pub fn parse(text: &str) -> Result<Option<Self>, ParseCodeError> {
                const SPELLINGS: &[(&str, $type)] = &[
                    $(($label, $type::$variant), $(($alias, $type::$variant),)*)*
                ];
                let key = fold(text);
                if is_blank(&key) {
                    return Ok(None);
                }
                if let Some(number) = whole_number(&key) {
                    return Self::from_wire(u32::from(number)).map(Some).ok_or(
                        ParseCodeError::UnlistedNumber { list: $name, number },
                    );
                }
                SPELLINGS
                    .iter()
                    .find(|(label, _)| fold(label) == key)
                    .map(|(_, choice)| Some(*choice))
                    .ok_or(ParseCodeError::UnknownLabel { list: $name })
            }
        }
    };
}

choice! {
    JenisKelamin = "jenis_kelamin" {
        LakiLaki: "Laki-laki" | "L" | "LK" | "LAKI LAKI" | "PRIA",
        Perempuan: "Perempuan" | "P" | "PR" | "WANITA",
    }
}

impl JenisKelamin {
    /// The letter that forms print.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::LakiLaki => "L",
            Self::Perempuan => "P",
        }
    }
}

choice! {
    BerkebutuhanKhusus = "berkebutuhan_khusus" {
        Tidak: "Tidak" | "T" | "TIDAK ADA",
        Fisik: "Fisik" | "CACAT FISIK",
        Mental: "Mental" | "CACAT MENTAL",
        Lainnya: "Lainnya" | "LAIN-LAIN",
    }
}

choice! {
    KelompokBelajar = "kelompok_belajar" {
        Tidak: "Tidak mengikuti" | "TIDAK" | "T",
        PaketA: "Paket A" | "A",
        PaketB: "Paket B" | "B",
        PaketC: "Paket C" | "C",
        Kf: "Keaksaraan Fungsional" | "KF",
    }
}

choice! {
    KegiatanWarga = "kegiatan_warga" {
        Pancasila: "Penghayatan dan Pengamalan Pancasila" | "PANCASILA",
        KerjaBakti: "Kerja Bakti",
        RukunKematian: "Rukun Kematian",
        Keagamaan: "Kegiatan Keagamaan" | "KEAGAMAAN",
        Jimpitan: "Jimpitan",
        Arisan: "Arisan",
        LainLain: "Lain-lain" | "LAINNYA",
    }
}

choice! {
    KegiatanPkk = "kegiatan_pkk" {
        Pancasila: "Penghayatan dan Pengamalan Pancasila" | "PANCASILA",
        GotongRoyong: "Gotong Royong",
        PendidikanKeterampilan: "Pendidikan dan Keterampilan",
        Koperasi: "Pengembangan Kehidupan Berkoperasi" | "KOPERASI",
        Pangan: "Pangan",
        Sandang: "Sandang",
        Kesehatan: "Kesehatan",
        PerencanaanSehat: "Perencanaan Sehat",
    }
}

choice! {
    KriteriaRumah = "kriteria_rumah" {
        Sehat: "Sehat layak huni" | "SLH" | "SEHAT",
        TidakSehat: "Tidak sehat layak huni" | "TSLH" | "TIDAK SEHAT" | "TIDAK LAYAK HUNI",
    }
}

choice! {
    MakananPokok = "makanan_pokok" {
        Beras: "Beras",
        NonBeras: "Non beras" | "NON_BERAS" | "BUKAN BERAS",
    }
}

choice! {
    KategoriPekarangan = "pekarangan" {
        Peternakan: "Peternakan",
        Perikanan: "Perikanan",
        WarungHidup: "Warung hidup" | "WARUNG_HIDUP",
        LumbungHidup: "Lumbung hidup" | "LUMBUNG_HIDUP",
        Toga: "TOGA (tanaman obat keluarga)" | "TOGA" | "TANAMAN OBAT KELUARGA",
        TanamanKeras: "Tanaman keras" | "TANAMAN_KERAS",
        TanamanLainnya: "Tanaman lainnya" | "TANAMAN_LAINNYA",
    }
}

choice! {
    KategoriIndustri = "industri" {
        Pangan: "Pangan",
        Sandang: "Sandang",
        Jasa: "Jasa",
        Konveksi: "Konveksi",
        Lainnya: "Lain-lain" | "LAINNYA",
    }
}
