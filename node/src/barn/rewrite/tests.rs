//! A rewrite cut off at every stage leaves a barn that opens with everything.

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::{LogId, Source};

use super::*;
use crate::barn::{Barn, Change, Expected, MemoryStore, OpenOptions, Pairs, Submission};

const STAGES: [Stage; 7] = [
    Stage::Copying,
    Stage::Copied,
    Stage::Marking,
    Stage::Marked,
    Stage::OldAside,
    Stage::NewInPlace,
    Stage::OldGone,
];

fn options(create: bool) -> OpenOptions {
    OpenOptions { indexer: |_, _| Vec::new(), create: create.then_some(LogId([9; 16])) }
}

fn filled(dir: &Path) -> Barn {
    let barn = Barn::open(dir, options(true)).unwrap();
    for round in 0..4_u8 {
        let changes = (0..60).map(|number| Change {
            id: RecordId::from_parts(1_790_000_000_000, 0, number),
            kind: KindCode(7),
            schema: 1,
            content: Some(Bytes::from(vec![round; 300])),
            expected: Expected::Any,
        });
        let submission = Submission {
            actor: "kader".into(),
            source: Source::MANUAL,
            time_ms: 5,
            changes: changes.collect(),
        };
        barn.submit_blocking(submission).unwrap();
    }
    barn
}

/// Rewrites until `cut`, as if the power failed there.
fn rewrite_until(dir: &Path, cut: Stage) {
    let mut reached = false;
    let mut interrupt = |stage| {
        reached |= stage == cut;
        if stage == cut { Err(io::Error::other("power")) } else { Ok(()) }
    };
    let (store, _) = SledStore::open(&dir.join("store")).unwrap();
    let copied = copy(&store, dir, &mut interrupt);
    drop(store);
    let finished = copied.is_ok() && finish(dir, &mut interrupt).is_ok();
    assert!(reached && !finished, "{cut:?} was not reached");
}

#[test]
fn a_cut_at_any_stage_leaves_everything() {
    for cut in STAGES {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desa");
        let barn = filled(&path);
        let (head, living) = barn.living().unwrap();
        barn.close();
        rewrite_until(&path, cut);
        assert!(Barn::exists(&path), "{cut:?}");
        let barn = Barn::open(&path, options(false)).unwrap();
        assert_eq!(barn.verify().unwrap().faults, [], "{cut:?}");
        assert_eq!(barn.living().unwrap(), (head, living), "{cut:?}");
        barn.close();
        let left: Vec<_> = ["store.new", "store.old", "store.swap"]
            .into_iter()
            .filter(|name| path.join(name).exists())
            .collect();
        assert!(left.is_empty(), "{cut:?} left {left:?}");
    }
}

#[test]
fn a_second_cut_on_the_way_back_leaves_everything_too() {
    for (first, second) in [
        (Stage::Marked, Stage::OldAside),
        (Stage::OldAside, Stage::NewInPlace),
        (Stage::Marked, Stage::NewInPlace),
        (Stage::NewInPlace, Stage::OldGone),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desa");
        let barn = filled(&path);
        let head = barn.head();
        barn.close();
        rewrite_until(&path, first);
        let mut interrupt = |stage| {
            if stage == second { Err(io::Error::other("power")) } else { Ok(()) }
        };
        assert!(finish(&path, &mut interrupt).is_err());
        let barn = Barn::open(&path, options(false)).unwrap();
        assert_eq!((barn.head(), barn.verify().unwrap().faults), (head, Vec::new()));
        barn.close();
    }
}

#[test]
fn only_one_process_opens_a_barn_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let held = lock(dir.path()).unwrap();
    assert!(held.is_some());
    assert!(lock(dir.path()).unwrap().is_none());
    drop(held);
    assert!(lock(dir.path()).unwrap().is_some());
}

/// A store that says it takes so many bytes on disk.
struct Sized(MemoryStore, u64);

impl Store for Sized {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.0.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8]) -> Pairs<'_> {
        self.0.scan(from, to)
    }

    fn last(&self, from: &[u8], to: &[u8]) -> Result<Option<(Bytes, Bytes)>, StoreError> {
        self.0.last(from, to)
    }

    fn apply(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.0.apply(batch)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.0.sync()
    }

    fn disk_bytes(&self) -> u64 {
        self.1
    }
}

#[test]
fn a_store_is_rewritten_for_its_size_when_it_is_large_and_mostly_dead() {
    let mib = 1024 * 1024;
    let store = MemoryStore::default();
    let mut batch = WriteBatch::default();
    for number in 0..20_u8 {
        batch.put(vec![b'L', number], vec![7; mib as usize]);
    }
    store.apply(batch).unwrap();
    for (disk, bloated) in [(81, true), (79, false), (1, false)] {
        let sized = Sized(store.clone(), disk * mib + mib / 2);
        assert_eq!(is_bloated(&sized).unwrap(), bloated, "20 MB live in {disk} MB");
    }
    let small = Sized(MemoryStore::default(), 50 * mib);
    assert!(!is_bloated(&small).unwrap(), "small stores are left alone");
    let grown = Sized(MemoryStore::default(), 50 * mib + 1);
    assert!(is_bloated(&grown).unwrap());
}

#[test]
fn a_rewritten_store_takes_less_and_holds_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    let barn = filled(&path);
    for _ in 0..4 {
        barn.thin(barn.head().position.seq).unwrap();
    }
    let (head, living) = barn.living().unwrap();
    barn.close();
    let (store, _) = SledStore::open(&path.join("store")).unwrap();
    let (before, sum) = (store.disk_bytes(), measure(&store).unwrap());
    copy(&store, &path, &mut |_| Ok(())).unwrap();
    drop(store);
    finish(&path, &mut |_| Ok(())).unwrap();
    let (store, _) = SledStore::open(&path.join("store")).unwrap();
    assert_eq!(measure(&store).unwrap(), sum);
    assert!(store.disk_bytes() <= before, "{} after {before}", store.disk_bytes());
    drop(store);
    let barn = Barn::open(&path, options(false)).unwrap();
    assert_eq!(barn.living().unwrap(), (head, living));
}

/// Puts a key of its own into the store in `dir`.
fn write_on(dir: &Path) {
    let (store, _) = SledStore::open(&dir.join("store")).unwrap();
    let mut batch = WriteBatch::default();
    batch.put(b"Zkemudian".to_vec(), b"ada".to_vec());
    store.apply(batch).unwrap();
    store.sync().unwrap();
}

fn later(dir: &Path) -> Option<Bytes> {
    SledStore::open(&dir.join("store")).unwrap().0.get(b"Zkemudian").unwrap()
}

#[test]
fn a_marker_that_is_not_durable_is_taken_back_before_the_store_is_written_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    filled(&path).close();
    rewrite_until(&path, Stage::Marking);
    assert!(!path.join("store.swap").exists());
    write_on(&path);
    finish(&path, &mut |_| Ok(())).unwrap();
    assert_eq!(later(&path).unwrap(), "ada");
    assert!(!path.join("store.new").exists());

    // One that can't be taken back either.
    let (store, _) = SledStore::open(&path.join("store")).unwrap();
    let marker = path.join("store.swap");
    let stuck = copy(&store, &path, &mut |stage| {
        if stage == Stage::Marking {
            fs::remove_file(&marker)?;
            fs::create_dir(&marker)?;
            return Err(io::Error::other("the disk"));
        }
        Ok(())
    });
    assert!(matches!(stuck, Err(RewriteError::Announced(_))), "{stuck:?}");
}

#[test]
fn a_store_that_is_open_is_not_swapped_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("desa");
    filled(&path).close();
    rewrite_until(&path, Stage::Marked);
    let (store, _) = SledStore::open(&path.join("store")).unwrap();
    let refused = finish(&path, &mut |_| Ok(()));
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    assert!(path.join("store").exists() && path.join("store.new").exists());
    drop(store);
    finish(&path, &mut |_| Ok(())).unwrap();
    assert!(!path.join("store.new").exists() && !path.join("store.swap").exists());
}
