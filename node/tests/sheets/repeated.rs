//! A sheet imported again changes nothing, however much its rows look alike
//! and whichever of them are left out.

use proptest::prelude::*;

use crate::fictitious::{HEADER, Village};

const KK_1: &str = "3505900101010001";
const KK_2: &str = "3505900101010002";

/// Imports the sheet into the village twice.
fn again(village: &mut Village, csv: &str) {
    let first = village.import(csv);
    let known = village.census.len();
    let second = village.import(csv);
    assert_eq!(second.changes, [], "after {} changes of\n{csv}", first.changes.len());
    assert_eq!(village.census.len(), known);
}

#[test]
fn a_rejected_row_claims_nobody() {
    let header = "dusun;rw;rt;nama;no_kk;nik;sex\n";
    // The first row's sex can't be read; the second reads as the same name.
    let with_nik = format!(
        "{header};001;001;CONTOH C;{KK_1};3505900101950003;5-01-01\n\
         KRAJAN;001;001;CONTOH(C;{KK_1};0;1\n"
    );
    let without = with_nik.replace("3505900101950003", "0");
    for csv in [with_nik, without] {
        let mut village = Village::default();
        again(&mut village, &csv);
        assert_eq!(village.census.residents().count(), 1);
    }
}

#[test]
fn a_row_that_contradicts_its_namesakes_claims_none() {
    let mut village = Village::default();
    // A man can't be with child: the first row is taken neither alone nor
    // beside what the others made.
    again(
        &mut village,
        &format!(
            "rt;nama;no_kk;nik;sex;hamil\n\
             1;SITI;{KK_1};0;1;1\n1;SITI;{KK_1};0;;\n1;SITI;{KK_1};0;2;1\n"
        ),
    );
    assert_eq!(village.census.residents().count(), 2);
}

#[test]
fn one_row_repeated_without_end_is_bounded() {
    let row = format!("A;1;1;SITI;{KK_1};0;2;2020-01-01;4;1;1\n");
    let csv = format!("{HEADER}{}", row.repeat(500));
    let mut village = Village::default();
    again(&mut village, &csv);
    assert_eq!(village.census.residents().count(), 500);
    let plan = village.import(&csv);
    assert_eq!(plan.report.rejected, 500);
}

/// Few names, places and numbers, so that rows collide.
fn row() -> impl Strategy<Value = String> {
    let dusun = prop::sample::select(vec!["", "KRAJAN", "DSN KRAJAN", "SUMBER"]);
    let rw = prop::sample::select(vec!["", "1", "001"]);
    let rt = prop::sample::select(vec!["", "1", "001", "2"]);
    let nama = prop::sample::select(vec!["SITI", "SI(TI", "siti", "TONO", ""]);
    let no_kk = prop::sample::select(vec![KK_1, KK_2, KK_2, ""]);
    let nik = prop::sample::select(vec!["0", "", "3505900101700001", "3505904202720002", "12"]);
    let sex = prop::sample::select(vec!["1", "2", "", "5-01-01"]);
    let born = prop::sample::select(vec!["1970-01-01", "", "2030-01-01", "199?"]);
    let level = prop::sample::select(vec!["1", "4", "", "x"]);
    let agama = prop::sample::select(vec!["1", "2", ""]);
    let kawin = prop::sample::select(vec!["", "1", "2"]);
    ((dusun, rw, rt, nama, no_kk), (nik, sex, born, level, agama, kawin)).prop_map(
        |((dusun, rw, rt, nama, no_kk), (nik, sex, born, level, agama, kawin))| {
            format!("{dusun};{rw};{rt};{nama};{no_kk};{nik};{sex};{born};{level};{agama};{kawin}\n")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_small_sheet_imported_again_changes_nothing(
        rows in prop::collection::vec(row(), 1..8),
        known in prop::collection::vec(row(), 1..5),
    ) {
        let mut village = Village::default();
        village.import(&format!("{HEADER}{}", known.concat()));
        again(&mut village, &format!("{HEADER}{}", rows.concat()));
    }
}
