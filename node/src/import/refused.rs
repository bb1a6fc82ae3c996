//! Why a whole file can't be read. Every sentence says what is wrong, that
//! nothing was changed, and what to do.

use super::limits::{COLUMNS_MAX, FILE_BYTES_MAX, HEADER_ROWS_MAX, ROWS_MAX};

/// The file was turned away; the village's data is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SheetRefused {
    /// Nothing in it.
    #[error("Berkas ini kosong. Tidak ada data yang berubah. Pilih berkas lain.")]
    Empty,
    /// More bytes than the bound, packed or unpacked.
    #[error(
        "Berkas ini terlalu besar (paling besar {} MiB). Tidak ada data yang berubah. \
         Bagi menjadi beberapa berkas, misalnya satu berkas per dusun.",
        FILE_BYTES_MAX >> 20
    )]
    TooManyBytes,
    /// More rows than the bound.
    #[error(
        "Lembar ini berisi lebih dari {ROWS_MAX} baris. Tidak ada data yang berubah. \
         Bagi menjadi beberapa berkas, misalnya satu berkas per dusun."
    )]
    TooManyRows,
    /// More columns than the bound.
    #[error(
        "Lembar ini berisi lebih dari {COLUMNS_MAX} kolom. Tidak ada data yang berubah. \
         Hapus kolom yang tidak dipakai lalu simpan lagi."
    )]
    TooManyColumns,
    /// The old binary Excel format, or a workbook behind a password.
    #[error(
        "Berkas ini berformat Excel lama (.xls) atau terkunci kata sandi. Tidak ada data yang \
         berubah. Buka di Excel, lepas kata sandinya, lalu simpan sebagai .xlsx."
    )]
    OldOrLockedWorkbook,
    /// UTF-16 text ("Unicode Text" of Excel).
    #[error(
        "Berkas teks ini tersimpan sebagai UTF-16. Tidak ada data yang berubah. \
         Simpan ulang sebagai CSV UTF-8 atau .xlsx."
    )]
    Utf16,
    /// Neither XLSX nor CSV.
    #[error(
        "Berkas ini bukan lembar XLSX atau CSV. Tidak ada data yang berubah. \
         Simpan data dari aplikasinya sebagai .xlsx atau .csv."
    )]
    NotASheet,
    /// A workbook that can't be unpacked or read.
    #[error(
        "Berkas XLSX ini rusak atau terpotong. Tidak ada data yang berubah. \
         Salin atau unduh lagi berkasnya, lalu coba lagi."
    )]
    Damaged,
    /// No row of headers that any layout knows.
    #[error(
        "Judul kolom tidak dikenali dalam {HEADER_ROWS_MAX} baris pertama. Tidak ada data yang \
         berubah. Pakai lembar ekspor OpenSID, data SIAK, atau templat dari Lumbung."
    )]
    NoHeader,
    /// A header row that lacks what no sheet can do without.
    #[error(
        "Lembar ini mirip {layout}, tetapi kolom {missing} tidak ada. Tidak ada data yang \
         berubah. Tambahkan kolom itu lalu coba lagi."
    )]
    MissingColumns {
        /// The layout it looks like.
        layout: &'static str,
        /// The headers it lacks.
        missing: String,
    },
    /// One header twice: which column counts can't be known.
    #[error(
        "Kolom {header} muncul dua kali. Tidak ada data yang berubah. \
         Hapus salah satunya lalu coba lagi."
    )]
    RepeatedColumn {
        /// The header.
        header: &'static str,
    },
    /// A header row and nothing under it.
    #[error(
        "Lembar ini hanya berisi judul kolom, belum ada isinya. Tidak ada data yang berubah. \
         Isi lembarnya lalu coba lagi."
    )]
    NoRows,
}
