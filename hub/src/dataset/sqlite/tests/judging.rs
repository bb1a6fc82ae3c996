//! What the dataset says became of versions that went back without a receipt.

use std::collections::BTreeMap;

use lumbung_ledger::Epoch;

use super::*;
use crate::dataset::{ContactNote, IncidentKind, NewIncident, Outcome, Recovery, Scope};

fn told(count: u64) -> NewIncident {
    NewIncident::new(IncidentKind::LostTail, words(&count.to_string()))
}

fn step_back(store: &Store, log: &mut Log, common: Position) {
    log.position = Position { epoch: log.position.epoch.next(), ..common };
    store.dataset.branch_off(log.village, log.position, &told, 7).unwrap();
}

/// What the entries of a batch came from.
fn from(source: Source, mut batch: MergeBatch) -> MergeBatch {
    for change in &mut batch.changes {
        change.source = source;
    }
    batch
}

/// What became of each record's last version, after judging.
fn judged(store: &Store, log: &Log) -> BTreeMap<RecordId, Outcome> {
    store.dataset.judge_waiting(log.village, &log.position, 9).unwrap();
    let mut all = store.dataset.branch(&Scope::whole(), log.village, 99).unwrap();
    all.reverse();
    all.into_iter().map(|version| (version.id, version.outcome)).collect()
}

fn prove(store: &Store, log: &Log) -> u64 {
    let proven = ContactNote { proven: Some(log.position.seq), ..ContactNote::default() };
    store.dataset.note_contacts(&[(log.village, proven)]).unwrap();
    store.state(log).undelivered
}

#[test]
fn what_went_back_is_judged_as_the_village_would() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch((1..=5).map(|number| create(number, Kind::Warga, &warga(""))))]);
    let common = log.position;
    let nik = |number| update(number, Kind::Warga, &warga(NIK));
    store.merge(&[log.batch([
        nik(1),
        nik(2),
        delete(3, Kind::Warga),
        delete(4, Kind::Warga),
        nik(5),
        garbled(create(6, Kind::Warga, &warga(""))),
        create(7, Kind::RumahTangga, &rumah_tangga()),
    ])]);
    step_back(&store, &mut log, common);
    let back = [nik(1), delete(3, Kind::Warga), garbled(create(6, Kind::Warga, &warga("")))];
    let back = from(Source::RETURNED, log.batch(back));
    let own = [
        nik(2),
        delete(4, Kind::Warga),
        update(5, Kind::Warga, &warga(OTHER_NIK)),
        delete(7, Kind::RumahTangga),
    ];
    store.merge(&[back, log.batch(own)]);
    let elsewhere = Position { seq: Seq(1), ..log.position };
    assert_eq!(store.dataset.judge_waiting(log.village, &elsewhere, 9).unwrap(), 0);
    let expected = [
        (1, Outcome::Applied),
        (2, Outcome::Equal),
        (3, Outcome::Applied),
        (4, Outcome::Equal),
        (5, Outcome::Conflict),
        (6, Outcome::Applied),
        (7, Outcome::Conflict),
    ];
    let expected = expected.map(|(number, outcome)| (id(number), outcome));
    assert_eq!(judged(&store, &log), BTreeMap::from(expected));
    assert_eq!(prove(&store, &log), 0);
}

/// The hub knows no place behind the second entry, the village's disk had four:
/// what it has of the first record is older than what it lost.
#[test]
fn an_entry_of_both_branches_is_no_newer_save() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let named = |number, nik| update(number, Kind::Warga, &warga(nik));
    let create = |number| create(number, Kind::Warga, &warga(""));
    store.merge(&[log.batch([create(1), create(2)])]);
    let known = log.position;
    store.merge(&[log.batch([named(1, NIK), named(2, OTHER_NIK), named(1, "")])]);
    step_back(&store, &mut log, known);
    store.merge(&[log.batch([named(1, NIK), named(2, OTHER_NIK)])]);
    let expected = [(id(1), Outcome::Waiting), (id(2), Outcome::Equal)];
    assert_eq!(judged(&store, &log), BTreeMap::from(expected));
    assert_eq!(prove(&store, &log), 1, "it is still handed back");
}

#[test]
fn what_is_left_over_or_was_erased_waits_for_the_village() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let create = |number| create(number, Kind::Warga, &warga(""));
    store.merge(&[log.batch([create(1), create(2), create(3)])]);
    let common = log.position;
    store.merge(&[from(Source::ERASURE, log.batch([delete(1, Kind::Warga)]))]);
    step_back(&store, &mut log, common);
    // An end is no erasure.
    store.merge(&[log.batch([delete(1, Kind::Warga)])]);
    assert_eq!(judged(&store, &log)[&id(1)], Outcome::Waiting);
    store.merge(&[from(Source::ERASURE, log.batch([delete(1, Kind::Warga)]))]);
    assert_eq!(judged(&store, &log)[&id(1)], Outcome::Equal);

    log.position = Position::origin(LogId([1; 16]));
    store.dataset.begin_log(log.village, log.position, &told, 9).unwrap();
    store.merge(&[log.batch([create(3)])]);
    store.dataset.return_leftovers(log.village, &told, 9).unwrap();
    let waits = store.dataset.undelivered(&Scope::whole(), log.village, None, 9).unwrap();
    assert_eq!(waits.iter().map(|it| (it.id, it.epoch)).collect::<Vec<_>>(), [(id(2), Epoch(0))]);
    assert_eq!(judged(&store, &log)[&id(2)], Outcome::Waiting);
    assert_eq!(prove(&store, &log), 1);
    store.merge(&[from(Source::RETURNED, log.batch([create(2)]))]);
    assert_eq!(judged(&store, &log)[&id(2)], Outcome::Applied);
    assert_eq!(prove(&store, &log), 0);
}
