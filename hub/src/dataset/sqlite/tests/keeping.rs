//! Rows, positions, quarantine and tombstones.

use lumbung_ledger::{Epoch, Fingerprint};

use super::*;
use crate::dataset::{
    ContactNote, IncidentKind, RecordFilter, STICK_FRESH_MS, Scope, Stick, Watch as _,
};
use crate::merge::decode::reason_in_english;

#[test]
fn rows_and_position_survive_reopening_together() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let batch = log.batch([
        create(1, Kind::Warga, &warga(NIK)),
        create(2, Kind::RumahTangga, &rumah_tangga()),
        create(3, Kind::Keluarga, &keluarga("")),
    ]);
    let merged = store.merge(std::slice::from_ref(&batch))[0];
    assert_eq!(merged.position, log.position);
    assert_eq!((merged.records, merged.quarantined), (3, 0));

    let store = store.reopen();
    let state = store.state(&log);
    assert_eq!(state.position, Some(log.position));
    assert_eq!(state.fingerprint, merged.fingerprint);
    assert_eq!((state.records, state.warga, state.rumah_tangga), (3, 1, 1));
    let kept = store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().unwrap();
    let sent = &batch.changes[0];
    assert_eq!((&kept.bytes, kept.seq, kept.kind), (&sent.bytes, sent.seq, sent.kind));
    assert_eq!((&*kept.actor, kept.time_ms), (&*sent.actor, sent.time_ms));
    let next = log.batch([update(1, Kind::Warga, &warga(OTHER_NIK))]);
    assert_eq!(store.merge(&[next])[0].records, 3);
}

#[test]
fn a_failed_transaction_leaves_neither_rows_nor_position() {
    let store = Store::new();
    let full = "CREATE TRIGGER full BEFORE INSERT ON rumah_tangga
                BEGIN SELECT RAISE(ABORT, 'full'); END";
    Connection::open(store.path()).unwrap().execute_batch(full).unwrap();
    let mut log = Log::new(BAKUNG);
    let batches = [
        log.batch([create(1, Kind::Warga, &warga(NIK))]),
        log.batch([create(2, Kind::RumahTangga, &rumah_tangga())]),
    ];
    assert!(matches!(store.dataset.merge(&batches, 1), Err(DatasetError::Store(_))));
    let state = store.state(&log);
    assert_eq!((state.position, state.records), (None, 0));
    assert_eq!(state.fingerprint, Fingerprint::default());
    // The same again without the entry that failed: actors and rows that the
    // lost transaction had written are written anew.
    assert_eq!(store.merge(&batches[..1])[0].records, 1);
    let kept = store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().unwrap();
    assert_eq!(&*kept.actor, &*batches[0].changes[0].actor);
}

#[test]
fn a_batch_that_does_not_continue_changes_nothing_and_holds_nobody_up() {
    let store = Store::new();
    let (mut bakung, mut sidomulyo) = (Log::new(BAKUNG), Log::new(SIDOMULYO));
    let first = bakung.batch([create(1, Kind::Warga, &warga(NIK))]);
    let skipped = bakung.batch([create(2, Kind::Warga, &warga(""))]);
    let third = bakung.batch([create(3, Kind::Warga, &warga(""))]);
    let other = sidomulyo.batch([create(1, Kind::Warga, &warga(""))]);
    let outcomes =
        store.dataset.merge(&[first.clone(), third.clone(), first.clone(), other], 1).unwrap();
    assert!(outcomes[0].is_ok());
    for refused in &outcomes[1..3] {
        assert!(matches!(refused, Err(DatasetError::NotNext { stored: Some(_), .. })));
    }
    assert!(outcomes[3].is_ok());
    assert_eq!(store.state(&bakung).position, Some(first.last));
    assert_eq!(store.state(&bakung).records, 1);
    assert_eq!(store.merge(&[skipped, third])[1].records, 3);

    let stranger = Log::new(3_505_222_999).batch([create(1, Kind::Warga, &warga(""))]);
    let outcomes = store.dataset.merge(&[stranger], 1).unwrap();
    assert!(matches!(outcomes[0], Err(DatasetError::UnknownVillage(_))));
}

#[test]
fn an_unknown_kind_is_kept_byte_for_byte() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let bytes = Bytes::from_static(b"\x00future\xff\xfe");
    let draft =
        Draft { id: id(1), kind: FUTURE, operation: Operation::Create, bytes: Some(bytes.clone()) };
    let merged = store.merge(&[log.batch([draft.clone()])])[0];
    assert_eq!((merged.records, merged.quarantined), (1, 0));
    let kept = store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().unwrap();
    assert_eq!((kept.kind, &kept.bytes), (FUTURE, &bytes));
    let gone = Draft { operation: Operation::Delete, bytes: Some(Bytes::new()), ..draft };
    let merged = store.merge(&[log.batch([gone])])[0];
    assert_eq!((merged.records, merged.fingerprint), (0, Fingerprint::default()));
    assert!(store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().is_none());
}

#[test]
fn an_entry_that_cannot_be_taken_waits_and_is_released() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let draft = create(1, Kind::Warga, &warga(NIK));
    let batch =
        log.batch([create(2, Kind::Warga, &warga("")), create(1, Kind::Warga, &warga("12"))]);
    let merged = store.merge(std::slice::from_ref(&batch))[0];
    assert_eq!((merged.records, merged.quarantined), (2, 1));
    let waiting = store.dataset.quarantine(&Scope::of_village(log.village)).unwrap().remove(0);
    assert_eq!((waiting.id, waiting.seq), (id(1), Seq(2)));
    assert_eq!(waiting.reason, "Kolom nik harus 16 angka.");
    assert_eq!(store.state(&log).warga, 1);

    // Still not readable: it stays, with the reason of today.
    let change =
        store.dataset.quarantined_change(&Scope::whole(), waiting.number).unwrap().unwrap();
    assert_eq!(change.bytes, batch.changes[1].bytes);
    store.dataset.release(waiting.number, &decode::again(change.clone()), 5).unwrap();
    assert_eq!(store.state(&log).quarantined, 1);

    // A version that can read it.
    let row = match decode::change(log.entry(draft), None).content {
        Content::Row(row) => row,
        other => panic!("{other:?}"),
    };
    let change = Change { content: Content::Row(row), ..change };
    store.dataset.release(waiting.number, &change, 5).unwrap();
    let state = store.state(&log);
    assert_eq!((state.quarantined, state.warga, state.records), (0, 2, 2));
    assert_eq!(state.fingerprint, merged.fingerprint, "the bytes are the same");
    assert!(store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().is_some());
    assert!(store.dataset.quarantine(&Scope::whole()).unwrap().is_empty());
}

#[test]
fn a_later_sound_entry_replaces_the_quarantined_one() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([create(1, Kind::Warga, &warga(NIK))])]);
    store.merge(&[log.batch([garbled(update(1, Kind::Warga, &warga(NIK)))])]);
    let state = store.state(&log);
    assert_eq!((state.quarantined, state.records, state.warga), (1, 1, 1));
    // The last readable row stays in sight.
    assert_eq!(
        store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().unwrap().seq,
        Seq(1)
    );
    let merged = store.merge(&[log.batch([update(1, Kind::Warga, &warga(OTHER_NIK))])])[0];
    let state = store.state(&log);
    assert_eq!((state.quarantined, state.records, state.warga), (0, 1, 1));
    let kept = store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().unwrap();
    let mut sum = Fingerprint::default();
    sum += lumbung_ledger::fingerprint::content_hash(id(1), kept.kind, 1, &kept.bytes);
    assert_eq!(merged.fingerprint, sum);
}

#[test]
fn a_replay_does_not_bring_a_deleted_record_back() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let batch = log.batch([create(1, Kind::Warga, &warga(NIK)), delete(1, Kind::Warga)]);
    store.merge(std::slice::from_ref(&batch));
    // The hub is taken back to the start by hand; the log comes again, first
    // only the part before the deletion.
    store.dataset.resume_at(log.village, batch.prev).unwrap();
    let replay = MergeBatch {
        last: Position { seq: Seq(1), ..batch.last },
        changes: batch.changes[..1].to_vec(),
        chains: batch.chains[..1].to_vec(),
        ..batch
    };
    store.merge(&[replay]);
    assert_eq!(store.state(&log).records, 0);
    assert!(store.dataset.record(&Scope::whole(), log.village, id(1)).unwrap().is_none());
}

#[test]
fn a_new_log_outranks_the_rows_of_the_closed_one() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([
        create(1, Kind::Warga, &warga("")),
        create(2, Kind::Warga, &warga("")),
        update(2, Kind::Warga, &warga(OTHER_NIK)),
    ])]);
    log.position = Position::origin(LogId([1; 16]));
    let batch = log.batch([create(2, Kind::Warga, &warga(NIK))]);
    let refused = store.dataset.merge(std::slice::from_ref(&batch), 1).unwrap();
    assert!(matches!(refused[0], Err(DatasetError::NotNext { .. })));
    store.dataset.resume_at(log.village, batch.prev).unwrap();
    assert_eq!(store.merge(std::slice::from_ref(&batch))[0].records, 1);
    let kept = store.dataset.record(&Scope::whole(), log.village, id(2)).unwrap().unwrap();
    assert_eq!(kept.bytes, batch.changes[0].bytes);
}

#[test]
fn a_later_epoch_continues_where_the_earlier_one_ended() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([create(1, Kind::Warga, &warga(""))])]);
    log.position.epoch = Epoch(2);
    let merged = store.merge(&[log.batch([update(1, Kind::Warga, &warga(NIK))])])[0];
    assert_eq!(merged.position.epoch, Epoch(2));
    log.position.epoch = Epoch(1);
    let back = log.batch([update(1, Kind::Warga, &warga(""))]);
    assert!(store.dataset.merge(&[back], 1).unwrap()[0].is_err());
}

#[test]
fn records_come_in_pages_over_all_kinds() {
    let store = Store::new();
    let (mut bakung, mut lorejo) = (Log::new(BAKUNG), Log::new(LOREJO));
    let future = Draft { kind: FUTURE, ..create(3, Kind::Warga, &warga("")) };
    store.merge(&[
        lorejo.batch([create(1, Kind::Warga, &warga(""))]),
        bakung.batch([
            create(5, Kind::Warga, &warga("")),
            create(1, Kind::RumahTangga, &rumah_tangga()),
            future,
        ]),
    ]);
    let mut filter = RecordFilter { scope: Scope::whole(), kind: None, after: None, limit: 2 };
    let mut seen = Vec::new();
    loop {
        let page = store.dataset.records(&filter).unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some((last.village, last.id));
        seen.extend(page.into_iter().map(|record| (record.village.as_u64(), record.id)));
    }
    let all = [(BAKUNG, id(1)), (BAKUNG, id(3)), (BAKUNG, id(5)), (LOREJO, id(1))];
    assert_eq!(seen, all);
    let filter = RecordFilter {
        scope: Scope::of_village(bakung.village),
        kind: Some(Kind::Warga),
        after: None,
        limit: 9,
    };
    let page = store.dataset.records(&filter).unwrap();
    assert_eq!(page.iter().map(|record| record.id).collect::<Vec<_>>(), [id(5)]);
}

#[test]
fn contacts_are_noted_without_touching_the_position() {
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    store.merge(&[log.batch([create(1, Kind::Warga, &warga(""))])]);
    let note = |note| store.dataset.note_contacts(&[(log.village, note)]).unwrap();
    note(ContactNote {
        at_ms: 50,
        software: Some("0.1.0".into()),
        proven: Some(Seq(1)),
        trouble: Some("clock".into()),
        ..ContactNote::default()
    });
    note(ContactNote { at_ms: 60, ..ContactNote::default() });
    let state = store.state(&log);
    assert_eq!((state.last_contact_ms, state.last_proof_ms), (60, 50));
    assert_eq!((state.proven_seq, &*state.trouble), (Seq(1), "clock"));
    assert_eq!(state.position, Some(log.position));
    note(ContactNote { at_ms: 70, trouble: Some(String::new()), ..ContactNote::default() });
    assert_eq!(store.state(&log).trouble, "");

    // A stick proves, and is no contact of the link.
    let stick = Some(Stick { answer_to: "age1".to_owned() });
    note(ContactNote { at_ms: 90, proven: Some(Seq(1)), stick, ..ContactNote::default() });
    let state = store.state(&log);
    assert_eq!((state.last_contact_ms, state.last_proof_ms, state.last_stick_ms), (70, 90, 90));
    assert_eq!((&*state.answer_to, &*state.software), ("age1", "0.1.0"));
    assert!(state.is_fresh_by_stick(90) && !state.is_fresh_by_stick(90 + STICK_FRESH_MS));
    note(ContactNote { at_ms: 95, ..ContactNote::default() });
    let state = store.state(&log);
    assert_eq!((state.last_stick_ms, state.is_fresh_by_stick(96)), (90, false));
    let all = store.dataset.villages().unwrap();
    assert_eq!(
        all.iter().map(|state| state.village.as_u64()).collect::<Vec<_>>(),
        [BAKUNG, SIDOMULYO, LOREJO]
    );
}

#[test]
fn incidents_are_listed_newest_first_and_a_subject_once() {
    let store = Store::new();
    let note = |code, incident: &NewIncident, at_ms| {
        store.dataset.note_incident(village(code), incident, at_ms).unwrap();
    };
    let behind = |until: u64| {
        NewIncident::new(IncidentKind::HubBehind, words(&format!("sampai {until}")))
            .about(until.to_string())
    };
    note(BAKUNG, &behind(5), 1);
    note(BAKUNG, &behind(5), 2);
    note(BAKUNG, &behind(6), 3);
    note(LOREJO, &behind(5), 4);
    let lost = NewIncident::new(IncidentKind::LostTail, words("hilang"));
    note(BAKUNG, &lost, 5);
    note(BAKUNG, &lost, 6);
    let listed = |of: Option<u64>, limit| {
        let incidents =
            store.dataset.incidents(&Scope::whole().of(of.map(village)), limit).unwrap();
        incidents.into_iter().map(|incident| incident.at_ms).collect::<Vec<_>>()
    };
    assert_eq!(listed(None, 9), [6, 5, 4, 3, 1]);
    assert_eq!(listed(Some(BAKUNG), 2), [6, 5]);
    assert_eq!(listed(Some(LOREJO), 9), [4]);
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let store = Store::new();
    let path = store.path();
    let Store { folder, dataset } = store;
    drop(dataset);
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteDataset::open(&path).map(|_| ());
    assert!(matches!(refused, Err(DatasetError::NewerFormat { found: 99, .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    drop(folder);
}

#[test]
fn thinned_entries_leave_no_quarantine_where_a_later_entry_speaks() {
    let withheld = |draft: Draft| Draft { bytes: None, ..draft };
    let store = Store::new();
    let mut log = Log::new(BAKUNG);
    let together = log.batch([
        withheld(create(1, Kind::Warga, &warga(NIK))),
        withheld(create(2, Kind::Warga, &warga(NIK))),
        delete(2, Kind::Warga),
        update(1, Kind::Warga, &warga(OTHER_NIK)),
        withheld(create(3, Kind::Warga, &warga(""))),
        withheld(create(4, Kind::Warga, &warga(""))),
    ]);
    let merged = store.merge(&[together])[0];
    // Of 3 and 4 nothing later is known yet, and nobody need do anything.
    assert_eq!((merged.records, merged.quarantined), (3, 0));
    assert_eq!(store.dataset.quarantine(&Scope::whole()).unwrap().len(), 2);
    assert_eq!(store.state(&log).quarantined, 0);
    assert_eq!(store.dataset.totals(&Scope::whole()).unwrap().quarantined, 0);
    let waiting = || store.dataset.upkeep().unwrap()[0].clone();
    assert_eq!((waiting().quarantined, waiting().quarantine_since_ms), (0, 0));
    let apart = log.batch([update(3, Kind::Warga, &warga("")), update(3, Kind::Warga, &warga(""))]);
    let merged = store.merge(&[apart])[0];
    assert_eq!((merged.records, merged.quarantined), (3, 0));
    let waiting = store.dataset.quarantine(&Scope::whole()).unwrap();
    assert_eq!(waiting.iter().map(|entry| entry.id).collect::<Vec<_>>(), [id(4)]);
    let reason = &waiting[0].reason;
    assert!(reason.contains("versi yang lebih baru menyusul"), "{reason}");
    let english = reason_in_english(reason).unwrap();
    assert!(english.contains("a newer one follows"), "{english}");
    let state = store.state(&log);
    assert_eq!((state.warga, state.quarantined), (2, 0));
    let gone = log.batch([delete(4, Kind::Warga)]);
    assert_eq!(store.merge(&[gone])[0].records, 2);
    assert_eq!(store.state(&log).quarantined, 0);
}
