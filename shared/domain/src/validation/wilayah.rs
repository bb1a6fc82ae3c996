//! Dusun, RW, RT and dasawisma.

use jiff::civil::Date;

use super::Verdict;
use super::rule::{CATATAN_MAX, NAMA_MAX, NOMOR_MAX};
use crate::record::{Dasawisma, Dusun, MasaAktif, Rt, Rw, Titik};

/// Characters of an RT or RW number, leading zeros included.
const NOMOR_RT_MAX: usize = 10;

/// Checks a dusun or lingkungan.
#[must_use]
pub fn check_dusun(dusun: &Dusun) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_text("nama", &dusun.nama, NAMA_MAX, "Nama dusun atau lingkungan wajib diisi.");
    let upper = dusun.nama.trim().to_uppercase();
    if upper.starts_with("DUSUN ") || upper.starts_with("LINGKUNGAN ") {
        verdict.warn(
            "nama",
            "nama.dengan_sebutan",
            "Tulis namanya saja, tanpa kata Dusun atau Lingkungan.",
        );
    }
    common(&mut verdict, dusun.titik, dusun.aktif, &dusun.sk_pembentukan);
    verdict
}

/// Checks an RW. Whether its number is unique is for the store to see.
#[must_use]
pub fn check_rw(rw: &Rw) -> Verdict {
    let mut verdict = Verdict::default();
    number(&mut verdict, &rw.nomor, "Nomor RW wajib diisi.");
    common(&mut verdict, rw.titik, rw.aktif, &rw.sk_pembentukan);
    verdict
}

/// Checks an RT. A village may have no RW and no dusun.
#[must_use]
pub fn check_rt(rt: &Rt) -> Verdict {
    let mut verdict = Verdict::default();
    number(&mut verdict, &rt.nomor, "Nomor RT wajib diisi.");
    verdict.text("batas", &rt.batas, CATATAN_MAX);
    common(&mut verdict, rt.titik, rt.aktif, &rt.sk_pembentukan);
    verdict
}

/// Checks a dasawisma as of `today`. Two villages, even two RT, may both have
/// a "Melati".
#[must_use]
pub fn check_dasawisma(group: &Dasawisma, today: Date) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.required_text("nama", &group.nama, NAMA_MAX, "Nama dasawisma wajib diisi.");
    verdict.required_id("rt_id", group.rt_id, "Pilih RT tempat dasawisma ini berada.");
    verdict.book_year(group.tahun, today);
    verdict
}

fn number(verdict: &mut Verdict, nomor: &str, message: &'static str) {
    verdict.required_text("nomor", nomor, NOMOR_RT_MAX, message);
    if nomor.trim() == "-" {
        verdict.reject("nomor", "wajib.kosong", message);
    } else if nomor.chars().any(|c| !c.is_ascii_digit()) {
        verdict.warn(
            "nomor",
            "nomor.bukan_angka",
            "Nomor biasanya tiga angka, misalnya 004. Periksa lagi.",
        );
    }
}

fn common(verdict: &mut Verdict, titik: Option<Titik>, aktif: MasaAktif, sk: &str) {
    verdict.place(titik);
    verdict.period(aktif);
    verdict.text("sk_pembentukan", sk, NOMOR_MAX);
}
