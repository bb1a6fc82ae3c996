//! What was published stays, whatever becomes of the records.

use jiff::civil::{Date, date};
use lumbung_domain::indicator::{Indikator, IndikatorVector};
use lumbung_domain::recap::Level;

use super::*;
use crate::dataset::{Publication, Publications as _, PublishedRegion};

const DAY: Date = date(2026, 9, 30);

fn region(region: &str, within: &str, at: u32, level: Level, l: u64) -> PublishedRegion {
    PublishedRegion {
        region: region.to_owned(),
        within: within.to_owned(),
        at,
        level,
        label: format!("baris {at}"),
        name: format!("lembar {region}"),
        counts: IndikatorVector::single(Indikator::TotalL, l),
        unplaced: 15,
    }
}

fn publication(day: Date) -> Publication {
    Publication { day, made_ms: 7, made_by: "siti".to_owned(), rules: 2 }
}

fn regions() -> Vec<PublishedRegion> {
    vec![
        region("35.05", "", 0, Level::Kabupaten, 100),
        region("35.05.01", "35.05", 0, Level::Kecamatan, 60),
        region("", "35.05.01", 1, Level::Kecamatan, 25),
        region("35.05.01.2001", "35.05.01", 0, Level::Desa, 35),
    ]
}

#[test]
fn a_publication_is_made_once_and_comes_back_whole() {
    let store = Store::new();
    assert!(store.dataset.publish(&publication(DAY), &regions()).unwrap());
    let other: Vec<_> = vec![region("35.05", "", 0, Level::Kabupaten, 5)];
    assert!(!store.dataset.publish(&publication(DAY), &other).unwrap(), "once");
    let older = date(2026, 6, 30);
    assert!(store.dataset.publish(&publication(older), &other).unwrap());
    let store = store.reopen();
    let days: Vec<_> = store.dataset.publications().unwrap().iter().map(|it| it.day).collect();
    assert_eq!(days, [DAY, older]);
    let sheet = store.dataset.published(DAY, "35.05.01").unwrap().unwrap();
    let all = regions();
    assert_eq!((&sheet.publication, &sheet.region), (&publication(DAY), &all[1]));
    assert_eq!(sheet.rows, [all[3].clone(), all[2].clone()]);
    assert_eq!(sheet.above, [all[0].clone()]);
    assert!(store.dataset.published(DAY, "").unwrap().is_none());
    assert!(store.dataset.published(older, "35.05.01").unwrap().is_none());
    assert!(store.dataset.published(date(2026, 3, 31), "35.05").unwrap().is_none());
}

#[test]
fn corrected_and_erased_people_change_no_publication() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([create(1, Kind::Warga, &warga(NIK))])]);
    assert!(store.dataset.publish(&publication(DAY), &regions()).unwrap());
    let kept = |store: &Store| {
        let tables = everything(&store.path());
        (tables["publication"].clone(), tables["published"].clone())
    };
    let before = kept(&store);
    assert!(before.1.contains("35.05.01.2001"));
    store.merge(&[log.batch([update(1, Kind::Warga, &warga(OTHER_NIK))])]);
    let mut erasing = log.batch([delete(1, Kind::Warga)]);
    erasing.changes.iter_mut().for_each(|change| change.source = Source::ERASURE);
    store.merge(&[erasing]);
    assert!(store.dataset.scrub(5_000).unwrap());
    assert_eq!(kept(&store), before);
    // Nor does anybody who has the file by accident.
    let conn = Connection::open(store.path()).unwrap();
    for table in ["publication", "published"] {
        for act in [format!("UPDATE {table} SET day = ''"), format!("DELETE FROM {table}")] {
            let refused = conn.execute(&act, []).unwrap_err().to_string();
            assert!(refused.contains("a publication"), "{refused}");
        }
    }
    assert_eq!(kept(&store), before);
}
