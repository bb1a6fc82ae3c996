//! What a notice of the district is about.

use super::{Code, code_list};

code_list! {
    /// Category of a notice.
    KategoriInformasi = "kategori_informasi" {
        1 => "Umum",
        2 => "Harga dan inflasi",
        3 => "Bantuan sosial",
        4 => "Kesehatan",
        5 => "Bencana",
        6 => "Keamanan dan ketertiban",
        7 => "Administrasi",
    }
    aliases {
        "INFLASI" => 2,
        "HARGA" => 2,
        "BANSOS" => 3,
        "KAMTIBMAS" => 6,
    }
}

impl Code<KategoriInformasi> {
    /// About anything.
    pub const UMUM: Self = Self::listed(1);
}
