//! Backups of a real village on a real disk.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use lumbung_domain::id::Kind;
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::VillageCode;
use lumbung_ledger::{Epoch, Seq, Source};
use lumbung_media::{Keys, Passphrase, SecretKey};

use super::*;
use crate::barn::Head;
use crate::config::BackupSettings;
use crate::village::{Village, Wish};

fn code() -> VillageCode {
    VillageCode::from_u64(3_505_012_001).unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::new("padi di lumbung desa").unwrap()
}

fn dusun(nama: String) -> Record {
    Record::Dusun(Dusun { nama, ..Dusun::default() })
}

/// A village's folder with a village in it.
struct Place {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        Village::create(dir.path(), code()).unwrap().close();
        Self { dir, runtime }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn open(&self) -> Village {
        Village::open(self.path(), code()).unwrap()
    }

    /// Saves `count` new records, and changes the first of them once more.
    fn fill(&self, village: &Village, count: usize) -> Head {
        let wish = |id, nama| Wish { id, kind: Kind::Dusun, record: Some(dusun(nama)), seen: None };
        let mut first = None;
        for number in 0..count {
            let save = village.save("uji", Source::MANUAL, vec![wish(None, format!("D{number}"))]);
            let saved = self.runtime.block_on(save).unwrap();
            first.get_or_insert(saved.ids[0]);
        }
        let save = village.save("uji", Source::MANUAL, vec![wish(first, "lain".to_owned())]);
        self.runtime.block_on(save).unwrap();
        village.barn().head()
    }

    fn back_up(&self, village: &Village, name: &str) -> PathBuf {
        let out = self.path().join(name);
        let proven = write(village, self.path(), &out, Some(passphrase())).unwrap();
        assert_eq!(proven.head, village.barn().head());
        proven.path
    }

    fn restore(&self, file: &Path) -> Result<Restored, BackupError> {
        restore(self.path(), code(), file, Keys::Passphrase(&passphrase()), Signers::OwnMachine)
    }
}

#[test]
fn an_unprotected_backup_is_refused() {
    let place = Place::new();
    let village = place.open();
    let out = place.path().join("cadangan.lumbung");
    let refused = write(&village, place.path(), &out, None);
    assert!(matches!(refused, Err(BackupError::Unprotected)));
    let district = SecretKey::generate();
    fs::write(place.path().join("district.age"), format!("{}\n", district.public())).unwrap();
    write(&village, place.path(), &out, None).unwrap();
    let again = write(&village, place.path(), &out, None);
    assert!(matches!(again, Err(BackupError::Exists)), "never overwritten");
    village.close();
    assert!(matches!(place.restore(&out), Err(BackupError::Media(MediaError::NoPassphrase))));
    restore(place.path(), code(), &out, Keys::Secret(&district), Signers::OwnMachine).unwrap();
}

#[test]
fn an_older_backup_opens_a_new_epoch_and_keeps_the_old_store_aside() {
    let place = Place::new();
    let village = place.open();
    let head = place.fill(&village, 40);
    let file = place.back_up(&village, "satu.lumbung");
    place.fill(&village, 5);
    let refused = place.restore(&file);
    assert!(matches!(refused, Err(BackupError::Running)), "the store is locked");
    village.close();

    let witness = fs::read(place.path().join("witness")).unwrap();
    let restored = place.restore(&file).unwrap();
    assert_eq!((restored.head, restored.witnessed), (head, Some(Seq(47))));
    assert_eq!(fs::read(place.path().join("witness")).unwrap(), witness, "left alone");
    assert!(place.path().join("store.lama.1").exists());

    let village = place.open();
    let now = village.barn().head();
    assert_eq!((now.position.seq, now.fingerprint), (head.position.seq, head.fingerprint));
    assert_eq!(now.position.epoch, Epoch(2), "numbers after it were used before");
    assert_eq!(village.barn().verify().unwrap().faults, []);
    let after = place.fill(&village, 3);
    assert_eq!(after.position.seq, Seq(head.position.seq.0 + 4));

    // A backup of a restored village keeps its epochs.
    let file = place.back_up(&village, "dua.lumbung");
    let epochs = village.barn().epochs().unwrap();
    village.close();
    let restored = place.restore(&file).unwrap();
    assert_eq!(restored.head, after);
    let village = place.open();
    assert_eq!(village.barn().epochs().unwrap(), epochs);
    assert_eq!(village.barn().head(), after, "nothing was lost: no new epoch");
}

#[test]
fn without_a_witness_the_restored_log_goes_on_in_a_new_epoch() {
    let place = Place::new();
    let village = place.open();
    let head = place.fill(&village, 10);
    let file = place.back_up(&village, "satu.lumbung");
    let log_id = village.barn().head().position.log_id;
    village.close();

    // Another machine, prepared for the same village.
    let other = Place::new();
    let restored = other.restore(&file).unwrap();
    assert_eq!((restored.witnessed, restored.head.position.epoch), (None, Epoch(2)));
    let village = other.open();
    let now = village.barn().head();
    assert_eq!((now.position.log_id, now.position.seq), (log_id, head.position.seq));
    assert_eq!((now.fingerprint, now.records), (head.fingerprint, head.records));
    assert_eq!(village.barn().verify().unwrap().faults, []);
}

#[test]
fn a_refused_backup_leaves_everything_as_it_was() {
    let place = Place::new();
    let village = place.open();
    let head = place.fill(&village, 10);
    let file = place.back_up(&village, "satu.lumbung");
    village.close();
    let other = VillageCode::from_u64(3_505_012_002).unwrap();
    let refused =
        restore(place.path(), other, &file, Keys::Passphrase(&passphrase()), Signers::OwnMachine);
    assert!(matches!(refused, Err(BackupError::OtherVillage(village)) if village == code()));

    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() - 100;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    assert!(matches!(place.restore(&file), Err(BackupError::Media(_))));
    settle(place.path()).unwrap();
    let village = place.open();
    assert_eq!(village.barn().head(), head);
}

#[test]
fn a_backup_is_made_while_people_save() {
    let place = Place::new();
    let village = place.open();
    place.fill(&village, 20);
    let (busy, dir) = (village.clone(), place.path().to_path_buf());
    let backing_up = std::thread::spawn(move || {
        let out = |number: u32| dir.join(format!("cadangan-{number}.lumbung"));
        (0..5)
            .map(|number| write(&busy, &dir, &out(number), Some(passphrase())).unwrap())
            .collect::<Vec<_>>()
    });
    while !backing_up.is_finished() {
        place.fill(&village, 3);
    }
    let proven = backing_up.join().unwrap();
    village.close();
    for made in proven {
        let other = Place::new();
        let restored = other.restore(&made.path).unwrap();
        assert_eq!(restored.head.position.seq, made.head.position.seq);
        assert_eq!(restored.head.fingerprint, made.head.fingerprint);
    }
}

#[test]
fn a_backup_of_another_machine_is_put_back_only_when_a_person_says_so() {
    let place = Place::new();
    let village = place.open();
    let own = place.path().join("identity/key.pem");
    let head = place.fill(&village, 3);
    let sound = place.back_up(&village, "sendiri");
    // Whoever knows the passphrase can write such a file, but has another key.
    let kept = fs::read(&own).unwrap();
    fs::remove_file(&own).unwrap();
    let forged = place.back_up(&village, "palsu");
    fs::write(&own, kept).unwrap();
    village.close();

    assert!(matches!(place.restore(&forged), Err(BackupError::Stranger)));
    assert!(!place.path().join("store.pulih").exists());
    let restored = place.restore(&sound).unwrap();
    assert_eq!((restored.head, restored.vouched), (head, Vouched::OwnMachine));
    let phrase = passphrase();
    let keys = Keys::Passphrase(&phrase);
    let told = restore(place.path(), code(), &forged, keys, Signers::AnyMachine).unwrap();
    assert_eq!(told.vouched, Vouched::OtherMachine);
    // A machine without a key has nothing to compare with.
    fs::remove_file(&own).unwrap();
    assert_eq!(place.restore(&forged).unwrap().vouched, Vouched::Unknown);
}

#[test]
fn a_running_node_keeps_the_newest_backups_and_forgets_what_it_replaced() {
    let place = Place::new();
    let village = place.open();
    place.fill(&village, 5);
    let safe = Arc::new(AtomicBool::new(false));
    let nightly = |village: &Village| {
        let known = Arc::clone(&safe);
        let all_safe = Arc::new(move || known.load(Ordering::Relaxed));
        let dir = place.path().to_path_buf();
        Nightly::new(village.clone(), dir, BackupSettings { keep: 2 }, all_safe).look();
    };
    let shelf = Shelf::of(place.path());
    nightly(&village);
    assert!(shelf.list().unwrap().is_empty(), "nobody could open it");

    let district = SecretKey::generate();
    fs::write(place.path().join("district.age"), district.public().to_string()).unwrap();
    let mut kept = Vec::new();
    for _ in 0..3 {
        nightly(&village);
        let newest = shelf.list().unwrap().remove(0);
        assert_eq!(newest.at.1, village.barn().head().position.seq);
        // As if made the day before yesterday.
        let then = SystemTime::now() - Duration::from_secs(48 * 3600 - kept.len() as u64);
        File::options().write(true).open(&newest.path).unwrap().set_modified(then).unwrap();
        nightly(&village);
        assert_eq!(shelf.list().unwrap()[0].at, newest.at, "nothing new to back up");
        kept.push(newest.path);
        place.fill(&village, 1);
    }
    assert!(!kept[0].exists() && kept[1].exists() && kept[2].exists());
    village.close();

    restore(place.path(), code(), &kept[2], Keys::Secret(&district), Signers::OwnMachine).unwrap();
    let aside = place.path().join("store.lama.1");
    let village = place.open();
    nightly(&village);
    assert!(aside.exists(), "the district has not confirmed everything");
    safe.store(true, Ordering::Relaxed);
    nightly(&village);
    assert!(!aside.exists());
}

#[test]
fn a_store_that_cant_be_read_is_never_forgotten() {
    let place = Place::new();
    let village = place.open();
    place.fill(&village, 5);
    let file = place.back_up(&village, "satu.lumbung");
    village.close();
    // The system refuses to read it: to us it is no damage, and no soundness.
    let db = place.path().join("store/db");
    fs::rename(&db, place.path().join("store/db.asli")).unwrap();
    fs::create_dir(&db).unwrap();
    place.restore(&file).unwrap();
    assert!(!forget_old_stores(place.path()).unwrap());
    let aside = damaged_stores(place.path()).unwrap();
    assert_eq!(aside.len(), 1);
    assert!(aside[0].join("db.asli").exists());
}
