//! What every barn promises, on both stores.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{Epoch, LogId, Position, Seq, Source};
use proptest::prelude::*;

use super::*;

mod erasing;
mod sounding;

/// Index 1, unique: the first byte of the payload.
fn first_byte(_: KindCode, content: &Bytes) -> Vec<IndexKey> {
    content
        .first()
        .map(|byte| IndexKey { index: 1, key: vec![*byte], unique: *byte < 100 })
        .into_iter()
        .collect()
}

const LOG: LogId = LogId([9; 16]);

fn options(create: bool) -> OpenOptions {
    OpenOptions { indexer: first_byte, create: create.then_some(LOG) }
}

fn id(number: u8) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, u16::from(number), 42)
}

fn change(number: u8, content: Option<&[u8]>) -> Change {
    Change {
        id: id(number),
        kind: KindCode(7),
        schema: 1,
        content: content.map(Bytes::copy_from_slice),
        expected: Expected::Any,
    }
}

fn submission(changes: Vec<Change>) -> Submission {
    Submission { actor: "kader".into(), source: Source::MANUAL, time_ms: 5, changes }
}

fn on_both(check: impl Fn(Barn)) {
    check(Barn::open_on(Arc::new(MemoryStore::default()), options(true)).unwrap());
    let dir = tempfile::tempdir().unwrap();
    check(Barn::open(&dir.path().join("desa"), options(true)).unwrap());
}

#[test]
fn numbers_are_gapless_and_the_barn_proves_sound() {
    on_both(|barn| {
        for number in 0..50 {
            let receipt =
                barn.submit_blocking(submission(vec![change(number, Some(&[number, 1]))])).unwrap();
            assert_eq!(receipt, Receipt { last: Seq(u64::from(number) + 1), written: 1 });
        }
        barn.submit_blocking(submission(vec![change(3, None), change(4, Some(&[4, 2]))])).unwrap();
        let soundness = barn.verify().unwrap();
        assert_eq!(soundness.faults, []);
        assert_eq!((soundness.entries, soundness.head.records), (52, 49));
        assert_eq!(barn.get(id(3)).unwrap(), None);
        assert_eq!(barn.get(id(4)).unwrap().unwrap().content().unwrap().as_ref(), [4, 2]);
        assert_eq!(barn.find(1, &[4]).unwrap(), [id(4)]);
        assert_eq!(barn.find(1, &[3]).unwrap(), []);
        assert_eq!(barn.living().unwrap().1.len(), 49);
    });
}

#[test]
fn a_refused_submission_leaves_no_trace() {
    on_both(|barn| {
        barn.submit_blocking(submission(vec![change(1, Some(&[10]))])).unwrap();
        let before = barn.head();
        let refused =
            barn.submit_blocking(submission(vec![change(2, Some(&[11])), change(3, Some(&[10]))]));
        assert!(matches!(refused, Err(SubmitError::Taken { change: 1, .. })));
        let stale = Change { expected: Expected::At(Seq(7)), ..change(1, Some(&[12])) };
        let refused = barn.submit_blocking(submission(vec![change(2, Some(&[11])), stale]));
        assert!(matches!(refused, Err(SubmitError::Stale { change: 1, .. })));
        assert_eq!(barn.head(), before);
        barn.submit_blocking(submission(vec![change(2, Some(&[11]))])).unwrap();
        assert_eq!(barn.verify().unwrap().faults, []);
    });
}

#[test]
fn saving_the_same_content_writes_nothing() {
    on_both(|barn| {
        barn.submit_blocking(submission(vec![change(1, Some(&[10]))])).unwrap();
        let again = barn.submit_blocking(submission(vec![change(1, Some(&[10]))])).unwrap();
        assert_eq!(again, Receipt { last: Seq(1), written: 0 });
    });
}

#[test]
fn reading_in_any_batch_size_gives_the_same_chain() {
    on_both(|barn| {
        let changes = (0..200).map(|n| change(n, Some(&[n, 7]))).collect();
        barn.submit_blocking(submission(changes)).unwrap();
        let head = barn.head().position;
        for bytes_max in [1, 100, 5_000, 1_000_000] {
            let (mut seq, mut chain) = (Seq::ZERO, lumbung_ledger::ChainTag::genesis(LOG));
            while let Some(run) = barn.read_after(seq, bytes_max).unwrap() {
                assert_eq!(run.before, chain);
                chain = run.entries.iter().fold(chain, |chain, entry| chain.step(entry).0);
                assert_eq!(run.after, chain);
                seq = run.entries.last().unwrap().header.seq;
            }
            assert_eq!((seq, chain), (head.seq, head.chain));
        }
        let middle = barn.read_after(Seq(77), 1).unwrap().unwrap();
        assert_eq!(middle.entries[0].header.seq, Seq(78));
        let inside = Position { seq: Seq(77), chain: middle.before, ..head };
        assert_eq!(barn.relate(inside).unwrap(), Relation::Resume);
        let forked = Position { chain: head.chain, ..inside };
        assert_eq!(barn.relate(forked).unwrap(), Relation::Forked);
        let ahead = Position { seq: Seq(201), ..head };
        assert_eq!(barn.relate(ahead).unwrap(), Relation::Ahead);
    });
}

#[test]
fn a_power_cut_loses_nothing_acknowledged_and_a_dying_disk_closes_the_barn() {
    let store = MemoryStore::default();
    let barn = Barn::open_on(Arc::new(store.clone()), options(true)).unwrap();
    barn.submit_blocking(submission(vec![change(1, Some(&[10]))])).unwrap();
    store.fail_syncs();
    let failed = barn.submit_blocking(submission(vec![change(2, Some(&[20]))]));
    assert!(failed.is_err());
    assert!(matches!(
        barn.submit_blocking(submission(vec![change(3, Some(&[30]))])),
        Err(SubmitError::Closed)
    ));
    assert_eq!(barn.head().position.seq, Seq(1));
    assert!(barn.read_after(Seq(1), 100).unwrap().is_none(), "above the watermark");
    drop(barn);
    store.crash();
    let barn = Barn::open_on(Arc::new(store), options(false)).unwrap();
    assert_eq!(barn.head().position.seq, Seq(1));
    assert_eq!(barn.verify().unwrap().faults, []);
}

#[test]
fn a_database_behind_its_witness_opens_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    let barn = Barn::open(&path, options(true)).unwrap();
    barn.submit_blocking(submission(vec![change(1, Some(&[10]))])).unwrap();
    let stood = barn.head().position;
    barn.close();
    let mut witness = Witness::open(&path.join("witness")).unwrap();
    let last = witness.last().unwrap();
    witness.testify(Testimony { seq: Seq(5), ..last }).unwrap();
    drop(witness);
    let barn = Barn::open(&path, options(false)).unwrap();
    assert_eq!(barn.steps(), [OpenStep::LostTail { kept: Seq(1), witnessed: Seq(5) }]);
    assert_eq!(barn.head().position.epoch.0, 2);
    assert_eq!(barn.relate(stood).unwrap(), Relation::Resume);
    let lost = Position { seq: Seq(5), ..stood };
    assert_eq!(barn.relate(lost).unwrap(), Relation::Ahead);
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// The position after every entry of the log, oldest first.
fn positions(barn: &Barn) -> Vec<Position> {
    let head = barn.head().position;
    let mut at = Position::origin(head.log_id);
    let mut all = vec![at];
    while let Some(run) = barn.read_after(at.seq, 1).unwrap() {
        for entry in run.entries {
            at.seq = entry.header.seq;
            at.chain = at.chain.step(&entry).0;
            all.push(at);
        }
    }
    all
}

#[test]
fn a_restart_opens_one_epoch_and_outlives_the_barn() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    let barn = Barn::open(&path, options(true)).unwrap();
    for number in 0..5 {
        barn.submit_blocking(submission(vec![change(number, Some(&[number]))])).unwrap();
    }
    let marks = positions(&barn);
    let stood = Position { seq: Seq(9), ..marks[5] };
    let lost = Position { seq: Seq(8), ..marks[5] };
    let restarted = block_on(barn.restart(stood, vec![marks[2], lost, marks[4]])).unwrap();
    assert_eq!(restarted.fork, marks[4]);
    assert_eq!(restarted.head, Position { epoch: Epoch(2), ..marks[5] });
    let again = block_on(barn.restart(stood, vec![marks[4]])).unwrap();
    assert_eq!(again, restarted, "the same facts told again change nothing");
    // The hub goes on from the fork in the new epoch.
    let resumed = Position { epoch: Epoch(2), ..marks[4] };
    assert_eq!(barn.relate(resumed).unwrap(), Relation::Resume);
    assert_eq!(barn.relate(stood).unwrap(), Relation::Ahead);
    barn.submit_blocking(submission(vec![change(7, Some(&[7]))])).unwrap();
    let head = barn.head();
    barn.close();
    let barn = Barn::open(&path, options(false)).unwrap();
    assert_eq!((barn.head(), barn.steps()), (head, [].as_slice()));
    // Where the hub stands lies on the log: nothing to restart.
    let resumed = block_on(barn.restart(resumed, Vec::new())).unwrap();
    assert_eq!(resumed.head, head.position);
    let other = Position::origin(LogId([1; 16]));
    assert!(matches!(block_on(barn.restart(other, Vec::new())), Err(RestartError::OtherLog)));
    let nothing =
        block_on(barn.restart(Position { epoch: Epoch(2), ..stood }, Vec::new())).unwrap();
    assert_eq!(nothing.fork, marks[0], "no mark on the history: from the start");
    assert_eq!(nothing.head.epoch, Epoch(3));
    assert_eq!(barn.verify().unwrap().faults, []);
}

#[test]
fn a_predecessor_is_kept() {
    let store = MemoryStore::default();
    let barn = Barn::open_on(Arc::new(store.clone()), options(true)).unwrap();
    assert_eq!(barn.predecessor().unwrap(), None);
    let position = Position { seq: Seq(12), ..Position::origin(LogId([1; 16])) };
    barn.set_predecessor(position).unwrap();
    drop(barn);
    store.crash();
    let barn = Barn::open_on(Arc::new(store), options(false)).unwrap();
    assert_eq!(barn.predecessor().unwrap(), Some(position));
    assert_eq!(barn.replaced().unwrap(), None);
    let replaced = Replaced { at_ms: 7, last: Seq(9), whole: true };
    barn.set_replaced(replaced).unwrap();
    assert_eq!(barn.replaced().unwrap(), Some(replaced));
}

#[test]
fn a_half_written_snapshot_does_not_keep_the_barn_shut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    let barn = Barn::open(&path, options(true)).unwrap();
    barn.submit_blocking(submission(vec![change(1, Some(&[10]))])).unwrap();
    barn.close();
    std::fs::write(path.join("store/snap.00FFFFFFFFFFFFFF.generating"), b"half").unwrap();
    let barn = Barn::open(&path, options(false)).unwrap();
    assert_eq!(barn.steps(), [OpenStep::HalfSnapshotRemoved]);
    assert_eq!(barn.verify().unwrap().faults, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn any_saves_and_crashes_leave_the_fold_of_the_log(
        steps in proptest::collection::vec(
            (proptest::collection::vec((0_u8..12, proptest::option::of(any::<[u8; 2]>())), 1..5),
             any::<bool>()),
            1..25,
        ),
    ) {
        let store = MemoryStore::default();
        let mut barn = Barn::open_on(Arc::new(store.clone()), options(true)).unwrap();
        let mut model = std::collections::BTreeMap::new();
        for (changes, crash) in steps {
            let list = changes.iter().map(|(n, c)| change(*n, c.as_ref().map(|c| c.as_slice())));
            if barn.submit_blocking(submission(list.collect())).is_ok() {
                for (number, content) in changes {
                    match content {
                        Some(content) => model.insert(id(number), content),
                        None => model.remove(&id(number)),
                    };
                }
            }
            if crash {
                store.crash();
                barn = Barn::open_on(Arc::new(store.clone()), options(false)).unwrap();
            }
        }
        prop_assert_eq!(barn.verify().unwrap().faults, []);
        let living: std::collections::BTreeMap<_, _> = barn
            .living()
            .unwrap()
            .1
            .into_iter()
            .map(|stored| {
                let content: [u8; 2] = stored.content().unwrap().as_ref().try_into().unwrap();
                (stored.entry.header.id, content)
            })
            .collect();
        prop_assert_eq!(living, model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    /// Two copies of one barn write on from a common point; a hub followed
    /// one of them and now meets the other.
    #[test]
    fn the_fork_is_the_newest_mark_before_the_branches_part(
        common in 0_u8..20,
        followed in 0_u8..20,
        other in 0_u8..20,
        marks in proptest::collection::btree_set(0_usize..40, 0..12),
    ) {
        let write = |barn: &Barn, count: u8, content: u8| {
            for number in 0..count {
                let change = change(number, Some(&[200, content, number]));
                barn.submit_blocking(submission(vec![change])).unwrap();
            }
        };
        let store = MemoryStore::default();
        let barn = Barn::open_on(Arc::new(store.clone()), options(true)).unwrap();
        write(&barn, common, 1);
        barn.close();
        let copy = store.copy();
        let one = Barn::open_on(Arc::new(store), options(false)).unwrap();
        write(&one, followed, 2);
        let hub = positions(&one);
        let stood = *hub.last().unwrap();
        let marks: Vec<_> = marks.into_iter().filter_map(|at| hub.get(at).copied()).collect();
        let twin = Barn::open_on(Arc::new(copy), options(false)).unwrap();
        write(&twin, other, 3);
        let restarted = block_on(twin.restart(stood, marks.clone())).unwrap();
        let parted = Seq(u64::from(common));
        let newest = marks.iter().chain([&stood]).filter(|mark| mark.seq <= parted);
        let newest = newest.max_by_key(|mark| mark.seq).copied();
        prop_assert_eq!(restarted.fork, newest.unwrap_or(hub[0]));
        let moved = restarted.fork != stood;
        prop_assert_eq!(restarted.head.epoch, Epoch(1 + u32::from(moved)));
        let resumed = Position { epoch: restarted.head.epoch, ..restarted.fork };
        prop_assert_eq!(twin.relate(resumed).unwrap(), Relation::Resume);
        prop_assert_eq!(block_on(twin.restart(stood, marks)).unwrap(), restarted);
    }
}
