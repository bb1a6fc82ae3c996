//! Whatever is wrong beside a sound log is put right; a broken log stays as
//! it is.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{LogId, Source};
use proptest::prelude::*;

use super::{Barn, Head, RederiveError, Rederived, keys};
use crate::barn::{
    Change, Expected, IndexKey, MemoryStore, OpenOptions, Store, Submission, WriteBatch,
};

/// Index 1: the first byte of the payload.
fn first_byte(_: KindCode, content: &Bytes) -> Vec<IndexKey> {
    let keys = content.first().map(|byte| IndexKey { index: 1, key: vec![*byte], unique: false });
    keys.into_iter().collect()
}

fn open(store: &MemoryStore, create: bool) -> Barn {
    let options = OpenOptions { indexer: first_byte, create: create.then_some(LogId([3; 16])) };
    Barn::open_on(Arc::new(store.clone()), options).unwrap()
}

fn rederive(barn: &Barn) -> Result<Rederived, RederiveError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(barn.rederive(1_790_000_000_000))
}

fn id(number: u8) -> RecordId {
    RecordId::from_parts(1_790_000_000_000, u16::from(number), 42)
}

fn save(barn: &Barn, number: u8, content: Option<u8>) {
    let change = Change {
        id: id(number),
        kind: KindCode(7),
        schema: 1,
        content: content.map(|byte| Bytes::from(vec![byte, number])),
        expected: Expected::Any,
    };
    let submission = Submission {
        actor: "kader".into(),
        source: Source::MANUAL,
        time_ms: 5,
        changes: vec![change],
    };
    barn.submit_blocking(submission).unwrap();
}

/// Everything in the store except when it was last put right.
fn contents(store: &MemoryStore) -> Vec<(Bytes, Bytes)> {
    let all: Result<Vec<_>, _> = store.scan(b"", b"~").collect();
    all.unwrap().into_iter().filter(|(key, _)| key.as_ref() != keys::MENDING).collect()
}

/// A barn with a history of `steps`, closed again.
fn written(steps: &[(u8, Option<u8>)]) -> MemoryStore {
    let store = MemoryStore::default();
    let barn = open(&store, true);
    for (number, content) in steps {
        save(&barn, *number, *content);
    }
    barn.close();
    store
}

/// One thing that a bad disk does to what is derived from the log.
#[derive(Clone, Debug)]
enum Damage {
    /// The n-th derived pair disappears.
    Lose(usize),
    /// A byte of the n-th derived value changes, or of its key without one.
    Flip(usize),
    /// A pointer or an index entry nobody asked for.
    Add(u8),
    /// The head's sum and count are others.
    Sum(u8),
}

fn damage(store: &MemoryStore, damage: &Damage) {
    let mut batch = WriteBatch::default();
    let derived: Vec<_> =
        contents(store).into_iter().filter(|(key, _)| matches!(key[0], b'S' | b'X')).collect();
    let nth = |n: usize| derived.get(n % derived.len().max(1)).cloned();
    match damage {
        Damage::Lose(n) => {
            let Some((key, _)) = nth(*n) else { return };
            batch.remove(key.to_vec());
        }
        Damage::Flip(n) => {
            let Some((key, value)) = nth(*n) else { return };
            let (mut key, mut value) = (key.to_vec(), value.to_vec());
            match value.first_mut() {
                Some(byte) => *byte ^= 0x55,
                None => {
                    batch.remove(key.clone());
                    key[1] ^= 0x55;
                }
            }
            batch.put(key, value);
        }
        Damage::Add(byte) => {
            let stray = RecordId([*byte; 16]);
            batch.put(keys::state(stray), vec![7, 0, 1, *byte, 0, 0, 0, 0, 0, 0, 0]);
            batch.put(keys::index(1, &[*byte], stray), Vec::new());
        }
        Damage::Sum(byte) => {
            let head = store.get(keys::HEAD).unwrap().unwrap();
            let mut head = Head::from_slice(&head).unwrap();
            head.fingerprint += lumbung_ledger::fingerprint::ContentHash([*byte | 1; 32]);
            head.records = head.records.wrapping_add(u64::from(*byte));
            batch.put(keys::HEAD.to_vec(), head.to_bytes());
        }
    }
    store.apply(batch).unwrap();
    store.sync().unwrap();
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        any::<usize>().prop_map(Damage::Lose),
        any::<usize>().prop_map(Damage::Flip),
        any::<u8>().prop_map(Damage::Add),
        any::<u8>().prop_map(Damage::Sum),
    ];
    proptest::collection::vec(one, 1..6)
}

fn histories() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    proptest::collection::vec((0_u8..12, proptest::option::weighted(0.8, any::<u8>())), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_damage_beside_the_log_is_put_right(
        history in histories(),
        damages in damages(),
    ) {
        let store = written(&history);
        let sound = contents(&store);
        damages.iter().for_each(|one| damage(&store, one));
        let was_damaged = contents(&store) != sound;

        let barn = open(&store, false);
        prop_assert_eq!(!barn.verify().unwrap().faults.is_empty(), was_damaged);
        let rederived = rederive(&barn).unwrap();
        prop_assert_eq!(rederived.mending.is_some(), was_damaged);
        prop_assert_eq!(barn.mending().unwrap(), rederived.mending);
        prop_assert_eq!(barn.head(), rederived.head);
        store.crash();
        prop_assert_eq!(contents(&store), sound, "byte for byte what it was, durably");
        // Done once, there is nothing left to do, and work goes on.
        prop_assert_eq!(rederive(&barn).unwrap().mending, None);
        save(&barn, 200, Some(1));
        prop_assert_eq!(barn.verify().unwrap().faults, []);
    }

    #[test]
    fn a_broken_log_is_told_and_left_as_it_is(
        history in histories(),
        at in any::<prop::sample::Index>(),
        damages in damages(),
    ) {
        let store = written(&history);
        damages.iter().for_each(|one| damage(&store, one));
        let barn = open(&store, false);
        let blocks: Vec<_> =
            contents(&store).into_iter().filter(|(key, _)| key[0] == b'L').collect();
        let Some((key, value)) = blocks.get(at.index(blocks.len().max(1))) else { return Ok(()) };
        // The last byte of a block belongs to its content or its salt.
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        let mut batch = WriteBatch::default();
        batch.put(key.to_vec(), value);
        store.apply(batch).unwrap();

        let broken = contents(&store);
        let verified = barn.verify().unwrap();
        prop_assert!(verified.broken_at().is_some(), "{:?}", verified.faults);
        prop_assert!(matches!(rederive(&barn), Err(RederiveError::Broken(_))));
        prop_assert_eq!(contents(&store), broken);
        prop_assert_eq!(barn.mending().unwrap(), None);
        prop_assert!(barn.prove().is_err());
    }
}

#[test]
fn saves_go_on_beside_it() {
    let store = written(&[(1, Some(1)), (2, Some(2))]);
    let barn = open(&store, false);
    let saver = barn.clone();
    let saving = std::thread::spawn(move || {
        for number in 0..100 {
            save(&saver, number, Some(number));
        }
    });
    for byte in 0..20 {
        damage(&store, &Damage::Add(byte | 0xc0));
        assert!(rederive(&barn).unwrap().mending.is_some());
    }
    saving.join().unwrap();
    assert_eq!(barn.verify().unwrap().faults, []);
    assert_eq!(barn.prove().unwrap().entries, barn.head().position.seq.0);
}

#[test]
fn a_dying_disk_closes_the_barn() {
    let store = written(&[(1, Some(1))]);
    damage(&store, &Damage::Sum(9));
    let barn = open(&store, false);
    let head = barn.head();
    store.fail_syncs();
    assert!(matches!(rederive(&barn), Err(RederiveError::Store(_))));
    assert_eq!(barn.head(), head, "nothing is told before it is durable");
    assert!(matches!(rederive(&barn), Err(RederiveError::Closed)));
    store.crash();
    let barn = open(&store, false);
    assert!(rederive(&barn).unwrap().mending.is_some());
}
