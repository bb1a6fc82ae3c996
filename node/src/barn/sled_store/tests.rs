use std::fs;
use std::io::IoSliceMut;

use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::*;

/// sled's own files as they lie in `from`, without the journal: a disk that
/// got nothing else since.
fn sleds_files(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let path = item.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != JOURNAL {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// A folder, in it the folder of an empty store, and the store.
fn fresh() -> (tempfile::TempDir, PathBuf, SledStore) {
    let dir = tempfile::tempdir().unwrap();
    let live = dir.path().join("live");
    let (store, _) = SledStore::open(&live).unwrap();
    (dir, live, store)
}

/// Sets `own` and the counter, and takes the counter's last companion away.
fn save(store: &SledStore, number: u32) {
    let mut batch = WriteBatch::default();
    batch.put(own(number), vec![7; 200]);
    batch.put(b"Mcount".to_vec(), number.to_be_bytes().to_vec());
    if let Some(before) = number.checked_sub(1) {
        batch.remove(companion(before));
    }
    batch.put(companion(number), Vec::new());
    store.apply(batch).unwrap();
    store.sync().unwrap();
}

fn own(number: u32) -> Vec<u8> {
    [&b"L"[..], &number.to_be_bytes()].concat()
}

fn companion(number: u32) -> Vec<u8> {
    [&b"Y"[..], &number.to_be_bytes()].concat()
}

/// The store holds saves up to `last`, each whole, and nothing else.
fn assert_holds(dir: &Path, last: u32) {
    let (store, repairs) = SledStore::open(dir).unwrap();
    assert_eq!(repairs, []);
    let keys = |from: &[u8], to: &[u8]| {
        let pairs = store.scan(from, to).collect::<Result<Vec<_>, _>>();
        pairs.unwrap().len()
    };
    assert_eq!(keys(b"L", b"M") as u32, last + 1);
    assert_eq!(keys(b"Y", b"Z"), 1);
    assert_eq!(keys(b"", b"\xff") as u32, last + 3);
    let count = store.get(b"Mcount").unwrap().unwrap();
    assert_eq!(count, last.to_be_bytes().as_slice());
    assert!(store.get(&own(last)).unwrap().is_some());
}

#[test]
fn a_power_cut_before_sled_wrote_anything_loses_no_save() {
    let (dir, live, store) = fresh();
    save(&store, 0);
    drop(store);
    let (store, _) = SledStore::open(&live).unwrap();
    let before = dir.path().join("before");
    sleds_files(&live, &before);
    for number in 1..=40 {
        save(&store, number);
        let cut = dir.path().join(format!("cut{number}"));
        sleds_files(&before, &cut);
        fs::copy(live.join(JOURNAL), cut.join(JOURNAL)).unwrap();
        assert_holds(&cut, number);
        // What the journal gave is in sled now, and stays.
        save(&SledStore::open(&cut).unwrap().0, number + 1);
        assert_holds(&cut, number + 1);
    }
    drop(store);
    assert_holds(&live, 40);
}

#[test]
fn what_sled_has_of_a_batch_in_part_is_made_whole() {
    let (dir, live, store) = fresh();
    save(&store, 0);
    drop(store);
    let before = dir.path().join("before");
    let (store, _) = SledStore::open(&live).unwrap();
    sleds_files(&live, &before);
    for number in 1..=3 {
        save(&store, number);
    }
    // Keys reach sled one by one, the batch's number as the last: it may stop
    // behind any of them.
    for part in 0..=8 {
        let cut = dir.path().join(format!("cut{part}"));
        sleds_files(&before, &cut);
        let journal = Journal::open(&live.join(JOURNAL)).unwrap().1;
        let all =
            journal.iter().flat_map(|kept| kept.writes.iter().map(|write| (kept.number, write)));
        let sled = try_open(&cut).unwrap();
        let mut last = None;
        for (number, (key, value)) in all.take(part) {
            match value {
                Some(value) => drop(sled.1.insert(key, value.as_slice()).unwrap()),
                None => drop(sled.1.remove(key).unwrap()),
            }
            last = last.filter(|last| *last == number).or_else(|| {
                sled.1.insert(LAST_BATCH, numbered(number - 1)).unwrap();
                Some(number)
            });
        }
        drop(sled);
        fs::copy(live.join(JOURNAL), cut.join(JOURNAL)).unwrap();
        assert_holds(&cut, 3);
    }
}

#[test]
fn what_sled_wrote_by_itself_and_the_journal_did_not_is_kept_whole() {
    let (_dir, live, store) = fresh();
    for number in 0..=5 {
        save(&store, number);
    }
    let old = fs::read(live.join(JOURNAL)).unwrap();
    for number in 6..=9 {
        save(&store, number);
    }
    drop(store);
    // sled's file has all ten, the journal six of them, which would undo four.
    fs::write(live.join(JOURNAL), old).unwrap();
    assert_holds(&live, 9);
    // A journal that is gone or cut off takes nothing along.
    fs::remove_file(live.join(JOURNAL)).unwrap();
    assert_holds(&live, 9);
    fs::write(live.join(JOURNAL), b"x").unwrap();
    assert_holds(&live, 9);
}

#[test]
fn a_full_journal_begins_again_once_sled_is_durable() {
    let (dir, live, store) = fresh();
    let saves = (JOURNAL_BYTES / 250) as u32 * 2;
    for number in 0..saves {
        save(&store, number);
    }
    let cut = dir.path().join("cut");
    sleds_files(&live, &cut);
    fs::copy(live.join(JOURNAL), cut.join(JOURNAL)).unwrap();
    assert_holds(&cut, saves - 1);
    // A batch that never fits.
    let mut batch = WriteBatch::default();
    for number in 0..1_000_u32 {
        batch.put([&b"Z"[..], &number.to_be_bytes()].concat(), vec![7; 400]);
    }
    store.apply(batch).unwrap();
    store.sync().unwrap();
    let large = dir.path().join("large");
    sleds_files(&live, &large);
    let (large, _) = SledStore::open(&large).unwrap();
    assert_eq!(large.scan(b"Z", b"[").count(), 1_000);
}

#[test]
fn a_journal_that_does_not_continue_the_store_is_left_out_and_kept() {
    let (dir, live, store) = fresh();
    for number in 0..=3 {
        save(&store, number);
    }
    drop(store);
    // Opening makes sled durable and writes a snapshot, and the journal goes on
    // behind that.
    drop(SledStore::open(&live).unwrap());
    let older = dir.path().join("older");
    sleds_files(&live, &older);
    for name in [DB, JOURNAL] {
        drop(fs::remove_file(older.join(format!("aside.{name}"))));
    }
    for number in 4..=5 {
        save(&SledStore::open(&live).unwrap().0, number);
    }
    let (store, _) = SledStore::open(&live).unwrap();
    save(&store, 6);
    fs::copy(live.join(JOURNAL), older.join(JOURNAL)).unwrap();
    let found = fs::read(older.join(JOURNAL)).unwrap();
    drop(store);
    assert!(!files::snapshots(&older).unwrap().is_empty());
    let (store, _) = SledStore::open(&older).unwrap();
    assert!(store.has_gap());
    drop(store);
    assert!(fs::read(older.join("aside.journal")).unwrap() == found, "kept as it was found");
    assert_holds(&older, 3);
    assert_holds(&live, 6);
    assert!(!SledStore::open(&live).unwrap().0.has_gap());
}

#[test]
fn a_store_that_was_closed_is_opened_without_writing_anything_again() {
    let (_dir, live, store) = fresh();
    for number in 0..=3 {
        save(&store, number);
    }
    drop(store);
    assert_eq!(Journal::open(&live.join(JOURNAL)).unwrap().1, []);
    assert_holds(&live, 3);
}

/// What happens to a store while it applies a batch.
type Accident = fn(&SledStore) -> Result<(), StoreError>;

/// A batch whose first key alone gets into sled before `accident`; then the
/// process ends in good order.
fn cut_off_by(accident: Accident) {
    let (_dir, live, store) = fresh();
    for number in 0..=3 {
        save(&store, number);
    }
    let writes = vec![
        (own(4), Some(sealed(&own(4), vec![7; 200]))),
        (b"Mcount".to_vec(), Some(sealed(b"Mcount", 4_u32.to_be_bytes().to_vec()))),
        (companion(3), None),
        (companion(4), Some(sealed(&companion(4), Vec::new()))),
    ];
    let cut_off = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut batches = store.batches();
        batches.whole_or_broken(|batches| {
            let number = batches.last + 1;
            batches.journal.append(number, &writes).unwrap();
            let (key, value) = &writes[0];
            store.tree.insert(key, value.clone().unwrap()).unwrap();
            accident(&store)
        })
    }));
    assert!(!matches!(cut_off, Ok(Ok(()))));
    let mut batch = WriteBatch::default();
    batch.put(own(5), vec![7; 200]);
    store.apply(batch).unwrap_err();
    store.batches().ahead = true;
    store.sync().unwrap_err();
    drop(store);
    assert_holds(&live, 4);
}

#[test]
fn a_batch_that_was_cut_off_half_way_is_whole_at_the_next_opening() {
    cut_off_by(|_| Err(StoreError::Damaged("a page can't be read".to_owned())));
    cut_off_by(|_| panic!("sled gave up"));
}

#[test]
fn a_disk_that_failed_once_is_not_believed_the_next_time() {
    let (dir, live, mut store) = fresh();
    save(&store, 0);
    drop(store);
    let before = dir.path().join("before");
    sleds_files(&live, &before);
    (store, _) = SledStore::open(&live).unwrap();
    save(&store, 1);
    // A device that can't be synced, and then the file again.
    let file = std::mem::replace(&mut store.log_file, File::open("/dev/null").unwrap());
    store.checkpoint(&mut store.batches()).unwrap_err();
    store.log_file = file;
    store.checkpoint(&mut store.batches()).unwrap_err();
    drop(store);
    fs::copy(live.join(JOURNAL), before.join(JOURNAL)).unwrap();
    assert_holds(&before, 1);
}

#[test]
fn a_page_that_cant_be_read_stops_a_batch_before_it_is_written() {
    let (_dir, live, store) = fresh();
    let mut batch = WriteBatch::default();
    for number in 0..4_000_u32 {
        batch.put([&b"B"[..], &number.to_be_bytes()].concat(), vec![number as u8; 500]);
    }
    store.apply(batch).unwrap();
    drop(store);
    let (store, _) = SledStore::open(&live).unwrap();
    assert_eq!(store.get(b"A").unwrap(), None);
    // What was not read yet goes bad while the store is open.
    let file = File::options().write(true).open(live.join("db")).unwrap();
    let length = file.metadata().unwrap().len();
    for at in (4_096..length).step_by(512) {
        std::os::unix::fs::FileExt::write_all_at(&file, b"RUSAK", at).unwrap();
    }
    for large in [false, true] {
        let journal = fs::read(live.join(JOURNAL)).unwrap();
        let mut batch = WriteBatch::default();
        batch.put(b"A".to_vec(), vec![7; if large { SMALL_BYTES } else { 10 }]);
        batch.put([&b"B"[..], &2_000_u32.to_be_bytes()].concat(), vec![7; 10]);
        store.apply(batch).unwrap_err();
        assert!(fs::read(live.join(JOURNAL)).unwrap() == journal, "large: {large}");
        assert!(!store.batches().broken, "large: {large}");
        assert_eq!(store.get(b"A").unwrap(), None, "large: {large}");
    }
}

#[test]
fn a_key_that_sled_lost_behind_its_own_back_comes_back() {
    let (dir, live, store) = fresh();
    for number in 0..=3 {
        save(&store, number);
    }
    let journal = fs::read(live.join(JOURNAL)).unwrap();
    drop(store);
    let cut = dir.path().join("cut");
    sleds_files(&live, &cut);
    let sled = try_open(&cut).unwrap();
    sled.1.remove(own(2)).unwrap().unwrap();
    sled.1.insert(b"Mcount", sealed(b"Mcount", 2_u32.to_be_bytes().to_vec())).unwrap();
    drop(sled);
    fs::write(cut.join(JOURNAL), &journal).unwrap();
    assert_holds(&cut, 3);

    // Where nothing is missing nothing is written.
    let [with, without] = ["with", "without"].map(|name| dir.path().join(name));
    for place in [&with, &without] {
        sleds_files(&live, place);
    }
    fs::write(with.join(JOURNAL), &journal).unwrap();
    for place in [&with, &without] {
        assert_holds(place, 3);
    }
    assert!(fs::read(with.join(DB)).unwrap() == fs::read(without.join(DB)).unwrap());
}

#[test]
fn the_first_batch_of_all_is_in_sled_at_once() {
    let (dir, live, store) = fresh();
    save(&store, 0);
    let cut = dir.path().join("cut");
    sleds_files(&live, &cut);
    assert_holds(&cut, 0);
    drop(store);
}

#[test]
fn pages_in_files_of_their_own_are_synced_too() {
    let (_dir, live, store) = fresh();
    for round in 0..12_u8 {
        let mut batch = WriteBatch::default();
        for number in 0..8 {
            batch.put(vec![b'L', number], vec![round; 64 * 1024]);
        }
        store.apply(batch).unwrap();
    }
    store.sync().unwrap();
    let blobs = || {
        let items = fs::read_dir(live.join("blobs")).unwrap();
        items.map(|item| item.unwrap().file_name()).collect::<HashSet<_>>()
    };
    // sled removes some by itself meanwhile.
    let there = blobs();
    assert!(!there.is_empty(), "sled made no such file");
    let batches = store.batches();
    assert!(there.is_subset(&batches.synced_blobs), "{there:?} {:?}", batches.synced_blobs);
}

/// Whether a file's first bytes are in the system's cache; `None` where the
/// file system has nothing else.
fn is_cached(path: &Path) -> Option<bool> {
    let file = File::open(path).unwrap();
    let mut bytes = [0; 16];
    match preadv2(&file, &mut [IoSliceMut::new(&mut bytes)], 0, ReadWriteFlags::NOWAIT) {
        Ok(_) => Some(true),
        Err(Errno::AGAIN) => Some(false),
        Err(_) => None,
    }
}

#[test]
fn what_a_failed_write_left_in_the_cache_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DB);
    fs::write(&path, vec![7; 1024 * 1024]).unwrap();
    let tmpfs = rustix::fs::statfs(dir.path()).unwrap().f_type == 0x0102_1994;
    if tmpfs || is_cached(&path) != Some(true) {
        println!("skipped: this file system is nothing but cache, or does not say");
        return;
    }
    files::read_from_disk(dir.path()).unwrap();
    assert_eq!(is_cached(&path), Some(false));
}

#[test]
fn a_store_without_a_snapshot_is_copied_before_sled_opens_it() {
    let (_dir, live, store) = fresh();
    for number in 0..=3 {
        save(&store, number);
    }
    drop(store);
    for path in files::snapshots(&live).unwrap() {
        fs::remove_file(path).unwrap();
    }
    let found = fs::read(live.join(DB)).unwrap();
    drop(SledStore::open_own(&live).unwrap());
    assert!(!live.join("aside.db").exists(), "nobody asked for it");
    for path in files::snapshots(&live).unwrap() {
        fs::remove_file(path).unwrap();
    }
    let file = File::options().write(true).open(live.join(DB)).unwrap();
    file.set_len(found.len() as u64 / 2).unwrap();
    let found = fs::read(live.join(DB)).unwrap();
    drop(SledStore::open(&live));
    assert!(fs::read(live.join("aside.db")).unwrap() == found);
    // The copy of the first attempt stays, for good if something is lost.
    drop(SledStore::open(&live));
    SledStore::keep_for_good(&live);
    assert!(fs::read(live.join("aside.1.db")).unwrap() == found);
    SledStore::forget_kept(&live);
    assert!(live.join("aside.1.db").exists() && !live.join("aside.db").exists());
}
