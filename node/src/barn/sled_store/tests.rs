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
        batch.remove([&b"Y"[..], &before.to_be_bytes()].concat());
    }
    batch.put([&b"Y"[..], &number.to_be_bytes()].concat(), Vec::new());
    store.apply(batch).unwrap();
    store.sync().unwrap();
}

fn own(number: u32) -> Vec<u8> {
    [&b"L"[..], &number.to_be_bytes()].concat()
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
fn a_journal_that_does_not_continue_the_store_is_left_out() {
    let (dir, live, store) = fresh();
    for number in 0..=3 {
        save(&store, number);
    }
    drop(store);
    let older = dir.path().join("older");
    sleds_files(&live, &older);
    // Opening makes sled durable, and the journal goes on behind that.
    for number in 4..=5 {
        save(&SledStore::open(&live).unwrap().0, number);
    }
    let (store, _) = SledStore::open(&live).unwrap();
    save(&store, 6);
    fs::copy(live.join(JOURNAL), older.join(JOURNAL)).unwrap();
    drop(store);
    assert_holds(&older, 3);
    assert_holds(&live, 6);
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
