//! Who made a record stays known, whoever changes it afterwards.

use super::*;
use crate::dataset::{FirstEntry, IncidentKind, NewIncident, Recovery as _, Scope};

/// The batch as written by somebody, so many milliseconds after the ids of
/// this file were minted.
fn by(name: &str, later_ms: i64, mut batch: MergeBatch) -> MergeBatch {
    for change in &mut batch.changes {
        (change.actor, change.time_ms) = (name.into(), 1_790_000_000_000 + later_ms);
    }
    batch
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Who made a record, as a reader of its row is told.
fn made(store: &Store, log: &Log, number: u64) -> Option<String> {
    let scope = Scope::of_village(log.village);
    let row = store.dataset.record(&scope, log.village, id(number)).unwrap()?;
    let kept = store.dataset.first_entry(&scope, log.village, id(number)).unwrap();
    let first = FirstEntry::of(kept, row.id, row.time_ms, &row.actor)?;
    assert!((first.time_ms - 1_790_000_000_000).abs() < 1_000, "{first:?}");
    Some(first.actor)
}

#[test]
fn who_made_a_record_stays_known_when_others_change_it() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[by("Siti", 5, log.batch([create(1, Kind::Warga, &warga(NIK))]))]);
    assert_eq!(made(&store, &log, 1).as_deref(), Some("Siti"));
    for (name, later_ms) in [("Budi", DAY_MS), ("Wati", 2 * DAY_MS)] {
        store.merge(&[by(name, later_ms, log.batch([update(1, Kind::Warga, &warga(NIK))]))]);
        assert_eq!(made(&store, &log, 1).as_deref(), Some("Siti"), "after {name}");
    }
    // The claims of a finding say so too, and who wrote last.
    let mut other = Log::new(SIDOMULYO);
    store.merge(&[by("Joko", 7, other.batch([create(1, Kind::Warga, &warga(NIK))]))]);
    let found = store.dataset.findings(&Scope::of_village(other.village), true, 9).unwrap();
    let claims = found[0].claims.iter().map(|claim| {
        let first = claim.first.as_ref().map(|first| first.actor.as_str());
        (claim.actor.as_str(), first)
    });
    let claims: Vec<_> = claims.collect();
    assert_eq!(claims, [("Wati", Some("Siti")), ("Joko", Some("Joko"))]);
    let foreign = Scope::of_village(other.village);
    assert_eq!(store.dataset.first_entry(&foreign, log.village, id(1)).unwrap(), None);
}

#[test]
fn a_log_that_is_pulled_anew_tells_it_too_though_its_first_content_is_gone() {
    for together in [true, false] {
        let store = Store::new();
        let mut log = Log::new(BAKUNG);
        let thinned = Draft { bytes: None, ..create(1, Kind::Warga, &warga("")) };
        let first = by("Siti", 5, log.batch([thinned]));
        let mut second = by("Budi", DAY_MS, log.batch([update(1, Kind::Warga, &warga(NIK))]));
        if together {
            second.prev = first.prev;
            second.changes.splice(0..0, first.changes);
            store.merge(&[second]);
        } else {
            store.merge(&[first]);
            store.merge(&[second]);
        }
        assert_eq!(made(&store, &log, 1).as_deref(), Some("Siti"), "together: {together}");
    }
}

#[test]
fn what_the_hub_never_saw_it_does_not_tell() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    // As a machine that was rebuilt writes it: the last hand, not the first.
    store.merge(&[by("Budi", DAY_MS, log.batch([create(1, Kind::Warga, &warga(NIK))]))]);
    store.merge(&[by("Wati", 2 * DAY_MS, log.batch([update(1, Kind::Warga, &warga(NIK))]))]);
    assert_eq!(made(&store, &log, 1), None);
    // A hub that knew it before the machine was rebuilt still does.
    store.merge(&[by("Siti", 5, log.batch([create(2, Kind::Warga, &warga(""))]))]);
    store.merge(&[by("Budi", DAY_MS, log.batch([update(2, Kind::Warga, &warga(""))]))]);
    let mut new = Log { position: Position::origin(LogId([1; 16])), ..log };
    let told = |_| NewIncident::new(IncidentKind::Reinstalled, words("baru"));
    store.dataset.begin_log(new.village, new.position, &told, 5).unwrap();
    store.merge(&[by("Budi", DAY_MS, new.batch([create(2, Kind::Warga, &warga(""))]))]);
    assert_eq!(made(&store, &new, 2).as_deref(), Some("Siti"));
}

#[test]
fn nothing_is_kept_of_a_record_that_has_ended() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[by("Siti", 5, log.batch([create(1, Kind::Warga, &warga(NIK))]))]);
    store.merge(&[by("Budi", DAY_MS, log.batch([update(1, Kind::Warga, &warga(NIK))]))]);
    assert!(everything(&store.path())["first_entry"].contains("Integer"));
    store.merge(&[by("Budi", DAY_MS, log.batch([delete(1, Kind::Warga)]))]);
    assert_eq!(everything(&store.path())["first_entry"], "");
}
