//! What leaves the district, read back.

use jiff::civil::date;
use lumbung_domain::id::Kind;
use lumbung_domain::region::VillageCode;

use super::*;
use crate::dataset::Scope;
use crate::recap::tests::district;
use crate::recap::{Audience, RegionRef};

#[test]
fn formulas_are_disarmed_and_nothing_else() {
    for text in ["=1+1", "+62", "-", "@SUM", "\tx", "\rx"] {
        assert_eq!(harmless(text.to_owned()), format!("'{text}"));
    }
    for text in ["", "Siti", "1=1", "a-b"] {
        assert_eq!(harmless(text.to_owned()), text);
    }
}

#[test]
fn a_recap_is_the_same_in_every_file() {
    let (_folder, dataset) = district();
    let recap = Recap::of(&dataset, RegionRef::Kabupaten, date(2026, 12, 31)).unwrap();
    let file = recap_csv(&recap, &recap.printed(Audience::Office).unwrap());
    let rows: Vec<csv::StringRecord> = csv::ReaderBuilder::new()
        .delimiter(b';')
        .from_reader(&file[3..])
        .records()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 22 + 1);
    let total = recap.sheet.cells().total;
    let about = ["Kabupaten Blitar", "2026-12-31"].map(str::to_owned);
    let total: Vec<_> = total.iter().map(text).chain(about).collect();
    assert_eq!(rows[22].iter().collect::<Vec<_>>(), total);
    assert!(recap_table(&recap).contains("Wonodadi"));
    let workbook = recap_xlsx(&recap, &recap.printed(Audience::Office).unwrap()).unwrap();
    assert!(workbook.starts_with(b"PK"));
}

#[test]
fn every_record_of_the_chosen_villages_is_written_once() {
    let (_folder, dataset) = district();
    let count = |scope: Scope, remarks: &[&str]| {
        let export = RecordsExport {
            kind: Kind::Warga,
            scope,
            disclosed: Disclosure::default(),
            remarks: remarks.iter().map(|line| (*line).to_owned()).collect(),
        };
        let mut file = Vec::new();
        let written = export.csv(&dataset, &mut file).unwrap();
        let text = String::from_utf8(file).unwrap();
        let mut sheet = Vec::new();
        assert_eq!(export.xlsx(&dataset, &mut sheet).unwrap(), written);
        (written, text.lines().count(), text)
    };
    let jaten = VillageCode::from_u64(3_505_012_001).unwrap();
    let (written, lines, text) = count(Scope::of_village(jaten), &["Tujuan: uji."]);
    assert_eq!((written, lines), (12 * 3 + 1, 12 * 3 + 1 + 2));
    assert!(text.starts_with("\u{feff}# Tujuan: uji.\nKode desa;Desa;Id;NIK;"), "{text}");
    assert!(text.contains("35.05.01.2001;Desa Jaten;"));
    let (written, ..) = count(Scope::whole(), &[]);
    assert_eq!(written, (12 + 23 + 35) * 3 + 3);
}
