//! Families, and what only shows when several records lie side by side.

use std::ops::RangeInclusive;

use jiff::civil::Date;

use super::Verdict;
use super::rule::ALAMAT_MAX;
use crate::code_list::{Code, Shdk};
use crate::id::RecordId;
use crate::record::Keluarga;

/// Families in a dasawisma by its name ("ten houses") and by practice. Real
/// groups vary, so other sizes are a warning.
pub const DASAWISMA_KK: RangeInclusive<u64> = 10..=20;

/// Checks a family as of `today`.
#[must_use]
pub fn check_keluarga(family: &Keluarga, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_id(
        "rumah_tangga_id",
        family.rumah_tangga_id,
        "Pilih rumah tempat keluarga ini tinggal.",
    );
    if family.no_kk.is_none() {
        verdict.warn("no_kk", "no_kk.kosong", "Nomor KK belum diisi.");
    }
    verdict.listed("kelas_sosial", family.kelas_sosial);
    verdict.text("alamat", &family.alamat, ALAMAT_MAX);
    verdict.not_after("tgl_daftar", family.tgl_daftar, today);
    verdict
}

/// Checks the relations of everybody on one family card: exactly one head.
/// Callers pass the residents alive and here.
#[must_use]
pub fn check_keluarga_anggota(shdk: &[Option<Code<Shdk>>]) -> Verdict {
    let mut verdict = Verdict::default();
    let heads = shdk.iter().filter(|shdk| **shdk == Some(Code::<Shdk>::KEPALA_KELUARGA)).count();
    match heads {
        1 => {}
        0 => verdict.warn(
            "shdk",
            "keluarga.tanpa_kepala",
            "KK ini belum punya kepala keluarga. Tetapkan satu anggota sebagai kepala keluarga.",
        ),
        _ => verdict.warn(
            "shdk",
            "keluarga.banyak_kepala",
            format!("KK ini punya {heads} kepala keluarga. Seharusnya satu."),
        ),
    }
    verdict
}

/// Checks how many families a dasawisma has.
#[must_use]
pub fn check_dasawisma_size(kk_count: u64) -> Verdict {
    let mut verdict = Verdict::default();
    if !DASAWISMA_KK.contains(&kk_count) {
        verdict.warn(
            "dasawisma",
            "dasawisma.jumlah_kk",
            format!("Dasawisma ini beranggota {kk_count} KK. Biasanya 10 sampai 20 KK."),
        );
    }
    verdict
}

/// Checks that a house and its dasawisma lie in the same RT.
#[must_use]
pub fn check_rumah_tangga_dasawisma(house_rt: RecordId, dasawisma_rt: RecordId) -> Verdict {
    let mut verdict = Verdict::default();
    if house_rt != dasawisma_rt {
        verdict.reject(
            "dasawisma_id",
            "dasawisma_id.rt_lain",
            "Dasawisma ini berada di RT lain. Pilih dasawisma di RT yang sama dengan rumah ini.",
        );
    }
    verdict
}
