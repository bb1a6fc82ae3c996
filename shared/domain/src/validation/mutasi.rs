//! One population event.

use jiff::civil::Date;

use super::Verdict;
use super::rule::{ALAMAT_MAX, CATATAN_MAX, NAMA_MAX, NOMOR_MAX};
use crate::code_list::{Code, Peristiwa};
use crate::record::{Kelahiran, Mutasi};

/// Weights and lengths of newborns that raise no question (0 = not stated).
const BERAT_GRAM: std::ops::RangeInclusive<u32> = 500..=6_500;
const PANJANG_MM: std::ops::RangeInclusive<u32> = 200..=650;
/// More children of one mother than this is more often a slip.
const ANAK_KE_MAX: u16 = 20;

/// Checks an event; `lahir` is the resident's birth date, if the caller knows
/// it. Days in the future are for [`check_record`](super::check_record),
/// which knows today.
#[must_use]
pub fn check_mutasi(event: &Mutasi, lahir: Option<Date>) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_id("warga_id", event.warga_id, "Pilih warga yang mengalami peristiwa ini.");
    if event.peristiwa.is_none() {
        verdict.reject("peristiwa", "wajib.kosong", "Jenis peristiwa wajib dipilih.");
    }
    verdict.listed("peristiwa", event.peristiwa);
    dates(&mut verdict, event, lahir);
    details(&mut verdict, event);
    if let Some(birth) = &event.kelahiran {
        newborn(&mut verdict, birth);
    }
    if let Some(death) = &event.kematian {
        verdict.text("kematian.tempat", &death.tempat, NAMA_MAX);
        verdict.text("kematian.jam", &death.jam, NOMOR_MAX);
        verdict.text("kematian.sebab", &death.sebab, ALAMAT_MAX);
        verdict.text("kematian.penolong", &death.penolong, NAMA_MAX);
        verdict.text("kematian.akta", &death.akta, NOMOR_MAX);
    }
    if let Some(movement) = &event.perpindahan {
        verdict.listed("perpindahan.jenis", movement.jenis);
        verdict.text("perpindahan.alamat", &movement.alamat, ALAMAT_MAX);
        verdict.text("perpindahan.alasan", &movement.alasan, ALAMAT_MAX);
    }
    verdict.text("keterangan", &event.keterangan, CATATAN_MAX);
    verdict
}

/// Neither the event nor its report may lie in the future.
pub(super) fn not_in_the_future(verdict: &mut Verdict, event: &Mutasi, today: Date) {
    verdict.not_after("tgl_peristiwa", event.tgl_peristiwa, today);
    verdict.not_after("tgl_lapor", event.tgl_lapor, today);
}

fn dates(verdict: &mut Verdict, event: &Mutasi, lahir: Option<Date>) {
    let Some(day) = event.tgl_peristiwa else {
        verdict.reject(
            "tgl_peristiwa",
            "wajib.kosong",
            "Tanggal peristiwa wajib diisi, karena rekap dihitung menurut tanggal itu.",
        );
        return;
    };
    if event.tgl_lapor.is_some_and(|reported| reported < day) {
        verdict.reject(
            "tgl_lapor",
            "tgl_lapor.sebelum_peristiwa",
            "Tanggal lapor lebih awal daripada tanggal peristiwa. Periksa keduanya.",
        );
    }
    let Some(lahir) = lahir else { return };
    if day < lahir {
        verdict.reject(
            "tgl_peristiwa",
            "tgl_peristiwa.sebelum_lahir",
            "Tanggal peristiwa lebih awal daripada tanggal lahir warga ini. Periksa keduanya.",
        );
    } else if day != lahir && event.peristiwa == Some(Code::<Peristiwa>::LAHIR) {
        verdict.warn(
            "tgl_peristiwa",
            "tgl_peristiwa.bukan_tanggal_lahir",
            "Tanggal peristiwa lahir berbeda dengan tanggal lahir warga ini. Periksa keduanya.",
        );
    }
}

/// Details belong to their own kind of event, and a move says where.
fn details(verdict: &mut Verdict, event: &Mutasi) {
    let is = |wanted: &[Code<Peristiwa>]| event.peristiwa.is_some_and(|p| wanted.contains(&p));
    let moves = is(&[
        Code::<Peristiwa>::PINDAH_KELUAR,
        Code::<Peristiwa>::PINDAH_MASUK,
        Code::<Peristiwa>::PERGI,
    ]);
    for (field, filled, fits) in [
        ("kelahiran", event.kelahiran.is_some(), is(&[Code::<Peristiwa>::LAHIR])),
        ("kematian", event.kematian.is_some(), is(&[Code::<Peristiwa>::MATI])),
        ("perpindahan", event.perpindahan.is_some(), moves),
    ] {
        if filled && !fits {
            verdict.warn(
                field,
                "rincian.tidak_cocok",
                "Rincian ini tidak cocok dengan jenis peristiwanya. Periksa keduanya.",
            );
        }
    }
    let crosses = is(&[Code::<Peristiwa>::PINDAH_KELUAR, Code::<Peristiwa>::PINDAH_MASUK]);
    if crosses && event.nik.is_none() {
        verdict.warn(
            "nik",
            "nik.kosong",
            "NIK belum diisi, jadi pindah ini tidak dapat dicocokkan dengan desa yang lain.",
        );
    }
}

fn newborn(verdict: &mut Verdict, birth: &Kelahiran) {
    verdict.text("kelahiran.waktu", &birth.waktu, NOMOR_MAX);
    verdict.listed("kelahiran.tempat", birth.tempat);
    verdict.listed("kelahiran.jenis", birth.jenis);
    verdict.listed("kelahiran.penolong", birth.penolong);
    if birth.berat_gram != 0 && !BERAT_GRAM.contains(&birth.berat_gram) {
        verdict.warn(
            "kelahiran.berat_gram",
            "kelahiran.berat",
            "Berat lahir tidak wajar. Beratnya ditulis dalam gram, misalnya 3200.",
        );
    }
    if birth.panjang_mm != 0 && !PANJANG_MM.contains(&birth.panjang_mm) {
        verdict.warn(
            "kelahiran.panjang_mm",
            "kelahiran.panjang",
            "Panjang lahir tidak wajar. Periksa lagi.",
        );
    }
    if birth.anak_ke > ANAK_KE_MAX {
        verdict.warn(
            "kelahiran.anak_ke",
            "kelahiran.anak_ke",
            "Urutan anak tidak wajar. Periksa lagi.",
        );
    }
}
