//! Content that leaves the log: thinned, erased, scrubbed from disk.

use super::*;

/// The chain from the first entry on, as a reader walks it.
fn walked(barn: &Barn) -> (Seq, lumbung_ledger::ChainTag) {
    let (mut seq, mut chain) = (Seq::ZERO, lumbung_ledger::ChainTag::genesis(LOG));
    while let Some(run) = barn.read_after(seq, 700).unwrap() {
        assert_eq!(run.before, chain);
        chain = run.entries.iter().fold(chain, |chain, entry| chain.step(entry).0);
        seq = run.entries.last().unwrap().header.seq;
    }
    (seq, chain)
}

#[test]
fn thinning_keeps_the_chain_the_last_words_and_every_old_position() {
    on_both(|barn| {
        let mut stood = Vec::new();
        for round in 0..6_u8 {
            let changes = (0..40).map(|n| change(n, Some(&[n, round, 7, 7]))).collect();
            barn.submit_blocking(submission(changes)).unwrap();
            stood.push(barn.head().position);
        }
        barn.submit_blocking(submission(vec![change(1, None), change(2, None)])).unwrap();
        let (head, living) = barn.living().unwrap();

        // Only what was superseded within the first three rounds goes.
        let thinned = barn.thin(stood[2].seq).unwrap();
        assert_eq!(thinned.payloads, 80);
        assert_eq!(barn.thin(stood[2].seq).unwrap(), Thinned::default(), "nothing is left to do");
        let third = barn.entry(Seq(81)).unwrap().unwrap();
        assert!(matches!(third.payload, lumbung_ledger::Payload::Present { .. }));
        // Everything below the head but the last words of the living.
        assert_eq!(barn.thin(head.position.seq).unwrap().payloads, 200 + 2 - 80);

        assert_eq!(barn.living().unwrap(), (head, living));
        assert_eq!(barn.verify().unwrap().faults, []);
        assert_eq!(walked(&barn), (head.position.seq, head.position.chain));
        for position in stood {
            assert_eq!(barn.relate(position).unwrap(), Relation::Resume);
        }
        barn.submit_blocking(submission(vec![change(2, Some(&[2, 9]))])).unwrap();
        assert_eq!(barn.verify().unwrap().faults, []);
    });
}

#[test]
fn a_thinning_that_loses_power_leaves_whole_steps() {
    let store = MemoryStore::default();
    let barn = Barn::open_on(Arc::new(store.clone()), options(true)).unwrap();
    for round in 0..3_u8 {
        let changes = (0..40).map(|n| change(n, Some(&[n, round]))).collect();
        barn.submit_blocking(submission(changes)).unwrap();
    }
    let head = barn.head();
    store.fail_syncs();
    assert!(barn.thin(head.position.seq).is_err());
    drop(barn);
    store.crash();
    let barn = Barn::open_on(Arc::new(store), options(false)).unwrap();
    assert_eq!(barn.verify().unwrap().faults, []);
    assert_eq!(barn.head(), head);
    assert_eq!(barn.thin(head.position.seq).unwrap().payloads, 80);
}

fn erase(numbers: &[u8]) -> Erase {
    Erase {
        ids: numbers.iter().map(|number| id(*number)).collect(),
        actor: "kader".into(),
        time_ms: 6,
        reason: ErasureReason::PermintaanWarga,
    }
}

/// Contents of one record anywhere in the log.
fn contents(barn: &Barn, id: RecordId) -> usize {
    let run = barn.read_after(Seq::ZERO, usize::MAX).unwrap().unwrap();
    let with_content =
        |entry: &&lumbung_ledger::Entry| entry.header.id == id && entry.content_hash().is_some();
    run.entries.iter().filter(with_content).count()
}

#[test]
fn an_erased_record_leaves_no_content_and_does_not_come_back() {
    on_both(|barn| {
        for round in 0..3 {
            let changes = (1..5).map(|n| change(n, Some(&[n, round]))).collect();
            barn.submit_blocking(submission(changes)).unwrap();
        }
        barn.submit_blocking(submission(vec![change(2, None)])).unwrap();
        assert_eq!((contents(&barn, id(1)), contents(&barn, id(2))), (3, 3));
        // One that lives, one that ended long ago, one that never was here.
        let receipt = barn.erase_blocking(erase(&[1, 2, 77])).unwrap();
        assert_eq!(receipt, Receipt { last: Seq(15), written: 2 });
        assert_eq!((contents(&barn, id(1)), contents(&barn, id(2))), (0, 0));
        assert_eq!((contents(&barn, id(3)), barn.head().records), (3, 2));
        assert_eq!(barn.find(1, &[1]).unwrap(), []);
        for seq in [14, 15] {
            let header = barn.entry(Seq(seq)).unwrap().unwrap().header;
            assert_eq!((header.source, header.operation), (Source::ERASURE, Operation::Delete));
        }
        assert_eq!(barn.verify().unwrap().faults, []);
        assert_eq!(walked(&barn).1, barn.head().position.chain);
        for number in [1, 2, 77] {
            let back = barn.submit_blocking(submission(vec![change(number, Some(&[9, 9]))]));
            assert!(matches!(back, Err(SubmitError::Erased { change: 0 })));
        }
        // The index key is free for somebody else.
        barn.submit_blocking(submission(vec![change(50, Some(&[1, 1]))])).unwrap();
        let again = barn.erase_blocking(erase(&[2, 1])).unwrap();
        assert_eq!(again.written, 0);
        let erased = barn.erased();
        assert_eq!(erased.len(), 3);
        assert!(erased.iter().all(|it| it.confirmed_ms.is_none() && !it.scrubbed));
        barn.confirm_erasures(Position { seq: Seq(14), ..barn.head().position }, 99).unwrap();
        let confirmed = barn.erased().iter().filter(|it| it.confirmed_ms == Some(99)).count();
        assert_eq!(confirmed, 2, "the unknown one and the first");
    });
}

#[test]
fn deletes_handed_over_as_erasures_erase() {
    on_both(|barn| {
        barn.submit_blocking(submission(vec![change(1, Some(&[1, 1])), change(2, Some(&[2, 1]))]))
            .unwrap();
        let handed = Submission { source: Source::ERASURE, ..submission(vec![change(1, None)]) };
        barn.submit_blocking(handed).unwrap();
        assert_eq!((contents(&barn, id(1)), contents(&barn, id(2))), (0, 1));
        assert_eq!(barn.erased()[0].reason, ErasureReason::Kabupaten);
        let odd = Submission { source: Source::ERASURE, ..submission(vec![change(2, Some(&[3]))]) };
        assert!(matches!(barn.submit_blocking(odd), Err(SubmitError::Erased { change: 0 })));
    });
}

/// Whether any file below `dir` holds `needle`.
fn on_disk(dir: &std::path::Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|item| {
        let path = item.unwrap().path();
        if path.is_dir() {
            return on_disk(&path, needle);
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

const MARKER: &[u8] = b"\x63WARGA-TANDA-YANG-TAK-ADA-DUANYA";

#[test]
fn erased_bytes_leave_the_disk_and_an_old_store_does_not_bring_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    let barn = Barn::open(&path, options(true)).unwrap();
    let others = (2..90).map(|n| change(n, Some(&[n, 1, 2, 3]))).collect();
    barn.submit_blocking(submission(others)).unwrap();
    barn.submit_blocking(submission(vec![change(1, Some(MARKER))])).unwrap();
    barn.submit_blocking(submission(vec![change(1, Some(&[MARKER, b"!"].concat()))])).unwrap();
    barn.close();
    assert!(on_disk(&path, MARKER), "the search finds what is there");
    let kept = dir.path().join("kept");
    copy_folder(&path.join("store"), &kept);

    let barn = Barn::open(&path, options(false)).unwrap();
    barn.erase_blocking(erase(&[1])).unwrap();
    let erased_at = barn.head().position;
    assert!(barn.scrub_pending());
    barn.close();
    let barn = Barn::open(&path, options(false)).unwrap();
    assert!(matches!(barn.steps(), [OpenStep::Rewritten { .. }]), "{:?}", barn.steps());
    assert_eq!((barn.scrub_pending(), barn.boots()), (false, 3));
    assert_eq!(barn.head().position, erased_at);
    assert_eq!(barn.verify().unwrap().faults, []);
    barn.close();
    assert!(!on_disk(&path, MARKER));
    Barn::open(&path, options(false)).unwrap().close();

    // The store from before comes back: erased and scrubbed while opening.
    std::fs::remove_dir_all(path.join("store")).unwrap();
    copy_folder(&kept, &path.join("store"));
    assert!(on_disk(&path, MARKER));
    let barn = Barn::open(&path, options(false)).unwrap();
    assert!(
        matches!(
            barn.steps(),
            [
                OpenStep::LostTail { .. },
                OpenStep::ErasedAgain { records: 1 },
                OpenStep::Rewritten { .. }
            ]
        ),
        "{:?}",
        barn.steps()
    );
    assert_eq!((barn.head().records, barn.head().position.epoch.0), (88, 2));
    assert_eq!(barn.verify().unwrap().faults, []);
    barn.close();
    assert!(!on_disk(&path, MARKER));
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap() {
        let path = item.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn an_erasure_cut_off_after_its_line_in_the_ledger_is_made_up_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    let barn = Barn::open(&path, options(true)).unwrap();
    barn.submit_blocking(submission(vec![change(1, Some(&[1, 1])), change(2, Some(&[2, 2]))]))
        .unwrap();
    barn.close();
    let mut ledger = Erasures::open(&path.join("erasures")).unwrap();
    let erasure = Erasure {
        id: id(1),
        epoch: Epoch(1),
        seq: Seq(3),
        at_ms: 7,
        reason: ErasureReason::Putusan,
        confirmed_ms: None,
        scrubbed: false,
    };
    ledger.record(&[erasure]).unwrap();
    drop(ledger);
    let barn = Barn::open(&path, options(false)).unwrap();
    assert_eq!(barn.steps()[0], OpenStep::ErasedAgain { records: 1 });
    assert_eq!((contents(&barn, id(1)), barn.head().position.seq), (0, Seq(3)));
    assert_eq!(barn.erased()[0].reason, ErasureReason::Putusan);
    assert_eq!(barn.verify().unwrap().faults, []);
}

#[test]
fn content_may_leave_the_log_only_long_after_the_district_has_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    on_both(|barn| {
        let mark = |day, seq| {
            runtime.block_on(barn.mark_confirmed(day, Seq(seq))).unwrap();
            // Whatever is asked of the writer next comes after it.
            barn.submit_blocking(submission(Vec::new())).unwrap();
        };
        let changes = (0..9).map(|n| change(n, Some(&[n, 1]))).collect();
        barn.submit_blocking(submission(changes)).unwrap();
        assert_eq!(barn.thinnable(1_000, Seq(9)).unwrap(), Seq::ZERO, "no marks");
        mark(1_000, 3);
        mark(1_001, 5);
        mark(1_050, 9);
        let day = 1_000 + RETENTION_DAYS;
        assert_eq!(barn.thinnable(day - 1, Seq(9)).unwrap(), Seq::ZERO);
        assert_eq!(barn.thinnable(day, Seq(9)).unwrap(), Seq(3));
        assert_eq!(barn.thinnable(day + 20, Seq(9)).unwrap(), Seq(5));
        assert_eq!(barn.thinnable(day + 20, Seq(4)).unwrap(), Seq(4), "what the hub has now");
        // Old marks go, the one still asked for stays.
        mark(day + 20, 9);
        assert_eq!(barn.thinnable(day, Seq(9)).unwrap(), Seq::ZERO);
        assert_eq!(barn.thinnable(day + 20, Seq(9)).unwrap(), Seq(5));
        assert_eq!(barn.verify().unwrap().faults, []);
    });
}

/// One thing that happens to a barn.
#[derive(Clone, Debug)]
enum Happening {
    Save(u8, [u8; 2]),
    Delete(u8),
    Erase(u8),
    /// Thins the log up to this share of it, in percent.
    Thin(u64),
    Crash,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (0_u8..8, any::<[u8; 2]>()).prop_map(|(n, content)| Happening::Save(n, content)),
        2 => (0_u8..8).prop_map(Happening::Delete),
        2 => (0_u8..8).prop_map(Happening::Erase),
        2 => (0_u64..=100).prop_map(Happening::Thin),
        1 => Just(Happening::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn whatever_leaves_the_log_its_fold_and_its_chain_stay(
        happenings in proptest::collection::vec(happening(), 1..60),
    ) {
        let store = MemoryStore::default();
        let mut barn = Barn::open_on(Arc::new(store.clone()), options(true)).unwrap();
        let mut model = std::collections::BTreeMap::new();
        // A barn in memory has no ledger that outlives a crash.
        let mut erased = std::collections::BTreeSet::new();
        for happening in happenings {
            match happening {
                Happening::Save(n, content) => {
                    let saved = barn.submit_blocking(submission(vec![change(n, Some(&content))]));
                    prop_assert!(!erased.contains(&n) || saved.is_err(), "{n} came back");
                    if saved.is_ok() {
                        model.insert(id(n), content);
                    }
                }
                Happening::Delete(n) => {
                    barn.submit_blocking(submission(vec![change(n, None)])).unwrap();
                    model.remove(&id(n));
                }
                Happening::Erase(n) => {
                    barn.erase_blocking(erase(&[n])).unwrap();
                    model.remove(&id(n));
                    erased.insert(n);
                }
                Happening::Thin(share) => {
                    barn.thin(Seq(barn.head().position.seq.0 * share / 100)).unwrap();
                }
                Happening::Crash => {
                    store.crash();
                    barn = Barn::open_on(Arc::new(store.clone()), options(false)).unwrap();
                    erased.clear();
                }
            }
        }
        prop_assert_eq!(barn.verify().unwrap().faults, []);
        prop_assert_eq!(walked(&barn).1, barn.head().position.chain);
        let living: std::collections::BTreeMap<_, _> = barn
            .living()
            .unwrap()
            .1
            .iter()
            .map(|stored| (stored.entry.header.id, stored.content().unwrap().to_vec()))
            .collect();
        let expected = model.into_iter().map(|(id, content)| (id, content.to_vec()));
        prop_assert_eq!(living, expected.collect());
        if barn.head().position.seq > Seq::ZERO {
            for n in erased {
                prop_assert_eq!(contents(&barn, id(n)), 0, "{} has left something", n);
            }
        }
    }
}
