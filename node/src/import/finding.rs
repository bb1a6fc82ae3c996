//! A finding about one cell, before it is known whose row it belongs to.

use std::fmt;

use lumbung_domain::validation;

use super::column::Column;
use super::report::Severity;

/// One thing wrong with one cell or row. Never repeats the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CellFinding {
    pub(super) column: Option<Column>,
    pub(super) severity: Severity,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl CellFinding {
    /// The row can't be taken because of this cell.
    pub(super) fn reject(column: Column, code: &'static str, why: &dyn fmt::Display) -> Self {
        Self { column: Some(column), severity: Severity::Reject, code, message: why.to_string() }
    }

    /// The row is taken; this cell needs a look.
    pub(super) fn warning(column: Column, code: &'static str, message: &str) -> Self {
        Self {
            column: Some(column),
            severity: Severity::Warning,
            code,
            message: message.to_owned(),
        }
    }

    /// What the domain's checks say about the resident or the family.
    pub(super) fn of_validation(finding: validation::Finding) -> Self {
        Self {
            column: field_column(finding.field),
            severity: match finding.severity {
                validation::Severity::Warn => Severity::Warning,
                validation::Severity::Reject => Severity::Reject,
            },
            code: finding.code,
            message: finding.message,
        }
    }

    /// The domain's checks would refuse the family or house with this cell.
    pub(super) fn unfit(column: Column) -> Self {
        let message =
            "isian ini tidak dapat disimpan (terlalu panjang atau tidak mungkin); dilewati";
        Self::warning(column, "isian_dilewati", message)
    }

    /// Another row of the family said it differently.
    pub(super) fn differs_in_family(column: Column) -> Self {
        let message =
            "isian ini berbeda dengan baris lain dalam KK yang sama; baris pertama yang dipakai";
        Self::warning(column, "berbeda_dalam_kk", message)
    }

    /// Another row of the house said it differently.
    pub(super) fn differs_in_house(column: Column) -> Self {
        let message =
            "isian ini berbeda dengan baris lain dari rumah yang sama; baris pertama yang dipakai";
        Self::warning(column, "berbeda_dalam_rumah", message)
    }

    /// The cell has more characters than any form has room for.
    pub(super) fn too_long(column: Column) -> Self {
        Self::reject(
            column,
            "isian_terlalu_panjang",
            &"isian ini lebih dari 1.000 huruf; periksa tanda kutip atau pindahan baris di lembarnya",
        )
    }

    /// The same finding as a warning: the cell is passed over.
    pub(super) fn softened(mut self) -> Self {
        self.severity = Severity::Warning;
        self.message.push_str("; isian ini dilewati");
        self
    }
}

/// The column behind a record's field, as the domain's checks name it.
fn field_column(field: &str) -> Option<Column> {
    Some(match field {
        "nik" => Column::Nik,
        "nama" => Column::Nama,
        "jenis_kelamin" => Column::JenisKelamin,
        "tempat_lahir" => Column::TempatLahir,
        "tanggal_lahir" => Column::TanggalLahir,
        "status_kawin" => Column::StatusKawin,
        "shdk" => Column::Shdk,
        "hamil" => Column::Hamil,
        "menyusui" => Column::Menyusui,
        "akseptor_kb" => Column::AkseptorKb,
        "cara_kb" => Column::CaraKb,
        "kegiatan_warga" => Column::KeteranganPerKegiatan,
        "keterangan_kegiatan" => Column::KeteranganKegiatan,
        "keterangan" => Column::Keterangan,
        "ayah_nik" => Column::AyahNik,
        "ibu_nik" => Column::IbuNik,
        "ayah_nama" => Column::NamaAyah,
        "ibu_nama" => Column::NamaIbu,
        "tanggal_perkawinan" => Column::TanggalPerkawinan,
        "tanggal_perceraian" => Column::TanggalPerceraian,
        "akta_lahir" => Column::AktaLahir,
        "paspor" => Column::Paspor,
        "kitas" => Column::Kitas,
        "akta_perkawinan" => Column::AktaPerkawinan,
        "akta_perceraian" => Column::AktaPerceraian,
        "tag_id_card" => Column::TagIdCard,
        "alamat_sekarang" => Column::AlamatSekarang,
        "suku" => Column::Suku,
        "no_asuransi" => Column::NoAsuransi,
        "telepon" => Column::Telepon,
        "lat" | "titik" => Column::Lat,
        "lng" => Column::Lng,
        _ => return None,
    })
}
