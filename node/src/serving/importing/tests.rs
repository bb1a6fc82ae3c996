use std::fmt::Write as _;

use lumbung_domain::identity::Nik;
use lumbung_domain::record::{Record, Warga};
use lumbung_domain::region::VillageCode;

use super::*;
use crate::village::census::Census;

const HEADER: &str = "RT;Nomor KK;NIK;Nama Lengkap;Tempat Lahir;Hubungan Keluarga\n";

fn nik(number: usize) -> String {
    format!("359901010190{number:04}")
}

/// A template of `people` people, each a family of its own.
fn sheet(people: usize, tempat: &str) -> String {
    let mut text = HEADER.to_owned();
    for at in 1..=people {
        writeln!(text, "001;35990101000{at:05};{};SITI {at};{tempat};1", nik(at)).unwrap();
    }
    text
}

fn village(folder: &std::path::Path) -> Village {
    Village::create(folder, VillageCode::from_u64(3_505_012_001).unwrap()).unwrap()
}

fn request(content: String) -> v1::ImportRequest {
    v1::ImportRequest {
        file_name: "warga.csv".to_owned(),
        content: content.into(),
        actor: "uji".to_owned(),
        dry_run: false,
    }
}

/// Runs an import; `between` sees every event and may save in between.
fn run(
    village: &Village,
    request: &v1::ImportRequest,
    mut between: impl FnMut(&Event),
) -> Result<Report, Status> {
    let mut report = None;
    run_import(village, request, &mut |event| {
        between(&event);
        if let Event::Done(done) = event {
            report = Some(serde_json::from_str(&done.report_json).unwrap());
        }
    })?;
    report.ok_or_else(|| Status::internal("no report"))
}

fn resident(census: &Census, number: usize) -> Option<(lumbung_domain::id::RecordId, Warga)> {
    let id = census.warga_by_nik(Nik::parse(&nik(number)).unwrap().nik().unwrap())?;
    Some((id, census.warga(id)?.clone()))
}

/// Somebody else saves a resident.
fn save(village: &Village, id: lumbung_domain::id::RecordId, warga: Warga, expected: Expected) {
    let record = Record::Warga(Box::new(warga));
    let changes = vec![change(id, Kind::Warga, Some(&record), expected)];
    let (actor, time_ms) = ("kader".into(), clock::now_ms());
    let submission = Submission { actor, source: Source::MANUAL, time_ms, changes };
    village.barn().submit_blocking(submission).unwrap();
}

fn is_saving(event: &Event, from_row: u64) -> bool {
    matches!(event, Event::Progress(it) if it.phase() == Phase::Saving && it.rows_done >= from_row)
}

#[test]
fn a_save_during_an_import_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let village = village(folder.path());
    let people = 400;
    run(&village, &request(sheet(people, "BLITAR")), |_| {}).unwrap();

    // The clerk gives the last resident a telephone while the sheet, which
    // knows nothing of it, is being saved; once before and once after a step.
    for from_row in [0, 1] {
        let telepon = format!("0342 {from_row}");
        let mut rival = Some(telepon.clone());
        let tempat = format!("KEDIRI {from_row}");
        let report = run(&village, &request(sheet(people, &tempat)), |event| {
            if is_saving(event, from_row)
                && let Some(telepon) = rival.take()
            {
                let (id, warga) = resident(&village.census().unwrap(), people).unwrap();
                save(&village, id, Warga { telepon, ..warga }, Expected::Any);
            }
        });
        let report = report.unwrap();
        let (_, warga) = resident(&village.census().unwrap(), people).unwrap();
        assert_eq!((warga.telepon, warga.tempat_lahir), (telepon, tempat));
        let told = (report.new, report.changed, report.unchanged);
        assert_eq!(told, (0, people as u64, 0));
        assert_eq!(report.records[&Kind::Warga].updated, people as u64);
    }
}

#[test]
fn a_resident_entered_during_an_import_is_not_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let village = village(folder.path());
    let mut entered = false;
    let report = run(&village, &request(sheet(3, "BLITAR")), |event| {
        if is_saving(event, 0) && !std::mem::replace(&mut entered, true) {
            let known = Nik::parse(&nik(2)).unwrap().nik();
            let warga = Warga { nik: known, nama: "SITI 2".to_owned(), ..Warga::default() };
            save(&village, village.mint().next(1), warga, Expected::Absent);
        }
    });
    let report = report.unwrap();
    assert_eq!((report.new, report.changed), (2, 1));
    assert_eq!(village.census().unwrap().residents().count(), 3);
}

#[test]
fn two_imports_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let village = village(folder.path());
    let content = format!("{HEADER}001;3599010100000001;;TONO;BLITAR;1\n");
    let mut refused = Vec::new();
    run(&village, &request(content.clone()), |event| {
        if is_saving(event, 0) {
            run_import(&village, &request(content.clone()), &mut |event| {
                if let Event::Refused(sentence) = event {
                    refused.push(sentence);
                }
            })
            .unwrap();
        }
    })
    .unwrap();
    assert!(!refused.is_empty() && refused.iter().all(|it| it.contains("Impor lain")));
    assert_eq!(village.census().unwrap().residents().count(), 1);
    let again = run(&village, &request(content), |_| {}).unwrap();
    assert_eq!((again.new, again.unchanged), (0, 1));
}

#[test]
fn a_village_that_never_rests_is_given_up_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let village = village(folder.path());
    run(&village, &request(sheet(1, "BLITAR")), |_| {}).unwrap();
    let mut saves = 0;
    let given_up = run(&village, &request(sheet(1, "KEDIRI")), |event| {
        if is_saving(event, 0) {
            saves += 1;
            let (id, warga) = resident(&village.census().unwrap(), 1).unwrap();
            save(&village, id, Warga { telepon: saves.to_string(), ..warga }, Expected::Any);
        }
    });
    let status = given_up.unwrap_err();
    assert_eq!((status.code(), saves), (tonic::Code::Aborted, PLANS_MAX));
    assert!(status.message().contains("Jalankan impor sekali lagi"));
}

#[test]
fn a_dry_run_tells_its_phases_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let village = village(folder.path());
    let request = v1::ImportRequest { dry_run: true, ..request(sheet(2, "BLITAR")) };
    let mut phases = Vec::new();
    let report = run(&village, &request, |event| {
        if let Event::Progress(it) = event {
            phases.push((it.phase(), it.rows_total));
        }
    });
    assert_eq!(report.unwrap().new, 2);
    assert_eq!(phases, [(Phase::Reading, 0), (Phase::Planning, 2)]);
    assert!(village.census().unwrap().is_empty());
}
