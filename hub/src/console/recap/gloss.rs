//! What the words of the official sheets mean, in English. They stand beside
//! the sheet's own on the screen; the sheet itself, and paper, stay as the
//! regulation words them.

use lumbung_domain::recap::{Column, Form};

/// The heading over several columns; `None` where it needs no gloss.
pub(super) fn group(heading: &str) -> Option<&'static str> {
    Some(match heading {
        "JUMLAH ANGGOTA KELUARGA" => "Family members",
        "JUMLAH RUMAH" => "Houses",
        "KRITERIA RUMAH" => "Condition of houses",
        "MAKANAN POKOK" => "Staple food",
        "SUMBER AIR KELUARGA" => "Source of water",
        "WARGA MENGIKUTI KEGIATAN" => "Residents who take part",
        _ => return None,
    })
}

/// The heading of a column; `None` where it needs no gloss.
pub(super) fn column(column: &Column) -> Option<&'static str> {
    Some(match column.key {
        "no" => "No.",
        "ket" => "Remarks",
        "nama_krt" => "Head of the household",
        "nama_dasawisma" => "Dasawisma (ten houses)",
        "nomor_rt" => "RT (neighbourhood)",
        "nomor_rw" => "RW (ward)",
        "nama_dusun" => "Dusun (hamlet)",
        "nama_desa" => "Village",
        "nama_kecamatan" => "Kecamatan (subdistrict)",
        "jml_desa" => "Villages",
        "jml_dusun" => "Dusun",
        "jml_rw" => "RW",
        "jml_rt" => "RT",
        "jml_dasawisma" => "Dasawisma",
        "jml_krt" => "Households",
        "jml_kk" => "Family cards",
        "total_l" => "Male",
        "total_p" => "Female",
        "balita_l" => "Boys under 5",
        "balita_p" => "Girls under 5",
        "pus" => "Couples of childbearing age",
        "wus" => "Women aged 15–49",
        "ibu_hamil" => "Pregnant",
        "ibu_menyusui" => "Breastfeeding",
        "lansia" => "Aged 60 and over",
        "buta3" => "Illiterate in any of three",
        "buta3_l" => "Illiterate in any of three, male",
        "buta3_p" => "Illiterate in any of three, female",
        "berkebutuhan_khusus" => "With special needs",
        "rumah_sehat" => "Healthy and fit to live in",
        "rumah_tidak_sehat" => "Not healthy or fit to live in",
        "punya_tps" => "With a waste place",
        "punya_spal" => "With a drain",
        "punya_jamban" => "With a latrine and septic tank",
        "jumlah_mck" => "Latrines and washing places",
        "stiker_p4k" => "With the P4K sticker",
        "air_pdam" => "Piped (PDAM)",
        "air_sumur" => "Well",
        "air_sungai" => "River",
        "air_dll" => "Other",
        "makan_beras" => "Rice",
        "makan_non_beras" => "Other than rice",
        "up2k" => "Family business (UP2K)",
        "pekarangan" => "Use of the yard",
        "industri_rt" => "Home industry",
        "kesling" => "Environmental health",
        _ => return None,
    })
}

/// What a form is.
pub(super) fn title(form: &Form) -> &'static str {
    match form.number() {
        "4.16a" => "Recap of residents and activities of a dasawisma",
        "4.16b" => "Recap of residents and activities of an RT",
        "4.16c" => "Residents and activities of an RW",
        "4.16d" => "Residents and activities of a dusun",
        "4.17a" => "Residents and activities of a village",
        "4.17b" => "Residents and activities of a kecamatan",
        _ => "Residents and activities of the kabupaten",
    }
}

#[cfg(test)]
mod tests {
    use lumbung_domain::recap::{Edisi, Level};

    use super::*;

    #[test]
    fn every_heading_of_every_form_has_its_gloss() {
        let mut titles = std::collections::BTreeSet::new();
        for level in Level::ALL {
            for edisi in Edisi::ALL {
                let form = level.form_in(edisi);
                titles.insert(title(form));
                for one in &form.columns {
                    assert!(column(one).is_some(), "{}: {}", form.key, one.header);
                    let named = one.group.is_empty() || group(one.group).is_some();
                    assert!(named, "{}: {}", form.key, one.group);
                }
            }
        }
        assert_eq!(titles.len(), Level::ALL.len(), "{titles:?}");
    }
}
