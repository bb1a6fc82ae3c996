//! OpenSID's own sample sheet, read from where it lies: it isn't ours to keep.

use lumbung_domain::id::Kind;
use lumbung_node::import::read_sheet;

use crate::fictitious::Village;

/// Names the sheet, `opensid_contoh_penduduk.xlsx`.
const SAMPLE: &str = "LUMBUNG_SAMPLE_SHEET";

#[test]
fn opensids_sample_is_taken_whole() {
    let Some(path) = std::env::var_os(SAMPLE) else {
        println!("skipped: {SAMPLE} names no sheet");
        return;
    };
    let content = std::fs::read(path).expect("the sheet that was named can be read");
    let sheet = read_sheet("contoh.xlsx", &content).unwrap();
    let mut village = Village::default();
    let plan = village.import_sheet(&sheet);
    let report = &plan.report;
    assert_eq!((report.read, report.new, report.rejected), (97, 97, 0), "{report}");
    let created = |kind| report.records.get(&kind).map_or(0, |count| count.created);
    assert_eq!((created(Kind::Warga), created(Kind::Keluarga)), (97, 37));
    // Its numbers carry other birth dates than its cells.
    let warned = report.issues.iter().filter(|issue| issue.code == "nik.tanggal_beda").count();
    assert_eq!(warned, 97, "{report}");
    assert_eq!(report.warned, 97);
    assert_eq!(village.import_sheet(&sheet).changes, []);
}
