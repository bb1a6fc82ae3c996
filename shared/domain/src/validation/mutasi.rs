//! One population event.

use jiff::civil::Date;

use super::Verdict;
use super::rule::{ALAMAT_MAX, CATATAN_MAX, NAMA_MAX, NOMOR_MAX};
use crate::code_list::{Code, Peristiwa, StatusDasar};
use crate::record::{Kelahiran, Mutasi, Warga};

/// Weights and lengths of newborns that raise no question (0 = not stated).
const BERAT_GRAM: std::ops::RangeInclusive<u32> = 500..=6_500;
const PANJANG_MM: std::ops::RangeInclusive<u32> = 200..=650;
/// More children of one mother than this is more often a slip.
const ANAK_KE_MAX: u16 = 20;

/// Checks an event by itself. Days in the future are for
/// [`check_record`](super::check_record), which knows today; the resident's
/// birth date is for [`check_mutasi_lahir`].
#[must_use]
pub fn check_mutasi(event: &Mutasi) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_id("warga_id", event.warga_id, "Pilih warga yang mengalami peristiwa ini.");
    if event.peristiwa.is_none() {
        verdict.reject("peristiwa", "wajib.kosong", "Jenis peristiwa wajib dipilih.");
    }
    verdict.listed("peristiwa", event.peristiwa);
    dates(&mut verdict, event);
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

/// Checks an event against the birth date of the resident it happened to.
#[must_use]
pub fn check_mutasi_lahir(event: &Mutasi, lahir: Date) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(day) = event.tgl_peristiwa else { return verdict };
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
    verdict
}

/// Checks a resident's status against the events up to `today`: recaps follow
/// the events, lists and totals follow the status, and both must tell the
/// same. The events may come in any order.
#[must_use]
pub fn check_status_dasar(warga: &Warga, events: &[&Mutasi], today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    let status = warga.status_dasar.unwrap_or(Code::<StatusDasar>::HIDUP);
    let past = events.iter().filter_map(|event| {
        let day = event.tgl_peristiwa.filter(|day| *day <= today)?;
        Some((day, event.peristiwa?)).filter(|(_, peristiwa)| status_after(*peristiwa).is_some())
    });
    // The day's last word is a death, as in recaps.
    let last = past.max_by_key(|(day, event)| (*day, *event == Code::<Peristiwa>::MATI));
    let told = last.and_then(|(_, event)| status_after(event));
    match told {
        Some(told) if told == status => {}
        Some(told) if told == Code::<StatusDasar>::HIDUP => verdict.warn(
            "status_dasar",
            "status_dasar.masih_di_sini",
            "Menurut peristiwa terakhirnya warga ini ada di sini, tetapi status dasarnya bukan \
             hidup. Ubah status dasarnya, atau catat peristiwa yang belum tercatat.",
        ),
        Some(_) => verdict.warn(
            "status_dasar",
            "status_dasar.beda_peristiwa",
            "Status dasar warga ini tidak sama dengan peristiwa terakhirnya (mati, pindah, \
             hilang, atau pergi). Ubah status dasarnya juga, agar rekap dan daftar sama.",
        ),
        None if leaves(status) => verdict.warn(
            "status_dasar",
            "status_dasar.tanpa_peristiwa",
            "Status dasar warga ini bukan hidup, tetapi peristiwanya belum dicatat, jadi rekap \
             tanggal lampau pun tidak menghitungnya. Catat peristiwa beserta tanggalnya.",
        ),
        None => {}
    }
    verdict
}

/// The status that an event leaves a resident with.
fn status_after(event: Code<Peristiwa>) -> Option<Code<StatusDasar>> {
    match event {
        Code::<Peristiwa>::LAHIR | Code::<Peristiwa>::PINDAH_MASUK => {
            Some(Code::<StatusDasar>::HIDUP)
        }
        Code::<Peristiwa>::MATI => Some(Code::<StatusDasar>::MATI),
        Code::<Peristiwa>::PINDAH_KELUAR => Some(Code::<StatusDasar>::PINDAH),
        Code::<Peristiwa>::HILANG => Some(Code::<StatusDasar>::HILANG),
        Code::<Peristiwa>::PERGI => Some(Code::<StatusDasar>::PERGI),
        _ => None,
    }
}

/// Whether an event brings a resident this status. What was entered by
/// mistake never happened.
fn leaves(status: Code<StatusDasar>) -> bool {
    matches!(
        status,
        Code::<StatusDasar>::MATI
            | Code::<StatusDasar>::PINDAH
            | Code::<StatusDasar>::HILANG
            | Code::<StatusDasar>::PERGI
    )
}

/// Neither the event nor its report may lie in the future.
pub(super) fn not_in_the_future(verdict: &mut Verdict, event: &Mutasi, today: Date) {
    verdict.not_after("tgl_peristiwa", event.tgl_peristiwa, today);
    verdict.not_after("tgl_lapor", event.tgl_lapor, today);
}

fn dates(verdict: &mut Verdict, event: &Mutasi) {
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
