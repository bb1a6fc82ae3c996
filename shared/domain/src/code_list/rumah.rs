//! House lists of Prodeskel's Data Dasar Keluarga (DDK).
//!
//! The numbers are Prodeskel's answer numbers; they are neither dense nor ordered
//! by meaning.

use super::code_list;

code_list! {
    /// Wall material (DDK question 65).
    Dinding = "prodeskel_ddk_dinding" {
        735 => "Tembok",
        736 => "Kayu",
        737 => "Bambu",
        738 => "Tanah Liat",
        739 => "Pelepah kelapa/lontar/gebang",
        740 => "Dedaunan",
    }
    aliases {
    }
}

code_list! {
    /// Floor material (DDK question 66).
    Lantai = "prodeskel_ddk_lantai" {
        741 => "Keramik",
        742 => "Semen",
        743 => "Kayu",
        744 => "Tanah",
    }
    aliases {
    }
}

code_list! {
    /// Roof material (DDK question 67).
    Atap = "prodeskel_ddk_atap" {
        745 => "Genteng",
        746 => "Seng",
        747 => "Asbes",
        749 => "Bambu",
        750 => "Kayu",
        751 => "Daun lontar/gebang/enau",
        7752 => "Daun ilalang",
    }
    aliases {
    }
}

code_list! {
    /// Who owns the house (DDK question 3).
    StatusRumah = "prodeskel_ddk_status_rumah" {
        169 => "Milik Sendiri",
        170 => "Milik Orang Tua",
        171 => "Milik Keluarga",
        172 => "Sewa/Kontrak",
        173 => "Pinjam Pakai",
    }
    aliases {
    }
}

code_list! {
    /// Drinking water (DDK question 8).
    SumberAirMinum = "prodeskel_ddk_sumber_air_minum" {
        495 => "Mata air",
        496 => "Sumur gali",
        497 => "Sumur pompa",
        498 => "Hidran umum",
        499 => "PAM",
        500 => "Pipa",
        501 => "Sungai",
        502 => "Embung",
        503 => "Bak penampung air hujan",
        504 => "Beli dari tangki swasta",
        505 => "Depot isi ulang",
        1741 => "Sumber Air Resapan Umum",
    }
    aliases {
    }
}
