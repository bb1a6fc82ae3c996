//! Lists are read as sheets in use write them.

use std::collections::HashSet;

use super::*;
use crate::record::{BerkebutuhanKhusus, JenisKelamin, KategoriPekarangan, KelompokBelajar};

fn check_list<L: CodeList>(rows: usize) {
    let entries = L::entries();
    assert_eq!(entries.len(), rows, "{}", L::NAME);
    assert!(entries.iter().all(|entry| entry.code > 0), "{}", L::NAME);
    assert!(entries.windows(2).all(|pair| pair[0].code < pair[1].code), "{}", L::NAME);
    let labels: HashSet<_> = entries.iter().map(|entry| fold(entry.label)).collect();
    assert_eq!(labels.len(), rows, "two labels of {} read the same", L::NAME);
    for entry in entries {
        let by_label = Code::<L>::parse(&format!(" {} ", entry.label.to_lowercase()));
        assert_eq!(by_label, Ok(Some(Code::listed(entry.code))), "{}", entry.label);
        let by_number = Code::<L>::parse(&entry.code.to_string());
        assert_eq!(by_number, Ok(Code::new(entry.code)), "{}", entry.label);
        assert_eq!(Code::<L>::listed(entry.code).label(), Some(entry.label));
    }
    for (alias, number) in L::aliases() {
        assert!(!labels.contains(&fold(alias)), "{alias} is a label of {} already", L::NAME);
        assert!(Code::<L>::new(*number).is_some(), "{alias} of {}", L::NAME);
        assert_eq!(Code::<L>::parse(alias), Ok(Code::new(*number)), "{alias} of {}", L::NAME);
    }
}

#[test]
fn every_list_is_complete_ordered_and_reads_its_own_labels() {
    check_list::<Agama>(7);
    check_list::<PendidikanKk>(10);
    check_list::<PendidikanSedang>(18);
    check_list::<Pekerjaan>(89);
    check_list::<StatusKawin>(4);
    check_list::<Shdk>(11);
    check_list::<GolonganDarah>(13);
    check_list::<Warganegara>(3);
    check_list::<Cacat>(7);
    check_list::<SakitMenahun>(14);
    check_list::<CaraKb>(8);
    check_list::<KtpEl>(3);
    check_list::<StatusRekam>(8);
    check_list::<StatusDasar>(6);
    check_list::<StatusPenduduk>(2);
    check_list::<Asuransi>(5);
    check_list::<KelasSosial>(5);
    check_list::<DapatMembacaHuruf>(6);
    check_list::<TempatDilahirkan>(5);
    check_list::<JenisKelahiran>(4);
    check_list::<PenolongKelahiran>(4);
    check_list::<Peristiwa>(6);
    check_list::<JenisPindah>(4);
    check_list::<Dinding>(6);
    check_list::<Lantai>(4);
    check_list::<Atap>(7);
    check_list::<StatusRumah>(5);
    check_list::<SumberAirMinum>(12);
    check_list::<KategoriInformasi>(7);
}

#[test]
fn spellings_in_use_are_read() {
    let kawin = |text| Code::<StatusKawin>::parse(text).map(|code| code.map(Code::number));
    for (text, number) in [
        ("BK", 1),
        ("k", 2),
        ("ch", 3),
        ("CM", 4),
        ("Belum  Kawin", 1),
        ("'2", 2),
        ("2.0", 2),
        ("02", 2),
    ] {
        assert_eq!(kawin(text), Ok(Some(number)), "{text}");
    }
    for text in ["", " ", "-", "0", "'"] {
        assert_eq!(kawin(text), Ok(None), "{text:?}");
    }
    let sekolah = |text| Code::<PendidikanKk>::parse(text).map(|code| code.map(Code::number));
    for (text, number) in [
        ("Tidak/Blm Sekolah", 1),
        ("TIDAK/BELUM SEKOLAH", 1),
        ("Tamat SD/Sederajat", 3),
        ("Strata-II", 9),
        ("STRATA  II", 9),
        ("diploma iv /strata i", 8),
    ] {
        assert_eq!(sekolah(text), Ok(Some(number)), "{text}");
    }
    assert_eq!(Code::<GolonganDarah>::parse("Tdk Th"), Ok(Code::new(13)));
    assert_eq!(Code::<GolonganDarah>::parse("ab-"), Ok(Code::new(10)));
}

#[test]
fn what_is_not_listed_is_an_error_that_keeps_the_text_to_itself() {
    let error = Code::<Agama>::parse("RAHASIA").unwrap_err();
    assert_eq!(error, ParseCodeError::UnknownLabel { list: "agama" });
    assert!(!error.to_string().contains("RAHASIA"));
    let unused = Code::<StatusDasar>::parse("5").unwrap_err();
    assert_eq!(unused, ParseCodeError::UnlistedNumber { list: "status_dasar", number: 5 });
    assert!(Code::<CaraKb>::parse("8").is_err(), "8 stands in old sheets and means nothing");
    assert!(Code::<Agama>::parse("99999999").is_err());
}

#[test]
fn an_unlisted_number_survives_the_wire() {
    assert_eq!(Code::<Agama>::from_wire(0), None);
    let newer = Code::<Agama>::from_wire(41).unwrap();
    assert_eq!((newer.number(), newer.label()), (41, None));
    assert_eq!(Code::<Agama>::new(41), None);
}

#[test]
fn choices_are_read_by_number_label_and_letter() {
    for text in ["L", "lk", "Laki-Laki", "LAKI - LAKI", "1"] {
        assert_eq!(JenisKelamin::parse(text), Ok(Some(JenisKelamin::LakiLaki)), "{text}");
    }
    for text in ["P", "pr", "PEREMPUAN", "2"] {
        assert_eq!(JenisKelamin::parse(text), Ok(Some(JenisKelamin::Perempuan)), "{text}");
    }
    assert_eq!(JenisKelamin::parse("-"), Ok(None));
    assert!(JenisKelamin::parse("3").is_err());
    assert_eq!(KelompokBelajar::parse("kf"), Ok(Some(KelompokBelajar::Kf)));
    assert_eq!(KategoriPekarangan::parse("toga"), Ok(Some(KategoriPekarangan::Toga)));
    for choice in BerkebutuhanKhusus::ALL {
        assert_eq!(BerkebutuhanKhusus::from_wire(choice.number()), Some(*choice));
        assert_eq!(BerkebutuhanKhusus::parse(choice.label()), Ok(Some(*choice)));
    }
    assert_eq!(BerkebutuhanKhusus::from_wire(0), None);
    assert_eq!(BerkebutuhanKhusus::from_wire(9), None);
}
