//! Notices of the district, and the receipts that villages give for them.

use super::Verdict;
use crate::identity::holds_number_of_a_person;
use crate::informasi::Informasi;
use crate::record::TandaTerima;

/// Longest title, characters.
pub const JUDUL_MAX: usize = 120;
/// Longest text, characters: two printed pages.
pub const ISI_MAX: usize = 4_000;
/// Most places one notice is addressed to.
pub const SASARAN_MAX: usize = 500;

/// Checks a notice before the district sends it.
#[must_use]
pub fn check_informasi(informasi: &Informasi) -> Verdict {
    let mut verdict = Verdict::default();
    let judul = "Judul wajib diisi.";
    verdict.required_text("judul", &informasi.judul, JUDUL_MAX, judul);
    if informasi.isi.trim().is_empty() {
        verdict.reject("isi", "wajib.kosong", "Isi informasi wajib diisi.");
    }
    // The text may have lines; anything else that can't be seen may not.
    for line in informasi.isi.lines() {
        verdict.text("isi", line, ISI_MAX);
    }
    let chars = informasi.isi.chars().count();
    if chars > ISI_MAX {
        verdict.reject(
            "isi",
            "teks.terlalu_panjang",
            format!("Isi paling panjang {ISI_MAX} huruf, yang tertulis {chars}."),
        );
    }
    for (field, text) in [("judul", &informasi.judul), ("isi", &informasi.isi)] {
        no_number_of_a_person(&mut verdict, field, text);
    }
    verdict.listed("kategori", informasi.kategori);
    if let (Some(terbit), Some(sampai)) = (informasi.terbit, informasi.berlaku_sampai)
        && sampai < terbit
    {
        verdict.reject(
            "berlaku_sampai",
            "masa.terbalik",
            "Tanggal akhir lebih awal daripada tanggal terbit. Periksa keduanya.",
        );
    }
    match informasi.sasaran.len() {
        0 => verdict.reject(
            "sasaran",
            "wajib.kosong",
            "Pilih paling sedikit satu tujuan: kabupaten, kecamatan, desa, atau RT.",
        ),
        many if many > SASARAN_MAX => verdict.reject(
            "sasaran",
            "sasaran.terlalu_banyak",
            format!("Paling banyak {SASARAN_MAX} tujuan. Pilih kecamatan atau kabupaten."),
        ),
        _ => {}
    }
    verdict
}

/// Checks a receipt.
#[must_use]
pub fn check_tanda_terima(receipt: &TandaTerima) -> Verdict {
    let mut verdict = Verdict::default();
    let message = "Tanda terima harus menunjuk informasi kabupaten.";
    verdict.required_id("informasi_id", receipt.informasi_id, message);
    verdict
}

/// Refuses a text with a row of digits as long as a NIK or a family card
/// number, also when it is grouped by spaces, dots or dashes.
pub(super) fn no_number_of_a_person(verdict: &mut Verdict, field: &'static str, text: &str) {
    if holds_number_of_a_person(text) {
        verdict.reject(
            field,
            "teks.nomor_orang",
            "Ada deretan 16 angka, seperti NIK atau nomor KK. Informasi dibaca banyak orang: tulis \
             tanpa nomor orang.",
        );
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::code_list::{Code, KategoriInformasi};
    use crate::id::RecordId;
    use crate::informasi::Sasaran;

    fn sound() -> Informasi {
        Informasi {
            id: RecordId::from_parts(1, 0, 1),
            versi: 1,
            judul: "Operasi pasar beras".to_owned(),
            isi: "Sabtu pukul 08.00 di lapangan.\nBawa kantong sendiri. Telp 0812 3456 7890."
                .to_owned(),
            kategori: Code::<KategoriInformasi>::new(2),
            terbit: Some(date(2026, 11, 24)),
            berlaku_sampai: None,
            sasaran: vec![Sasaran::Kabupaten],
            ditarik: false,
        }
    }

    fn codes(informasi: &Informasi) -> Vec<&'static str> {
        check_informasi(informasi).0.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_sound_notice_passes() {
        assert_eq!(codes(&sound()), Vec::<&str>::new());
    }

    #[test]
    fn numbers_of_people_are_refused_however_they_are_written() {
        for text in [
            "NIK 9905010101010001",
            "9905-0101-0101-0001.",
            "kk 990501 010101 0001",
            "99050101010100012",
        ] {
            let notice = Informasi { isi: text.to_owned(), ..sound() };
            assert_eq!(codes(&notice), ["teks.nomor_orang"], "{text}");
        }
        for text in ["Telp 081234567890, 081234567891", "24-11-2026 08.00-10.00", "Rp 1.500.000"] {
            let notice = Informasi { isi: text.to_owned(), ..sound() };
            assert_eq!(codes(&notice), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_too_long_or_turned_around_is_refused() {
        let cases = [
            (Informasi { judul: " ".to_owned(), ..sound() }, "wajib.kosong"),
            (Informasi { judul: "A".repeat(121), ..sound() }, "teks.terlalu_panjang"),
            (Informasi { judul: "Dua\nbaris".to_owned(), ..sound() }, "teks.karakter_kendali"),
            (Informasi { isi: String::new(), ..sound() }, "wajib.kosong"),
            (Informasi { isi: "a\n".repeat(2_001), ..sound() }, "teks.terlalu_panjang"),
            (Informasi { isi: "a\u{7}b".to_owned(), ..sound() }, "teks.karakter_kendali"),
            (Informasi { sasaran: Vec::new(), ..sound() }, "wajib.kosong"),
            (Informasi { berlaku_sampai: Some(date(2026, 1, 1)), ..sound() }, "masa.terbalik"),
        ];
        for (notice, code) in cases {
            assert_eq!(codes(&notice), [code]);
        }
    }
}
