//! A village that only ever sends sticks: its rows are proven against its
//! log, put right from it, and a log that went back in time is agreed on,
//! with real processes and no network between them.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use lumbung_hub::dataset::VillageState;
use lumbung_tests::district::District;
use lumbung_tests::scene::copy;
use lumbung_tests::sticks::{admit, export, fill, import, plain, said, save};
use rusqlite::Connection;

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
    let all = district
        .hub
        .dataset()
        .unwrap()
        .incidents(&lumbung_hub::dataset::Scope::whole(), 100)
        .unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_put_back_is_agreed_on_by_stick() {
    for written in [0, 4] {
        let mut district = district().await;
        assert!(carry(&district, 0).await.0);
        answer(&district, "awal.jawaban").await;
        let kept = district.folder().join("simpanan");
        copy(district.nodes[0].dir(), &kept).unwrap();
        district.nodes[0].start().await.unwrap();
        save(&district.nodes[0], &names(0, 4)).await.unwrap();
        assert!(carry(&district, 0).await.0);

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
        district.nodes[0].stop().await.unwrap();
        district.compare().unwrap();
    }
}

fn names(round: usize, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("R{round} N{number}")).collect()
}
