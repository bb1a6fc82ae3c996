//! One house.

use jiff::civil::Date;

use super::Verdict;
use super::rule::{ALAMAT_MAX, NAMA_MAX, NOMOR_MAX};
use crate::record::{KriteriaRumah, RumahTangga};

/// More latrine units than this in one house is more often a slip.
const MCK_WAJAR_MAX: u16 = 20;
/// Rows of forms 4.14.2b and 4.14.2c per house.
const ISIAN_MAX: usize = 50;

/// Checks a house as of `today`. Whether its dasawisma lies in its RT is for
/// [`check_rumah_tangga_dasawisma`](super::check_rumah_tangga_dasawisma).
#[must_use]
pub fn check_rumah_tangga(house: &RumahTangga, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_id("rt_id", house.rt_id, "Pilih RT tempat rumah ini berada.");
    if house.dasawisma_id.is_none() {
        verdict.warn(
            "dasawisma_id",
            "dasawisma_id.kosong",
            "Rumah ini belum masuk dasawisma, jadi tidak tampil di rekap dasawisma.",
        );
    }
    verdict.text("nomor", &house.nomor, NOMOR_MAX);
    verdict.text("alamat", &house.alamat, ALAMAT_MAX);
    verdict.place(house.titik);
    verdict.book_year(house.tahun, today);
    verdict.not_after("diperiksa_pada", house.diperiksa_pada, today);
    criteria(&mut verdict, house);
    latrine(&mut verdict, house);
    if house.makanan_pokok.is_none() {
        verdict.warn(
            "makanan_pokok",
            "makanan_pokok.kosong",
            "Makanan pokok belum diisi. Di rekap, rumah ini dihitung beras.",
        );
    }
    rows(&mut verdict, house);
    verdict.listed("dinding", house.dinding);
    verdict.listed("lantai", house.lantai);
    verdict.listed("atap", house.atap);
    verdict.listed("status_rumah", house.status_rumah);
    verdict.listed("sumber_air_minum", house.sumber_air_minum);
    verdict
}

/// The kader judges; the three facilities only suggest.
fn criteria(verdict: &mut Verdict, house: &RumahTangga) {
    let facilities = [house.punya_tps, house.punya_spal, house.punya_jamban];
    match house.kriteria {
        None => verdict.warn(
            "kriteria",
            "kriteria.kosong",
            "Kriteria rumah belum dinilai. Di rekap, rumah ini dihitung menurut tempat sampah, \
             SPAL, dan jamban.",
        ),
        Some(KriteriaRumah::Sehat) if facilities.contains(&Some(false)) => verdict.warn(
            "kriteria",
            "kriteria.bertentangan",
            "Rumah dinilai sehat, tetapi tidak punya tempat sampah, SPAL, atau jamban. Periksa \
             lagi.",
        ),
        Some(KriteriaRumah::TidakSehat) if facilities == [Some(true); 3] => verdict.warn(
            "kriteria",
            "kriteria.bertentangan",
            "Rumah dinilai tidak sehat, tetapi punya tempat sampah, SPAL, dan jamban. Periksa \
             lagi.",
        ),
        Some(_) => {}
    }
}

fn latrine(verdict: &mut Verdict, house: &RumahTangga) {
    let message = match (house.punya_jamban, house.jumlah_mck) {
        (Some(false), Some(1..)) => "Tercatat tidak punya jamban, tetapi jumlah jamban diisi.",
        (Some(true), None) => "Tercatat punya jamban, tetapi jumlah jamban belum diisi.",
        (Some(true), Some(0)) => "Tercatat punya jamban, tetapi jumlahnya 0. Periksa lagi.",
        (_, Some(more)) if more > MCK_WAJAR_MAX => "Jumlah jamban sangat banyak. Periksa lagi.",
        _ => return,
    };
    verdict.warn("jumlah_mck", "jumlah_mck.bertentangan", message);
}

fn rows(verdict: &mut Verdict, house: &RumahTangga) {
    for (field, count) in
        [("pekarangan", house.pekarangan.len()), ("industri", house.industri.len())]
    {
        if count > ISIAN_MAX {
            verdict.reject(
                field,
                "isian.terlalu_banyak",
                format!("Paling banyak {ISIAN_MAX} baris, yang tertulis {count}."),
            );
        }
    }
    for row in &house.pekarangan {
        verdict.text("pekarangan", &row.komoditi, NAMA_MAX);
        verdict.text("pekarangan", &row.jumlah, NOMOR_MAX);
    }
    for row in &house.industri {
        verdict.text("industri", &row.komoditi, NAMA_MAX);
        verdict.text("industri", &row.jumlah, NOMOR_MAX);
    }
}
