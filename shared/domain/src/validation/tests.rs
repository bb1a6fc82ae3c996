//! What is refused, what is warned about, and that messages tell no secrets.

use jiff::civil::{Date, date};

use super::*;
use crate::code_list::{CaraKb, Code, Peristiwa, Shdk, StatusKawin};
use crate::id::RecordId;
use crate::identity::Nik;
use crate::record::{
    Dasawisma, DokumenWarga, Dusun, JenisKelamin, Kelahiran, Keluarga, KriteriaRumah, MakananPokok,
    MasaAktif, Mutasi, Perpindahan, Rt, RumahTangga, Titik, Warga,
};

const TODAY: Date = date(2026, 11, 24);
const RT: RecordId = RecordId([7; 16]);

fn nik(digits: &str) -> Option<Nik> {
    Nik::parse(digits).unwrap().nik()
}

fn woman() -> Warga {
    Warga {
        nama: "SITI CONTOH".to_owned(),
        nik: nik("3505014101900001"),
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

/// The verdict is exactly these codes, rejections marked with `!`.
fn check(verdict: &Verdict, wanted: &[&str]) {
    let found: Vec<String> = verdict
        .0
        .iter()
        .map(|finding| match finding.severity {
            Severity::Reject => format!("!{}", finding.code),
            Severity::Warn => finding.code.to_owned(),
        })
        .collect();
    assert_eq!(found, wanted, "{verdict:?}");
    let rejected = wanted.iter().any(|code| code.starts_with('!'));
    let outcome = match (rejected, wanted.is_empty()) {
        (true, _) => Outcome::Reject,
        (false, true) => Outcome::Accept,
        (false, false) => Outcome::Warn,
    };
    assert_eq!(verdict.outcome(), outcome);
    assert_eq!(verdict.may_save(), !rejected);
    for finding in &verdict.0 {
        assert!(!finding.message.contains("CONTOH"), "{finding:?}");
        assert!(!finding.message.contains("3505"), "{finding:?}");
        assert!(finding.message.ends_with('.'), "{finding:?}");
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
        (
            Warga {
                nama: "  ".to_owned(),
                ..man()
            },
            vec!["!wajib.kosong"],
        ),
        (
            Warga {
                nama: "A".repeat(101),
                ..man()
            },
            vec!["!teks.terlalu_panjang"],
        ),
        (
            Warga {
                suku: "Jawa\u{7}".to_owned(),
                ..man()
            },
            vec!["!teks.karakter_kendali"],
        ),
        (
            Warga {
                tanggal_lahir: Some(TODAY),
                ..man()
            },
            vec![],
        ),
        (
            Warga {
                tanggal_lahir: Some(date(2026, 11, 25)),
                ..man()
            },
            vec!["!tanggal_lahir.masa_depan"],
        ),
        (
            Warga {
                tanggal_lahir: Some(date(1906, 11, 24)),
                ..man()
            },
            vec![],
        ),
        (
            Warga {
                tanggal_lahir: Some(date(1905, 11, 24)),
                ..man()
            },
            vec!["tanggal_lahir.terlalu_tua"],
        ),
        (
            Warga {
                tanggal_lahir: None,
                ..man()
            },
            vec!["tanggal_lahir.kosong"],
        ),
        (
            Warga {
                jenis_kelamin: None,
                hamil: Some(true),
                ..man()
            },
            vec!["jenis_kelamin.kosong"],
        ),
        (
            Warga {
                nik: woman().nik,
                ..man()
            },
            vec!["nik.jenis_kelamin_beda", "nik.tanggal_beda"],
        ),
        (
            Warga {
                hamil: Some(true),
                ..man()
            },
            vec!["!hamil.laki_laki"],
        ),
        (
            Warga {
                menyusui: Some(true),
                ..man()
            },
            vec!["!menyusui.laki_laki"],
        ),
        (
            Warga {
                hamil: Some(true),
                menyusui: Some(true),
                ..woman()
            },
            vec![],
        ),
        (
            Warga {
                nik: None,
                hamil: Some(true),
                tanggal_lahir: Some(date(1970, 1, 1)),
                ..woman()
            },
            vec!["hamil.umur"],
        ),
        (
            Warga {
                cara_kb: Some(Code::<CaraKb>::IUD),
                ..man()
            },
            vec!["cara_kb.jenis_kelamin"],
        ),
        (
            Warga {
                cara_kb: Some(Code::<CaraKb>::KONDOM),
                ..woman()
            },
            vec!["cara_kb.jenis_kelamin"],
        ),
        (
            Warga {
                cara_kb: Some(Code::<CaraKb>::IUD),
                ..woman()
            },
            vec![],
        ),
        (
            Warga {
                cara_kb: Code::from_wire(99),
                ..man()
            },
            vec![],
        ),
        (
            Warga {
                cara_kb: Code::from_wire(8),
                ..man()
            },
            vec!["!kode.tidak_terdaftar"],
        ),
        (
            Warga {
                agama: Code::from_wire(8),
                ..man()
            },
            vec!["!kode.tidak_terdaftar"],
        ),
        (
            Warga {
                shdk: Some(Code::<Shdk>::ISTRI),
                ..man()
            },
            vec!["shdk.jenis_kelamin"],
        ),
        (
            Warga {
                shdk: Some(Code::<Shdk>::ISTRI),
                status_kawin: Some(Code::<StatusKawin>::BELUM_KAWIN),
                ..woman()
            },
            vec!["status_kawin.shdk"],
        ),
        (
            Warga {
                status_kawin: kawin,
                tanggal_lahir: Some(date(2015, 1, 1)),
                ..man()
            },
            vec!["status_kawin.umur"],
        ),
        (
            Warga {
                dokumen: dated(Some(date(1980, 1, 1)), None),
                ..man()
            },
            vec!["tanggal_perkawinan.sebelum_lahir"],
        ),
        (
            Warga {
                dokumen: dated(Some(date(2010, 1, 1)), Some(date(2009, 1, 1))),
                ..man()
            },
            vec!["tanggal_perceraian.sebelum_kawin"],
        ),
        (
            Warga {
                dokumen: dated(Some(date(2027, 1, 1)), None),
                ..man()
            },
            vec!["!tanggal.masa_depan"],
        ),
        (
            Warga {
                telepon: "0812-0000-0000".to_owned(),
                ..man()
            },
            vec![],
        ),
        (
            Warga {
                telepon: "tidak punya".to_owned(),
                ..man()
            },
            vec!["telepon.bukan_nomor"],
        ),
        (
            Warga {
                lat: "-8.0955".to_owned(),
                lng: "112.1609".to_owned(),
                ..man()
            },
            vec![],
        ),
        (
            Warga {
                lat: "112.1609".to_owned(),
                lng: "-8.0955".to_owned(),
                ..man()
            },
            vec!["!titik.bukan_koordinat"],
        ),
        (
            Warga {
                lat: "-8,0955".to_owned(),
                lng: "112,1609".to_owned(),
                ..man()
            },
            vec!["titik.tidak_terbaca"],
        ),
    ] {
        check(&check_warga(&warga, TODAY), &wanted);
    }
    let mut child = man();
    child.nik = nik("3505010106850001");
    child.ayah.nik = child.nik;
    check(&check_warga(&child, TODAY), &["nik.sama_dengan_anak"]);
}

fn house() -> RumahTangga {
    RumahTangga {
        rt_id: RT,
        dasawisma_id: Some(RecordId([8; 16])),
        kriteria: Some(KriteriaRumah::TidakSehat),
        makanan_pokok: Some(MakananPokok::Beras),
        ..RumahTangga::default()
    }
}

#[test]
fn houses() {
    let titik = |lat, lon| Some(Titik { lat, lon });
    let equipped = RumahTangga {
        punya_tps: Some(true),
        punya_spal: Some(true),
        punya_jamban: Some(true),
        jumlah_mck: 1,
        ..house()
    };
    let sehat = Some(KriteriaRumah::Sehat);
    for (house, wanted) in [
        (house(), vec![]),
        (
            RumahTangga {
                rt_id: RecordId::default(),
                ..house()
            },
            vec!["!wajib.kosong"],
        ),
        (
            RumahTangga {
                dasawisma_id: None,
                ..house()
            },
            vec!["dasawisma_id.kosong"],
        ),
        (
            RumahTangga {
                kriteria: None,
                ..house()
            },
            vec!["kriteria.kosong"],
        ),
        (
            RumahTangga {
                makanan_pokok: None,
                ..house()
            },
            vec!["makanan_pokok.kosong"],
        ),
        (equipped.clone(), vec!["kriteria.bertentangan"]),
        (
            RumahTangga {
                kriteria: sehat,
                ..equipped.clone()
            },
            vec![],
        ),
        (
            RumahTangga {
                kriteria: sehat,
                punya_spal: Some(false),
                ..equipped.clone()
            },
            vec!["kriteria.bertentangan"],
        ),
        (
            RumahTangga {
                kriteria: sehat,
                punya_spal: None,
                ..equipped.clone()
            },
            vec![],
        ),
        (
            RumahTangga {
                kriteria: sehat,
                jumlah_mck: 0,
                ..equipped
            },
            vec!["jumlah_mck.bertentangan"],
        ),
        (
            RumahTangga {
                punya_jamban: Some(false),
                jumlah_mck: 2,
                ..house()
            },
            vec!["jumlah_mck.bertentangan"],
        ),
        (
            RumahTangga {
                titik: titik(-8.1, 112.2),
                ..house()
            },
            vec![],
        ),
        (
            RumahTangga {
                titik: titik(-6.2, 106.8),
                ..house()
            },
            vec!["titik.di_luar_kabupaten"],
        ),
        (
            RumahTangga {
                titik: titik(112.2, -8.1),
                ..house()
            },
            vec!["!titik.bukan_koordinat"],
        ),
        (
            RumahTangga {
                titik: titik(f64::NAN, 112.2),
                ..house()
            },
            vec!["!titik.bukan_koordinat"],
        ),
        (
            RumahTangga {
                tahun: 2027,
                ..house()
            },
            vec![],
        ),
        (
            RumahTangga {
                tahun: 2028,
                ..house()
            },
            vec!["!tahun.di_luar_batas"],
        ),
        (
            RumahTangga {
                diperiksa_pada: Some(date(2026, 12, 1)),
                ..house()
            },
            vec!["!tanggal.masa_depan"],
        ),
        (
            RumahTangga {
                atap: Code::from_wire(1),
                ..house()
            },
            vec!["!kode.tidak_terdaftar"],
        ),
    ] {
        check(&check_rumah_tangga(&house, TODAY), &wanted);
    }
}

#[test]
fn regions_and_groups() {
    let rt = |nomor: &str| Rt {
        nomor: nomor.to_owned(),
        ..Rt::default()
    };
    check(&check_rt(&rt("004")), &[]);
    check(&check_rt(&rt("")), &["!wajib.kosong"]);
    check(&check_rt(&rt("-")), &["!wajib.kosong"]);
    check(&check_rt(&rt("4A")), &["nomor.bukan_angka"]);
    let aktif = MasaAktif {
        dari: Some(date(2026, 1, 2)),
        sampai: Some(date(2026, 1, 1)),
    };
    check(&check_rt(&Rt { aktif, ..rt("004") }), &["!masa.terbalik"]);
    let dusun = |nama: &str| Dusun {
        nama: nama.to_owned(),
        ..Dusun::default()
    };
    check(&check_dusun(&dusun("KRAJAN")), &[]);
    check(
        &check_dusun(&dusun("Dusun Krajan")),
        &["nama.dengan_sebutan"],
    );
    let group = Dasawisma {
        nama: "Melati".to_owned(),
        rt_id: RT,
        ..Dasawisma::default()
    };
    check(&check_dasawisma(&group, TODAY), &[]);
    check(
        &check_dasawisma(&Dasawisma { tahun: 26, ..group }, TODAY),
        &["!tahun.di_luar_batas"],
    );
}

#[test]
fn families_and_what_lies_side_by_side() {
    let family = Keluarga {
        rumah_tangga_id: RT,
        ..Keluarga::default()
    };
    check(&check_keluarga(&family, TODAY), &["no_kk.kosong"]);
    let head = Some(Code::<Shdk>::KEPALA_KELUARGA);
    let child = Some(Code::<Shdk>::ANAK);
    check(&check_keluarga_anggota(&[head, child, None]), &[]);
    check(
        &check_keluarga_anggota(&[child]),
        &["keluarga.tanpa_kepala"],
    );
    check(
        &check_keluarga_anggota(&[head, head]),
        &["keluarga.banyak_kepala"],
    );
    for (kk, wanted) in [
        (9, vec!["dasawisma.jumlah_kk"]),
        (10, vec![]),
        (20, vec![]),
        (21, vec!["dasawisma.jumlah_kk"]),
    ] {
        check(&check_dasawisma_size(kk), &wanted);
    }
    check(&check_rumah_tangga_dasawisma(RT, RT), &[]);
    check(
        &check_rumah_tangga_dasawisma(RT, RecordId([9; 16])),
        &["!dasawisma_id.rt_lain"],
    );
}

fn event(peristiwa: Code<Peristiwa>, day: Date) -> Mutasi {
    Mutasi {
        warga_id: RecordId([5; 16]),
        nik: nik("3505014101900001"),
        peristiwa: Some(peristiwa),
        tgl_peristiwa: Some(day),
        tgl_lapor: Some(day),
        ..Mutasi::default()
    }
}

#[test]
fn events() {
    let born = date(2026, 3, 1);
    let mati = |day| event(Code::<Peristiwa>::MATI, day);
    let lahir = |day| event(Code::<Peristiwa>::LAHIR, day);
    let keluar = event(Code::<Peristiwa>::PINDAH_KELUAR, TODAY);
    let baby = |berat_gram| {
        Some(Kelahiran {
            berat_gram,
            ..Kelahiran::default()
        })
    };
    for (event, wanted) in [
        (mati(TODAY), vec![]),
        (mati(born), vec![]),
        (
            mati(date(2026, 2, 28)),
            vec!["!tgl_peristiwa.sebelum_lahir"],
        ),
        (
            Mutasi {
                tgl_lapor: Some(date(2026, 11, 23)),
                ..mati(TODAY)
            },
            vec!["!tgl_lapor.sebelum_peristiwa"],
        ),
        (
            Mutasi {
                tgl_peristiwa: None,
                ..mati(TODAY)
            },
            vec!["!wajib.kosong"],
        ),
        (
            Mutasi {
                peristiwa: None,
                ..mati(TODAY)
            },
            vec!["!wajib.kosong"],
        ),
        (
            Mutasi {
                peristiwa: Code::from_wire(9),
                ..mati(TODAY)
            },
            vec!["!kode.tidak_terdaftar"],
        ),
        (lahir(born), vec![]),
        (lahir(TODAY), vec!["tgl_peristiwa.bukan_tanggal_lahir"]),
        (
            Mutasi {
                kelahiran: baby(3_200),
                ..lahir(born)
            },
            vec![],
        ),
        (
            Mutasi {
                kelahiran: baby(3),
                ..lahir(born)
            },
            vec!["kelahiran.berat"],
        ),
        (
            Mutasi {
                kelahiran: baby(0),
                ..mati(TODAY)
            },
            vec!["rincian.tidak_cocok"],
        ),
        (
            Mutasi {
                perpindahan: Some(Perpindahan::default()),
                ..keluar.clone()
            },
            vec![],
        ),
        (
            Mutasi {
                nik: None,
                ..keluar
            },
            vec!["nik.kosong"],
        ),
    ] {
        check(&check_mutasi(&event, Some(born)), &wanted);
    }
}

#[test]
fn any_record_is_checked_by_its_own_rules() {
    let tomorrow = event(Code::<Peristiwa>::MATI, date(2026, 11, 25));
    let record = Record::Mutasi(Box::new(tomorrow));
    check(
        &check_record(&record, TODAY),
        &["!tanggal.masa_depan", "!tanggal.masa_depan"],
    );
    let blank = check_record(&Record::Warga(Box::default()), TODAY);
    assert_eq!(blank.rejections().count(), 1);
    assert_eq!(blank.warnings().count(), 2);
}
