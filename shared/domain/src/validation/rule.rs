//! Rules that many fields share.

use jiff::civil::Date;

use super::Verdict;
use crate::code_list::{Code, CodeList};
use crate::id::RecordId;
use crate::record::{MasaAktif, Titik};

/// Longest name of a person or place, in characters (OpenSID's column).
pub(super) const NAMA_MAX: usize = 100;
/// Longest address or remark.
pub(super) const ALAMAT_MAX: usize = 200;
/// Longest number of a paper, card or telephone.
pub(super) const NOMOR_MAX: usize = 50;
/// Longest free text.
pub(super) const CATATAN_MAX: usize = 500;

/// The kabupaten with a margin: latitude and longitude, degrees.
const BLITAR_LAT: std::ops::RangeInclusive<f64> = -8.6..=-7.6;
const BLITAR_LON: std::ops::RangeInclusive<f64> = 111.5..=112.8;

impl Verdict {
    /// A text within its bound and on one line.
    pub(super) fn text(&mut self, field: &'static str, text: &str, chars_max: usize) {
        let chars = text.chars().count();
        if chars > chars_max {
            self.reject(
                field,
                "teks.terlalu_panjang",
                format!("Isian ini paling panjang {chars_max} huruf, yang tertulis {chars}."),
            );
        }
        if text.chars().any(char::is_control) {
            self.reject(
                field,
                "teks.karakter_kendali",
                "Isian ini mengandung karakter yang tidak tampak. Hapus lalu ketik ulang.",
            );
        }
    }

    /// A text that must be there.
    pub(super) fn required_text(
        &mut self,
        field: &'static str,
        text: &str,
        chars_max: usize,
        message: &'static str,
    ) {
        if text.trim().is_empty() {
            self.reject(field, "wajib.kosong", message);
        }
        self.text(field, text, chars_max);
    }

    /// A pointer that must point somewhere.
    pub(super) fn required_id(&mut self, field: &'static str, id: RecordId, message: &'static str) {
        if id == RecordId::default() {
            self.reject(field, "wajib.kosong", message);
        }
    }

    /// A code that this version's list has.
    pub(super) fn listed<L: CodeList>(&mut self, field: &'static str, code: Option<Code<L>>) {
        let Some(code) = code else { return };
        if code.label().is_none() {
            let (number, list) = (code.number(), L::NAME);
            self.reject(
                field,
                "kode.tidak_terdaftar",
                format!("Kode {number} tidak ada dalam daftar {list}. Pilih dari daftar."),
            );
        }
    }

    /// A day that has come.
    pub(super) fn not_after(&mut self, field: &'static str, day: Option<Date>, today: Date) {
        if day.is_some_and(|day| day > today) {
            self.reject(
                field,
                "tanggal.masa_depan",
                "Tanggal ini belum terjadi. Periksa lagi tanggalnya.",
            );
        }
    }

    /// A year of the books: blank (0), or near enough to today.
    pub(super) fn book_year(&mut self, tahun: u16, today: Date) {
        let next = i32::from(today.year()) + 1;
        if tahun != 0 && !(2000..=next).contains(&i32::from(tahun)) {
            self.reject(
                "tahun",
                "tahun.di_luar_batas",
                format!("Tahun buku harus antara 2000 dan {next}."),
            );
        }
    }

    /// A place on the globe, and likely in the kabupaten.
    pub(super) fn place(&mut self, titik: Option<Titik>) {
        let Some(titik) = titik else { return };
        if !(-90.0..=90.0).contains(&titik.lat) || !(-180.0..=180.0).contains(&titik.lon) {
            self.reject(
                "titik",
                "titik.bukan_koordinat",
                "Lintang harus antara -90 dan 90, bujur antara -180 dan 180.",
            );
        } else if !BLITAR_LAT.contains(&titik.lat) || !BLITAR_LON.contains(&titik.lon) {
            self.warn(
                "titik",
                "titik.di_luar_kabupaten",
                "Titik ini di luar Kabupaten Blitar. Periksa apakah lintang dan bujur tertukar.",
            );
        }
    }

    /// A period that doesn't end before it begins.
    pub(super) fn period(&mut self, aktif: MasaAktif) {
        if let (Some(dari), Some(sampai)) = (aktif.dari, aktif.sampai)
            && sampai < dari
        {
            self.reject(
                "aktif",
                "masa.terbalik",
                "Tanggal akhir lebih awal daripada tanggal mulai. Periksa keduanya.",
            );
        }
    }
}
