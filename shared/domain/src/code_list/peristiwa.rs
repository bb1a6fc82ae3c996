//! Lists of the population events (Buku Mutasi Penduduk).
//!
//! Numbers follow OpenSID's `ref_peristiwa`, `ref_pindah` and birth constants.

use super::{Code, code_list};

code_list! {
    /// What happened to a resident.
    Peristiwa = "peristiwa" {
        1 => "Lahir",
        2 => "Mati",
        3 => "Pindah Keluar",
        4 => "Hilang",
        5 => "Pindah Masuk",
        6 => "Pergi",
    }
    aliases {
        "MENINGGAL" => 2,
        "DATANG" => 5,
        "PINDAH" => 3,
    }
}

impl Code<Peristiwa> {
    /// Born.
    pub const LAHIR: Self = Self::listed(1);
    /// Died.
    pub const MATI: Self = Self::listed(2);
    /// Moved out of the village.
    pub const PINDAH_KELUAR: Self = Self::listed(3);
    /// Went missing.
    pub const HILANG: Self = Self::listed(4);
    /// Moved into the village.
    pub const PINDAH_MASUK: Self = Self::listed(5);
    /// Left without moving.
    pub const PERGI: Self = Self::listed(6);
}

code_list! {
    /// How far a resident moved.
    JenisPindah = "jenis_pindah" {
        1 => "Pindah keluar Desa/Kelurahan",
        2 => "Pindah keluar Kecamatan",
        3 => "Pindah keluar Kabupaten/Kota",
        4 => "Pindah keluar Provinsi",
    }
    aliases {
    }
}

code_list! {
    /// Kind of place of a birth.
    TempatDilahirkan = "tempat_dilahirkan" {
        1 => "RS/RB",
        2 => "Puskesmas",
        3 => "Polindes",
        4 => "Rumah",
        5 => "Lainnya",
    }
    aliases {
    }
}

code_list! {
    /// Single birth, twins and more.
    JenisKelahiran = "jenis_kelahiran" {
        1 => "Tunggal",
        2 => "Kembar 2",
        3 => "Kembar 3",
        4 => "Kembar 4",
    }
    aliases {
    }
}

code_list! {
    /// Who helped at a birth.
    PenolongKelahiran = "penolong_kelahiran" {
        1 => "Dokter",
        2 => "Bidan Perawat",
        3 => "Dukun",
        4 => "Lainnya",
    }
    aliases {
    }
}
