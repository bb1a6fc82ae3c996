//! Residents.

use jiff::civil::date;

use super::{TODAY, check, nik};
use crate::code_list::{CaraKb, Code, Shdk, StatusKawin};
use crate::record::{DokumenWarga, JenisKelamin, Warga};
use crate::validation::check_warga;

fn woman() -> Warga {
    Warga {
        nama: "SITI CONTOH".to_owned(),
        nik: nik("3599014101900001"),
        jenis_kelamin: Some(JenisKelamin::Perempuan),
        tanggal_lahir: Some(date(1990, 1, 1)),
        ..Warga::default()
    }
}

fn man() -> Warga {
    Warga {
        nama: "BUDI CONTOH".to_owned(),
        jenis_kelamin: Some(JenisKelamin::LakiLaki),
        tanggal_lahir: Some(date(1985, 6, 1)),
        ..Warga::default()
    }
}

#[test]
fn residents() {
    let dated = |kawin, cerai| DokumenWarga {
        tanggal_perkawinan: kawin,
        tanggal_perceraian: cerai,
        ..DokumenWarga::default()
    };
    let kawin = Some(Code::<StatusKawin>::KAWIN);
    for (warga, wanted) in [
        (woman(), vec![]),
        (man(), vec![]),
        (Warga { nama: "  ".to_owned(), ..man() }, vec!["!wajib.kosong"]),
        (Warga { nama: "A".repeat(101), ..man() }, vec!["!teks.terlalu_panjang"]),
        (Warga { suku: "Jawa\u{7}".to_owned(), ..man() }, vec!["!teks.karakter_kendali"]),
        (Warga { tanggal_lahir: Some(TODAY), ..man() }, vec![]),
        (
            Warga { tanggal_lahir: Some(date(2026, 11, 25)), ..man() },
            vec!["!tanggal_lahir.masa_depan"],
        ),
        (Warga { tanggal_lahir: Some(date(1906, 11, 24)), ..man() }, vec![]),
        (
            Warga { tanggal_lahir: Some(date(1905, 11, 24)), ..man() },
            vec!["tanggal_lahir.terlalu_tua"],
        ),
        (Warga { tanggal_lahir: None, ..man() }, vec!["tanggal_lahir.kosong"]),
        (Warga { jenis_kelamin: None, hamil: Some(true), ..man() }, vec!["jenis_kelamin.kosong"]),
        (Warga { nik: woman().nik, ..man() }, vec!["nik.jenis_kelamin_beda", "nik.tanggal_beda"]),
        (Warga { hamil: Some(true), ..man() }, vec!["!hamil.laki_laki"]),
        (Warga { menyusui: Some(true), ..man() }, vec!["!menyusui.laki_laki"]),
        (Warga { hamil: Some(true), menyusui: Some(true), ..woman() }, vec![]),
        (
            Warga {
                nik: None,
                hamil: Some(true),
                tanggal_lahir: Some(date(1970, 1, 1)),
                ..woman()
            },
            vec!["hamil.umur"],
        ),
        (Warga { cara_kb: Some(Code::<CaraKb>::IUD), ..man() }, vec!["cara_kb.jenis_kelamin"]),
        (Warga { cara_kb: Some(Code::<CaraKb>::KONDOM), ..woman() }, vec!["cara_kb.jenis_kelamin"]),
        (Warga { cara_kb: Some(Code::<CaraKb>::IUD), ..woman() }, vec![]),
        (Warga { cara_kb: Code::from_wire(99), ..man() }, vec![]),
        (
            Warga { akseptor_kb: Some(false), cara_kb: Some(Code::<CaraKb>::IUD), ..woman() },
            vec!["akseptor_kb.cara_kb"],
        ),
        (Warga { akseptor_kb: Some(true), ..woman() }, vec![]),
        (Warga { akseptor_kb: Some(false), ..woman() }, vec![]),
        (Warga { cara_kb: Code::from_wire(8), ..man() }, vec!["!kode.tidak_terdaftar"]),
        (Warga { agama: Code::from_wire(8), ..man() }, vec!["!kode.tidak_terdaftar"]),
        (Warga { shdk: Some(Code::<Shdk>::ISTRI), ..man() }, vec!["shdk.jenis_kelamin"]),
        (
            Warga {
                shdk: Some(Code::<Shdk>::ISTRI),
                status_kawin: Some(Code::<StatusKawin>::BELUM_KAWIN),
                ..woman()
            },
            vec!["status_kawin.shdk"],
        ),
        (
            Warga { status_kawin: kawin, tanggal_lahir: Some(date(2015, 1, 1)), ..man() },
            vec!["status_kawin.umur"],
        ),
        (
            Warga { dokumen: dated(Some(date(1980, 1, 1)), None), ..man() },
            vec!["tanggal_perkawinan.sebelum_lahir"],
        ),
        (
            Warga { dokumen: dated(Some(date(2010, 1, 1)), Some(date(2009, 1, 1))), ..man() },
            vec!["tanggal_perceraian.sebelum_kawin"],
        ),
        (
            Warga { dokumen: dated(Some(date(2027, 1, 1)), None), ..man() },
            vec!["!tanggal.masa_depan"],
        ),
        (Warga { telepon: "0812-0000-0000".to_owned(), ..man() }, vec![]),
        (Warga { telepon: "tidak punya".to_owned(), ..man() }, vec!["telepon.bukan_nomor"]),
        (Warga { lat: "-8.0955".to_owned(), lng: "112.1609".to_owned(), ..man() }, vec![]),
        (
            Warga { lat: "112.1609".to_owned(), lng: "-8.0955".to_owned(), ..man() },
            vec!["!titik.bukan_koordinat"],
        ),
        (
            Warga { lat: "-8,0955".to_owned(), lng: "112,1609".to_owned(), ..man() },
            vec!["titik.tidak_terbaca"],
        ),
    ] {
        check(&check_warga(&warga, TODAY), &wanted);
    }
    let mut child = man();
    child.nik = nik("3599010106850001");
    child.ayah.nik = child.nik;
    check(&check_warga(&child, TODAY), &["nik.sama_dengan_anak"]);
}
