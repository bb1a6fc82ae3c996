//! Civil registration lists: religion, education, family relation and the like.
//!
//! Numbers and labels are those of OpenSID's database seed (v2410.0.0), the same
//! that its resident sheet carries. Where the seed and the sheet differ the
//! longer list wins: insurance 4 stands on the sheet only.

use super::{Code, code_list};

code_list! {
    /// Religion.
    Agama = "agama" {
        1 => "ISLAM",
        2 => "KRISTEN",
        3 => "KATHOLIK",
        4 => "HINDU",
        5 => "BUDHA",
        6 => "KHONGHUCU",
        7 => "Kepercayaan Terhadap Tuhan YME / Lainnya",
    }
    aliases {
        "KRISTEN PROTESTAN" => 2,
        "PROTESTAN" => 2,
        "KATOLIK" => 3,
        "BUDDHA" => 5,
        "KONGHUCU" => 6,
        "KONGHUCHU" => 6,
        "KEPERCAYAAN TERHADAP TUHAN YME" => 7,
        "ALIRAN KEPERCAYAAN" => 7,
        "KEPERCAYAAN" => 7,
        "LAINNYA" => 7,
    }
}

code_list! {
    /// Education completed, as on the family card.
    PendidikanKk = "pendidikan_kk" {
        1 => "TIDAK / BELUM SEKOLAH",
        2 => "BELUM TAMAT SD/SEDERAJAT",
        3 => "TAMAT SD / SEDERAJAT",
        4 => "SLTP/SEDERAJAT",
        5 => "SLTA / SEDERAJAT",
        6 => "DIPLOMA I / II",
        7 => "AKADEMI/ DIPLOMA III/S. MUDA",
        8 => "DIPLOMA IV/ STRATA I",
        9 => "STRATA II",
        10 => "STRATA III",
    }
    aliases {
        "Tidak/Blm Sekolah" => 1,
        "Tidak Tamat SD/Sederajat" => 2,
        "Akademi/Diploma III/Sarjana Muda" => 7,
        "Strata-I" => 8,
        "Strata-II" => 9,
        "Strata-III" => 10,
    }
}

code_list! {
    /// Education under way.
    PendidikanSedang = "pendidikan_sedang" {
        1 => "BELUM MASUK TK/KELOMPOK BERMAIN",
        2 => "SEDANG TK/KELOMPOK BERMAIN",
        3 => "TIDAK PERNAH SEKOLAH",
        4 => "SEDANG SD/SEDERAJAT",
        5 => "TIDAK TAMAT SD/SEDERAJAT",
        6 => "SEDANG SLTP/SEDERAJAT",
        7 => "SEDANG SLTA/SEDERAJAT",
        8 => "SEDANG D-1/SEDERAJAT",
        9 => "SEDANG D-2/SEDERAJAT",
        10 => "SEDANG D-3/SEDERAJAT",
        11 => "SEDANG S-1/SEDERAJAT",
        12 => "SEDANG S-2/SEDERAJAT",
        13 => "SEDANG S-3/SEDERAJAT",
        14 => "SEDANG SLB A/SEDERAJAT",
        15 => "SEDANG SLB B/SEDERAJAT",
        16 => "SEDANG SLB C/SEDERAJAT",
        17 => "TIDAK DAPAT MEMBACA DAN MENULIS HURUF LATIN/ARAB",
        18 => "TIDAK SEDANG SEKOLAH",
    }
    aliases {
    }
}

code_list! {
    /// Marital status.
    StatusKawin = "status_kawin" {
        1 => "BELUM KAWIN",
        2 => "KAWIN",
        3 => "CERAI HIDUP",
        4 => "CERAI MATI",
    }
    aliases {
        "BK" => 1,
        "K" => 2,
        "CH" => 3,
        "CM" => 4,
        "KAWIN TERCATAT" => 2,
        "KAWIN BELUM TERCATAT" => 2,
        "CERAI HIDUP TERCATAT" => 3,
        "CERAI HIDUP BELUM TERCATAT" => 3,
    }
}

impl Code<StatusKawin> {
    /// Never married.
    pub const BELUM_KAWIN: Self = Self::listed(1);
    /// Married now.
    pub const KAWIN: Self = Self::listed(2);
    /// Divorced.
    pub const CERAI_HIDUP: Self = Self::listed(3);
    /// Widowed.
    pub const CERAI_MATI: Self = Self::listed(4);
}

code_list! {
    /// Relation to the head of the family (status hubungan dalam keluarga).
    Shdk = "shdk" {
        1 => "KEPALA KELUARGA",
        2 => "SUAMI",
        3 => "ISTRI",
        4 => "ANAK",
        5 => "MENANTU",
        6 => "CUCU",
        7 => "ORANGTUA",
        8 => "MERTUA",
        9 => "FAMILI LAIN",
        10 => "PEMBANTU",
        11 => "LAINNYA",
    }
    aliases {
        "ISTERI" => 3,
    }
}

impl Code<Shdk> {
    /// Head of the family; exactly one on a card.
    pub const KEPALA_KELUARGA: Self = Self::listed(1);
    /// Husband of the head.
    pub const SUAMI: Self = Self::listed(2);
    /// Wife of the head.
    pub const ISTRI: Self = Self::listed(3);
    /// Child of the head.
    pub const ANAK: Self = Self::listed(4);
}

code_list! {
    /// Citizenship.
    Warganegara = "warganegara" {
        1 => "WNI",
        2 => "WNA",
        3 => "DUA KEWARGANEGARAAN",
    }
    aliases {
    }
}

code_list! {
    /// Blood group.
    GolonganDarah = "golongan_darah" {
        1 => "A",
        2 => "B",
        3 => "AB",
        4 => "O",
        5 => "A+",
        6 => "A-",
        7 => "B+",
        8 => "B-",
        9 => "AB+",
        10 => "AB-",
        11 => "O+",
        12 => "O-",
        13 => "TIDAK TAHU",
    }
    aliases {
        "Tdk Th" => 13,
    }
}

code_list! {
    /// Disability; 7 means none.
    Cacat = "cacat" {
        1 => "CACAT FISIK",
        2 => "CACAT NETRA/BUTA",
        3 => "CACAT RUNGU/WICARA",
        4 => "CACAT MENTAL/JIWA",
        5 => "CACAT FISIK DAN MENTAL",
        6 => "CACAT LAINNYA",
        7 => "TIDAK CACAT",
    }
    aliases {
    }
}

impl Code<Cacat> {
    /// No disability.
    pub const TIDAK_CACAT: Self = Self::listed(7);
}

code_list! {
    /// Chronic illness; 14 means none.
    SakitMenahun = "sakit_menahun" {
        1 => "JANTUNG",
        2 => "LEVER",
        3 => "PARU-PARU",
        4 => "KANKER",
        5 => "STROKE",
        6 => "DIABETES MELITUS",
        7 => "GINJAL",
        8 => "MALARIA",
        9 => "LEPRA/KUSTA",
        10 => "HIV/AIDS",
        11 => "GILA/STRESS",
        12 => "TBC",
        13 => "ASTHMA",
        14 => "TIDAK ADA/TIDAK SAKIT",
    }
    aliases {
    }
}

code_list! {
    /// Contraception. 99 = another method; 8 appears in old imports but has no meaning.
    CaraKb = "cara_kb" {
        1 => "Pil",
        2 => "IUD",
        3 => "Suntik",
        4 => "Kondom",
        5 => "Susuk KB",
        6 => "Sterilisasi Wanita",
        7 => "Sterilisasi Pria",
        99 => "Lainnya",
    }
    aliases {
    }
}

impl Code<CaraKb> {
    /// Pill, women only.
    pub const PIL: Self = Self::listed(1);
    /// IUD, women only.
    pub const IUD: Self = Self::listed(2);
    /// Injection, women only.
    pub const SUNTIK: Self = Self::listed(3);
    /// Condom, men only.
    pub const KONDOM: Self = Self::listed(4);
    /// Implant, women only.
    pub const SUSUK: Self = Self::listed(5);
    /// Sterilisation of a woman.
    pub const STERILISASI_WANITA: Self = Self::listed(6);
    /// Sterilisation of a man.
    pub const STERILISASI_PRIA: Self = Self::listed(7);
}

code_list! {
    /// Which electronic card a resident holds.
    KtpEl = "ktp_el" {
        1 => "BELUM",
        2 => "KTP-EL",
        3 => "KIA",
    }
    aliases {
    }
}

code_list! {
    /// State of the electronic card.
    StatusRekam = "status_rekam" {
        1 => "BELUM WAJIB",
        2 => "BELUM REKAM",
        3 => "SUDAH REKAM",
        4 => "CARD PRINTED",
        5 => "PRINT READY RECORD",
        6 => "CARD SHIPPED",
        7 => "SENT FOR CARD PRINTING",
        8 => "CARD ISSUED",
    }
    aliases {
    }
}

code_list! {
    /// Whether a resident is alive and here. 5, 7 and 8 are unused.
    StatusDasar = "status_dasar" {
        1 => "HIDUP",
        2 => "MATI",
        3 => "PINDAH",
        4 => "HILANG",
        6 => "PERGI",
        9 => "TIDAK VALID",
    }
    aliases {
    }
}

impl Code<StatusDasar> {
    /// Alive and here.
    pub const HIDUP: Self = Self::listed(1);
    /// Dead.
    pub const MATI: Self = Self::listed(2);
    /// Moved away.
    pub const PINDAH: Self = Self::listed(3);
    /// Missing.
    pub const HILANG: Self = Self::listed(4);
    /// Away.
    pub const PERGI: Self = Self::listed(6);
    /// Entered by mistake.
    pub const TIDAK_VALID: Self = Self::listed(9);
}

code_list! {
    /// Permanent or temporary resident.
    StatusPenduduk = "status_penduduk" {
        1 => "TETAP",
        2 => "TIDAK TETAP",
    }
    aliases {
    }
}

code_list! {
    /// Health insurance.
    Asuransi = "asuransi" {
        1 => "Tidak/Belum Punya",
        2 => "BPJS Penerima Bantuan Iuran",
        3 => "BPJS Non Penerima Bantuan Iuran",
        4 => "BPJS BANTUAN DAERAH",
        99 => "Asuransi Lainnya",
    }
    aliases {
    }
}

code_list! {
    /// Prosperity class of a family.
    KelasSosial = "kelas_sosial" {
        1 => "Keluarga Pra Sejahtera",
        2 => "Keluarga Sejahtera I",
        3 => "Keluarga Sejahtera II",
        4 => "Keluarga Sejahtera III",
        5 => "Keluarga Sejahtera III Plus",
    }
    aliases {
    }
}

code_list! {
    /// Scripts a resident reads (Permendagri 47/2016, book B.1 column 10).
    DapatMembacaHuruf = "dapat_membaca_huruf" {
        1 => "Latin",
        2 => "Daerah",
        3 => "Arab",
        4 => "Arab dan Latin",
        5 => "Arab dan Daerah",
        6 => "Arab, Latin dan Daerah",
    }
    aliases {
        "L" => 1,
        "D" => 2,
        "A" => 3,
        "AL" => 4,
        "AD" => 5,
        "ALD" => 6,
    }
}
