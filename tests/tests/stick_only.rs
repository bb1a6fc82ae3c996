//! A village that only ever sends sticks: its rows are proven against its
//! log, put right from it, and a log that went back in time is agreed on,
//! with real processes and no network between them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lumbung_hub::dataset::{Hold, VillageState};
use lumbung_node::barn::{SledStore, Store as _, WriteBatch};
use lumbung_tests::district::{District, wait_until};
use lumbung_tests::fold::fold;
use lumbung_tests::scene::copy;
use lumbung_tests::sticks::{admit, export, fill, import, plain, said, save};
use rusqlite::Connection;

const WITHIN: Duration = Duration::from_secs(60);

/// A district with one village of ten families that has joined.
async fn district() -> District {
    let mut district = District::new(env!("CARGO_BIN_EXE_lumbung-process"), 1).unwrap();
    admit(&mut district).await.unwrap();
    fs::create_dir(district.folder().join("stik")).unwrap();
    fill(&district, 0, 10).await.unwrap();
    district
}

fn state(district: &mut District) -> VillageState {
    let village = district.nodes[0].village;
    district.hub.village(village).unwrap()
}

/// Carries a stick with everything from entry `from` on (0 = from what is
/// confirmed); gives what the hub said.
async fn carry(district: &District, from: u64) -> (bool, String) {
    let stick = export(&district.nodes[0], &district.folder().join("stik"), from).await.unwrap();
    let done = import(&district.hub, &[stick]).unwrap();
    (done.status.success(), said(&done))
}

/// Carries the hub's answer to the village; gives what hub and node said.
async fn answer(district: &District, name: &str) -> (String, String) {
    let file: PathBuf = district.folder().join(name);
    let out = plain(&file).unwrap();
    let code = district.nodes[0].village.compact();
    let made = district.hub.run(&["bundle", "export", &code, "--out", out]).unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let taken = district.nodes[0].run(&["bundle", "import", out]).await.unwrap();
    assert!(taken.status.success(), "{}", said(&taken));
    (said(&made), said(&taken))
}

/// Changes the hub's file; one row must be concerned.
fn falsify(district: &District, sql: &str) {
    let conn = Connection::open(district.hub.dir().join("hub.db")).unwrap();
    assert_eq!(conn.execute(sql, []).unwrap(), 1, "{sql}");
}

fn incidents(district: &mut District, code: &str) -> Vec<String> {
    let hub = district.hub.dataset().unwrap();
    let all = hub.incidents(&hub.whole(), 100).unwrap();
    all.into_iter().filter(|it| it.code == code).map(|it| it.sentence).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_proven_and_put_right_by_stick() {
    let mut district = district().await;
    let (taken, words) = carry(&district, 1).await;
    assert!(taken && words.contains("Semua baris sama dengan log desa"), "{words}");
    answer(&district, "pertama.jawaban").await;
    let proven = state(&mut district).deep_proof_ms;
    assert!(proven > 0);

    // Rows that a disk has changed since, and the sums beside them: equal
    // sums say nothing about such rows.
    let one = "id = (SELECT id FROM warga ORDER BY id LIMIT 1 OFFSET";
    falsify(&district, &format!("DELETE FROM warga WHERE {one} 3)"));
    falsify(&district, &format!("UPDATE warga SET status_dasar = 2 WHERE {one} 9)"));
    let (_, words) = carry(&district, 0).await;
    assert!(words.contains("rumah tangga berbeda"), "{words}");
    assert!(words.contains("bundle export --from 1"), "{words}");
    let doubted = state(&mut district);
    assert_eq!((doubted.trouble.as_str(), doubted.deep_proof_ms), ("isi_beda", proven));
    let (_, words) = answer(&district, "minta.jawaban").await;
    assert!(words.contains("bundle export --from 1"), "{words}");

    let (taken, words) = carry(&district, 1).await;
    assert!(taken && words.contains("1 catatan hilang"), "{words}");
    assert!(words.contains("Terbukti sama"), "{words}");
    let mended = state(&mut district);
    assert_eq!(mended.trouble, "");
    assert!(mended.deep_proof_ms > proven);
    assert_eq!(incidents(&mut district, "diperbaiki").len(), 1);

    // The sums alone: the next stick is enough, without any entry in it.
    falsify(&district, "UPDATE village SET records = records + 1");
    let (_, words) = carry(&district, 0).await;
    assert!(words.contains("jumlahnya dihitung ulang"), "{words}");
    assert!(words.contains("Terbukti sama"), "{words}");
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_is_agreed_on_by_stick() {
    let mut district = district().await;
    assert!(carry(&district, 0).await.0);
    let passphrase = district.folder().join("sandi.txt");
    fs::write(&passphrase, "padi di lumbung desa").unwrap();
    let backup = district.folder().join("lama.lumbung");
    let args = [plain(&backup).unwrap(), "--sandi-berkas", plain(&passphrase).unwrap()];
    let done = district.nodes[0].run(&[&["backup"], &args[..]].concat()).await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(0, 6)).await.unwrap();
    assert!(carry(&district, 0).await.0);
    district.nodes[0].stop().await.unwrap();

    // The disk dies, the backup is older than what the district has.
    let done = district.nodes[0].run(&[&["restore"], &args[..]].concat()).await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let (taken, words) = carry(&district, 1).await;
    assert!(taken && words.contains("belum dikembalikan"), "{words}");
    assert_eq!(incidents(&mut district, "ekor_hilang").len(), 1);
    let (made, words) = answer(&district, "balik.jawaban").await;
    assert!(made.contains("6 catatan yang hilang"), "{made}");
    assert!(words.contains("6 dipasang, 0 sudah ada"), "{words}");
    let (_, words) = answer(&district, "lagi.jawaban").await;
    assert!(words.contains("0 dipasang, 6 sudah ada"), "{words}");
    let (taken, words) = carry(&district, 0).await;
    assert!(taken && words.contains("Terbukti sama"), "{words}");
    assert_eq!(state(&mut district).trouble, "");
    district.compare().unwrap();
}

/// The whole folder as it was, witness and all: the node can't know.
async fn put_back(district: &mut District, kept: &Path) {
    district.nodes[0].stop().await.unwrap();
    let dir = district.nodes[0].dir().to_path_buf();
    fs::remove_dir_all(&dir).unwrap();
    copy(kept, &dir).unwrap();
    district.nodes[0].start().await.unwrap();
}

/// A village of which the hub has four records more than a copy of its folder.
async fn ahead_of_its_copy() -> (District, PathBuf) {
    let mut district = district().await;
    assert!(carry(&district, 0).await.0);
    answer(&district, "awal.jawaban").await;
    let kept = district.folder().join("simpanan");
    copy(district.nodes[0].dir(), &kept).unwrap();
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(0, 4)).await.unwrap();
    assert!(carry(&district, 0).await.0);
    (district, kept)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_put_back_is_agreed_on_by_stick() {
    for written in [0, 4] {
        let (mut district, kept) = ahead_of_its_copy().await;

        put_back(&mut district, &kept).await;
        save(&district.nodes[0], &names(1, written)).await.unwrap();
        let before = state(&mut district).position;
        let (taken, words) = carry(&district, 0).await;
        assert_eq!(taken, written == 0, "{words}");
        assert!(words.contains("lumbung-hub bundle export"), "{words}");
        assert_eq!(state(&mut district).position, before, "nothing was taken");

        let (_, words) = answer(&district, "tanya.jawaban").await;
        assert!(words.contains("kembali ke keadaan lama"), "{words}");
        let (taken, words) = carry(&district, 0).await;
        assert!(taken && words.contains("belum dikembalikan"), "{words}");
        let (made, words) = answer(&district, "balik.jawaban").await;
        assert!(made.contains("4 catatan yang hilang"), "{made}");
        assert!(words.contains("4 dipasang, 0 sudah ada"), "{words}");
        let (taken, words) = carry(&district, 0).await;
        assert!(taken && words.contains("Terbukti sama"), "{words}");
        assert_eq!(state(&mut district).undelivered, 0);
        let told = incidents(&mut district, "dikembalikan");
        assert!(told.len() == 1 && told[0].contains("4 ditulis lagi"), "{told:?}");
        district.nodes[0].stop().await.unwrap();
        district.compare().unwrap();
    }
}

/// Somebody whose number another record has by now can't come back. The village's
/// next stick tells, as no line does.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_typed_in_again_does_not_come_back_and_the_stick_tells() {
    let mut district = district().await;
    assert!(carry(&district, 0).await.0);
    answer(&district, "awal.jawaban").await;
    let kept = district.folder().join("simpanan");
    copy(district.nodes[0].dir(), &kept).unwrap();
    fill(&district, 0, 11).await.unwrap();
    assert!(carry(&district, 0).await.0);
    let records = state(&mut district).warga;

    put_back(&mut district, &kept).await;
    fill(&district, 0, 11).await.unwrap();
    assert!(carry(&district, 0).await.1.contains("lumbung-hub bundle export"));
    answer(&district, "tanya.jawaban").await;
    let (_, words) = carry(&district, 0).await;
    assert!(words.contains("belum dikembalikan"), "{words}");
    let (_, words) = answer(&district, "balik.jawaban").await;
    assert!(words.contains("5 tetap memakai milik desa"), "four residents, one card: {words}");
    assert!(words.contains("lumbung-node bundle export"), "{words}");
    let (taken, words) = carry(&district, 0).await;
    assert!(taken && words.contains("Terbukti sama"), "{words}");
    let now = state(&mut district);
    assert_eq!((now.undelivered, now.warga), (0, records));
    let told = incidents(&mut district, "dikembalikan");
    assert!(told.len() == 1 && told[0].contains("5 "), "{told:?}");
    district.nodes[0].stop().await.unwrap();
    district.compare().unwrap();
}

/// What came back is handed back until both were proven equal. It must not pass for
/// the reason why they are not.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_is_no_reason_why_rows_differ() {
    let (mut district, kept) = ahead_of_its_copy().await;
    put_back(&mut district, &kept).await;
    assert!(carry(&district, 0).await.1.contains("lumbung-hub bundle export"));
    answer(&district, "tanya.jawaban").await;
    assert!(carry(&district, 0).await.1.contains("belum dikembalikan"));
    assert!(carry(&district, 0).await.1.contains("belum dikembalikan"));
    answer(&district, "balik.jawaban").await;
    for answered in [false, true] {
        let next = "number = (SELECT min(number) FROM branch WHERE settled = 1)";
        let conflict = format!("UPDATE branch SET outcome = 3, settled = 0 WHERE {next}");
        (0..4).filter(|_| answered).for_each(|_| falsify(&district, &conflict));
        assert_eq!(state(&mut district).undelivered, 4);
        let one = "id = (SELECT id FROM warga ORDER BY id LIMIT 1 OFFSET 3)";
        falsify(&district, &format!("DELETE FROM warga WHERE {one}"));
        falsify(&district, "UPDATE village SET records = records + 1");
        let (_, words) = carry(&district, 0).await;
        assert!(words.contains("berbeda") && !words.contains("belum dikembalikan"), "{words}");
        assert_eq!(state(&mut district).trouble, "isi_beda");
        let (taken, words) = carry(&district, 1).await;
        assert!(taken && words.contains("Terbukti sama"), "{words}");
        assert_eq!(state(&mut district).undelivered, 0, "settled by the proof");
    }
    district.nodes[0].stop().await.unwrap();
    district.compare().unwrap();
}

/// Puts another value in the place of the first block of the stopped node's
/// log, and gives the one that was there.
fn exchange(district: &District, value: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (store, _) = SledStore::open(&district.nodes[0].dir().join("store")).unwrap();
    let (key, before) = store.scan(b"L", b"M").next().unwrap().unwrap();
    let mut batch = WriteBatch::default();
    batch.put(key.to_vec(), value(&before));
    store.apply(batch).unwrap();
    store.sync().unwrap();
    before.to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_log_is_told_by_stick_and_nothing_is_made_of_it() {
    let mut district = district().await;
    assert!(carry(&district, 1).await.0);
    answer(&district, "awal.jawaban").await;
    let proven = state(&mut district);
    let damaged = |block: &[u8]| {
        let mut block = block.to_vec();
        *block.last_mut().unwrap() ^= 1;
        block
    };
    let sound = exchange(&district, damaged);
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(0, 3)).await.unwrap();
    district.nodes[0].stop().await.unwrap();

    // What is new and proves itself is taken; the rows stay unproven.
    let (taken, words) = carry(&district, 0).await;
    assert!(taken && words.contains("3 catatan digabung"), "{words}");
    assert!(words.contains("rusak mulai nomor 1,"), "{words}");
    let told = state(&mut district);
    assert_eq!((told.trouble.as_str(), told.deep_proof_ms), ("log_rusak", proven.deep_proof_ms));
    assert_eq!(told.records, proven.records + 3);
    let said = incidents(&mut district, "log_rusak");
    assert!(said.len() == 1 && said[0].contains("mulai nomor 1."), "{said:?}");
    // Again: the trouble stays, and the incident is not told twice.
    let (_, words) = carry(&district, 0).await;
    assert!(words.contains("rusak mulai nomor 1,"), "{words}");
    assert_eq!(state(&mut district).trouble, "log_rusak");
    assert_eq!(incidents(&mut district, "log_rusak").len(), 1);

    // The disk is put in order: the next stick proves the rows again.
    exchange(&district, |_| sound.clone());
    let (taken, words) = carry(&district, 0).await;
    assert!(taken && words.contains("Terbukti sama") && !words.contains("rusak"), "{words}");
    let mended = state(&mut district);
    assert_eq!(mended.trouble, "");
    assert!(mended.deep_proof_ms > proven.deep_proof_ms);
    district.compare().unwrap();
}

/// The other one of two machines goes on: it writes, and its stick is carried
/// once it has the district's answer.
async fn takes_its_turn(district: &mut District, dir: &str, round: usize) -> (bool, String) {
    district.nodes[0].move_to(dir);
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(round, 3 + round)).await.unwrap();
    district.nodes[0].stop().await.unwrap();
    let (taken, words) = carry(district, 0).await;
    assert!(!words.contains("catatan digabung"), "it is of another history: {taken} {words}");
    answer(district, &format!("giliran-{round}.jawaban")).await;
    carry(district, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_that_take_turns_by_stick_are_stopped_until_one_is_left() {
    let mut district = district().await;
    assert!(carry(&district, 0).await.0);
    answer(&district, "awal.jawaban").await;
    let village = district.nodes[0].village;
    let (own, twin) = (village.compact(), "kembaran");
    copy(district.nodes[0].dir(), &district.folder().join(twin)).unwrap();
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(0, 2)).await.unwrap();
    district.nodes[0].stop().await.unwrap();
    assert!(carry(&district, 0).await.0);

    // The copy, and the true one again: each may be a disk put back.
    let (taken, words) = takes_its_turn(&mut district, twin, 1).await;
    assert!(taken, "{words}");
    let told = incidents(&mut district, "disk_mundur");
    assert!(told.len() == 1 && told[0].contains("riwayat lain"), "{told:?}");
    let (taken, words) = takes_its_turn(&mut district, &own, 2).await;
    assert!(taken, "{words}");
    let before = state(&mut district);
    assert_eq!((before.twin_ms, before.trouble.as_str()), (0, ""));

    // The copy goes on, so both are in use.
    let (taken, words) = takes_its_turn(&mut district, twin, 3).await;
    assert!(!taken && words.contains("dua komputer bergantian"), "{words}");
    let stopped = state(&mut district);
    assert_eq!((stopped.position, stopped.records), (before.position, before.records));
    assert!(stopped.twin_ms > 0 && stopped.trouble == "kembar", "{}", stopped.trouble);
    let told = incidents(&mut district, "kembar");
    assert!(told.len() == 1 && told[0].contains("bergantian mengirim stik"), "{told:?}");
    let shown = said(&district.hub.run(&["villages", "show", &own]).unwrap());
    assert!(shown.contains("villages resolve"), "{shown}");
    district.nodes[0].move_to(&own);
    let (taken, words) = carry(&district, 0).await;
    assert!(!taken && words.contains("ditahan"), "{words}");
    assert_eq!(state(&mut district).position, before.position);

    // One is left, and gets what the other one had brought.
    let done = district.hub.run(&["villages", "resolve", &own]).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    answer(&district, "akhir.jawaban").await;
    let (taken, words) = carry(&district, 0).await;
    assert!(taken && words.contains("Terbukti sama"), "{words}");
    assert_eq!(state(&mut district).trouble, "");
    district.compare().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_villages_stick_waits_on_the_stick() {
    let mut district = district().await;
    let village = district.nodes[0].village;
    let hold = Hold {
        by: "darto".to_owned(),
        reason: "menunggu pemeriksaan".to_owned(),
        since_ms: 0,
        until_ms: i64::MAX / 2,
    };
    district.hub.dataset().unwrap().set_hold(village, Some(&hold)).unwrap();
    let stick = export(&district.nodes[0], &district.folder().join("stik"), 0).await.unwrap();
    let done = import(&district.hub, std::slice::from_ref(&stick)).unwrap();
    let words = said(&done);
    assert!(!done.status.success() && words.contains("ditahan oleh darto"), "{words}");
    assert!(words.contains("menunggu pemeriksaan") && words.contains("tetap utuh di stik"));
    assert_eq!(state(&mut district).position, None, "nothing was taken");

    // A hold that is over holds nothing.
    let over = Hold { until_ms: 1, ..hold };
    district.hub.dataset().unwrap().set_hold(village, Some(&over)).unwrap();
    let done = import(&district.hub, &[stick]).unwrap();
    assert!(done.status.success() && said(&done).contains("Terbukti sama"), "{}", said(&done));
    district.compare().unwrap();
}

/// Tells the node where the hub is, or another place; gives what it knew.
fn knows_address(district: &District, address: &str) -> String {
    let known = district.nodes[0].dir().join("identity").join("district.toml");
    let text = fs::read_to_string(&known).unwrap();
    let line = text.lines().find(|line| line.starts_with("address")).unwrap();
    fs::write(&known, text.replace(line, &format!("address = \"{address}\""))).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

/// Lets the node bring its last entries over the line, and takes the line away
/// again.
async fn online(district: &mut District, round: usize) {
    district.hub.start().await.unwrap();
    let nowhere = knows_address(district, &district.hub.uplink.to_string());
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(round, 3 + round)).await.unwrap();
    let node = &district.nodes[0];
    wait_until(WITHIN, "the village knows that everything is safe", async || {
        let status = node.status().await?;
        Ok(status["confirmed_seq"] == status["seq"])
    })
    .await
    .unwrap();
    district.nodes[0].stop().await.unwrap();
    district.hub.stop().await.unwrap();
    knows_address(district, &nowhere);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_village_goes_on_by_stick_and_a_reinstalled_one_when_it_is_said_to() {
    let mut district = district().await;
    assert!(carry(&district, 0).await.0);
    let records = state(&mut district).records;
    // The disk is damaged; somebody lends the computer a line for an hour.
    district.hub.start().await.unwrap();
    let nowhere = knows_address(&district, &district.hub.uplink.to_string());
    let dir = district.nodes[0].dir().to_path_buf();
    for file in ["db", "journal"] {
        let file = fs::File::options().write(true).open(dir.join("store").join(file)).unwrap();
        file.set_len(100).unwrap();
    }
    let done = district.nodes[0].run(&["recover"]).await.unwrap();
    assert!(done.status.success(), "{}", said(&done));
    district.hub.stop().await.unwrap();
    knows_address(&district, &nowhere);

    let (taken, words) = carry(&district, 0).await;
    assert!(taken && words.contains("Terbukti sama"), "{words}");
    let told = incidents(&mut district, "dibangun_ulang");
    assert!(told.len() == 1 && told[0].contains("rusak dan disisihkan"), "{told:?}");
    assert_eq!(state(&mut district).records, records);
    let village = district.nodes[0].village;
    assert!(district.hub.dataset().unwrap().leftovers(village).unwrap().is_empty());
    assert!(carry(&district, 0).await.0);
    assert_eq!(incidents(&mut district, "dibangun_ulang").len(), 1);
    let aside = lumbung_node::backup::damaged_stores(&dir).unwrap();
    assert!(lumbung_node::backup::goes_ms(&aside[0]).is_none());
    answer(&district, "boleh.jawaban").await;
    assert!(lumbung_node::backup::goes_ms(&aside[0]).is_some(), "the answer says that it may go");

    // An empty folder, and the same people typed in again.
    fs::remove_dir_all(dir.join("store")).unwrap();
    for file in ["witness", "node.toml"] {
        fs::remove_file(dir.join(file)).unwrap();
    }
    let begun = district.nodes[0].run(&["init", &village.compact()]).await.unwrap();
    assert!(begun.status.success(), "{}", said(&begun));
    fill(&district, 0, 2).await.unwrap();
    let before = state(&mut district).position;
    let stick = export(&district.nodes[0], &district.folder().join("stik"), 0).await.unwrap();
    let refused = import(&district.hub, std::slice::from_ref(&stick)).unwrap();
    assert!(!refused.status.success() && said(&refused).contains("--log-baru"));
    assert_eq!(state(&mut district).position, before, "nothing was taken");
    let args = ["bundle", "import", "--log-baru", plain(&stick).unwrap()];
    let done = district.hub.run(&args).unwrap();
    assert!(done.status.success() && said(&done).contains("Terbukti sama"), "{}", said(&done));
    assert_eq!(incidents(&mut district, "dipasang_ulang").len(), 1);
    let left: u64 = district.hub.dataset().unwrap().leftovers(village).unwrap().values().sum();
    assert_eq!(left, records, "the old records wait");
    let folded = fold(&dir, village).unwrap();
    assert_eq!(folded.fingerprint, state(&mut district).fingerprint);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_wrote_less_than_was_merged_is_noticed_and_an_old_stick_is_not() {
    let mut district = district().await;
    assert!(carry(&district, 0).await.0);
    answer(&district, "awal.jawaban").await;
    let twin = "kembaran";
    copy(district.nodes[0].dir(), &district.folder().join(twin)).unwrap();
    let folder = district.folder().join("stik");
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(0, 3)).await.unwrap();
    let old = export(&district.nodes[0], &folder, 0).await.unwrap();
    save(&district.nodes[0], &names(1, 3)).await.unwrap();
    district.nodes[0].stop().await.unwrap();
    assert!(carry(&district, 0).await.0);
    let merged = state(&mut district);
    let done = import(&district.hub, &[old]).unwrap();
    assert!(done.status.success(), "{}", said(&done));
    assert!(incidents(&mut district, "disk_mundur").is_empty());

    district.nodes[0].move_to(twin);
    district.nodes[0].start().await.unwrap();
    save(&district.nodes[0], &names(2, 2)).await.unwrap();
    district.nodes[0].stop().await.unwrap();
    let short = export(&district.nodes[0], &folder, 0).await.unwrap();
    for _ in 0..2 {
        let done = import(&district.hub, std::slice::from_ref(&short)).unwrap();
        assert!(!done.status.success() && said(&done).contains("riwayat"), "{}", said(&done));
        let told = incidents(&mut district, "disk_mundur");
        assert!(told.len() == 1 && told[0].contains("disk digandakan"), "{told:?}");
    }
    let now = state(&mut district);
    assert_eq!((now.position, now.records), (merged.position, merged.records));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_uses_sticks_while_the_other_has_a_line_is_a_twin() {
    let mut district = district().await;
    let (own, twin) = (district.nodes[0].village.compact(), "kembaran");
    online(&mut district, 0).await;
    copy(district.nodes[0].dir(), &district.folder().join(twin)).unwrap();
    online(&mut district, 1).await;

    let (taken, words) = takes_its_turn(&mut district, twin, 2).await;
    assert!(taken, "{words}");
    district.nodes[0].move_to(&own);
    online(&mut district, 3).await;
    let before = state(&mut district);
    assert_eq!((before.twin_ms, before.trouble.as_str()), (0, ""), "it may be a disk put back");

    let (taken, words) = takes_its_turn(&mut district, twin, 4).await;
    assert!(!taken && words.contains("dua komputer bergantian"), "{words}");
    let stopped = state(&mut district);
    assert_eq!((stopped.position, stopped.records), (before.position, before.records));
    assert!(stopped.twin_ms > 0);
    assert_eq!(incidents(&mut district, "kembar").len(), 1);
}

fn names(round: usize, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("R{round} N{number}")).collect()
}
