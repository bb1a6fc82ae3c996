//! Rows that are left out, and the sheet to correct them in.

use lumbung_node::import::{ISSUES_MAX, Report, Severity, clean, rejected_sheet};

use crate::fictitious::{HEADER, KK_1, KK_2, Village, codes, sheet, two_families};

#[test]
fn a_bad_row_costs_only_itself() {
    let good = "1;SITI;3599010101010001;0;2;1990-01-01;1;1";
    let cases = [
        ("1;TONO;;0;1;1990-01-01;1;1", "no_kk_kosong"),
        ("1;TONO;0;0;1;1990-01-01;1;1", "no_kk_kosong"),
        ("1;TONO;350501;0;1;1990-01-01;1;1", "no_kk_tidak_sah"),
        ("1;TONO;3,50501E+15;0;1;1990-01-01;1;1", "nomor_dibulatkan"),
        ("1;TONO;3599010101010002;3.50501E+15;1;1990-01-01;1;1", "nomor_dibulatkan"),
        ("1;TONO;3599010101010002;35050101;1;1990-01-01;1;1", "nik_tidak_sah"),
        ("1;TONO;3599010101010002;3599010101900000;1;1990-01-01;1;1", "nik_tidak_sah"),
        ("1;TONO;3599010101010002;0;3;1990-01-01;1;1", "kode_tidak_dikenal"),
        ("1;TONO;3599010101010002;0;1;1990-01-01;12;1", "kode_tidak_dikenal"),
        ("1;TONO;3599010101010002;0;1;1990-01-01;1;ATEIS", "kode_tidak_dikenal"),
        ("1;TONO;3599010101010002;0;1;1990-02-30;1;1", "tanggal_tidak_terbaca"),
        ("1;TONO;3599010101010002;0;1;besok;1;1", "tanggal_tidak_terbaca"),
        ("1;TONO;3599010101010002;0;1;2030-01-01;1;1", "tanggal_lahir.masa_depan"),
        ("1;-;3599010101010002;0;1;1990-01-01;1;1", "wajib.kosong"),
        (";TONO;3599010101010002;0;1;1990-01-01;1;1", "rt_kosong"),
        ("-;TONO;3599010101010002;0;1;1990-01-01;1;1", "rt_kosong"),
    ];
    for (bad, code) in cases {
        let mut village = Village::default();
        let csv = format!("rt;nama;no_kk;nik;sex;tanggallahir;kk_level;agama_id\n{bad}\n{good}\n");
        let report = village.import(&csv).report;
        assert_eq!((report.new, report.rejected), (1, 1), "{bad}: {report}");
        assert_eq!(report.problems[code].severity, Severity::Reject, "{bad}");
        assert_eq!(report.rejected_rows[0].row, 2, "{bad}");
        assert_eq!(village.census.len(), 4, "{bad}: RT, house, card and resident of the good row");
    }
}

#[test]
fn what_cannot_be_read_beside_the_point_is_passed_over() {
    let mut village = Village::default();
    let plan = village.import(&format!(
        "rt;nama;no_kk;nik;kk_level;ayah_nik;cara_kb_id;tanggalperkawinan;sex;tanggallahir\n\
         1;SITI;{KK_1};0;1;12345;8;kemarin;2;1990-01-01\n"
    ));
    assert_eq!(
        codes(&plan.report),
        [("cara_kb_8", 1), ("nik_orang_tua", 1), ("tanggal_dilewati", 1)]
    );
    assert_eq!((plan.report.new, plan.report.warned), (1, 1));
}

#[test]
fn a_nik_twice_in_one_sheet_is_taken_once() {
    let mut village = Village::default();
    let csv = two_families() + "SUMBER;-;003;PARMIN;3599010101010002;3599010303650003;1;;1;1;4\n";
    let report = village.import(&csv).report;
    assert_eq!((report.new, report.rejected), (4, 1));
    assert_eq!(report.rejected_rows[0].row, 6);
    assert!(report.rejected_rows[0].reasons.contains("baris 5"));
}

#[test]
fn a_cell_beyond_its_bound_is_told() {
    let mut village = Village::default();
    let long = "A".repeat(1_200);
    let csv = format!("rt;nama;no_kk;nik;suku\n1;SITI;{KK_1};0;{long}\n");
    let report = village.import(&csv).report;
    assert_eq!(report.problems["isian_terlalu_panjang"].count, 1);
    assert_eq!(report.rejected, 1);
}

#[test]
fn the_good_half_is_taken_and_the_corrected_rest_follows() {
    let mut bad = HEADER.to_owned();
    let mut good = HEADER.to_owned();
    for at in 0..200 {
        let row = |nik: &str, jk: &str| {
            let (rt, card, shdk) = (at / 3 % 7, at / 3, if at % 3 == 0 { 1 } else { 4 });
            format!("A;1;{rt};WARGA {at};35990101010{card:05};{nik};{jk};1990-01-01;{shdk};1;1\n")
        };
        let nik = format!("359901010190{:04}", at + 1);
        good += &row(&nik, "1");
        bad += &match at % 4 {
            0 => row(&nik[..9], "1"),
            1 => row(&nik, "LANANG"),
            _ => row(&nik, "1"),
        };
    }
    let mut village = Village::default();
    let first = sheet(bad.as_bytes());
    let report = village.import_sheet(&first).report;
    assert_eq!((report.new, report.rejected), (100, 100));

    let rest = String::from_utf8(rejected_sheet(&first, &report)).unwrap();
    assert_eq!(rest.lines().count(), 101);
    assert!(rest.lines().next().unwrap().ends_with("masalah"));
    let corrected: Vec<String> = rest
        .lines()
        .map(|line| {
            let mut cells: Vec<String> = line.split(';').map(str::to_owned).collect();
            if let Some(at) = cells[3].strip_prefix("WARGA ") {
                cells[5] = format!("359901010190{:04}", at.parse::<u32>().unwrap() + 1);
                cells[6] = "1".to_owned();
            }
            cells.join(";")
        })
        .collect();
    let second = sheet(corrected.join("\n").as_bytes());
    let report = village.import_sheet(&second).report;
    assert_eq!((report.new, report.rejected), (100, 0), "{report}");
    assert_eq!(report.notes.iter().filter(|note| note.contains("masalah")).count(), 0);

    let whole = village.import(&good);
    assert_eq!(whole.report.unchanged, 200);
    assert_eq!(whole.changes, []);
}

#[test]
fn a_sheet_rejected_twice_has_one_problem_column() {
    let csv = format!("nama;no_kk;nik;rt\n=CMD();{KK_1};1;1\n");
    let first = sheet(csv.as_bytes());
    let once = rejected_sheet(&first, &Village::default().import_sheet(&first).report);
    let second = sheet(&once);
    let twice = rejected_sheet(&second, &Village::default().import_sheet(&second).report);
    assert_eq!(once, twice);
    let text = String::from_utf8(once).unwrap();
    assert!(text.contains("\r\n'=CMD();"), "a formula stays a text: {text}");
    assert_eq!(clean("'=CMD()"), "=CMD()");
}

#[test]
fn a_report_is_bounded_stored_and_silent_about_people() {
    let mut csv = HEADER.to_owned();
    for at in 0..3_000 {
        csv += &format!("A;1;1;RAHASIA {at};{KK_2};99887766554433{at};9;1990-01-01;1;1;1\n");
    }
    let report = Village::default().import(&csv).report;
    assert_eq!(report.rejected, 3_000);
    assert_eq!(report.issues.len(), ISSUES_MAX);
    assert!(report.issue_count() >= 3_000);
    let stored = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&stored).unwrap(), report);
    let printed = report.to_string();
    assert!(printed.lines().count() < 40, "{printed}");
    for text in [&stored, &printed] {
        assert!(!text.contains("RAHASIA") && !text.contains("99887766") && !text.contains(KK_2));
    }
}
