//! Sheets about residents the village already knows.

use lumbung_domain::code_list::{Code, CodeList, Pekerjaan};
use lumbung_domain::id::Kind;
use lumbung_domain::record::{JenisKelamin, Record};
use lumbung_node::import::Operation;

use crate::fictitious::{HEADER, KK_1, KK_2, Village, codes, two_families};

#[test]
fn the_same_sheet_twice_changes_nothing() {
    let twins = format!(
        "{HEADER}KRAJAN;1;1;BAYI;{KK_1};0;1;2026-01-01;4;1;1\n\
         KRAJAN;1;1;BAYI;{KK_1};0;1;2026-01-01;4;1;1\n\
         KRAJAN;1;1;TANPA TANGGAL;{KK_1};0;1;;1;1;1\n"
    );
    for csv in [two_families(), twins] {
        let mut village = Village::default();
        let first = village.import(&csv);
        let again = village.import(&csv);
        assert_eq!(again.changes, []);
        assert_eq!(again.report.unchanged, first.report.new);
        assert_eq!(village.census.len(), first.changes.len());
    }
}

#[test]
fn residents_without_a_number_are_several_people() {
    let mut village = Village::default();
    let plan = village.import(&format!(
        "{HEADER}A;1;1;SITI;{KK_1};0;2;2020-01-01;4;1;1\n\
         A;1;1;TONO;{KK_1};0;1;2021-01-01;4;1;1\n\
         A;1;1;SITI;{KK_2};0;2;2020-01-01;4;1;1\n\
         A;1;1;WATI;{KK_2};0350590200100001;2;2020-01-01;4;1;1\n\
         A;1;1;YATI;{KK_2};0350590200100001;2;2020-01-01;4;1;1\n"
    ));
    assert_eq!((plan.report.new, plan.report.rejected), (5, 0));
}

#[test]
fn a_known_nik_is_updated_in_place_and_blanks_erase_nothing() {
    let mut village = Village::default();
    village.import(&two_families());
    let (id, warga) = village.resident("SULASTRI");
    let mut warga = warga.clone();
    warga.telepon = "0342000000".to_owned();
    village.census.insert(id, Record::Warga(Box::new(warga)));

    let plan = village.import(
        "rt;no_kk;nik;nama;sex;tanggallahir;agama_id;pekerjaan_id\n\
         ;;3599014202720002;SULASTRI;;;-;2\n",
    );
    assert_eq!((plan.report.changed, plan.report.rejected), (1, 0), "{}", plan.report);
    assert_eq!(plan.changes.len(), 1);
    let change = &plan.changes[0];
    assert_eq!((change.id, change.operation), (id, Operation::Update));
    let warga = village.resident("SULASTRI").1;
    assert_eq!(warga.pekerjaan, Code::<Pekerjaan>::new(2));
    assert_eq!(warga.jenis_kelamin, Some(JenisKelamin::Perempuan));
    assert_eq!(warga.agama.map(Code::number), Some(1));
    assert_eq!(warga.telepon, "0342000000");
    assert_eq!(Pekerjaan::entries().len(), 89);
}

#[test]
fn a_newborn_that_gets_a_nik_stays_the_same_person() {
    let mut village = Village::default();
    village.import(&two_families());
    let id = village.resident("BAYU").0;
    let with_nik =
        two_families().replace("BAYU;3599010101010001;0", "BAYU;3599010101010001;3599010110260004");
    let plan = village.import(&with_nik);
    assert_eq!((plan.report.changed, plan.report.new), (1, 0));
    assert_eq!(village.resident("BAYU").0, id);
    assert!(village.resident("BAYU").1.nik.is_some());

    let plan = village.import(&two_families());
    assert_eq!(plan.changes, [], "an older sheet takes the number away from nobody");
}

#[test]
fn somebody_with_another_nik_is_somebody_else() {
    let mut village = Village::default();
    village.import(&two_families());
    let plan = village.import(&two_families().replace("3599010101700001", "3599010101700009"));
    assert_eq!((plan.report.new, plan.report.unchanged), (1, 3));
    assert_eq!(codes(&plan.report), [("keluarga.banyak_kepala", 1)]);
}

#[test]
fn moving_to_another_card_moves_the_resident_and_closes_an_empty_card() {
    let mut village = Village::default();
    village.import(&two_families());
    let id = village.resident("PARMIN").0;
    let old = village.family_of("PARMIN").0;
    let moved =
        format!("{HEADER}KRAJAN;001;002;PARMIN;{KK_1};3599010303650003;1;1965-03-03;9;1;4\n");
    let plan = village.import(&moved);
    assert_eq!((plan.report.changed, plan.report.new), (1, 0));
    assert_eq!(village.resident("PARMIN").0, id);
    assert_eq!(village.place_of("PARMIN"), "KRAJAN/001/002");
    let closed = village.census.keluarga(old).unwrap();
    assert_eq!((closed.aktif, closed.kepala_id), (false, None));
    assert!(plan.report.notes.iter().any(|note| note.contains("tidak aktif")));

    let back = village.import(&two_families());
    assert_eq!(back.report.changed, 1);
    let reopened = village.census.keluarga(old).unwrap();
    assert_eq!((reopened.aktif, reopened.kepala_id), (true, Some(id)));
}

#[test]
fn a_family_in_another_rt_takes_its_own_house_along_but_not_a_shared_one() {
    let mut village = Village::default();
    village.import(&two_families());
    let house = village.house_of("PARMIN").0;
    let plan = village.import(&two_families().replace("SUMBER;-;003", "SUMBER;-;004"));
    assert_eq!(village.place_of("PARMIN"), "SUMBER//004");
    assert_eq!(village.house_of("PARMIN").0, house);
    assert!(plan.report.notes.iter().any(|note| note.contains("pindah RT")));

    let shared = village.house_of("SUTRISNO").0;
    let (id, family) = village.family_of("PARMIN");
    let mut family = family.clone();
    family.rumah_tangga_id = shared;
    village.census.insert(id, Record::Keluarga(family));
    village.import(&two_families());
    assert_eq!(village.place_of("SUTRISNO"), "KRAJAN/001/002");
    assert_eq!(village.place_of("PARMIN"), "SUMBER//003");
    assert_ne!(village.house_of("PARMIN").0, shared);
}

#[test]
fn an_address_change_reaches_card_and_house() {
    let sheet =
        |alamat: &str| format!("alamat;rt;nama;no_kk;nik;kk_level\n{alamat};1;SITI;{KK_1};0;1\n");
    let mut village = Village::default();
    village.import(&sheet("JL MELATI 1"));
    assert_eq!(village.house_of("SITI").1.alamat, "JL MELATI 1");
    let plan = village.import(&sheet("JL MAWAR 2"));
    assert_eq!(village.family_of("SITI").1.alamat, "JL MAWAR 2");
    assert_eq!(village.house_of("SITI").1.alamat, "JL MAWAR 2");
    assert_eq!(plan.report.unchanged, 1, "the resident's own record is as it was");
    assert_eq!(plan.report.records[&Kind::Keluarga].updated, 1);
}

#[test]
fn a_second_head_and_a_missing_head_are_told() {
    let mut village = Village::default();
    let plan = village.import(&format!(
        "{HEADER}A;1;1;SITI;{KK_1};0;2;1980-01-01;1;1;1\n\
         A;1;1;TONO;{KK_1};0;1;1981-01-01;1;1;1\n\
         A;1;1;WATI;{KK_2};0;2;1982-01-01;4;1;1\n"
    ));
    assert_eq!(codes(&plan.report), [("keluarga.banyak_kepala", 1), ("keluarga.tanpa_kepala", 1)]);
    assert_eq!(plan.report.warned, 2);
}

#[test]
fn rows_of_one_card_that_disagree_are_told() {
    let mut village = Village::default();
    let plan = village.import(&format!(
        "{HEADER}A;1;1;SITI;{KK_1};0;2;1980-01-01;1;1;1\n\
         A;1;2;TONO;{KK_1};0;1;1981-01-01;4;1;1\n\
         ;;;WATI;{KK_1};0;2;1982-01-01;4;1;1\n"
    ));
    assert_eq!(codes(&plan.report), [("berbeda_dalam_kk", 1)]);
    assert_eq!(village.place_of("TONO"), "A/1/1");
}
