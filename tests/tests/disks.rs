//! Real disks that fail: a village's files damaged in every way, and a file
//! system that is full or read-only. The node opens with everything, or says
//! what is lost, or refuses in words; it never dies of it and never shows
//! wrong records.
//!
//! `LUMBUNG_DAMAGE_SEED` repeats a run.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use lumbung_domain::id::{Kind, RecordId};
use lumbung_domain::record::{Dusun, Record};
use lumbung_domain::region::{VillageCode, roster};
use lumbung_ledger::Source;
use lumbung_node::barn::{Condition, OpenBarnError, SubmitError};
use lumbung_node::village::{SaveError, Village, Wish};
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fold::{self, Folded};
use lumbung_tests::sim::book::Book;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// A damaged store may take this long to be opened or refused.
const WITHIN: Duration = Duration::from_secs(60);

const BINARY: &str = env!("CARGO_BIN_EXE_lumbung-process");

/// Random damages of each sort.
const DAMAGES: usize = 12;

fn code() -> VillageCode {
    roster().villages()[0].code
}

/// Runs a command of the node on `dir`.
fn node(dir: &Path, args: &[&str]) -> anyhow::Result<Output> {
    let begun = Instant::now();
    loop {
        let output = run(dir, args)?;
        // sled lets go of its lock a moment after it was closed.
        let busy = String::from_utf8_lossy(&output.stderr).contains("sedang dibuka");
        if !busy || begun.elapsed() > WITHIN {
            return Ok(output);
        }
    }
}

/// Opens a village that was open in this process a moment ago.
fn reopen(dir: &Path) -> anyhow::Result<Village> {
    let begun = Instant::now();
    loop {
        match Village::open(dir, code()) {
            Err(OpenBarnError::Busy) if begun.elapsed() < WITHIN => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return Ok(opened?),
        }
    }
}

fn run(dir: &Path, args: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lumbung-process"));
    command.arg("node").arg("--data").arg(dir).args(args);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > WITHIN {
            child.kill()?;
            bail!("the node neither opens its barn nor refuses");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(child.wait_with_output()?)
}

fn wishes(save: u64, padding: usize) -> Vec<Wish> {
    let wish = |at: u64| {
        let sk_pembentukan = "7".repeat(padding);
        let dusun =
            Dusun { nama: format!("DUSUN {save}-{at}"), sk_pembentukan, ..Dusun::default() };
        let id = RecordId::from_parts(1_790_000_000_000, 0, (save * 7 + at) % 211);
        let record = (save % 9 != at).then_some(Record::Dusun(dusun));
        Wish { id: Some(id), kind: Kind::Dusun, record, seen: None }
    };
    (0..5).map(wish).collect()
}

fn contents(wishes: &[Wish]) -> Vec<(RecordId, Option<bytes::Bytes>)> {
    let encode = |record: &Record| lumbung_wire::record::encode(record);
    wishes.iter().map(|wish| (wish.id.unwrap(), wish.record.as_ref().map(encode))).collect()
}

/// A village of some size in `dir`, closed.
async fn settled(dir: &Path) -> anyhow::Result<Folded> {
    let village = lumbung_node::cli::create(dir, code())?;
    for save in 0..400 {
        village.save("kader", Source::MANUAL, wishes(save, 20)).await?;
    }
    village.close();
    // sled writes a snapshot when it opens what has grown.
    let village = reopen(dir)?;
    let folded = fold::fold_barn(village.barn());
    village.close();
    // Once more, so that the files may be copied now.
    reopen(dir)?.close();
    folded
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy(&item.path(), &target)?;
        } else {
            fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}

fn snapshots(dir: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(dir.join("store")).unwrap().map(|item| item.unwrap().path());
    items.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("snap.")).collect()
}

fn snapshot(dir: &Path) -> (fs::File, u64) {
    let file = fs::File::options().write(true).open(&snapshots(dir)[0]).unwrap();
    let length = file.metadata().unwrap().len();
    (file, length)
}

/// What a damage came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Everything is there.
    Whole,
    /// The end is missing; the node says so and has opened a new epoch.
    Shortened,
    /// The node opens, and `verify` says that it can't be read or is broken.
    Told,
    /// The node refuses to open.
    Refused,
}

/// Opens a damaged village in a process of its own and judges what it does.
fn judge(dir: &Path, truth: &Folded) -> anyhow::Result<End> {
    let verified = node(dir, &["verify"])?;
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    let complained = String::from_utf8_lossy(&verified.stderr).into_owned();
    match verified.status.code() {
        Some(0) => {}
        Some(3) => {
            ensure!(said.contains("TIDAK utuh"), "{said}");
            return Ok(End::Told);
        }
        Some(1) => {
            let last = complained.lines().last().unwrap_or_default();
            if last.starts_with("Berkas data desa ini rusak di satu tempat") {
                return Ok(End::Told);
            }
            let words = ["Berkas data desa ini rusak", "Data desa ini tidak bisa dibuka"];
            ensure!(words.iter().any(|words| last.starts_with(words)), "{complained}");
            return Ok(End::Refused);
        }
        code => bail!("the node died ({code:?}): {complained}"),
    }
    let folded = fold::fold_barn(reopen(dir)?.barn())?;
    if folded.position.seq == truth.position.seq {
        ensure!(folded.records == truth.records, "wrong records");
        ensure!(folded.position.chain == truth.position.chain, "another chain");
        return Ok(End::Whole);
    }
    ensure!(folded.position.seq < truth.position.seq, "entries from nowhere");
    ensure!(folded.position.epoch > truth.position.epoch, "a lost tail in the same epoch");
    Ok(End::Shortened)
}

/// A damage, and what it is.
type Case = (&'static str, fn(&Path));

fn damage(dir: &Path, dice: &mut ChaCha8Rng, sort: usize) -> anyhow::Result<String> {
    let file = fs::File::options().write(true).open(dir.join("store/db"))?;
    let length = file.metadata()?.len();
    let at = dice.random_range(0..length);
    let bytes: usize = 1 << dice.random_range(0..16);
    let what = match sort {
        0 => {
            let noise: Vec<u8> = (0..bytes).map(|_| dice.random()).collect();
            file.write_all_at(&noise, at)?;
            format!("{bytes} random bytes at {at}")
        }
        1 => {
            file.write_all_at(&vec![0; bytes], at)?;
            format!("{bytes} zeros at {at}")
        }
        _ => {
            file.set_len(at)?;
            format!("cut off at {at}")
        }
    };
    if dice.random() {
        snapshots(dir).into_iter().try_for_each(fs::remove_file)?;
        return Ok(what + ", without snapshot");
    }
    Ok(what)
}

/// Without a snapshot sled cuts off what it can't read: the file as it was
/// found lies beside it if anything is missing.
fn check_copy(dir: &Path, end: End, found: &[u8]) -> anyhow::Result<()> {
    let kept = |name: &str| fs::read(dir.join("store").join(name)).ok();
    let copy = match end {
        End::Refused => kept("aside.db"),
        End::Shortened => kept("aside.1.db"),
        End::Whole | End::Told => {
            ensure!(kept("aside.db").is_none(), "a copy that nobody needs was left");
            return Ok(());
        }
    };
    ensure!(copy.is_some_and(|copy| copy == found), "{end:?} without the file as it was found");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_database_bytes_are_never_shown_as_right_ones() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sound = folder.path().join("sound");
    let truth = settled(&sound).await?;
    let clock = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    let given = |variable| std::env::var(variable).ok()?.parse().ok();
    let seed: u64 = given("LUMBUNG_DAMAGE_SEED").unwrap_or(clock);
    println!("LUMBUNG_DAMAGE_SEED={seed}");
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut ends = Vec::new();
    for number in 0..3 * DAMAGES {
        let dir = folder.path().join(format!("damaged-{number}"));
        copy(&sound, &dir)?;
        let what = damage(&dir, &mut dice, number % 3)?;
        let found = snapshots(&dir).is_empty().then(|| fs::read(dir.join("store/db")));
        let end = judge(&dir, &truth).with_context(|| format!("seed {seed}: {what}"))?;
        if let Some(found) = found.transpose()? {
            check_copy(&dir, end, &found).with_context(|| format!("seed {seed}: {what}"))?;
        }
        println!("{what}: {end:?}");
        ends.push(end);
        fs::remove_dir_all(&dir)?;
    }
    assert!(ends.iter().any(|end| *end != End::Whole), "no damage mattered");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_beside_the_database_cost_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sound = folder.path().join("sound");
    let truth = settled(&sound).await?;
    assert!(!snapshots(&sound).is_empty(), "sled wrote no snapshot");
    let cases: [Case; 10] = [
        ("snapshot emptied", |dir| fs::write(&snapshots(dir)[0], b"").unwrap()),
        ("snapshot cut off", |dir| {
            let (file, length) = snapshot(dir);
            file.set_len(length / 2).unwrap();
        }),
        ("snapshot damaged", |dir| {
            let (file, length) = snapshot(dir);
            file.write_all_at(b"RUSAK", length / 3).unwrap();
        }),
        ("snapshot missing", |dir| fs::remove_file(&snapshots(dir)[0]).unwrap()),
        ("snapshot half written", |dir| {
            fs::write(dir.join("store/snap.00FFFFFFFFFFFFFF.generating"), b"half").unwrap();
        }),
        ("journal damaged", |dir| fs::write(dir.join("store/journal"), b"RUSAK").unwrap()),
        ("journal cut off", |dir| {
            let file = fs::File::options().write(true).open(dir.join("store/journal")).unwrap();
            file.set_len(100).unwrap();
        }),
        ("journal missing", |dir| fs::remove_file(dir.join("store/journal")).unwrap()),
        ("witness damaged", |dir| fs::write(dir.join("witness"), b"RUSAK").unwrap()),
        ("witness missing", |dir| fs::remove_file(dir.join("witness")).unwrap()),
    ];
    for (number, (what, damage)) in cases.into_iter().enumerate() {
        let dir = folder.path().join(format!("damaged-{number}"));
        copy(&sound, &dir)?;
        damage(&dir);
        assert_eq!(judge(&dir, &truth).context(what)?, End::Whole, "{what}");
    }
    Ok(())
}

/// sled writes when it likes. Power that goes before it wrote anything since
/// its last checkpoint leaves its files as they were then, and the journal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_the_journal_has_is_there_after_a_power_cut() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let live = folder.path().join("live");
    settled(&live).await?;
    let village = reopen(&live)?;
    let checkpoint = folder.path().join("checkpoint");
    copy(&live, &checkpoint)?;
    for round in 1..=6 {
        for save in 0..7 {
            village.save("kader", Source::MANUAL, wishes(1_000 + round * 31 + save, 20)).await?;
        }
        let truth = fold::fold_barn(village.barn())?;
        let cut = folder.path().join(format!("cut-{round}"));
        copy(&checkpoint, &cut)?;
        for file in ["store/journal", "witness"] {
            fs::copy(live.join(file), cut.join(file))?;
        }
        assert_eq!(judge(&cut, &truth)?, End::Whole, "round {round}");
        // Without the journal the same files lack the end, so it was needed.
        let lost = folder.path().join(format!("lost-{round}"));
        copy(&checkpoint, &lost)?;
        fs::copy(live.join("witness"), lost.join("witness"))?;
        assert_eq!(judge(&lost, &truth)?, End::Shortened, "round {round}");
    }
    village.close();
    Ok(())
}

/// What `status` says, in a process of its own.
fn status(dir: &Path, more: &[&str]) -> anyhow::Result<String> {
    let told = node(dir, &[&["status"], more].concat())?;
    ensure!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    Ok(String::from_utf8(told.stdout)?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_lost_is_told_until_it_was_entered_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("desa");
    settled(&dir).await?;
    let older = folder.path().join("older");
    copy(&dir.join("store"), &older)?;
    let village = reopen(&dir)?;
    let kept = village.barn().head().position.seq;
    village.save("kader", Source::MANUAL, wishes(2_000, 20)).await?;
    let witnessed = village.barn().head().position.seq;
    village.close();
    assert!(!status(&dir, &[])?.contains("kehilangan"));
    // The disk forgets a write that it had said was done.
    fs::remove_dir_all(dir.join("store"))?;
    copy(&older, &dir.join("store"))?;
    let lost = format!("Disk kehilangan catatan nomor {} sampai {witnessed}.", kept.next());
    for start in 1..=3 {
        let said = status(&dir, &[])?;
        assert_eq!(said.matches(&lost).count(), 1, "start {start}: {said}");
        assert!(said.contains("--sudah-diisi"), "{said}");
    }
    assert!(status(&dir, &["--sudah-diisi"])?.contains("Tercatat"));
    assert!(!status(&dir, &[])?.contains("kehilangan"));
    assert!(status(&dir, &["--entered-again"])?.contains("Tidak ada catatan hilang"));
    Ok(())
}

/// A small file system of its own; gone with its owner.
struct Disk {
    folder: TempDir,
}

/// A file system on a file of its own; gone with its owner. Errors make it
/// read-only, as they do where a system is installed.
struct Ext4 {
    folder: TempDir,
}

impl Ext4 {
    /// `None` where this user can't mount, or there is no ext4.
    fn mount(megabytes: u32) -> anyhow::Result<Option<Self>> {
        let disk = Self { folder: tempfile::tempdir()? };
        fs::create_dir(disk.dir())?;
        let image = fs::File::create(disk.image())?;
        image.set_len(u64::from(megabytes) << 20)?;
        let made = quietly(Command::new("mkfs.ext4").args(["-q", "-m", "0"]).arg(disk.image()));
        if made && disk.mount_image() {
            return Ok(Some(disk));
        }
        println!("skipped: this user can't make and mount a file system");
        Ok(None)
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount_image(&self) -> bool {
        let options = ["-o", "loop,errors=remount-ro"];
        quietly(Command::new("mount").args(options).arg(self.image()).arg(self.dir()))
    }

    fn remount(&self, how: &str) -> anyhow::Result<()> {
        let options = format!("remount,{how}");
        let done = quietly(Command::new("mount").args(["-o", &options]).arg(self.dir()));
        ensure!(done, "can't remount with {options}");
        Ok(())
    }

    /// Fills it to the last block with somebody else's file.
    fn fill(&self) -> anyhow::Result<PathBuf> {
        let ballast = self.dir().join("lain.bin");
        let mut file = fs::File::options().create(true).append(true).open(&ballast)?;
        for bytes in [1 << 20, 4096, 1] {
            while std::io::Write::write_all(&mut file, &vec![7; bytes]).is_ok() {}
        }
        drop(file.sync_all());
        Ok(ballast)
    }

    /// The kernel finds an error in it: from now on it is read-only. `false`
    /// where it can't be told so.
    fn fail(&self) -> anyhow::Result<bool> {
        let said = Command::new("findmnt").args(["-no", "SOURCE"]).arg(self.dir()).output()?;
        let device = String::from_utf8(said.stdout)?;
        let device = device.trim().rsplit('/').next().unwrap_or_default();
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        let told = fs::write(&trigger, "uji").is_ok();
        if !told {
            println!("skipped: this kernel takes no errors at {trigger}");
        }
        Ok(told)
    }

    /// Repairs what was found, on another disk that takes its place.
    fn replace(&self) -> anyhow::Result<()> {
        let repaired = self.folder.path().join("repaired");
        fs::copy(self.image(), &repaired)?;
        ensure!(quietly(Command::new("umount").arg("-l").arg(self.dir())), "still mounted");
        fs::rename(&repaired, self.image())?;
        // It says by its code that there was something to repair.
        quietly(Command::new("e2fsck").args(["-f", "-y"]).arg(self.image()));
        ensure!(self.mount_image(), "the repaired file system can't be mounted");
        Ok(())
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        // Lazily, in case a failed test left a file open.
        quietly(Command::new("umount").arg("-l").arg(self.dir()));
    }
}

/// Whether a command did what it should.
fn quietly(command: &mut Command) -> bool {
    let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

impl Disk {
    /// `None` where this user can't mount.
    fn mount(megabytes: u32) -> anyhow::Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Ok(Some(Self { folder }));
        }
        println!("skipped: this user can't mount a file system");
        Ok(None)
    }

    fn remount(&self, options: &str) -> anyhow::Result<()> {
        let options = format!("remount,{options}");
        let status =
            Command::new("mount").args(["-o", &options]).arg(self.folder.path()).status()?;
        ensure!(status.success(), "can't remount with {options}");
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, in case a failed test left a file open.
        drop(Command::new("umount").arg("-l").arg(self.folder.path()).status());
    }
}

/// Bytes that are free where `path` lies.
fn free_bytes(path: &Path) -> anyhow::Result<u64> {
    let said = Command::new("df").args(["--output=avail", "-B1"]).arg(path).output()?;
    let said = String::from_utf8(said.stdout)?;
    Ok(said.lines().nth(1).context("df says nothing")?.trim().parse()?)
}

/// Saves until the disk is full; says how many saves were acknowledged.
async fn fill(village: &Village, book: &mut Book) -> anyhow::Result<u64> {
    fill_from(village, book, 0).await
}

async fn fill_from(village: &Village, book: &mut Book, first: u64) -> anyhow::Result<u64> {
    for save in 0.. {
        let wishes = wishes(first + save, 30);
        let contents = contents(&wishes);
        book.sent(&contents);
        match village.save("kader", Source::MANUAL, wishes).await {
            Ok(saved) => book.acknowledged(&contents, saved.receipt)?,
            Err(SaveError::Barn(_)) => return Ok(save),
            Err(error) => return Err(error.into()),
        }
    }
    bail!("the disk is never full")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_goes_on_with_room() -> anyhow::Result<()> {
    let Some(disk) = Disk::mount(6)? else { return Ok(()) };
    let dir = disk.folder.path().join("desa");
    let village = lumbung_node::cli::create(&dir, code())?;
    let mut book = Book::default();
    let saves = fill(&village, &mut book).await?;
    assert!(saves > 100, "{saves} saves hardly filled a disk");
    // Reading goes on.
    book.check(village.barn(), &fold::fold_barn(village.barn())?)?;
    village.close();

    let refused = node(&dir, &["status"])?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    if !refused.status.success() {
        let last = said.lines().last().unwrap_or_default();
        assert!(last.starts_with("Disk penuh"), "{said}");
    }

    disk.remount("size=64m")?;
    let verified = node(&dir, &["verify"])?;
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let village = reopen(&dir)?;
    book.check(village.barn(), &fold::fold_barn(village.barn())?)?;
    village.save("kader", Source::MANUAL, wishes(900_000, 30)).await?;
    village.close();
    Ok(())
}

/// Room is made while the node runs: it goes on by itself, with everything
/// that was acknowledged, over and over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_with_room_again_takes_saves_without_a_restart() -> anyhow::Result<()> {
    let Some(disk) = Disk::mount(64)? else { return Ok(()) };
    let dir = disk.folder.path().join("desa");
    let ballast = disk.folder.path().join("lain.bin");
    let village = lumbung_node::cli::create(&dir, code())?;
    let mut book = Book::default();
    for round in 0..4 {
        // Somebody else's files fill the disk at different moments.
        let left = (1 << 20) + round * 300 * 1024;
        let free = free_bytes(disk.folder.path())?;
        fs::write(&ballast, vec![7; free.saturating_sub(left) as usize])?;
        let saves = fill_from(&village, &mut book, round * 100_000).await?;
        println!("round {round}: {saves} saves until the disk was full");
        let condition = *village.barn().condition().borrow();
        ensure!(matches!(condition, Condition::Full { .. }), "{condition:?}");
        let later = village.save("kader", Source::MANUAL, wishes(1, 30)).await;
        let certain = SaveError::Barn(SubmitError::Full { certain: true });
        ensure!(later.is_err_and(|error| format!("{error:?}") == format!("{certain:?}")));
        // Reading goes on, all of it.
        book.check(village.barn(), &fold::fold_barn(village.barn())?)?;
        ensure!(village.barn().verify()?.faults.is_empty());
        fs::remove_file(&ballast)?;
        let mut condition = village.barn().condition();
        let sound = condition.wait_for(|now| matches!(now, Condition::HadNoRoom { .. }));
        tokio::time::timeout(WITHIN, sound).await??;
        book.check(village.barn(), &fold::fold_barn(village.barn())?)?;
        for save in 0..30 {
            let wishes = wishes(round * 100_000 + 50_000 + save, 30);
            let contents = contents(&wishes);
            book.sent(&contents);
            let saved = village.save("kader", Source::MANUAL, wishes).await?;
            book.acknowledged(&contents, saved.receipt)?;
        }
        ensure!(village.barn().verify()?.faults.is_empty());
    }
    book.check(village.barn(), &fold::fold_barn(village.barn())?)?;
    let head = village.barn().head();
    village.close();
    let village = reopen(&dir)?;
    ensure!(village.barn().head() == head, "another head after a restart");
    book.check(village.barn(), &fold::fold_barn(village.barn())?)?;
    village.close();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_disk_is_read_or_refused_in_words_and_left_alone() -> anyhow::Result<()> {
    let Some(disk) = Disk::mount(32)? else { return Ok(()) };
    let dir = disk.folder.path().join("desa");
    let truth = settled(&dir).await?;
    disk.remount("ro")?;
    let village = reopen(&dir)?;
    ensure!(fold::fold_barn(village.barn())?.records == truth.records, "other records");
    let refused = village.save("kader", Source::MANUAL, wishes(900_000, 30)).await;
    let certain = SaveError::Barn(SubmitError::ReadOnly { certain: true });
    ensure!(refused.is_err_and(|error| format!("{error:?}") == format!("{certain:?}")));
    village.close();
    // On a computer with little memory.
    let little = "mount -t tmpfs -o size=1m tmpfs /dev/shm && exec \"$0\" \"$@\"";
    let refused = Command::new("unshare")
        .args(["--mount", "sh", "-c", little, BINARY, "node", "--data"])
        .arg(&dir)
        .arg("status")
        .output()?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    let last = said.lines().last().unwrap_or_default();
    let words = "Disk komputer ini hanya bisa dibaca, dan memorinya tidak cukup";
    assert!(last.starts_with(words) && last.contains("aman dan tidak diubah"), "{said}");
    disk.remount("rw")?;
    assert_eq!(judge(&dir, &truth)?, End::Whole);
    Ok(())
}

/// Where the files of a village on a disk of its own are.
const NAMED: &str = "desa";

/// A district whose only node has its folder on `disk`, with something that
/// the hub has and something that it has not. The hub is stopped.
async fn on_disk(disk: &Ext4) -> anyhow::Result<District> {
    let mut district = District::joined(BINARY, 0, None).await?;
    let mut node = district.node(BINARY, code())?;
    fs::create_dir(disk.dir().join(NAMED))?;
    std::os::unix::fs::symlink(disk.dir().join(NAMED), node.dir())?;
    let token = district.hub.token(code(), district.hub.uplink, false)?;
    node.join(&token, district.hub.uplink).await?;
    node.start().await?;
    node.save_dusun("TERKIRIM").await?;
    district.nodes.push(node);
    district.wait_proven(WITHIN).await?;
    district.hub.stop().await?;
    for save in 0..200 {
        district.nodes[0].save_dusun(&format!("BELUM {save}")).await?;
    }
    Ok(district)
}

/// Everything is read, commands say what is wrong, the hub gets what it has
/// not, and nothing is saved.
async fn is_read_only(district: &mut District, words: &str) -> anyhow::Result<()> {
    let refused = district.nodes[0].save_dusun("DITOLAK").await;
    let refused = format!("{:#}", refused.expect_err("saved on such a disk"));
    assert!(refused.contains(words), "{refused}");
    let said = district.nodes[0].run(&["status"]).await?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains(&format!("{words} sejak")), "{said}");
    let listed = district.nodes[0].run(&["list", "dusun", "--limit", "0"]).await?;
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("BELUM 199") && !listed.contains("DITOLAK"), "{listed}");
    district.hub.start().await?;
    district.wait_proven(WITHIN).await
}

async fn goes_on(district: &mut District) -> anyhow::Result<()> {
    let node = &district.nodes[0];
    wait_until(WITHIN, "saves are taken again", async || {
        Ok(node.save_dusun("SESUDAH").await.is_ok())
    })
    .await?;
    district.wait_proven(WITHIN).await?;
    ensure!(!copy_in_memory(district.nodes[0].dir())?.exists(), "the copy was left behind");
    district.stop().await?;
    let socket = copy_in_memory(district.nodes[0].dir())?.with_extension("sock");
    ensure!(!socket.exists(), "a socket was left behind");
    district.compare()?;
    Ok(())
}

/// Where a copy of a village's store lies while it is read.
fn copy_in_memory(dir: &Path) -> anyhow::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let store = fs::canonicalize(dir.join("store"))?;
    let name = blake3::hash(store.as_os_str().as_bytes()).to_hex();
    Ok(Path::new("/dev/shm").join(format!("lumbung-{}", &name[..16])))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_a_full_disk_starts_and_is_read_and_pulled_from() -> anyhow::Result<()> {
    let Some(disk) = Ext4::mount(64)? else { return Ok(()) };
    let mut district = on_disk(&disk).await?;
    district.nodes[0].stop().await?;
    let ballast = disk.fill()?;
    // A command that opens the files itself.
    let said = district.nodes[0].run(&["status"]).await?;
    let shown = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(shown.contains("penuh sejak"), "{said:?}");
    let verified = district.nodes[0].run(&["verify"]).await?;
    assert!(verified.status.success(), "{verified:?}");
    ensure!(!copy_in_memory(district.nodes[0].dir())?.exists(), "a command left its copy");
    district.nodes[0].start().await?;
    is_read_only(&mut district, "Disk komputer ini penuh").await?;
    ensure!(copy_in_memory(district.nodes[0].dir())?.exists(), "it is read from elsewhere");
    district.nodes[0].stop().await?;
    ensure!(!copy_in_memory(district.nodes[0].dir())?.exists(), "the copy was left behind");
    district.nodes[0].start().await?;
    // Nor does a kill matter.
    district.nodes[0].kill()?;
    district.nodes[0].start().await?;
    fs::remove_file(ballast)?;
    goes_on(&mut district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_on_a_read_only_disk_starts_and_is_read_and_pulled_from() -> anyhow::Result<()> {
    const WORDS: &str = "Disk komputer ini hanya bisa dibaca";
    let Some(disk) = Ext4::mount(64)? else { return Ok(()) };
    let mut district = on_disk(&disk).await?;
    district.nodes[0].stop().await?;
    disk.remount("ro")?;
    for command in ["status", "verify"] {
        let said = district.nodes[0].run(&[command]).await?;
        assert!(said.status.success(), "{command}: {said:?}");
    }
    ensure!(!copy_in_memory(district.nodes[0].dir())?.exists(), "a command left its copy");
    district.nodes[0].start().await?;
    ensure!(district.nodes[0].said().contains(&format!("{WORDS} sejak")), "it starts in silence");
    is_read_only(&mut district, WORDS).await?;
    ensure!(copy_in_memory(district.nodes[0].dir())?.exists(), "it is read from elsewhere");
    district.nodes[0].kill()?;
    district.nodes[0].start().await?;
    district.nodes[0].stop().await?;
    let socket = copy_in_memory(district.nodes[0].dir())?.with_extension("sock");
    ensure!(!socket.exists(), "the socket was left behind");
    // Another start, once as a sound disk and once while it becomes one.
    disk.remount("rw")?;
    district.nodes[0].start().await?;
    district.nodes[0].save_dusun("DI ANTARA").await?;
    district.wait_proven(WITHIN).await?;
    district.nodes[0].stop().await?;
    disk.remount("ro")?;
    district.nodes[0].start().await?;
    disk.remount("rw")?;
    goes_on(&mut district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_becomes_read_only_is_read_and_pulled_from() -> anyhow::Result<()> {
    let Some(disk) = Ext4::mount(64)? else { return Ok(()) };
    let mut district = on_disk(&disk).await?;
    if !disk.fail()? {
        return Ok(());
    }
    // The first save finds out.
    drop(district.nodes[0].save_dusun("DITOLAK").await);
    is_read_only(&mut district, "Disk komputer ini hanya bisa dibaca").await?;
    // The same before anybody has seen to it.
    district.nodes[0].kill()?;
    district.nodes[0].start().await?;
    is_read_only(&mut district, "Disk komputer ini hanya bisa dibaca").await?;
    district.nodes[0].kill()?;
    disk.replace()?;
    district.nodes[0].start().await?;
    goes_on(&mut district).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_can_be_written_again_takes_saves_without_a_restart() -> anyhow::Result<()> {
    let Some(disk) = Ext4::mount(64)? else { return Ok(()) };
    let dir = disk.dir().join(NAMED);
    let village = lumbung_node::cli::create(&dir, code())?;
    let mut book = Book::default();
    let mut save = async |village: &Village, number: u64| {
        let wishes = wishes(number, 30);
        let contents = contents(&wishes);
        book.sent(&contents);
        if let Ok(saved) = village.save("kader", Source::MANUAL, wishes).await {
            book.acknowledged(&contents, saved.receipt)?;
        }
        book.check(village.barn(), &fold::fold_barn(village.barn())?)
    };
    for number in 0..100 {
        save(&village, number).await?;
    }
    if !disk.fail()? {
        return Ok(());
    }
    drop(village.save("kader", Source::MANUAL, wishes(100, 30)).await);
    let later = village.save("kader", Source::MANUAL, wishes(101, 30)).await;
    let certain = SaveError::Barn(SubmitError::ReadOnly { certain: true });
    ensure!(later.is_err_and(|error| format!("{error:?}") == format!("{certain:?}")));
    save(&village, 102).await?;
    disk.replace()?;
    let mut condition = village.barn().condition();
    let sound = condition.wait_for(|now| matches!(now, Condition::WasReadOnly { .. }));
    tokio::time::timeout(WITHIN, sound).await??;
    let head = village.barn().head();
    save(&village, 103).await?;
    ensure!(village.barn().head() != head, "nothing was saved");
    ensure!(village.barn().verify()?.faults.is_empty());
    village.close();
    Ok(())
}
