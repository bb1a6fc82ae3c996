//! Villages and hubs that went back in time, as the dataset sees them: what
//! was merged is never thrown away, and the sum is always that of what counts.

use std::collections::BTreeMap;

use lumbung_ledger::{ChainTag, Epoch, Fingerprint};

use super::*;
use crate::dataset::lineage::Meeting;
use crate::dataset::{
    Delivered, IncidentKind, NewIncident, Outcome, RecordFilter, Recovery, Scope, SetAside,
};

fn told(count: u64) -> NewIncident {
    NewIncident::new(IncidentKind::LostTail, words(&count.to_string()))
}

/// What the village's records sum up to, read from the rows that count.
fn summed(store: &Store, log: &Log) -> (Fingerprint, u64) {
    let filter =
        RecordFilter { scope: Scope::of_village(log.village), kind: None, after: None, limit: 999 };
    let (mut sum, mut count) = (Fingerprint::default(), 0);
    for record in store.dataset.records(&filter).unwrap() {
        sum += lumbung_ledger::fingerprint::content_hash(
            record.id,
            record.kind,
            record.schema,
            &record.bytes,
        );
        count += 1;
    }
    (sum, count)
}

fn check_sum(store: &Store, log: &Log) {
    let state = store.state(log);
    assert_eq!((state.fingerprint, state.records), summed(store, log));
}

/// A log of four entries, merged; gives the position after the first two.
fn lost_tail(store: &Store) -> (Log, Position) {
    let mut log = Log::new(BAKUNG);
    store.merge(&[
        log.batch([create(1, Kind::Warga, &warga(NIK)), create(2, Kind::Warga, &warga(""))])
    ]);
    let common = log.position;
    store.merge(&[log.batch([
        update(1, Kind::Warga, &warga(OTHER_NIK)),
        create(3, Kind::RumahTangga, &rumah_tangga()),
        delete(2, Kind::Warga),
    ])]);
    (log, common)
}

/// Steps onto the branch of a node that lost everything after `common`.
fn step_back(store: &Store, log: &mut Log, common: Position) -> u64 {
    log.position = Position { epoch: log.position.epoch.next(), ..common };
    store.dataset.branch_off(log.village, log.position, &told, 7).unwrap()
}

fn waiting(store: &Store, log: &Log) -> Vec<SetAside> {
    store.dataset.undelivered(&Scope::whole(), log.village, None, 99).unwrap()
}

fn receipt(version: &SetAside, outcome: Outcome) -> Delivered {
    Delivered { number: version.number, outcome, held: None, absent: false }
}

#[test]
fn what_a_village_lost_is_set_aside_and_stays_in_the_sum() {
    let store = Store::new();
    let (mut log, common) = lost_tail(&store);
    let before = store.state(&log);
    assert_eq!(store.dataset.marks(log.village).unwrap(), [log.position, common]);
    assert_eq!(step_back(&store, &mut log, common), 3);
    let state = store.state(&log);
    assert_eq!(state.position, Some(log.position));
    assert_eq!((state.fingerprint, state.records), (before.fingerprint, before.records));
    assert_eq!(state.undelivered, 3);
    let versions = waiting(&store, &log);
    let numbers: Vec<_> = versions.iter().map(|version| (version.id, version.seq.0)).collect();
    assert_eq!(numbers, [(id(1), 3), (id(3), 4), (id(2), 5)]);
    assert_eq!(versions[2].operation, Operation::Delete);
    assert!(versions.iter().all(|version| version.fork == common.seq && !version.withheld));
    assert_eq!(&*versions[0].actor, "kader-1");
    // The same step again, after a crash of the hub or the node.
    assert_eq!(store.dataset.branch_off(log.village, log.position, &told, 8).unwrap(), 3);
    assert_eq!(store.dataset.marks(log.village).unwrap()[0], log.position);

    // The node has written all of it anew; it comes with the pull.
    let receipts: Vec<_> =
        versions.iter().map(|version| receipt(version, Outcome::Applied)).collect();
    assert_eq!(store.dataset.delivered(log.village, &receipts, 9).unwrap(), 0);
    assert_eq!(store.state(&log).undelivered, 3, "until it is proven");
    let merged = store.merge(&[log.batch([
        update(1, Kind::Warga, &warga(OTHER_NIK)),
        create(3, Kind::RumahTangga, &rumah_tangga()),
        delete(2, Kind::Warga),
    ])])[0];
    assert_eq!((merged.fingerprint, merged.records), (before.fingerprint, before.records));
    check_sum(&store, &log);
    let proven = ContactNote { proven: Some(log.position.seq), ..ContactNote::default() };
    store.dataset.note_contacts(&[(log.village, proven)]).unwrap();
    let store = store.reopen();
    assert_eq!(store.state(&log).undelivered, 0);
    assert_eq!(store.dataset.branch(&Scope::whole(), log.village, 99).unwrap().len(), 3);
    let incidents = store.dataset.incidents(&Scope::of_village(log.village), 9).unwrap();
    assert_eq!(incidents.iter().map(|it| &*it.sentence).collect::<Vec<_>>(), ["3", "3"]);
}

#[test]
fn what_a_pull_would_not_tell_comes_with_the_receipt() {
    let store = Store::new();
    let (mut log, common) = lost_tail(&store);
    step_back(&store, &mut log, common);
    let versions = waiting(&store, &log);
    // Record 1: another record has the number by now, the old version stays.
    let held = {
        let mut old = Log::new(BAKUNG);
        old.batch([create(1, Kind::Warga, &warga(NIK))]).changes.remove(0)
    };
    let conflict = receipt(&versions[0], Outcome::Conflict);
    let receipts = [
        Delivered { held: Some(held), ..conflict },
        // Record 3: the village does not have it and won't.
        Delivered { absent: true, ..receipt(&versions[1], Outcome::Conflict) },
        // Record 2: the village had ended it too.
        Delivered { absent: true, ..receipt(&versions[2], Outcome::Equal) },
    ];
    assert_eq!(store.dataset.delivered(log.village, &receipts, 9).unwrap(), 0);
    check_sum(&store, &log);
    let state = store.state(&log);
    assert_eq!((state.records, state.warga, state.rumah_tangga), (1, 1, 0));
    let kept = store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().unwrap();
    assert_eq!(kept.seq, Seq(1), "as the village's log says");
    let outcomes: BTreeMap<_, _> = store
        .dataset
        .branch(&Scope::whole(), log.village, 9)
        .unwrap()
        .into_iter()
        .map(|version| (version.seq.0, version.outcome))
        .collect();
    let expected = [(3, Outcome::Conflict), (4, Outcome::Conflict), (5, Outcome::Equal)];
    assert_eq!(outcomes, BTreeMap::from(expected));
    // The receipt of a call that was repeated.
    store.dataset.delivered(log.village, &receipts, 9).unwrap();
    check_sum(&store, &log);
    // The village went back once more, and what was in the way is gone; what was
    // equal and is something else since is no conflict.
    assert_eq!(state.undelivered, 3, "until it is proven");
    let again = [
        receipt(&versions[1], Outcome::Applied),
        Delivered { absent: true, ..receipt(&versions[2], Outcome::Conflict) },
    ];
    store.dataset.delivered(log.village, &again, 9).unwrap();
    let outcomes = waiting(&store, &log).into_iter().map(|version| version.outcome);
    let expected = [Outcome::Conflict, Outcome::Applied, Outcome::Equal];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
    let proven = ContactNote { proven: Some(log.position.seq), ..ContactNote::default() };
    store.dataset.note_contacts(&[(log.village, proven)]).unwrap();
    assert_eq!(store.state(&log).undelivered, 0);
}

#[test]
fn only_the_last_lost_version_of_a_record_is_handed_back() {
    let store = Store::new();
    let (mut log, common) = lost_tail(&store);
    step_back(&store, &mut log, common);
    // Before anything was handed back, the village writes and loses again.
    store.merge(&[log.batch([update(1, Kind::Warga, &warga(""))])]);
    let again = Position { epoch: Epoch(3), ..common };
    assert_eq!(store.dataset.branch_off(log.village, again, &told, 9).unwrap(), 3);
    let ids: Vec<_> = waiting(&store, &log).iter().map(|it| (it.id, it.epoch.0)).collect();
    assert_eq!(ids, [(id(3), 1), (id(2), 1), (id(1), 2)]);
    let all = store.dataset.branch(&Scope::whole(), log.village, 9).unwrap();
    let old = all.iter().find(|version| version.epoch == Epoch(1) && version.id == id(1));
    assert_eq!(old.unwrap().outcome, Outcome::Superseded);
}

#[test]
fn what_waits_has_no_more_in_common_than_the_hub_after_another_step_back() {
    let store = Store::new();
    let (mut log, common) = lost_tail(&store);
    step_back(&store, &mut log, common);
    // The village kept another resident under that number, and told so.
    let first = waiting(&store, &log).remove(0);
    let conflict = Delivered { absent: true, ..receipt(&first, Outcome::Conflict) };
    store.dataset.delivered(log.village, &[conflict], 9).unwrap();
    step_back(&store, &mut log, Position::origin(common.log_id));
    let again = waiting(&store, &log);
    assert!(again.iter().any(|version| version.number == first.number), "not settled");
    assert!(again.iter().all(|version| version.fork == Seq::ZERO), "{again:?}");
}

#[test]
fn what_is_left_of_a_closed_log_stays_readable_and_counts_nowhere() {
    let store = Store::new();
    let (mut log, _) = lost_tail(&store);
    store.merge(&[log.batch([garbled(create(5, Kind::Warga, &warga("")))])]);
    log.position = Position::origin(LogId([1; 16]));
    let left = store.dataset.begin_log(log.village, log.position, &told, 7).unwrap();
    assert_eq!(left, 3);
    let state = store.state(&log);
    assert_eq!((state.records, state.warga, state.rumah_tangga), (0, 0, 0));
    assert_eq!((state.leftovers, state.fingerprint), (3, Fingerprint::default()));
    assert!(store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().is_some());
    let facts = store.dataset.facts(&Scope::whole(), log.village).unwrap();
    assert_eq!((facts.houses.len(), facts.residents.len(), facts.unplaced), (0, 0, 0));
    let kinds = store.dataset.leftovers(log.village).unwrap();
    assert_eq!(kinds.values().sum::<u64>(), 2, "{kinds:?}");

    // The new log has one of them, and one of its own.
    let merged =
        store
            .merge(&[log
                .batch([create(1, Kind::Warga, &warga(NIK)), create(9, Kind::Warga, &warga(""))])])
            [0];
    assert_eq!(merged.records, 2);
    let state = store.state(&log);
    assert_eq!((state.leftovers, state.warga), (2, 2));

    // The rest is handed back; the village takes one and not the other.
    assert_eq!(store.dataset.return_leftovers(log.village, &told, 8).unwrap(), 2);
    assert_eq!(store.state(&log).decisions, 1);
    let versions = waiting(&store, &log);
    assert_eq!(versions.iter().map(|it| it.id).collect::<Vec<_>>(), [id(3), id(5)]);
    let receipts = [
        receipt(&versions[0], Outcome::Applied),
        Delivered { absent: true, ..receipt(&versions[1], Outcome::Conflict) },
    ];
    store.dataset.delivered(log.village, &receipts, 9).unwrap();
    let merged = store.merge(&[log.batch([create(3, Kind::RumahTangga, &rumah_tangga())])])[0];
    let state = store.state(&log);
    assert_eq!((merged.records, state.leftovers, state.quarantined), (3, 0, 0));
    check_sum(&store, &log);
}

#[test]
fn an_operator_may_end_what_is_left_over() {
    let store = Store::new();
    let (mut log, _) = lost_tail(&store);
    log.position = Position::origin(LogId([1; 16]));
    store.dataset.begin_log(log.village, log.position, &told, 7).unwrap();
    let fresh = log.batch([create(1, Kind::Warga, &warga(NIK))]);
    store.merge(&[fresh]);
    assert_eq!(store.dataset.forget_leftovers(log.village, &told, 8).unwrap(), 1);
    let state = store.state(&log);
    assert_eq!((state.leftovers, state.undelivered, state.records), (0, 0, 1));
    assert!(store.dataset.record(&Scope::whole(), log.village, id(3)).unwrap().is_none());
    check_sum(&store, &log);
    let kept = store.dataset.branch(&Scope::whole(), log.village, 9).unwrap();
    assert_eq!(kept.iter().map(|it| it.outcome).collect::<Vec<_>>(), [Outcome::Forgotten]);
    // Had the village it after all, it comes back.
    assert_eq!(store.merge(&[log.batch([update(3, Kind::Warga, &warga(""))])])[0].records, 2);
}

#[test]
fn withheld_content_that_a_later_entry_replaces_leaves_nothing_behind() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let withheld = |draft| Draft { bytes: None, ..draft };
    store.merge(&[
        log.batch([withheld(create(1, Kind::Warga, &warga("")))]),
        log.batch([create(2, Kind::Warga, &warga(""))]),
        log.batch([withheld(update(2, Kind::Warga, &warga("")))]),
    ]);
    assert_eq!(store.dataset.quarantine(&Scope::whole()).unwrap().len(), 2);
    store.merge(&[
        log.batch([update(1, Kind::Warga, &warga(NIK)), update(2, Kind::Warga, &warga(OTHER_NIK))])
    ]);
    let state = store.state(&log);
    assert_eq!((state.records, state.warga), (2, 2));
    assert!(store.dataset.quarantine(&Scope::whole()).unwrap().is_empty());
    check_sum(&store, &log);
}

#[test]
fn a_village_with_a_twin_stays_stopped_until_an_operator_resolves_it() {
    let store = Store::new();
    let log = Log::new(BAKUNG);
    let stop = |sentence: &str| {
        let incident = NewIncident::new(IncidentKind::Twin, words(sentence));
        store.dataset.stop_twin(log.village, &incident, 5).unwrap();
    };
    let visit = |now_ms| store.dataset.next_visit(log.village, now_ms).unwrap();
    let first = visit(100);
    let meet = |visit, shown| store.dataset.visited(log.village, visit, shown, b"satu").unwrap();
    assert_eq!(meet(first, 0), Meeting::Known);
    assert_eq!(meet(visit(50), first), Meeting::Known);
    assert!(matches!(meet(visit(50), 7), Meeting::Back { shown: 7, .. }));
    stop("satu");
    stop("dua");
    assert_eq!(store.state(&log).twin_ms, 5);
    let incident = NewIncident::new(IncidentKind::TwinResolved, words("selesai"));
    assert!(store.dataset.resolve_twin(log.village, &incident, 6).unwrap());
    assert!(!store.dataset.resolve_twin(log.village, &incident, 7).unwrap());
    let state = store.state(&log);
    assert_eq!((state.twin_ms, state.decisions), (0, 1));
    // Whatever the one that is left remembers, it is known from now on.
    assert_eq!(meet(visit(200), 3), Meeting::Known);
    let incidents = store.dataset.incidents(&Scope::of_village(log.village), 9).unwrap();
    assert_eq!(incidents.iter().map(|it| &*it.sentence).collect::<Vec<_>>(), ["selesai", "satu"]);
}

#[test]
fn marks_are_written_with_what_was_merged() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let mut stood = Vec::new();
    for number in 1..=5 {
        store.merge(&[log.batch([create(number, Kind::Warga, &warga(""))])]);
        stood.push(log.position);
    }
    let wrong = Position { chain: ChainTag([1; 16]), ..log.position };
    let refused = MergeBatch { prev: wrong, last: wrong, ..log.batch([]) };
    assert!(store.dataset.merge(&[refused], 1).unwrap()[0].is_err());
    stood.reverse();
    assert_eq!(store.dataset.marks(log.village).unwrap(), stood);
    stood.reverse();
    let (whole, some) = ((Seq::ZERO, Seq(u64::MAX)), (Seq(2), Seq(5)));
    assert_eq!(store.dataset.passed(log.village, whole).unwrap(), stood);
    assert_eq!(store.dataset.passed(log.village, some).unwrap(), stood[2..4]);
    // A step back leaves what is before it, and goes on from there.
    let fork = Position { epoch: Epoch(2), ..stood[1] };
    store.dataset.resume_at(log.village, fork).unwrap();
    log.position = fork;
    store.merge(&[log.batch([6, 7].map(|number| create(number, Kind::Warga, &warga(""))))]);
    let passed = store.dataset.passed(log.village, whole).unwrap();
    let (chains, last) = (passed.iter().map(|at| at.chain).collect::<Vec<_>>(), log.position);
    assert_eq!((chains.len(), chains[..2].to_vec()), (4, vec![stood[0].chain, stood[1].chain]));
    assert_eq!(passed.last(), Some(&last));
    assert!(store.dataset.passed(village(LOREJO), whole).unwrap().is_empty());
    assert!(store.dataset.marks(village(LOREJO)).unwrap().is_empty());
}
