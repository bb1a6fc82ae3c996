//! Population events, and any record at all.

use jiff::civil::{Date, date};

use super::{TODAY, check, nik};
use crate::code_list::{Code, Peristiwa, StatusDasar};
use crate::id::RecordId;
use crate::record::{Kelahiran, Mutasi, Perpindahan, Record, Warga};
use crate::validation::{check_mutasi, check_mutasi_lahir, check_record, check_status_dasar};

fn event(peristiwa: Code<Peristiwa>, day: Date) -> Mutasi {
    Mutasi {
        warga_id: RecordId([5; 16]),
        nik: nik("3599014101900001"),
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
    let baby = |berat_gram| Some(Kelahiran { berat_gram, ..Kelahiran::default() });
    for (event, wanted) in [
        (mati(TODAY), vec![]),
        (mati(born), vec![]),
        (mati(date(2026, 2, 28)), vec!["!tgl_peristiwa.sebelum_lahir"]),
        (
            Mutasi { tgl_lapor: Some(date(2026, 11, 23)), ..mati(TODAY) },
            vec!["!tgl_lapor.sebelum_peristiwa"],
        ),
        (Mutasi { tgl_peristiwa: None, ..mati(TODAY) }, vec!["!wajib.kosong"]),
        (Mutasi { peristiwa: None, ..mati(TODAY) }, vec!["!wajib.kosong"]),
        (Mutasi { peristiwa: Code::from_wire(9), ..mati(TODAY) }, vec!["!kode.tidak_terdaftar"]),
        (lahir(born), vec![]),
        (lahir(TODAY), vec!["tgl_peristiwa.bukan_tanggal_lahir"]),
        (Mutasi { kelahiran: baby(3_200), ..lahir(born) }, vec![]),
        (Mutasi { kelahiran: baby(3), ..lahir(born) }, vec!["kelahiran.berat"]),
        (Mutasi { kelahiran: baby(0), ..mati(TODAY) }, vec!["rincian.tidak_cocok"]),
        (Mutasi { perpindahan: Some(Perpindahan::default()), ..keluar.clone() }, vec![]),
        (Mutasi { nik: None, ..keluar }, vec!["nik.kosong"]),
    ] {
        let mut verdict = check_mutasi(&event);
        verdict.extend(check_mutasi_lahir(&event, born));
        check(&verdict, &wanted);
    }
}

#[test]
fn status_and_events_tell_the_same() {
    let (may, june) = (date(2026, 5, 2), date(2026, 6, 3));
    let mati = event(Code::<Peristiwa>::MATI, may);
    let keluar = event(Code::<Peristiwa>::PINDAH_KELUAR, may);
    let masuk = event(Code::<Peristiwa>::PINDAH_MASUK, june);
    let later = event(Code::<Peristiwa>::MATI, date(2027, 1, 1));
    let (hidup, gone) = (Code::<StatusDasar>::HIDUP, Code::<StatusDasar>::PINDAH);
    let dead = Code::<StatusDasar>::MATI;
    for (status, events, wanted) in [
        (None, vec![], vec![]),
        (Some(hidup), vec![&masuk, &keluar], vec![]),
        (Some(hidup), vec![&later], vec![]),
        (Some(dead), vec![&mati], vec![]),
        (Some(dead), vec![&keluar, &mati], vec![]),
        (Some(gone), vec![&keluar], vec![]),
        (Some(Code::<StatusDasar>::TIDAK_VALID), vec![], vec![]),
        (None, vec![&mati], vec!["status_dasar.beda_peristiwa"]),
        (Some(gone), vec![&mati], vec!["status_dasar.beda_peristiwa"]),
        (Some(gone), vec![&masuk, &keluar], vec!["status_dasar.masih_di_sini"]),
        (Some(dead), vec![], vec!["status_dasar.tanpa_peristiwa"]),
    ] {
        let warga = Warga { status_dasar: status, ..Warga::default() };
        check(&check_status_dasar(&warga, &events, TODAY), &wanted);
    }
}

#[test]
fn any_record_is_checked_by_its_own_rules() {
    let tomorrow = event(Code::<Peristiwa>::MATI, date(2026, 11, 25));
    let record = Record::Mutasi(Box::new(tomorrow));
    check(&check_record(&record, TODAY), &["!tanggal.masa_depan", "!tanggal.masa_depan"]);
    let blank = check_record(&Record::Warga(Box::default()), TODAY);
    assert_eq!(blank.rejections().count(), 1);
    assert_eq!(blank.warnings().count(), 2);
}
